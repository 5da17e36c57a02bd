"""What every command that calls models opens, and in which order; a prepared run carried out.

Nothing is written before every model was checked, and nothing is asked before the directory is
held by this process alone.
"""

from __future__ import annotations

import logging
import resource
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from feedback_friction.analysis.journal import read_run
from feedback_friction.engine.journal.store import Journal
from feedback_friction.engine.models.base import Model
from feedback_friction.engine.models.price_list import Prices
from feedback_friction.engine.models.registry import ModelSettings, in_flight, open_models
from feedback_friction.engine.models.remote.learning import Dialect
from feedback_friction.engine.run.budget import Budget, paid_before
from feedback_friction.engine.run.caller import Caller
from feedback_friction.engine.run.overruled import read_overruled, with_overruled
from feedback_friction.engine.run.prepare import Prepared
from feedback_friction.engine.run.run_directory import add_learnt, add_notices, claim, locked
from feedback_friction.engine.run.runner import Note, Progress, Runner, Watch
from feedback_friction.engine.run.seats import Seat
from feedback_friction.errors import NotBegunError, RunStoppedError, UsageError
from feedback_friction.grading.worker import forget
from feedback_friction.options import in_part
from feedback_friction.redact import NONE, cleaned

_log = logging.getLogger(__name__)


async def execute(
    prepared: Prepared,
    directory: Path,
    command: list[str],
    watch: Watch,
    notice: Note = _log.warning,
) -> Progress:
    """Run a prepared run in a directory, or resume it.

    Raises:
        UsageError: the directory or a server cannot be used as asked; no call was made.
        RunStoppedError: the run stopped itself; resumable.
    """
    async with started(prepared, directory, command, notice) as runner:
        watch(runner)
        people = read_overruled(directory)
        conditions = [with_overruled(each, people) for each in prepared.conditions]
        progress = await runner.run(conditions, prepared.part)
        budget = runner.caller.budget
        if budget is not None and budget.refused is not None:
            progress.stopped = budget.line(progress.total - progress.ended)
        return progress


@asynccontextmanager
async def started(
    prepared: Prepared, directory: Path, command: list[str], notice: Note
) -> AsyncIterator[Runner]:
    """A runner that can begin: models checked, directory claimed, conditions kept, budget set."""
    async with opened_for(prepared, directory, command, notice) as caller:
        try:
            for condition in prepared.conditions:
                caller.journal.add_problems(condition.problems, condition.task.ask)
            caller.journal.add_now("conditions", [each.row() for each in prepared.conditions])
        except RunStoppedError as error:
            raise NotBegunError(str(error)) from error
        caller.keeps_tokens = prepared.settings.plan.token_logprobs
        yield Runner(caller)


@asynccontextmanager
async def opened_for(
    prepared: Prepared, directory: Path, command: list[str], notice: Note
) -> AsyncIterator[Caller]:
    """A caller for what a command prepared, within its budget, in a directory claimed for it."""
    limits, prices = prepared.settings.operation, prepared.prices
    claimed = (prepared.config, _operation(prepared), command)
    wanted = wanted_models(prepared)
    async with opened(wanted, directory, prices, limits.concurrency, notice, claimed) as caller:
        if (limits.budget_usd, limits.budget_tokens) != (None, None):
            paid = paid_before(caller.journal.paid(), prices)  # by earlier sessions
            caller.budget = Budget(limits, prices, paid, thinking(prepared))
        yield caller


def thinking(prepared: Prepared) -> dict[Seat, int]:
    """By seat, tokens of reasoning that a reply may take on top of its ``max_tokens``."""
    return {seat: each.options.reasoning_tokens or 0 for seat, each in prepared.seats.items()}


def wanted_models(prepared: Prepared) -> dict[Seat, ModelSettings]:
    """By seat, the models that a run's conditions need."""
    judged = any(condition.task.judge is not None for condition in prepared.conditions)
    return {seat: each for seat, each in prepared.seats.items() if seat != "judge" or judged}


def _operation(prepared: Prepared) -> dict[str, Any]:
    """What decides no result, as ``run.json`` keeps it: no secrets, paths as texts."""
    shown = in_part(prepared.settings, "operation")
    for name, value in shown.items():
        if isinstance(value, Path):
            shown[name] = str(value)
        elif name.endswith("base_urls"):
            shown[name] = cleaned(value, NONE)
    return {**shown, "prices_as_of": prepared.prices.as_of}


