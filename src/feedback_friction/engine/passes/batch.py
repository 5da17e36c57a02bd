"""Jobs beside the trials: an oracle's requests, a probe's places.

Like the runner's trials they run many at once, and one that fails is recorded, left out, and run
again on resume. One that needs a verdict that could not be given in time is left out and runs
again, too; its replies are in the journal.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

from feedback_friction.engine.run.caller import Caller
from feedback_friction.engine.run.runner import Progress, run_pool
from feedback_friction.protocol.records import Status
from feedback_friction.protocol.trial import UndecidedError


class Watched(Protocol):
    """Whatever works through a run: who watches it may read its progress, and drain it."""

    caller: Caller
    progress: Progress


@dataclass(frozen=True, slots=True)
class Place:
    """What a job is about, for the journal's errors."""

    where: str
    problem_id: str
    epoch: int = 0


class Job(Protocol):
    """One job."""

    @property
    def place(self) -> Place:
        """What it is about."""


AnyJob = TypeVar("AnyJob", bound=Job)


class Batch:
    """Runs jobs, and counts them."""

    def __init__(self, caller: Caller, total: int) -> None:
        """Make a batch of so many jobs, those that ended in earlier sessions included."""
        self.caller = caller
        self.progress = Progress(caller.spent, total)

    async def run(
        self, jobs: Iterator[AnyJob], work: Callable[[AnyJob], Awaitable[Status]]
    ) -> Progress:
        """Work through the jobs; returns when all ended, or when drained.

        Raises:
            RunStoppedError: the run cannot go on; what was paid for is in the journal.
        """

        async def one(job: AnyJob) -> None:
            try:
                self.progress.count(await work(job))
            except UndecidedError:
                self.progress.count("undecided")

        async def failed(job: AnyJob, reason: str) -> None:
            place = job.place
            await self.caller.journal.add_error(place.where, place.problem_id, place.epoch, reason)
            self.progress.fail(reason)

        await run_pool(self.caller, jobs, one, failed, self.progress)
        return self.progress
