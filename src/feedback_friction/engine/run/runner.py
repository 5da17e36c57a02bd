"""The runner: many trials at once, without a barrier between iterations.

A trial goes on as soon as its own reply is there. Trials in flight are bounded, so that memory does
not grow with the length of the run; requests in flight are bounded separately. What is expected to
last longest goes first (``longest``), which keeps the end of a run short.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from feedback_friction.engine.journal.rows import Where, error_row
from feedback_friction.engine.models.price_list import Cost
from feedback_friction.engine.models.remote.learning import takes_temperature
from feedback_friction.engine.run.caller import Caller, Drained, Spent
from feedback_friction.engine.run.conditions import WHOLE, Condition, Job, Part, jobs
from feedback_friction.engine.run.seats import seat_of
from feedback_friction.errors import RunStoppedError
from feedback_friction.protocol.judge import UndecidedError
from feedback_friction.protocol.records import AGAIN, Attempt, Completion, Status
from feedback_friction.protocol.trial import trial

# Trials in flight for each request in flight, to choose the longest from.
TRIALS_PER_REQUEST = 4

Item = TypeVar("Item")


@dataclass(slots=True)
class Progress:
    """What is going on, to be shown; only the runner writes it."""

    spent: Spent  # what this session paid for
    total: int = 0  # trials of the run, those of earlier sessions included
    statuses: dict[str, int] = field(default_factory=dict)  # trials that ended, by status
    # of those that failed in this session, why
    reasons: Counter[str] = field(default_factory=Counter)
    running: int = 0  # trials in flight
    stopped: str = ""  # why the run ended before its trials did, where a budget ended it

    @property
    def ended(self) -> int:
        """Trials that ended, in whatever way."""
        return sum(self.statuses.values())

    def count(self, status: Status, trials: int = 1) -> None:
        """Count trials that ended."""
        self.statuses[status] = self.statuses.get(status, 0) + trials

    def fail(self, reason: str) -> None:
        """Count a trial that failed, and why."""
        self.count("failed")
        self.reasons[reason] += 1


@dataclass(eq=False)
class Watched:
    """Work in progress: who watches it may read how far it is, and drain it."""

    caller: Caller
    progress: Progress


Watch = Callable[[Watched], None]  # called once, before the first call
Note = Callable[[str], None]  # shows, once each, what the user should know; ``run.json`` keeps all


class Runner(Watched):
    """Runs the trials of a run's conditions."""

    def __init__(self, caller: Caller) -> None:
        """Make a runner that makes its calls through a caller."""
        super().__init__(caller, Progress(caller.spent))
        self.journal = caller.journal

    async def run(self, conditions: Sequence[Condition], part: Part = WHOLE) -> Progress:
        """Run whatever has not run yet; returns when every trial ended, or when drained.

        Args:
            part: the problems that are run here, of a run split over machines.

        Raises:
            RunStoppedError: the run cannot go on; what was paid for is in the journal.
        """
        finished = {each.id: self.journal.finished(each.id) for each in conditions}
        self.progress.total = sum(
            sum(map(part.takes, each.problems)) * each.epochs for each in conditions
        )
        for condition in conditions:
            for status, count in self.journal.statuses(condition.id).items():
                if status not in AGAIN:
                    self.progress.count(status, count)
        longest = self.caller.longest
        most = {each.plan.mode.name: each.plan.iterations for each in conditions}
        longest.begin(most, self.journal.seen())
        todo = (job for job in jobs(conditions, finished, longest.first) if part.takes(job.problem))
        await run_pool(self.caller, todo, self._run_trial, self._failed, self.progress)
        return self.progress

    async def _run_trial(self, job: Job) -> None:
        condition, problem = job.condition, job.problem
        steps = trial(
            problem,
            condition.task,
            condition.plan,
            job.epoch,
            condition.problems,
            condition.begun.get(problem.id, ()),
        )
        calls = list[Completion]()
        done = await self.caller.drive(
            steps,
            condition.task,
            lambda attempt: self._keep(job, attempt),
            condition.solver,
            lambda request, completion: calls.append(completion),
        )
        costs = [self._cost(condition, attempt) for attempt in done.attempts]
        attempts = tuple(self._recorded(condition, each) for each in done.attempts)
        ended = replace(done, attempts=attempts)
        await self.journal.add_trial(condition.id, ended, costs, calls)
        self.caller.longest.ended(problem.task, problem.id, len(done.attempts))
        self.progress.count(done.status)

    async def _failed(self, job: Job, reason: str) -> None:
        await self.journal.add_failure(job.condition.id, job.problem.id, job.epoch, reason)
        self.progress.fail(reason)

    def _keep(self, job: Job, attempt: Attempt) -> None:
        cost = self._cost(job.condition, attempt)
        made = self._recorded(job.condition, attempt)
        self.journal.add_attempt(job.condition.id, job.problem.id, job.epoch, made, cost)

    def _recorded(self, condition: Condition, attempt: Attempt) -> Attempt:
        """An attempt without its temperature where none was sent."""
        models = self.caller.models
        is_warm = takes_temperature(models[seat_of("solver", condition.solver, models)])
        return attempt if is_warm else replace(attempt, temperature=None)

    def _cost(self, condition: Condition, attempt: Attempt) -> Cost:
        """What an attempt and its feedback cost, shared calls included."""
        prices = self.caller.prices
        cost = prices.cost(condition.solver, attempt.usage)
        feedback = attempt.feedback
        if cost is None or feedback is None or condition.feedback_model is None:
            return cost
        more = prices.cost(condition.feedback_model, feedback.usage)
        return None if more is None else cost + more


