"""Longest first: a free place goes to the waiting call whose trial is expected to last longest.

A run ends when its last trial does, and a trial's calls follow one another. What a trial still
takes is the number of attempts to come, times what a call takes. Both are learnt from what was seen
of the problem, under whatever condition, in this session, in earlier ones, or in the pilot of
``friction estimate``; for a problem of which nothing is known, all attempts are expected. The order
decides no prompt and no seed.

A call is measured in tokens written, not in seconds, which on a busy server are mostly waiting.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Iterable, Mapping

from feedback_friction.engine.journal.rows import Place, Seen
from feedback_friction.problem import Problem
from feedback_friction.protocol.records import Completion, Occasion

_WEIGHT = 2.0  # calls of the run's mean length that a problem begins with


class Longest:
    """What is expected of trials; learns while they run."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._seen: dict[Place, Seen] = {}
        self._calls, self._tokens = 0, 0
        self._most: Mapping[str, int] = {}

    def begin(self, most: Mapping[str, int], known: Iterable[tuple[Place, Seen]]) -> None:
        """Begin a run.

        Args:
            most: by feedback mode, attempts at most.
            known: what is known already.
        """
        self._most = most
        for place, seen in known:
            self._seen[place] = seen
            self._calls += seen.calls
            self._tokens += seen.tokens

    def called(self, occasion: Occasion, completion: Completion) -> None:
        """Learn from a call that was paid for."""
        seen = self._seen.setdefault(_of(occasion), Seen())
        written = completion.usage.completion_tokens
        seen.calls += 1
        seen.tokens += written
        self._calls += 1
        self._tokens += written

    def ended(self, task: str, problem_id: str, attempts: int) -> None:
        """Learn from a trial that ended."""
        self._seen.setdefault((task, problem_id), Seen()).attempts.append(attempts)

    def first(self, problem: Problem) -> float:
        """What a whole trial of a problem is expected to take; 0 where nothing was seen of it."""
        place = problem.task, problem.id
        return self.left(place, 0) if place in self._seen else 0.0

    def left(self, place: Place, iteration: int, mode: str = "") -> float:
        """What a trial is expected to take from an attempt on, in attempts of mean length.

        The attempts of ended trials of the problem that got beyond this one count, and one more
        trial that uses all it may.
        """
        seen = self._seen.get(place, Seen())
        most = self._most.get(mode, max(self._most.values(), default=1))
        ends = [each for each in seen.attempts if each > iteration] + [most]
        attempts = sum(ends) / len(ends) - iteration
        mean = self._tokens / self._calls if self._tokens else 1.0
        return attempts * (seen.tokens / mean + _WEIGHT) / (seen.calls + _WEIGHT)

    def of(self, occasion: Occasion) -> float:
        """What the trial of a call is expected to take from here, as ``left`` says it."""
        return self.left(_of(occasion), occasion.iteration, occasion.mode)


def _of(occasion: Occasion) -> Place:
    return occasion.problem.task, occasion.problem.id


class Places:
    """Places for requests in flight.

    A free one goes to the waiting call of the largest weight, among equals to the first that came.
    """

    def __init__(self, count: int) -> None:
        """Have ``count`` free places."""
        self._free, self._came = count, 0
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []

    async def take(self, weight: float) -> None:
        """Wait for a place; whoever has taken one gives it back."""
        if self._free:
            self._free -= 1
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (-weight, self._came, mine))
        self._came += 1
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():  # it was given one as it was cancelled
                self.give()
            raise

    def give(self) -> None:
        """Give a place back."""
        while self._waiting:
            mine = heapq.heappop(self._waiting)[2]
            if not mine.done():
                mine.set_result(None)
                return
        self._free += 1
