"""A prepared run carried out: models opened, the directory claimed, trials run."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from feedback_friction.engine.models.registry import ModelSettings
from feedback_friction.engine.run.budget import Budget, paid_before
from feedback_friction.engine.run.caller import Caller
from feedback_friction.engine.run.overruled import read_overruled, with_overruled
from feedback_friction.engine.run.prepare import Prepared
from feedback_friction.engine.run.runner import Note, Progress, Runner, Watch
from feedback_friction.engine.run.seats import Seat
from feedback_friction.engine.run.session import opened
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
        for condition in prepared.conditions:
            caller.journal.add_problems(condition.problems, condition.task.ask)
        caller.journal.add_now("conditions", [each.row() for each in prepared.conditions])
        limit(caller, prepared)
        caller.keeps_tokens = prepared.settings.plan.token_logprobs
        yield Runner(caller)


def opened_for(
    prepared: Prepared, directory: Path, command: list[str], notice: Note
) -> AbstractAsyncContextManager[Caller]:
    """A caller for what a command prepared, in a directory that it is claimed for."""
    wanted, concurrency = wanted_models(prepared), prepared.settings.operation.concurrency
    claimed = (prepared.config, _operation(prepared), command)
    return opened(wanted, directory, prepared.prices, concurrency, notice, claimed)


def limit(caller: Caller, prepared: Prepared) -> None:
    """Have a caller keep to the budget that was asked for, less what its journal paid already."""
    limits = prepared.settings.operation
    if (limits.budget_usd, limits.budget_tokens) != (None, None):
        paid = paid_before(caller.journal.paid(), prepared.prices)
        caller.budget = Budget(limits, prepared.prices, paid, thinking(prepared))


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