async def run_pool(
    caller: Caller,
    items: Iterator[Item],
    work: Callable[[Item], Awaitable[None]],
    failed: Callable[[Item, str], Awaitable[None]],
    progress: Progress,
) -> None:
    """Do the work for every item, many at once, until all is done or the caller drains.

    Whatever goes wrong in one item's work is that item's failure, and the others go on: a grader
    that cannot read a reply, a row that the journal cannot hold, a mistake of ours. Its cause may
    well be in the journal, where every resume would meet it again.

    Args:
        failed: keeps that an item failed, and why, in one line.
        progress: its number of items in flight is kept here; the rest is for ``work``.

    Raises:
        RunStoppedError: an item's work raised it; the others finished what they were paying for.
    """
    stopped: list[RunStoppedError] = []

    async def worker() -> None:
        for item in items:
            if caller.draining:
                return
            progress.running += 1
            try:
                try:
                    await work(item)
                except (Drained, RunStoppedError):
                    raise
                # a task's own code may do anything, sys.exit() included
                except (Exception, SystemExit) as error:
                    await failed(item, caller.tracebacks.reason(error))
            except Drained:
                return
            except RunStoppedError as error:
                stopped.append(error)
                caller.drain()
                return
            finally:
                progress.running -= 1

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(caller.concurrency * TRIALS_PER_REQUEST):
                group.create_task(worker())
    finally:
        caller.close()
    if stopped:
        raise stopped[0]


async def run_jobs(
    caller: Caller,
    jobs: Sequence[Item],
    work: Callable[[Item], Awaitable[Status]],
    where: Callable[[Item], Where],
    watch: Watch,
    *,
    done: int = 0,
) -> Progress:
    """Work through jobs beside the trials: an oracle's requests, a probe's places.

    One that fails is recorded, left out, and run again on resume. One that needs a verdict that
    could not be given in time is left out and runs again, too; its replies are in the journal.

    Args:
        where: what a job is about, for the journal's errors.
        done: further jobs, which earlier sessions did.

    Raises:
        RunStoppedError: the run cannot go on; what was paid for is in the journal.
    """
    progress = Progress(caller.spent, len(jobs) + done)
    progress.count("unsolved", done)
    watch(Watched(caller, progress))

    async def one(job: Item) -> None:
        try:
            progress.count(await work(job))
        except UndecidedError:
            progress.count("undecided")

    async def failed(job: Item, reason: str) -> None:
        await caller.journal.add("errors", [error_row(where(job), reason)])
        progress.fail(reason)

    await run_pool(caller, iter(jobs), one, failed, progress)
    return progress
