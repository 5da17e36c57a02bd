"""A model over a network: its calls, each tried until it succeeds or has failed for good.

A provider makes single attempts; each ends as a ``Completion`` or as a ``Fault``. What follows from
a fault is decided here, alike for all of them: ask in another form, wait and ask again, give the
call up, or stop the run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from functools import partial, reduce
from operator import or_
from random import Random

from feedback_friction.engine.models.base import (
    KeyRefusedError,
    RefusedError,
    TransientError,
    identity_of,
)
from feedback_friction.engine.models.model_options import CallOptions, seconds_for
from feedback_friction.engine.models.remote.breaker import Breaker
from feedback_friction.engine.models.remote.dialect import Quirk, Quirks, draw_seed, most_replies
from feedback_friction.engine.models.remote.endpoint import Endpoint
from feedback_friction.engine.models.remote.faults import Fault, FaultKind
from feedback_friction.engine.models.remote.learning import Asking, Dialect
from feedback_friction.engine.models.remote.omissions import left_out
from feedback_friction.engine.models.remote.replicas import Replica, Replicas
from feedback_friction.engine.models.remote.retry import Retries
from feedback_friction.errors import RunStoppedError
from feedback_friction.protocol.records import Completion, FinishReason, Generate, Message, Reply

_HARMLESS = Message("user", "Reply with the word: yes")


class RemoteModel:
    """A model behind one or several servers.

    Attributes:
        name: as the user gave it, ``"provider/NAME"``.
        identity: the name, and its options where it has any.
        simulated: False.
        settings: how its calls are made.
        dialect: what is known of its servers.
        breaker: stops the run when they are clearly gone.
        replicas: the servers; a label is empty where the model's name says who is asked.
        secrets: what no text that came from them may show.
    """

    simulated = False

    def __init__(
        self,
        name: str,
        endpoints: Sequence[Endpoint],
        settings: CallOptions | None,
        lacks: Quirks = frozenset(),
    ):
        """Begin without any call; ``lacks`` is what the servers are known not to take."""
        self.settings = settings = settings or CallOptions()
        if not settings.options.sends_temperature:
            lacks |= {Quirk.NO_TEMPERATURE}
        self.name, self.identity = name, identity_of(name, settings.options)
        labels = ", ".join(filter(None, (each.label for each in endpoints)))
        self.replicas = Replicas(endpoints, settings.clock)
        self.breaker = Breaker(f"{name}: {labels}" if labels else name, settings.clock)
        self.dialect = Dialect(self.tell, lacks, settings.most_draws)
        self.secrets = reduce(or_, (each.secrets for each in endpoints))
        self._told: set[str] = set()
        self._failing: set[tuple[str, FaultKind]] = set()  # of which the user was told
        # Only spreads retries in time; what a run computes never depends on it.
        self._random = Random()

    def __repr__(self) -> str:
        labels = [each.endpoint.label for each in self.replicas.all]
        return f"{type(self).__name__}({self.name!r}, {labels})"

    async def attempt(
        self, replica: Replica, request: Generate, quirks: Quirks
    ) -> Completion | Fault:
        """Ask a server once, without or otherwise than the plain API where it has those quirks."""
        raise NotImplementedError

    def key_refused(self, replica: Replica, said: str) -> str:
        """The message to the owner of the refused key."""
        return replica.endpoint.key_refused(said)

    def tell(self, line: str) -> None:
        """Tell the user, once."""
        if line not in self._told:
            self._told.add(line)
            self.settings.notice(f"{self.name}: {line}")

    def seconds(self, request: Generate) -> float:
        """How long an attempt may take."""
        return seconds_for(self.settings.timeout, request.max_tokens)

    def stop(self, why: str) -> None:
        """Have every call fail for good: those under way now, those to come at once."""
        self.breaker.open(why)

    async def generate(self, request: Generate) -> Completion:
        """Answer with exactly ``request.n`` replies; raises as ``base.Model`` says."""
        reasoning = self.settings.options.reasoning_tokens or 0
        asked = request.with_limits(request.n, request.max_tokens + reasoning)
        async with self.breaker.watch():
            completion = await self._some(asked, 0)
            while (so_far := len(completion.replies)) < request.n:  # it gave fewer than asked for
                more = await self._some(asked, so_far)
                completion = joined(completion, more, completion.seconds + more.seconds)
        for line in left_out(request, completion, reasons=self.settings.options.reasons):
            self.tell(line)
        return completion

    async def _some(self, request: Generate, so_far: int) -> Completion:
        """Some of the replies that are left; all where it is known how many may be asked for."""
        left = request.n - so_far

        def most() -> int:
            return min(left, most_replies(self.dialect.quirks, request, self.dialect.draws))

        size = most()
        calls = []
        for at in range(0, left, size):
            seed = draw_seed(request.seed, so_far + at)
            part = request.with_limits(min(size, left - at), request.max_tokens)
            calls.append(self._call(part if seed == part.seed else replace(part, seed=seed)))
        parts = await _all_of(calls)
        if len(parts) == len(parts[0].replies) == 1 < left and most() > 1:  # it ignores n
            self.dialect.learn(frozenset({Quirk.ONE_CHOICE}))
        return reduce(lambda a, b: joined(a, b, max(a.seconds, b.seconds)), parts)

    async def _call(self, request: Generate) -> Completion:
        """One request, tried until it succeeds or its failure is final."""
        problem = f"{request.occasion.problem.task}/{request.occasion.problem.id}"
        clock, policy = self.settings.clock, self.settings.retry
        retries = Retries(policy, self._random, clock(), self.seconds(request))
        asking = Asking(self.dialect, request)
        while True:
            form = asking.form()
            replica = self.replicas.place(problem)
            began = clock()
            outcome = await self._attempt(replica, *form)
            if isinstance(outcome, Fault):
                if asking.learns(outcome, *form):
                    continue
                if outcome.room is not None:  # fewer tokens were asked for already
                    outcome = textless("context_length", request)
            if isinstance(outcome, Completion):
                asking.worked(*form)
                self.breaker.succeeded()
                self.replicas.answered(replica, began)
                failures = retries.failures
                return replace(outcome, failures=failures) if failures else outcome
            fault = asking.final(outcome)
            wait = self._next_wait(fault, replica, problem, began, retries)
            await self.breaker.settle(partial(self._harmless, request, replica))
            await self.settings.sleep(wait)

    async def _harmless(self, request: Generate, replica: Replica) -> Completion | Fault:
        """What comes of asking the same server something that any model can answer."""
        question = replace(request, messages=(_HARMLESS,), n=1)
        return await self._attempt(replica, question, self.dialect.quirks)

    async def _attempt(
        self, replica: Replica, request: Generate, quirks: Quirks
    ) -> Completion | Fault:
        replica.in_flight += 1
        try:
            return await self.attempt(replica, request, quirks)
        finally:
            replica.in_flight -= 1

    def _next_wait(
        self, fault: Fault, replica: Replica, problem: str, began: float, retries: Retries
    ) -> float:
        """Tell breaker and replicas of a fault; seconds to wait, or the error that it is."""
        server = replica.endpoint.label
        said = f"{server}: {fault.message}" if server else fault.message
        line = f"{self.name}: {said}"
        match fault.kind:
            case FaultKind.KEY_REFUSED:
                error = KeyRefusedError(self.key_refused(replica, fault.message))
                self.breaker.open(str(error))
                raise error from fault.cause
            case FaultKind.QUOTA:
                whose = server or self.name
                self.breaker.open(f"{whose}: nothing left to pay with ({fault.message})")
                self.breaker.raise_if_open()
            case FaultKind.REFUSED:
                self.replicas.answered(replica, began)
                self.breaker.refused(fault)
                raise RefusedError(line) from fault.cause
            case FaultKind.EMPTY:
                self.replicas.answered(replica, began)
            case FaultKind.LIMITED:
                times, asked = retries.failures + 1, fault.retry_after
                if self.replicas.limited(replica, problem, asked, times):
                    fault = replace(fault, retry_after=None)  # another one is asked next
            case FaultKind.UNREACHABLE | FaultKind.FAULTY:
                self.replicas.failed(replica, fault.kind)
        under_way = sum(each.in_flight for each in self.replicas.all)
        self.breaker.failed(fault, began, under_way, problem)
        if fault.is_foreign:
            self.breaker.foreign(fault)
        wait = retries.next_wait(fault, self.settings.clock())
        if wait is None:
            raise TransientError(f"{line} (failed {retries.failures} times)") from fault.cause
        is_failing = fault.kind in (FaultKind.UNREACHABLE, FaultKind.FAULTY)
        if is_failing and not self.breaker.doubts and (server, fault.kind) not in self._failing:
            self._failing.add((server, fault.kind))
            self.tell(f"{said}; it is asked again")
        return wait


def textless(why: FinishReason, request: Generate) -> Completion:
    """Replies that say why they have no text."""
    return Completion((Reply("", why),) * request.n)


def joined(one: Completion, other: Completion, seconds: float) -> Completion:
    """The replies of two completions of one request, which took that many seconds together."""
    return Completion(
        one.replies + other.replies,
        one.usage + other.usage,
        seconds,
        one.model or other.model,
        one.failures + other.failures,
    )


async def _all_of(calls: Sequence[Coroutine[object, object, Completion]]) -> list[Completion]:
    """All results; the first failure cancels the rest and is raised as itself."""
    if len(calls) == 1:  # in the task that may be found resting between two attempts
        return [await calls[0]]
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call) for call in calls]
    except ExceptionGroup as failures:
        stops = [e for e in failures.exceptions if isinstance(e, RunStoppedError)]
        raise (stops or failures.exceptions)[0] from None
    return [task.result() for task in tasks]
