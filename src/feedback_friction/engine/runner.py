"""The runner: drives many trials at once, and keeps every completion before its trial goes on.

There is no barrier between iterations: a trial goes on as soon as its own reply is there. Trials in
flight are bounded, so that memory does not grow with the length of the run; requests in flight are
bounded separately, oldest request first, which keeps all trials moving and the end of a run short.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from feedback_friction.engine.conditions import Condition, Job, jobs
from feedback_friction.engine.journal import Journal
from feedback_friction.engine.keys import Key, call_key
from feedback_friction.engine.models.base import Model, ModelError
from feedback_friction.engine.prices import Cost, Prices
from feedback_friction.errors import RunStoppedError
from feedback_friction.protocol.records import (
    Attempt,
    Completion,
    Effect,
    Generate,
    Grade,
    Role,
    Status,
    Trial,
    Usage,
)
from feedback_friction.protocol.task import Task
from feedback_friction.protocol.trial import trial

TRIALS_PER_REQUEST = 2  # trials in flight for each request that may be in flight
SLOW_THREADS = 2


@dataclass(slots=True)
class Progress:
    """What is going on, for whoever watches; the runner writes it, nobody else does.

    Attributes:
        total: trials of the run, those of earlier sessions included.
        statuses: trials that ended, by status.
        running: trials in flight.
        calls: model calls paid for in this session.
        reused: calls answered from the journal in this session.
        usage: tokens of the calls paid for.
        cost: US dollars of the calls whose price is known.
        unpriced: whether any call had no known price.
    """

    total: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    running: int = 0
    calls: int = 0
    reused: int = 0
    usage: Usage = field(default_factory=Usage)
    cost: float = 0.0
    unpriced: bool = False

    @property
    def ended(self) -> int:
        """Trials that ended, in whatever way."""
        return sum(self.statuses.values())

    def count(self, status: Status) -> None:
        """Count a trial that ended."""
        self.statuses[status] = self.statuses.get(status, 0) + 1

    def paid(self, usage: Usage, cost: Cost) -> None:
        """Count a call that was paid for."""
        self.calls += 1
        self.usage = self.usage + usage
        self.cost += cost or 0.0
        self.unpriced = self.unpriced or cost is None


class _Drained(Exception):  # noqa: N818 - a signal within the runner
    """Raised in a trial that would start a call while the runner is draining."""


class Runner:
    """Runs the trials of a run's conditions."""

    def __init__(
        self,
        models: Mapping[Role, Model],
        journal: Journal,
        prices: Prices,
        *,
        concurrency: int = 256,
    ) -> None:
        """Make a runner.

        Args:
            models: by speaker, the model that answers its requests.
            concurrency: requests in flight at most.
        """
        self.models = models
        self.journal = journal
        self.prices = prices
        self.concurrency = concurrency
        self.progress = Progress()
        self._slots = asyncio.Semaphore(concurrency)
        self._under_way: dict[Key, asyncio.Future[Completion]] = {}
        self._slow = ThreadPoolExecutor(SLOW_THREADS, thread_name_prefix="grade")
        self._draining = False
        self._stopped: RunStoppedError | None = None

    def drain(self) -> None:
        """Start no further call; ``run`` returns when the calls under way are in the journal."""
        self._draining = True

    async def run(self, conditions: Sequence[Condition]) -> Progress:
        """Run whatever has not run yet; returns when every trial ended.

        Raises:
            RunStoppedError: the run cannot go on; what was paid for is in the journal.
        """
        finished = {each.id: self.journal.finished(each.id) for each in conditions}
        self.progress.total = sum(len(each.problems) * each.epochs for each in conditions)
        for condition in conditions:
            for status, count in self.journal.statuses(condition.id).items():
                if status != "failed":
                    statuses = self.progress.statuses
                    statuses[status] = statuses.get(status, 0) + count
        queue = jobs(conditions, finished)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self.concurrency * TRIALS_PER_REQUEST):
                    group.create_task(self._work(queue))
        finally:
            self._slow.shutdown(wait=False, cancel_futures=True)
        if self._stopped is not None:
            raise self._stopped
        return self.progress

    async def _work(self, queue: Iterator[Job]) -> None:
        for job in queue:
            if self._draining:
                return
            self.progress.running += 1
            try:
                await self._run_job(job)
            except _Drained:
                return
            except RunStoppedError as error:  # the others finish what they are paying for
                self._stopped = self._stopped or error
                self.drain()
                return
            finally:
                self.progress.running -= 1

    async def _run_job(self, job: Job) -> None:
        condition = job.condition
        steps = trial(job.problem, condition.task, condition.plan, job.epoch, condition.problems)
        try:
            done = await self._drive(steps, condition.task)
        except RunStoppedError:
            raise
        except ModelError as error:
            await self.journal.add_failure(condition.id, job.problem.id, job.epoch, str(error))
            self.progress.count("failed")
            return
        costs = [self._cost(condition, attempt) for attempt in done.attempts]
        await self.journal.add_trial(condition.id, done, costs)
        self.progress.count(done.status)

    async def _drive(self, steps: Generator[Effect, Any, Trial], task: Task) -> Trial:
        """Answer a trial's effects until it returns."""
        try:
            effect = next(steps)
            while True:
                effect = steps.send(await self._perform(effect, task))
        except StopIteration as stop:
            done: Trial = stop.value
            return done

    async def _perform(self, effect: Effect, task: Task) -> Any:
        if isinstance(effect, Generate):
            return await self._complete(effect)
        work = (
            (task.grade, effect.problem, effect.response)
            if isinstance(effect, Grade)
            else (task.mask, effect.problem, effect.text)
        )
        if task.slow:
            return await asyncio.get_running_loop().run_in_executor(self._slow, *work)
        function, problem, text = work
        return function(problem, text)

    async def _complete(self, request: Generate) -> Completion:
        """The completion from the journal, from a call under way, or from the model."""
        model = self.models[request.speaker]
        key = call_key(model.name, request)
        while (waiting := self._under_way.get(key)) is not None:
            await asyncio.wait((waiting,))
            if not waiting.cancelled() and waiting.exception() is None:
                self.progress.reused += 1
                return waiting.result()
        known = self.journal.find(key)
        if known is not None:
            self.progress.reused += 1
            return known
        return await self._call(model, key, request)

    async def _call(self, model: Model, key: Key, request: Generate) -> Completion:
        mine: asyncio.Future[Completion] = asyncio.get_running_loop().create_future()
        self._under_way[key] = mine
        try:
            async with self._slots:
                if self._draining:
                    raise _Drained
                completion = await model.generate(request)
            cost = self.prices.cost(model.name, completion.usage)
            self.progress.paid(completion.usage, cost)
            await self.journal.add_completion(key, model.name, request, completion, cost)
            mine.set_result(completion)
            return completion
        finally:
            del self._under_way[key]
            if not mine.done():
                mine.cancel()

    def _cost(self, condition: Condition, attempt: Attempt) -> Cost:
        """What an attempt and its feedback cost, shared calls included."""
        cost = self.prices.cost(condition.solver, attempt.usage)
        feedback = attempt.feedback
        if cost is None or feedback is None or condition.feedback_model is None:
            return cost
        more = self.prices.cost(condition.feedback_model, feedback.usage)
        return None if more is None else cost + more
