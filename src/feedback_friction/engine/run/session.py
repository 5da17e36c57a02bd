"""What every command that calls models opens, and in which order: models, directory, journal.

Nothing is written before every model was checked, and nothing is asked before the directory is
held by this process alone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from feedback_friction.engine.journal.store import Journal
from feedback_friction.engine.models.price_list import Prices
from feedback_friction.engine.models.registry import ModelSettings, in_flight, open_models
from feedback_friction.engine.run.caller import Caller
from feedback_friction.engine.run.descriptors import fitting
from feedback_friction.engine.run.notices import Notices
from feedback_friction.engine.run.run_directory import claim, locked
from feedback_friction.engine.run.seats import Seat
from feedback_friction.engine.run.server_memory import remember
from feedback_friction.grading.worker import forget


@dataclass(frozen=True, slots=True)
class Claim:
    """What a run directory is made with, or was made with; see ``run_directory.claim``."""

    config: Mapping[str, Any]
    operation: Mapping[str, Any]
    command: list[str]


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
        made_with: writes ``run.json`` or compares with the one there; None for a directory that is
            a run's already.

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
                claim(directory, made_with.config, made_with.operation, made_with.command)
            notices.keep_in(directory)
            remember(models.values(), directory)
            async with Journal(directory) as journal:
                slots = in_flight(models, concurrency)
                yield Caller(models, journal, prices, slots, notices.tell)
    finally:
        for model in dict.fromkeys(models.values()):
            await model.close()
