"""When to try a failed call again: exponential backoff with full jitter.

Full jitter draws the wait uniformly between zero and the exponential ceiling; it clears a crowd of
clients faster than any other form (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture
Blog, 2015). A server's own ``Retry-After`` is honoured on top.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from random import Random

from feedback_friction.engine.models.remote.faults import Fault, FaultKind

_LONGEST = 7 * 86_400.0  # seconds: a wait of more than a week means nothing else


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long one call is kept alive.

    A server that cannot be reached, or that limits the rate, has not tried the request: such
    failures are bounded by ``total`` (and by the breaker) and do not count as attempts.
    """

    # at most this many attempts that failed at the server (5xx, timeout, cut off, unreadable)
    attempts: int = 12
    empty: int = 4  # at most this many attempts that came back without a reply
    base: float = 0.5  # ceiling of the first wait, in seconds; it doubles with each failure
    cap: float = 60.0  # ceiling of any wait, in seconds
    reconnect_cap: float = 5.0  # the same for a server that cannot be reached: trying costs nothing
    longest_wait: float = 120.0  # a server's Retry-After is honoured up to this many seconds
    total: float = 1800.0  # seconds after the first attempt in which another one may start
    rounds: int = 3  # the same in timeouts of one attempt, where these make more seconds

    def ceiling(self, failures: int, kind: FaultKind) -> float:
        """Upper bound of the random wait after that many failures (at least 1), in seconds."""
        cap = self.reconnect_cap if kind is FaultKind.UNREACHABLE else self.cap
        return min(cap, self.base * 2.0 ** min(failures - 1, 60))

    def wait(
        self, failures: int, kind: FaultKind, random: Random, retry_after: float | None = None
    ) -> float:
        """Seconds to wait after that many failures, at least what the server asked for."""
        backoff = random.random() * self.ceiling(failures, kind)
        if retry_after is None:
            return backoff
        asked = min(retry_after, self.longest_wait)
        # All calls that were refused together were told the same moment: spread them a little.
        return max(backoff, asked + random.random() * self.base)


_resting: set[asyncio.Task[object]] = set()


async def rest(seconds: float) -> None:
    """Wait between two attempts of a call.

    Whoever wants no further attempt may cancel the task: nothing is under way meanwhile, so that
    nothing that is paid for would be lost.
    """
    task = asyncio.current_task()
    assert task is not None
    _resting.add(task)
    try:
        await asyncio.sleep(seconds)
    finally:
        _resting.discard(task)


def is_resting(task: asyncio.Task[object]) -> bool:
    """Whether a task only waits before an attempt of a call."""
    return task in _resting


class Retries:
    """The failures of one call, and what follows from them."""

    def __init__(self, policy: RetryPolicy, random: Random, started: float, timeout: float = 0.0):
        """Begin counting for a call.

        Args:
            policy: how long it is kept alive.
            random: spreads the waits.
            started: clock time at which its first attempt began.
            timeout: seconds that one attempt may take.
        """
        self._policy, self._random, self._started = policy, random, started
        self._total = max(policy.total, policy.rounds * timeout)
        self.failures = self._spoiled = self._empty = 0

    def next_wait(self, fault: Fault, now: float) -> float | None:
        """Seconds until the next attempt after a fault at time ``now``; None to give up."""
        self.failures += 1
        self._spoiled += fault.kind is FaultKind.FAULTY
        self._empty += fault.kind is FaultKind.EMPTY
        if self._spoiled >= self._policy.attempts or self._empty >= self._policy.empty:
            return None
        wait = self._policy.wait(self.failures, fault.kind, self._random, fault.retry_after)
        return wait if now + wait - self._started <= self._total else None


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that a response asks to wait, or None.

    Reads ``retry-after-ms`` (OpenAI, Azure), then ``Retry-After`` as seconds or as an HTTP date
    (RFC 9110, section 10.2.3), for which ``now`` is the present in seconds since the epoch.
    ``headers`` is a case-insensitive mapping.
    """
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after", "")
    seconds = _number(value)
    return seconds if seconds is not None else _seconds_until(value, now)


def _number(value: str) -> float | None:
    """Seconds as digits, with or without a fraction; None for anything else that floats may be."""
    if not re.fullmatch(r"\s*-?[0-9]+(\.[0-9]*)?\s*", value, re.ASCII):
        return None
    return min(max(0.0, float(value)), _LONGEST)


def _seconds_until(http_date: str, now: float) -> float | None:
    try:
        moment = parsedate_to_datetime(http_date)
        if moment.tzinfo is None:  # "-0000" and the old asctime form: an HTTP date is always UTC
            moment = moment.replace(tzinfo=UTC)
        seconds = moment.timestamp() - now
    except (ValueError, OverflowError):  # no date, or one out of range
        return None
    return min(max(0.0, seconds), _LONGEST)