MOST = 100  # notices are kept: a server that words each answer differently must not fill the file
_OTHERS = 96  # descriptors: journal, log, workers, pipes, name look-ups, whatever libraries hold

# The configuration, the operation and the command that ``run.json`` is written with.
Claim = tuple[Mapping[str, Any], Mapping[str, Any], list[str]]


@asynccontextmanager
async def opened(
    wanted: Mapping[Seat, ModelSettings],
    directory: Path,
    prices: Prices,
    concurrency: int,
    notice: Callable[[str], None],
    made_with: Claim | None = None,
) -> AsyncIterator[Caller]:
    """A caller with checked models and a journal, for the length of the block.

    Args:
        wanted: by seat, the models.
        concurrency: requests in flight at most.
        notice: shown, once each, what the user should know of; all of it is kept in ``run.json``.
        made_with: what ``run.json`` is written with or compared to; None where neither is wanted.

    Raises:
        UsageError: the directory or a model cannot be used as asked; no call was made.
    """
    notices = Notices(notice)
    concurrency = fitting(concurrency, notices.tell)
    told = {
        seat: replace(
            each,
            notice=notices.tell,
            concurrency=min(each.concurrency, concurrency),
            directory=directory,
        )
        for seat, each in wanted.items()
    }
    models = open_models(told)
    try:
        for model in dict.fromkeys(models.values()):
            await model.check()
        with locked(directory):
            forget()  # what another run in this process left undecided
            if made_with is not None:
                claim(directory, *made_with)
            notices.keep_in(directory)
            remember(models.values(), directory)
            async with Journal(directory) as journal:
                slots = in_flight(models, concurrency)
                yield Caller(models, journal, prices, slots, notices.tell)
    finally:
        for model in dict.fromkeys(models.values()):
            await model.close()


class Notices:
    """What a user should know of a run although it goes on: shown once, and kept with the run.

    A parameter that a server does not take, a model that no server lists, a replica that is down:
    none is a reason to stop, each may be a reason to read the numbers otherwise.
    """

    def __init__(self, show: Callable[[str], None]) -> None:
        """Begin without a run directory; ``show`` is given every new line."""
        self._show = show
        self._told: dict[str, None] = {}
        self._directory: Path | None = None

    def tell(self, line: str) -> None:
        """Show a line, and keep it once there is a directory."""
        if line in self._told or len(self._told) >= MOST:
            return
        self._told[line] = None
        self._show(line)
        self._keep()

    def keep_in(self, directory: Path) -> None:
        """Keep what was and will be told in a directory that this process has locked."""
        self._directory = directory
        self._keep()

    def _keep(self) -> None:
        if self._directory is None or not self._told:
            return
        try:
            add_notices(self._directory, list(self._told))
        except UsageError as error:  # a run does not end for want of a note
            self._show(f"notices cannot be kept in {self._directory}: {error}")
            self._directory = None


def remember(models: Iterable[Model], directory: Path) -> None:
    """Have models begin with what an earlier session learnt, and keep what this one learns.

    Without it a run that was resumed at another server, or after an update of the same one, would
    ask some of its calls with a parameter and some without. The directory is held by this process.
    """
    known = read_run(directory).get("learnt")
    for model in dict.fromkeys(models):
        dialect = getattr(model, "dialect", None)
        if not isinstance(dialect, Dialect):
            continue
        learnt = known.get(model.name) if isinstance(known, Mapping) else None
        if isinstance(learnt, Mapping):
            dialect.recall(learnt)
        dialect.keep = partial(_keep, directory, model.name, dialect)
        if found := dialect.learnt():
            dialect.keep(found)


def _keep(directory: Path, name: str, dialect: Dialect, learnt: Mapping[str, object]) -> None:
    try:
        add_learnt(directory, name, learnt)
    except UsageError as error:  # a run does not end for want of a note
        dialect.tell(f"what was learnt cannot be kept: {error}")


def fitting(concurrency: int, notice: Callable[[str], None]) -> int:
    """The concurrency that the limit on open files allows, after raising the limit where it may.

    Every request in flight holds a connection, and so a descriptor. macOS gives a process 256.

    Args:
        concurrency: requests in flight that were asked for.
        notice: told, in one line, where they do not fit.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = concurrency + _OTHERS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(ValueError, OSError):  # a system may refuse what it names as its limit
            resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return concurrency
    fits = max(1, soft - _OTHERS)
    notice(
        f"{fits} requests at once instead of {concurrency}: this process may open only {soft} "
        "files and connections (ulimit -n)"
    )
    return fits
