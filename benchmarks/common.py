"""What the benchmarks share: running the command, reading its journal, and showing figures.

A benchmark is a function with keyword options that returns figures; ``script`` turns it into a
command line whose options are the function's parameters. A figure that has a target says whether it
holds, and the script's exit code is 0 only if all of them do.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
COLUMN = 60
TIMINGS = frozenset({"seconds", "feedback_seconds", "finished"})


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a benchmark.

    Attributes:
        target: what it has to be, in words; empty for a number that only informs.
        holds: whether it is that; None without a target.
    """

    name: str
    value: float | str
    unit: str = ""
    target: str = ""
    holds: bool | None = None


def at_most(name: str, value: float, limit: float, unit: str = "") -> Figure:
    """A figure that must not be above a limit."""
    return Figure(name, value, unit, f"<= {limit:,g}", value <= limit)


def at_least(name: str, value: float, limit: float, unit: str = "") -> Figure:
    """A figure that must not be below a limit."""
    return Figure(name, value, unit, f">= {limit:,g}", value >= limit)


def exactly(name: str, value: float | str, wanted: float | str, unit: str = "") -> Figure:
    """A figure that must be one value."""
    return Figure(name, value, unit, f"= {wanted}", value == wanted)


Measure = Callable[..., list[Figure]]


def script(measure: Measure, arguments: Sequence[str] | None = None) -> None:
    """Run a benchmark from the command line, print its figures, exit 0 if all targets hold."""
    module = inspect.getmodule(measure)
    parser = argparse.ArgumentParser(
        description=module.__doc__ if module else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    for name, parameter in inspect.signature(measure).parameters.items():
        default = parameter.default
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=type(default),
            default=default,
            help=f"default: {default}",
        )
    options = vars(parser.parse_args(arguments))
    as_json = options.pop("json")
    figures = measure(**options)
    title = (module.__doc__ or "").partition("\n")[0] if module else ""
    print(to_json(title, figures, options) if as_json else to_table(title, figures))
    sys.exit(0 if all(figure.holds is not False for figure in figures) else 1)


def to_table(title: str, figures: Sequence[Figure]) -> str:
    """The figures as aligned lines of text."""
    rows = [
        (
            figure.name,
            f"{_shown(figure.value)} {figure.unit}".strip(),
            figure.target,
            {True: "holds", False: "FAILS", None: ""}[figure.holds],
        )
        for figure in figures
    ]
    # A sentence among the values must not push the other columns off the screen.
    widths = [max(len(row[at]) for row in rows if len(row[at]) <= COLUMN) for at in range(3)]
    lines = [
        f"  {row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:<{widths[2]}}  {row[3]}".rstrip()
        for row in rows
    ]
    return "\n".join([title, *lines])


def to_json(title: str, figures: Sequence[Figure], options: dict[str, Any]) -> str:
    """The figures as one JSON object."""
    shown = [asdict(figure) for figure in figures]
    return json.dumps({"claim": title, "options": options, "figures": shown}, indent=2)


def _shown(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:,.3g}"


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that ended.

    Attributes:
        exit_code: negative for a signal.
        seconds: wall time.
        cpu_seconds: processor time, user and system.
        peak_mb: largest resident set, in MB of 10**6 bytes.
        output: its standard output.
        errors: its standard error.
    """

    exit_code: int
    seconds: float
    cpu_seconds: float
    peak_mb: float
    output: str
    errors: str

    def expect(self, *exit_codes: int) -> Ended:
        """This, if it ended as expected.

        Raises:
            RuntimeError: it did not; shows the end of what it said.
        """
        if self.exit_code not in exit_codes:
            said = (self.output + self.errors).strip()[-2000:]
            raise RuntimeError(f"exit code {self.exit_code}, expected {exit_codes}:\n{said}")
        return self


class Started:
    """A process under way, with its resources counted."""

    def __init__(self, command: Sequence[str]):
        """Start a command; its outputs go to files, so that it never waits for a reader."""
        self._files = [tempfile.TemporaryFile("w+") for _ in range(2)]  # noqa: SIM115 - see _reap
        self._start = time.perf_counter()
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=self._files[0],
            stderr=self._files[1],
            env={**os.environ, "OPENAI_API_KEY": "none-needed"},
        )
        self._ended: Ended | None = None

    @property
    def pid(self) -> int:
        """Its number among the processes."""
        return self._process.pid

    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        if self._ended is None:
            self._reap(os.WNOHANG)
        return self._ended is None

    def kill(self) -> None:
        """Send SIGKILL."""
        self._process.kill()

    def wait(self) -> Ended:
        """Wait until it ends."""
        if self._ended is None:
            self._reap(0)
        assert self._ended is not None
        return self._ended

    def _reap(self, flags: int) -> None:
        # wait4 instead of Popen.wait: it tells the resources of this one child.
        pid, status, usage = os.wait4(self._process.pid, flags)
        if pid == 0:
            return
        self._process.returncode = os.waitstatus_to_exitcode(status)
        texts = []
        for file in self._files:
            file.seek(0)
            texts.append(file.read())
            file.close()
        self._ended = Ended(
            self._process.returncode,
            time.perf_counter() - self._start,
            usage.ru_utime + usage.ru_stime,
            usage.ru_maxrss * 1024 / 1e6,
            *texts,
        )


def start_friction(*arguments: object) -> Started:
    """Start ``friction`` with arguments."""
    return Started([str(Path(sys.executable).with_name("friction")), *map(str, arguments)])


def friction(*arguments: object) -> Ended:
    """Run ``friction`` to its end."""
    return start_friction(*arguments).wait()


def run_arguments(url: str, out: Path, data: Path, *more: object) -> list[object]:
    """Arguments of ``friction run`` for the decimal multiplication task on a simulated server."""
    return [
        *("run", "decimal_multiplication", "--solver", "openai/simulated"),
        *("--base-url", url, "--data", data, "--out", out, *more),
    ]


@contextmanager
def workspace() -> Iterator[Path]:
    """A directory for the length of a ``with`` block."""
    with tempfile.TemporaryDirectory(prefix="friction-benchmark-") as name:
        yield Path(name)


def problems(directory: Path, count: int) -> Path:
    """A file of that many decimal multiplication problems, made by the command itself."""
    path = directory / f"decimal-{count}.jsonl"
    options = ("--digits", 5, "--count", count, "--seed", 0, "--out", path)
    friction("generate", "decimal", *options).expect(0)
    return path


def rows(out: Path, table: str, columns: Sequence[str] = ()) -> list[tuple[Any, ...]]:
    """All rows of a table of a run's journal in a fixed order.

    Args:
        columns: which columns; without any, all but those that hold times.
    """
    with sqlite3.connect(f"file:{out / 'journal.sqlite'}?mode=ro", uri=True) as db:
        there = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
        kept = ", ".join(columns or [name for name in there if name not in TIMINGS])
        return db.execute(f"SELECT {kept} FROM {table} ORDER BY {kept}").fetchall()


def different_rows(one: Path, other: Path) -> int:
    """How many rows of attempts and trials are in one run's journal but not in the other's."""
    found = 0
    for table in ("attempts", "trials"):
        found += len(set(rows(one, table)) ^ set(rows(other, table)))
    return found
