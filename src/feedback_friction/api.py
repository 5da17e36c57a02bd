"""The program from Python: ``import feedback_friction as ff``.

    run = ff.run(tasks=["decimal_multiplication"], solver="student/default", iterations=4)
    run.results()

A run made here is a run directory like any other: ``friction`` reads it, and the same call with the
same ``out`` resumes it. Where a name would do, an object of your own does too: a task (``Task``), a
model (``Model``, or a function), a feedback writer (a function).
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feedback_friction.analysis.accuracy_by_attempt import ConditionResult, read_results
from feedback_friction.analysis.journal import read_run
from feedback_friction.engine.run.caller import Caller
from feedback_friction.engine.run.launch import execute
from feedback_friction.engine.run.prepare import prepare
from feedback_friction.engine.run.python_objects import added
from feedback_friction.engine.run.runner import Progress, Watched
from feedback_friction.errors import RunStoppedError, UsageError
from feedback_friction.extras import need
from feedback_friction.options import filled, options_of, refuse_unknown
from feedback_friction.redact import NONE, cleaned
from feedback_friction.settings import Settings
from feedback_friction.study import combined

if TYPE_CHECKING:
    import polars as pl

_log = logging.getLogger("feedback_friction")
_LISTS = ("accuracy", "ci_low", "ci_high", "known", "bound_low", "bound_high")


@dataclass(frozen=True, slots=True)
class Run:
    """A run directory, and the tables that are made of it.

    What cannot be read or written raises ``UsageError``, and so does a missing extra ``report``.

    Attributes:
        directory: where it is.
    """

    directory: Path

    @property
    def missing(self) -> int:
        """Trials that failed, are undecided or have still to run; ``run`` again runs them."""
        return sum(each.missing for each in read_results(self.directory))

    def results(self) -> pl.DataFrame:
        """Accuracy by condition, with 95% intervals: one row a condition.

        Shares lie in [0, 1]. ``first`` and ``last`` are the accuracy after the first and after the
        last attempt, ``accuracy``, ``ci_low`` and ``ci_high`` lists by attempt; ``gain`` is
        (last - first) / (1 - first). ``n`` counts the problems that count, ``missing`` the trials
        that do not.
        """
        need("report", "polars", "scipy")
        import polars as pl

        rows = [_row(each) for each in read_results(self.directory)]
        return pl.DataFrame(rows, infer_schema_length=None)

    def attempts(self) -> pl.DataFrame:
        """One row an attempt: the columns of the journal's ``attempts``, and its condition's."""
        from feedback_friction.bridges.table import attempts_table

        need("report", "polars", "scipy")
        return attempts_table(self.directory)

    def gains(self) -> pl.DataFrame:
        """What each feedback mode adds to each control, paired by problem, p-values after Holm.

        ``difference`` is of accuracy at the last attempt, in [-1, 1], with its 95% interval.
        """
        need("report", "polars", "scipy")
        from feedback_friction.analysis.frames import load_runs
        from feedback_friction.analysis.tables.comparison import gains

        return gains(load_runs([self.directory]))

    def report(self, path: str | Path = "report") -> Path:
        """Write figures, tables and one HTML page into a folder; returns the page.

        Args:
            path: the folder; or a name that ends in ``.html``, for the page alone, which holds all
                its figures.
        """
        need("report", "polars", "scipy")
        from feedback_friction.report.build import build_report

        return build_report([self.directory], Path(path))


def _row(result: ConditionResult) -> dict[str, Any]:
    """A condition as a row of ``Run.results``: what is asked for most comes first."""
    told: dict[str, Any] = result.as_json()
    about = ("task", "solver", "feedback", "sampling", "history", "n", "missing")
    row = {name: told[name] for name in about}
    row |= result.curve[0].columns("first") | result.curve[-1].columns("last")
    row |= result.gain.columns("gain") | result.area.columns("area")
    row |= result.second.repeated.columns("repetition")
    row |= {name: told[name] for name in _LISTS}
    plain = {k: v for k, v in told.items() if not isinstance(v, list | dict)}
    return {**row, **{k: v for k, v in plain.items() if k not in row}, **told["usage"]}


def open(directory: str | Path) -> Run:
    """A run that there is already.

    Raises:
        UsageError: it is no run directory.
    """
    read_run(Path(directory))
    return Run(Path(directory))


def run(
    tasks: Any,
    solver: Any,
    feedback: Any = None,
    *,
    out: str | Path | None = None,
    feedback_model: Any = None,
    judge_model: Any = None,
    **options: Any,
) -> Run:
    """Run tasks under every combination of solvers, feedback modes and the other axes, or resume.

    Works within a running event loop, such as a notebook's: the run has a thread of its own.
    Ctrl-C lets the calls under way end; the same call resumes.

    Args:
        tasks: names, or ``Task`` values; one or several.
        solver: ``"provider/name"``, a ``Model`` or a function of the chat; one or several.
        feedback: names of modes, or functions of (problem, attempts); one or several; None for the
            default.
        out: the run directory; None for one below ``runs/`` that is named by what is asked.
        feedback_model: who writes strong feedback, as for ``solver``; one or several.
        judge_model: who judges: one, as for ``solver``.
        options: any other option of ``friction run``, with underscores (``iterations=5``,
            ``base_url=URL``, ``temperature=None`` for none), ``preset`` and ``config`` included.

    Returns:
        The run; trials that failed are ``Run.missing``, and logged.

    Raises:
        UsageError: something in it is wrong; nothing was asked.
        RunStoppedError: it stopped itself; what was paid for is kept, and it can be resumed.
    """
    given = {**options, "tasks": _names(tasks, "task"), "solver": _names(solver, "model")}
    if feedback is not None:
        given["feedback"] = _names(feedback, "feedback")
    if feedback_model is not None:
        given["feedback_model"] = _names(feedback_model, "model")
    if judge_model is not None:
        given["judge_model"] = added(judge_model, "model")
    prepared = prepare(_settings(given))
    directory = Path(out) if out is not None else Path("runs") / prepared.slug
    for note in prepared.notes:
        _log.info(note)
    held: list[Caller] = []

    def watch(runner: Watched) -> None:
        held.append(runner.caller)

    progress = _in_thread(lambda: execute(prepared, directory, _command(), watch), held)
    _tell(progress)
    return Run(directory)


def _settings(given: dict[str, Any]) -> Settings:
    every = options_of(Settings)
    keys = {each.key.replace("-", "_"): name for name, each in every.items()}
    # also as the command line and study files name them: base_url, solver_option
    given = {keys.get(name, name): value for name, value in given.items()}
    refuse_unknown(given, [*every, "preset", "config"], "option")
    if given.get("config") is not None:
        given["config"] = Path(given["config"])
    checked = {
        name: every[name].read(value, name) if name in every else value
        for name, value in given.items()
    }
    return filled(Settings, combined(checked))


def _names(things: Any, what: str) -> tuple[str, ...]:
    is_several = isinstance(things, Iterable) and not isinstance(things, str)
    return tuple(added(each, what) for each in (things if is_several else [things]))


def _command() -> list[str]:
    """What is written down as the command: the program that runs, where it is a file."""
    script = sys.argv[0] if sys.argv and sys.argv[0].endswith(".py") else ""
    return ["python", *cleaned(sys.argv, NONE)] if script else ["python"]


def _tell(progress: Progress) -> None:
    failed = sum(progress.statuses.get(each, 0) for each in ("failed", "undecided"))
    if failed:
        why = progress.reasons.most_common(1)
        reason = f": {why[0][0]}" if why else ""
        _log.warning("%d trials have no result; the same call tries them again%s", failed, reason)
    if progress.stopped:
        _log.warning(progress.stopped)


def _in_thread(main: Callable[[], Coroutine[Any, Any, Progress]], held: list[Caller]) -> Progress:
    """Run to the end in a thread, which may have an event loop whatever this one has.

    Args:
        held: gets the run's caller once there is one; Ctrl-C drains it.
    """
    loop, done = asyncio.new_event_loop(), Future[Progress]()

    def work() -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: loop) as runner:
                done.set_result(runner.run(main()))
        except BaseException as error:  # raised again where it is waited for
            done.set_exception(error)

    threading.Thread(target=work, name="friction run", daemon=True).start()
    interrupted: KeyboardInterrupt | None = None
    while not done.done():
        try:
            wait([done], 0.2)  # in pieces, so that Ctrl-C arrives
        except KeyboardInterrupt as interrupt:
            if interrupted is not None:
                raise
            interrupted = interrupt
            with suppress(RuntimeError):  # it has just ended
                for caller in held:
                    loop.call_soon_threadsafe(caller.drain)
    if interrupted is not None:
        raise interrupted
    try:
        return done.result()
    except UsageError:
        raise
    except RunStoppedError as error:
        raise RunStoppedError(f"{error} (the same call resumes)") from error
