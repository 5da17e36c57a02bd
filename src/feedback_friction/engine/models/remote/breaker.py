"""Stops the run when a server is clearly gone, before the whole data set has failed.

A circuit breaker (M. Nygard, "Release It!", 2007): what trips it ends the run, which can be
resumed. It opens

- at once, when a key is refused or a quota used up;
- when the first few calls are all refused (a wrong model name, a parameter that the server does not
  take), or very many in a row later on;
- when every attempt fails for long enough. How long depends on the kind of failure, and an answer
  of a milder kind disproves the more serious one: a server that says "slow down" is there.

Random faults never open it: one success restarts the count, and there must be as many failures
in a row as calls are under way, each of which may still succeed. Neither do prompts that spoil
every attempt at them: before unusable answers or rate limits stop a run, the server is asked
something that every model can answer (the half-open state). Where it answers that, those trials
fail and the others go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from feedback_friction.engine.models.remote.faults import Fault, FaultKind
from feedback_friction.errors import NotBegunError, RunStoppedError
from feedback_friction.protocol.records import Completion

# A run stops half a minute after its server died, which is long enough for a proxy or a container
# to be restarted, and two minutes after its server began to answer nonsense.
FAILURES = 5  # in a row, at least
PATIENCE = {  # seconds of nothing but failures of a kind
    FaultKind.UNREACHABLE: 30.0,  # no connection
    FaultKind.FAULTY: 120.0,  # unusable answers: 5xx, timeouts, cut off, unreadable
    FaultKind.LIMITED: 900.0,  # rate limits
}
FIRST_REFUSALS, REFUSALS = 3, 25  # in a row, before any success and after one
_GRAVEST_FIRST = tuple(PATIENCE)
_WHAT_HAPPENED = {
    FaultKind.UNREACHABLE: "could not be reached",
    FaultKind.FAULTY: "gave no usable answer",
    FaultKind.LIMITED: "let no call through",
}


@dataclass(slots=True)
class _Streak:
    """Failures of one kind without an answer in between that is better."""

    count: int = 0
    since: float = 0.0
    problems: set[object] = field(default_factory=set)


class Breaker:
    """Watches all calls of one model; opens once, for good.

    Attributes:
        reason: the line that says why it is open; None while it is closed.
    """

    def __init__(self, servers: str, clock: Callable[[], float]):
        """Begin closed; ``servers`` is how its line names what it watches."""
        self.reason: str | None = None
        self._servers, self._clock = servers, clock
        self._streaks = {kind: _Streak() for kind in _GRAVEST_FIRST}
        self._doubt: tuple[FaultKind, str] | None = None
        self._spoiled: set[object] = set()
        self._refusals = 0
        self._succeeded = False
        self._never_begun = False
        self._watched: set[asyncio.Timeout] = set()

    def succeeded(self) -> None:
        """Note a completion: all counts restart."""
        self._succeeded = True
        self._refusals = 0
        self._clear(_GRAVEST_FIRST)

    def failed(self, fault: Fault, began: float, under_way: int, problem: object) -> None:
        """Note a transient failure.

        Args:
            fault: what went wrong.
            began: clock time at which the attempt that failed began.
            under_way: attempts that are still under way.
            problem: what was asked.

        Unusable answers and rate limits do not open it by themselves: see ``settle``.

        Raises:
            RunStoppedError: that was one too many.
        """
        if problem in self._spoiled and fault.kind is not FaultKind.UNREACHABLE:
            return
        if fault.kind is FaultKind.EMPTY:  # it has no reply to this prompt, and works
            self._clear(_GRAVEST_FIRST)
            return
        self._clear(_GRAVEST_FIRST[: _GRAVEST_FIRST.index(fault.kind)])
        streak = self._streaks[fault.kind]
        if streak.count == 0:
            streak.since = began
        streak.count += 1
        streak.problems.add(problem)
        lasted = self._clock() - streak.since
        enough = streak.count >= max(FAILURES, under_way)
        if enough and lasted >= PATIENCE[fault.kind]:
            reason = (
                f"{self._servers} {_WHAT_HAPPENED[fault.kind]} for {lasted:.0f} s "
                f"({streak.count} failures in a row, the last: {fault.message})"
            )
            if fault.kind is FaultKind.UNREACHABLE:
                self.open(reason)
            else:
                self._doubt = (fault.kind, reason)
        self.raise_if_open()

    @property
    def doubts(self) -> bool:
        """Whether ``settle`` is about to ask."""
        return self._doubt is not None

    async def settle(self, ask: Callable[[], Awaitable[Completion | Fault]]) -> None:
        """Before answers stop the run, find out whether the server is to blame or the prompts are.

        Args:
            ask: asks the server something that any model can answer, once.

        Raises:
            RunStoppedError: it has no usable answer to that either.
        """
        if self._doubt is None:
            return
        (kind, reason), self._doubt = self._doubt, None
        problems = set(self._streaks[kind].problems)
        self._clear(_GRAVEST_FIRST)  # nobody else asks meanwhile
        outcome = await ask()
        as_grave = _GRAVEST_FIRST[: _GRAVEST_FIRST.index(kind) + 1]
        if isinstance(outcome, Fault) and outcome.kind in as_grave:
            self.open(reason)
            self.raise_if_open()
        self._never_begun = False
        self._spoiled |= problems

    def refused(self, fault: Fault) -> None:
        """Note a refusal.

        Raises:
            RunStoppedError: nothing but refusals so far, or very many in a row.
        """
        self._clear(_GRAVEST_FIRST)
        self._refusals += 1
        # A wrong model or URL concerns every call alike; other refusals may concern one prompt.
        wrong_address = fault.status in (301, 302, 307, 308, 404, 405)
        patience = 1 if wrong_address else FIRST_REFUSALS
        limit = REFUSALS if self._succeeded else patience
        if self._refusals >= limit:
            self._never_begun = wrong_address and not self._succeeded
            self.open(
                f"{self._servers} refused {self._refusals} calls in a row, the last: "
                f"{fault.message}"
                if self._refusals > 1
                else f"{self._servers} refused the first call: {fault.message}"
            )
        self.raise_if_open()

    def foreign(self, fault: Fault) -> None:
        """Note an answer of something that has no such API: before any other it is doubted."""
        if not self._succeeded:
            self._never_begun = True
            reason = f"{self._servers}: is it an OpenAI-compatible server? {fault.message}"
            self._doubt = (FaultKind.FAULTY, reason)

    def open(self, reason: str) -> None:
        """Stop the run: every pending call fails now, every later one at once."""
        if self.reason is None:
            self.reason = reason
            for each in self._watched:
                each.reschedule(asyncio.get_running_loop().time())

    def raise_if_open(self) -> None:
        """Raise RunStoppedError once the breaker is open."""
        if self.reason is not None:
            raise (NotBegunError if self._never_begun else RunStoppedError)(self.reason)

    @asynccontextmanager
    async def watch(self) -> AsyncIterator[None]:
        """Make the calls in this block fail with the reason as soon as the breaker opens."""
        self.raise_if_open()
        limit = asyncio.timeout(None)  # until it opens
        self._watched.add(limit)
        try:
            async with limit:
                yield
        except TimeoutError:
            if limit.expired():
                self.raise_if_open()
            raise
        finally:
            self._watched.discard(limit)

    def _clear(self, kinds: tuple[FaultKind, ...]) -> None:
        for kind in kinds:
            self._streaks[kind].count = 0
            self._streaks[kind].problems.clear()
