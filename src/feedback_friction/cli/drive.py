"""Runs asynchronous work from the command line: its progress, Ctrl-C, and how it can be resumed."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from feedback_friction.cli.progress import shown, tell_missing
from feedback_friction.engine.run.caller import Caller
from feedback_friction.engine.run.runner import Progress, Watched
from feedback_friction.errors import RunStoppedError, UsageError
from feedback_friction.redact import cleaned, environment_secrets
from feedback_friction.tracebacks import Tracebacks, kept

INTERRUPTED = 130

Result = TypeVar("Result")
Watch = Callable[[Watched], None]
Note = Callable[[str], None]


def command_line() -> list[str]:
    """The command as it may be written down."""
    return ["friction", *cleaned(sys.argv[1:], environment_secrets(os.environ))]


def tell(notes: Iterable[str]) -> None:
    """Print what the user should know before the run starts."""
    for note in notes:
        click.echo(f"note: {note}", err=True)


def resumable(directory: Path, interrupted: bool) -> int:
    """Tell how a run is resumed that was interrupted; returns the exit code."""
    if interrupted:
        click.echo(f"interrupted; the same command resumes {directory}", err=True)
    return INTERRUPTED if interrupted else 0


def ended(progress: Progress, interrupted: bool, directory: Path, unit: str = "trials") -> int:
    """Tell what a run left undone; returns the exit code."""
    if interrupted:
        return resumable(directory, interrupted)
    if progress.stopped:
        click.echo(progress.stopped, err=True)
    return 1 if tell_missing(progress, unit) or progress.stopped else 0


def run_to_end(
    work: Callable[[Watch, Note], Awaitable[Result]],
    directory: Path,
    *,
    quiet: bool,
    unit: str = "trials",
) -> tuple[Result, bool]:
    """Run; the first Ctrl-C lets the calls under way end, the second one does not.

    Args:
        work: called with what watches it, and with what prints notes to the user.
        unit: what the progress counts.

    Returns:
        What the work returns, and whether it was interrupted.
    """
    interrupted = False

    async def main() -> Result:
        def watch(watched: Watched) -> None:
            drain_on_interrupt(watched.caller, mark)
            display.watch(watched)

        def mark() -> None:
            nonlocal interrupted
            interrupted = True

        async with shown(directory, quiet=quiet, unit=unit) as display:
            return await work(watch, display.note)

    return in_loop(main, f"the same command resumes {directory}", directory), interrupted


def in_loop(
    main: Callable[[], Coroutine[Any, Any, Result]], resume: str, directory: Path
) -> Result:
    """Run asynchronous work to its end.

    Args:
        resume: says how a run that stopped itself is resumed.
        directory: of the run; the traceback of an unexpected error is kept in it.

    Raises:
        KeyboardInterrupt: it was cancelled.
        RunStoppedError: it stopped itself; the line ends with ``resume``.
    """

    async def guarded() -> Result:
        # An error in a task that is not awaited would be printed with its traceback.
        asyncio.get_running_loop().set_exception_handler(Tracebacks(directory).handle)
        return await main()

    _collect_seldom()
    handlers = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        return asyncio.run(guarded())
    except asyncio.CancelledError as error:
        click.echo(f"interrupted; {resume}", err=True)
        raise KeyboardInterrupt from error
    except UsageError:  # one that stopped a run before it began has nothing to resume
        raise
    except RunStoppedError as error:
        raise RunStoppedError(f"{error} ({resume})") from error
    except Exception as error:
        raise RunStoppedError(f"{kept(error, directory)} ({resume})") from error
    finally:  # those of the loop would stay behind
        for each, handler in handlers.items():
            signal.signal(each, handler)


def _collect_seldom() -> None:
    """Let the garbage collector leave alone what is loaded by now, and look seldom at the rest.

    A run makes many short-lived objects and hardly a cycle; looking for cycles at the default pace
    costs a fifth of its processor time (``benchmarks/overhead.py``).
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def drain_on_interrupt(caller: Caller, mark: Callable[[], None]) -> None:
    """First Ctrl-C: start no call, keep those under way. Second: drop them."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()

    def second() -> None:
        if task is not None:
            task.cancel()

    def first() -> None:
        mark()
        caller.drain()
        click.echo("\nfinishing the calls in flight; Ctrl-C again drops them", err=True)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, second)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, first)
