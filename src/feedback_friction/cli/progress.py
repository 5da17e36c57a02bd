"""What a run shows while it runs: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from feedback_friction.engine.run.runner import Progress as Counts
from feedback_friction.engine.run.runner import Watched
from feedback_friction.protocol.records import Status

REDRAW_SECONDS = 0.25
LINE_SECONDS = 30.0
MOST_SEEN = 1000


class Display:
    """Watches a run from the moment that it starts, and counts its ``unit``."""

    def __init__(
        self, console: Console, unit: str = "trials", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._console = console
        self.unit = unit
        self._runner: Watched | None = None
        self._clock = clock
        self._started = clock()
        self._done_before: int | None = None
        self._pace = Pace()

    def watch(self, runner: Watched) -> None:
        """Start to watch; the clock runs from here."""
        self._runner, self._started = runner, self._clock()

    def note(self, line: str) -> None:
        """Print what the user should know, above the bar where there is one."""
        self._print(f"note: {line}")

    def print(self, more: str = "") -> None:
        """Print how far the run is; nothing before it starts."""
        counts = self.counts()
        if counts is not None:
            self._print(f"{counts.ended}/{counts.total} {self.unit}: {self.describe(counts)}{more}")

    def _print(self, line: str) -> None:
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    def counts(self) -> Counts | None:
        """The runner's counts; None before it starts."""
        if self._runner is None:
            return None
        counts = self._runner.progress
        if self._done_before is None and counts.total:
            self._done_before = counts.ended
        return counts

    def describe(self, counts: Counts) -> str:
        """Solved / running / failed, speed, cost and time left, in one line."""
        seconds = max(self._clock() - self._started, 1e-9)
        spent = counts.spent
        tokens = spent.usage.completion_tokens
        solved = counts.statuses.get("solved", 0)
        undecided = counts.statuses.get("undecided", 0)
        parts = [
            *([f"{solved} solved"] if solved or self.unit == "trials" else []),
            f"{counts.running} running",
            f"{counts.statuses.get('failed', 0)} failed",
            *([f"{undecided} undecided"] if undecided else []),
            _speed(spent.calls, seconds),
            f"{tokens / seconds:,.0f} tokens/s",
        ]
        if spent.reused:
            parts.append(f"{spent.reused:,} calls reused")
        if spent.cost:
            parts.append(f"${spent.cost:,.2f}" + ("+" if spent.unpriced else ""))
        self._pace.note(seconds, counts.ended - (self._done_before or 0))
        left = self._pace.seconds_left(counts.total - counts.ended)
        if left is not None:
            parts.append(f"about {_duration(left)} left")
        return ", ".join(parts)


class Pace:
    """How fast trials end, by the later half of the session.

    The first to end are the shortest, and the first calls fill a server's caches: what ran later
    says more of what is still to come. Before anything has ended there is nothing to say.
    """

    def __init__(self) -> None:
        self._seen = [(0.0, 0)]

    def note(self, seconds: float, ended: int) -> None:
        """Note how many trials had ended after so many seconds of the session."""
        self._seen.append((seconds, ended))
        if len(self._seen) > MOST_SEEN:
            del self._seen[1::2]

    def seconds_left(self, trials: int) -> float | None:
        """Seconds until so many more have ended; None where nothing tells."""
        now, ended = self._seen[-1]
        since, before = max(
            (each for each in self._seen if each[0] <= now / 2), key=lambda each: each[0]
        )
        if trials <= 0 or ended == before:
            return None
        return trials * (now - since) / (ended - before)


def _speed(calls: int, seconds: float) -> str:
    a_second = calls / seconds
    slow = a_second < 1
    return f"{60 * a_second:,.1f} calls/min" if slow else f"{a_second:,.1f} calls/s"


def tell_missing(counts: Counts, unit: str = "trials") -> bool:
    """Tell how many failed or are undecided, a line each; whether there are any."""
    words: dict[Status, str] = {
        "failed": "failed; the same command tries again",
        "undecided": "undecided, neither right nor wrong: a comparison ran out of time or "
        "memory; the same command compares again, without asking a model",
    }
    found = {status: counts.statuses.get(status, 0) for status in words}
    for status, number in found.items():
        if number:
            what = unit.removesuffix("s") if number == 1 else unit
            click.echo(f"{number} {what} {words[status]}", err=True)
    if counts.reasons:
        [(reason, times)] = counts.reasons.most_common(1)
        often = f", {times} of them" if times > 1 or len(counts.reasons) > 1 else ""
        click.echo(f"why they failed{often}: {reason}", err=True)
    return any(found.values())


@asynccontextmanager
async def shown(directory: Path, *, quiet: bool, unit: str = "trials") -> AsyncIterator[Display]:
    """Show a run's progress on standard error while the block runs."""
    console = Console(stderr=True)
    display = Display(console, unit)
    if quiet:
        yield display
        return
    draw = _bar(display, console) if console.is_terminal else _lines(display)
    task = asyncio.create_task(draw)
    try:
        yield display
    finally:
        task.cancel()
        await asyncio.wait((task,))
        display.print(f"; {directory}")


async def _bar(display: Display, console: Console) -> None:
    columns = (
        BarColumn(bar_width=24),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        line = bar.add_task("starting", total=None)
        while True:
            counts = display.counts()
            if counts is not None:
                bar.update(
                    line,
                    total=counts.total,
                    completed=counts.ended,
                    description=display.describe(counts),
                )
            await asyncio.sleep(REDRAW_SECONDS)


async def _lines(display: Display) -> None:
    while True:
        await asyncio.sleep(LINE_SECONDS)
        display.print()


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02d}m" if hours else f"{minutes}m{seconds:02d}s"
