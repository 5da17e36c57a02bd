"""A call, tried until it succeeds or has failed for good: what all models over a network share.

A provider makes single attempts; each ends as a ``Completion`` or as a ``Fault``. What follows from
a fault is decided here, alike for all of them: ask in another form, wait and ask again, give the
call up, or stop the run.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from functools import partial, reduce
from random import Random

from feedback_friction.engine.models.base import KeyRefusedError, RefusedError, TransientError
from feedback_friction.engine.models.model_options import ModelOptions, seconds_for
from feedback_friction.engine.models.remote.breaker import Breaker
from feedback_friction.engine.models.remote.dialect import Form, Quirk, draw_seed, most_replies
from feedback_friction.engine.models.remote.faults import Fault, FaultKind
from feedback_friction.engine.models.remote.learning import Asking, Dialect
from feedback_friction.engine.models.remote.omissions import left_out
from feedback_friction.engine.models.remote.retry import Retries, RetryPolicy, rest
from feedback_friction.errors import RunStoppedError
from feedback_friction.protocol.records import Completion, Generate, Message

_HARMLESS = Message("user", "Reply with the word: yes")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOptions:
    """How a model's calls are made; every time is in seconds."""

    # the model's own options; part of the identity of its calls
    model: ModelOptions = field(default_factory=ModelOptions)
    # longest time that one attempt may take; None for one that grows with the longest reply
    # (``seconds_for``). It counts from the moment a request has a slot of the pool.
    timeout: float | None = None
    connect_timeout: float = 10.0  # longest time to make a connection
    retry: RetryPolicy = field(default_factory=RetryPolicy)  # when a failed call is tried again
    # replies that one request may ask for; None where only the server knows
    most_draws: int | None = None
    # told, once each, what the user should know (a parameter that the server does not take, a
    # replica that is down); one line
    notice: Callable[[str], None] = _log.warning
    clock: Callable[[], float] = time.monotonic  # monotonic seconds
    sleep: Callable[[float], Awaitable[None]] = rest  # waits that many seconds


class Route:
    """The way of one call to a server, and back; where there is one server, nothing is chosen.

    Attributes:
        server: who was asked last, where the model's name does not say it.
    """

    server = ""

    def turn(self, problem: str) -> None:
        """Choose whom to ask next about that problem; those of different tasks differ."""

    async def attempt(
        self, request: Generate, form: Form, seed: int, is_lowered: bool
    ) -> Completion | Fault:
        """Ask once."""
        raise NotImplementedError

    def answered(self, began: float) -> None:
        """Note a completion of an attempt that began at that clock time."""

    def failed(self, fault: Fault, problem: str, began: float, failures: int) -> Fault:
        """Note a failure, and how many the call had before; returns the fault to act on."""
        return fault

    def key_refused(self, said: str) -> str:
        """The message to the owner of the refused key."""
        raise NotImplementedError


