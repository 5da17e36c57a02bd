"""Drives one generator of effects: calls models, keeps every completion before going on.

Trials, oracles, probes and annotations are all such generators, and all go through here, so that
each of them is journaled, resumable, shared where it asks the same, and counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from feedback_friction.engine.journal.keys import Key, call_key
from feedback_friction.engine.journal.store import Journal
from feedback_friction.engine.models.base import Model
from feedback_friction.engine.models.price_list import Cost, Prices
from feedback_friction.engine.models.remote.learning import takes_temperature
from feedback_friction.engine.models.remote.omissions import missing_tokens, unusable_replies
from feedback_friction.engine.models.remote.retry import is_resting
from feedback_friction.engine.run.budget import Budget, SpentError
from feedback_friction.engine.run.longest import Longest, Places
from feedback_friction.engine.run.seats import Seat, seat_of
from feedback_friction.protocol.records import (
    Attempt,
    Attempted,
    Completion,
    Effect,
    Generate,
    Usage,
)
from feedback_friction.protocol.task import Task, work_of
from feedback_friction.tracebacks import Tracebacks

SLOW_THREADS = 2

Result = TypeVar("Result")


class Drained(Exception):  # noqa: N818 - a signal within the engine
    """Raised in a generator that would start a call while the caller is draining."""


@dataclass(slots=True)
class Spent:
    """What a session paid for so far."""

    calls: int = 0  # model calls paid for
    reused: int = 0  # calls answered from the journal, or by waiting for one under way
    usage: Usage = field(default_factory=Usage)  # tokens of the calls paid for
    cost: float = 0.0  # US dollars of the calls whose price is known
    unpriced: bool = False  # whether any call had no known price

    def add(self, usage: Usage, cost: Cost) -> None:
        """Count a call that was paid for."""
        self.calls += 1
        self.usage = self.usage + usage
        self.cost += cost or 0.0
        self.unpriced = self.unpriced or cost is None


class Caller:
    """Answers effects: from the journal, from a call under way, or by a model."""

    def __init__(
        self,
        models: Mapping[Seat, Model],
        journal: Journal,
        prices: Prices,
        concurrency: int,
        tell: Callable[[str], None] = lambda line: None,
    ) -> None:
        """Make a caller.

        Args:
            models: by seat, the model that answers its requests.
            concurrency: requests in flight at most; of those that wait, the one whose trial is
                expected to last longest goes first. A request is in flight until its completion is
                written, so that no more than these are lost by a kill.
            tell: told of what is wrong with the replies, the same line each time.
        """
        self._tell = tell
        self.models = models
        self.journal = journal
        self.tracebacks = Tracebacks(journal.path.parent)
        self.prices = prices
        self.concurrency = concurrency
        self.spent = Spent()
        self.draining = False
        self.budget: Budget | None = None  # None: no limit
        self.keeps_tokens = False
        self.longest = Longest()
        self._places = Places(concurrency)
        self._asking: dict[asyncio.Task[object], asyncio.Timeout] = {}
        self._under_way: dict[Key, asyncio.Future[Completion]] = {}
        self._slow = ThreadPoolExecutor(SLOW_THREADS, thread_name_prefix="grade")

    def drain(self) -> None:
        """Start no further call; those under way end and are kept.

        Those that failed and only wait to be tried again are dropped at once.
        """
        self.draining = True
        for task, limit in self._asking.items():
            if is_resting(task):
                limit.reschedule(asyncio.get_running_loop().time())

    def close(self) -> None:
        """Let go of the threads for slow graders."""
        self._slow.shutdown(wait=False, cancel_futures=True)

    async def drive(
        self,
        steps: Generator[Effect, Any, Result],
        task: Task,
        attempted: Callable[[Attempt], None] = lambda attempt: None,
        solver: str = "",
        called: Callable[[Generate, Completion], None] = lambda request, completion: None,
    ) -> Result:
        """Answer a generator's effects until it returns.

        Args:
            solver: who solves, in a run with several solvers.
            attempted: told of every attempt as soon as it has its verdict.
            called: told of every request and its completion, paid for or reused.

        Raises:
            ModelError: a call failed for good.
            RunStoppedError: the run cannot go on.
            Drained: it would have started a call while draining.
        """
        try:
            effect = next(steps)
            while True:
                answer: Any = None
                if isinstance(effect, Attempted):
                    attempted(effect.attempt)
                elif isinstance(effect, Generate):
                    answer = await self.complete(effect, solver)
                    called(effect, answer)
                elif task.slow:
                    loop, work = asyncio.get_running_loop(), work_of(task, effect)
                    answer = await loop.run_in_executor(self._slow, _sheltered, work)
                else:
                    answer = work_of(task, effect)()
                effect = steps.send(answer)
        except StopIteration as stop:
            result: Result = stop.value
            return result

    def model_for(self, request: Generate, solver: str) -> Model:
        """The model that answers a request in the trials of a solver."""
        return self.models[seat_of(request.speaker, solver, self.models)]

    async def complete(self, request: Generate, solver: str = "") -> Completion:
        """The completion from the journal, from a call under way, or from the model."""
        model = self.model_for(request, solver)
        key = call_key(model.identity, request)
        while (waiting := self._under_way.get(key)) is not None:
            await asyncio.wait((waiting,))
            if not waiting.cancelled() and waiting.exception() is None:
                self.spent.reused += 1
                return waiting.result()
        known = self.journal.find(key)
        if known is not None:
            self.spent.reused += 1
            return known
        return await self._call(model, key, request)

    async def _call(self, model: Model, key: Key, request: Generate) -> Completion:
        mine: asyncio.Future[Completion] = asyncio.get_running_loop().create_future()
        self._under_way[key] = mine
        try:
            await self._places.take(self.longest.of(request.occasion))
            try:
                bare = await self._paid(model, key, request)
            finally:
                self._places.give()
            mine.set_result(bare)
            return bare
        finally:
            del self._under_way[key]
            if not mine.done():
                mine.cancel()

    async def _paid(self, model: Model, key: Key, request: Generate) -> Completion:
        """The model's completion, once it is kept."""
        if self.draining:
            raise Drained
        completion = await self._asked(model, request)
        cost = self.prices.cost(model.name, completion.usage)
        self.spent.add(completion.usage, cost)
        self.longest.called(request.occasion, completion)
        missing = missing_tokens(request, completion) if self.keeps_tokens else ()
        for line in (*unusable_replies(request, completion), *missing):
            self._tell(f"{model.name}: {line}")
        bare = without_tokens(completion)
        kept = completion if self.keeps_tokens else bare
        is_warm = takes_temperature(model)
        await self.journal.add_completion(key, model.name, request, kept, cost, is_warm)
        return bare

    async def _asked(self, model: Model, request: Generate) -> Completion:
        """The model's completion, unless a drain finds the call between two attempts."""
        task, limit = asyncio.current_task(), asyncio.timeout(None)
        assert task is not None
        self._asking[task] = limit
        try:
            async with limit:
                return await self._ask(model, request)
        except TimeoutError:
            if limit.expired():
                raise Drained from None
            raise
        finally:
            del self._asking[task]

    async def _ask(self, model: Model, request: Generate) -> Completion:
        """The model's completion, within the budget where there is one."""
        if self.budget is None:
            return await model.generate(request)
        try:
            reserved = await self.budget.reserve(model.name, request)
        except SpentError as error:
            self.drain()
            raise Drained from error
        usage, cost = None, None
        try:
            if self.draining:  # since it began to wait
                raise Drained
            completion = await model.generate(request)
            usage, cost = completion.usage, self.prices.cost(model.name, completion.usage)
            return completion
        finally:
            self.budget.settle(reserved, usage, cost)


def without_tokens(completion: Completion) -> Completion:
    """The completion as trials see it: they need no tokens, and keep what they are given."""
    if not any(reply.tokens for reply in completion.replies):
        return completion
    replies = tuple(replace(reply, tokens=()) for reply in completion.replies)
    return replace(completion, replies=replies)


def _sheltered(work: Callable[[], Any]) -> Any:
    """What a function returns; a future cannot hold a StopIteration and would never be done."""
    try:
        return work()
    except StopIteration as error:
        raise RuntimeError("a grader or a mask raised StopIteration") from error