class Calls:
    """All calls of one model.

    Attributes:
        dialect: what is known of its server.
        breaker: stops the run when the server is clearly gone.
    """

    def __init__(
        self, name: str, servers: str, options: CallOptions, lacks: frozenset[Quirk] = frozenset()
    ):
        """Begin without any.

        Args:
            name: of the model, as the user gave it.
            servers: how the breaker's line names what it watches.
            options: how calls are made.
            lacks: what the server is known not to take.
        """
        if not options.model.sends_temperature:
            lacks |= {Quirk.NO_TEMPERATURE}
        self.breaker = Breaker(servers, options.clock)
        self.dialect = Dialect(self.tell, lacks, options.most_draws)
        self._name, self._options = name, options
        self._under_way = 0  # attempts of all calls
        self._told: set[str] = set()
        self._failing: set[tuple[str, FaultKind]] = set()  # of which the user was told
        # Only spreads retries in time; what a run computes never depends on it.
        self._random = Random()

    def tell(self, line: str) -> None:
        """Tell the user, once."""
        if line not in self._told:
            self._told.add(line)
            self._options.notice(f"{self._name}: {line}")

    def most_tokens(self, request: Generate, form: Form | None = None) -> int:
        """The most tokens that one reply may have, reasoning included, asked for in some form."""
        if form is not None and form.max_tokens is not None:
            return form.max_tokens
        return request.max_tokens + (self._options.model.reasoning_tokens or 0)

    def seconds(self, request: Generate) -> float:
        """How long an attempt at a request may take."""
        return seconds_for(self._options.timeout, self.most_tokens(request))

    async def answer(self, request: Generate, route: Callable[[], Route]) -> Completion:
        """Exactly ``request.n`` replies; raises as ``base.Model`` says.

        Args:
            route: makes the route of a call; several draws may take several calls.
        """
        completion = await self._some(request, 0, route)
        while (so_far := len(completion.replies)) < request.n:  # it gave fewer than asked for
            more = await self._some(request, so_far, route)
            completion = joined(completion, more, completion.seconds + more.seconds)
        for line in left_out(request, completion, reasons=self._options.model.reasons):
            self.tell(line)
        return completion

    async def _some(self, request: Generate, so_far: int, route: Callable[[], Route]) -> Completion:
        """Some of the replies that are left; all where it is known how many may be asked for."""
        left = request.n - so_far

        def most() -> int:
            return min(left, most_replies(self.dialect.quirks, request, self.dialect.draws))

        size = most()
        calls = [
            self._call(request, min(size, left - at), draw_seed(request.seed, so_far + at), route())
            for at in range(0, left, size)
        ]
        parts = await _all_of(calls)
        if len(parts) == len(parts[0].replies) == 1 < most():  # it ignores n without a word
            self.dialect.learn(frozenset({Quirk.ONE_CHOICE}))
        return reduce(lambda a, b: joined(a, b, max(a.seconds, b.seconds)), parts)

    async def _call(self, request: Generate, n: int, seed: int, route: Route) -> Completion:
        """One request, tried until it succeeds or its failure is final."""
        problem = f"{request.occasion.problem.task}/{request.occasion.problem.id}"
        clock = self._options.clock
        started = clock()
        retries: Retries | None = None
        failures = 0
        asking = Asking(self.dialect, request, n, self.most_tokens(request))
        while True:
            form = asking.form()
            route.turn(problem)
            began = clock()
            outcome = await self._attempt(route, request, form, seed, asking.is_lowered)
            if isinstance(outcome, Completion):
                asking.worked(form)
                self.breaker.succeeded()
                route.answered(began)
                return replace(outcome, failures=failures)
            if asking.learns(outcome, form):
                continue
            failures += 1
            if retries is None:
                timeout = self.seconds(request)
                retries = Retries(self._options.retry, self._random, started, timeout)
            wait = self._next_wait(asking.final(outcome), route, problem, began, retries)
            await self.breaker.settle(partial(self._harmless, request, route))
            if retries.suspects(clock()):
                others_pass = isinstance(await self._harmless(request, route), Completion)
                retries.found(others_pass=others_pass)
            await self._options.sleep(wait)

    async def _harmless(self, request: Generate, route: Route) -> Completion | Fault:
        """What comes of asking the same server something that any model can answer."""
        question = replace(request, messages=(_HARMLESS,), n=1)
        form = Form(1, self.dialect.quirks)
        return await self._attempt(route, question, form, request.seed, False)

    async def _attempt(
        self, route: Route, request: Generate, form: Form, seed: int, is_lowered: bool
    ) -> Completion | Fault:
        self._under_way += 1
        try:
            return await route.attempt(request, form, seed, is_lowered)
        finally:
            self._under_way -= 1

    def _next_wait(
        self, fault: Fault, route: Route, problem: str, began: float, retries: Retries
    ) -> float:
        """Tell breaker and route of a fault; seconds to wait, or the error that it is."""
        server = route.server
        said = f"{server}: {fault.message}" if server else fault.message
        line = f"{self._name}: {said}"
        match fault.kind:
            case FaultKind.KEY_REFUSED:
                error = KeyRefusedError(route.key_refused(fault.message))
                self.breaker.open(str(error))
                raise error from fault.cause
            case FaultKind.QUOTA:
                whose = server or self._name
                self.breaker.open(f"{whose}: nothing left to pay with ({fault.message})")
                self.breaker.raise_if_open()
        fault = route.failed(fault, problem, began, retries.failures)
        if fault.kind is FaultKind.REFUSED:
            self.breaker.refused(fault)
            raise RefusedError(line) from fault.cause
        self.breaker.failed(fault, began, self._under_way, problem)
        if fault.is_foreign:
            self.breaker.foreign(fault)
        wait = retries.next_wait(fault, self._options.clock())
        if wait is None:
            raise TransientError(f"{line} ({retries.why})") from fault.cause
        is_failing = fault.kind in (FaultKind.UNREACHABLE, FaultKind.FAULTY)
        if is_failing and not self.breaker.doubts and (server, fault.kind) not in self._failing:
            self._failing.add((server, fault.kind))
            self.tell(f"{said}; it is asked again")
        return wait


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
