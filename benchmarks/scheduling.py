"""Scheduling: what is expected to last longest goes first, and a run ends within 1.10 x the ideal.

In virtual time, by the engine's own ``Longest`` and ``Places``, so that a busy machine changes
nothing: 500 problems under four conditions, up to ten attempts with feedback that a model writes, a
server of 64 slots that serves in the order of arrival, 256 requests in flight. Problems differ in
length and difficulty, as real ones do, and replies to one problem differ: lognormal, sigma 0.6 and
0.8. Ideal is the service time of all calls divided by the slots. Beside it the order of arrival
with two trials for each request in flight, as the engine had it before.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from dataclasses import dataclass
from math import exp
from random import Random
from statistics import fmean
from typing import Any

from benchmarks.common import Figure, at_most, script
from feedback_friction.engine.run.longest import Longest, Places
from feedback_friction.engine.run.runner import TRIALS_PER_REQUEST
from feedback_friction.problem import Problem
from feedback_friction.protocol.records import Completion, Occasion, Usage

ATTEMPTS = 10
CONDITIONS = ("self", "process", "strong", "placebo")
_TOKENS = 300.0


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial as it will go: by attempt, the tokens of its calls."""

    problem: Problem
    mode: str
    attempts: tuple[tuple[float, ...], ...]


def measure(
    *, problems: int = 500, slots: int = 64, concurrency: int = 256, seeds: int = 10
) -> list[Figure]:
    """Measure both orders on the same trials."""
    before, now = [], []
    for seed in range(seeds):
        trials = made(problems, seed)
        before.append(makespan(trials, slots, concurrency, 2, longest_first=False))
        now.append(makespan(trials, slots, concurrency, TRIALS_PER_REQUEST, longest_first=True))
    return [
        Figure("first come: makespan / ideal, mean", fmean(before)),
        Figure("first come: the worst seed", max(before)),
        at_most("longest first: makespan / ideal, mean", fmean(now), 1.10),
        Figure("longest first: the worst seed", max(now)),
    ]


def made(problems: int, seed: int) -> list[Trial]:
    """Trials of problems that differ, all conditions of a problem side by side."""
    rng, found = Random(seed), []
    for number in range(problems):
        problem = Problem(str(number), "t", "?", "1")
        length, ease = _TOKENS * rng.lognormvariate(0, 0.6), rng.gauss(-1.5, 1)
        for mode in CONDITIONS:
            count = 1
            while count < ATTEMPTS and rng.random() > 1 / (1 + exp(-ease - 0.1 * count)):
                count += 1
            calls = [
                # the reply, and before every attempt but the first the feedback
                tuple(length * rng.lognormvariate(0, 0.8) for _ in range(1 + (at > 0)))
                for at in range(count)
            ]
            found.append(Trial(problem, mode, tuple(calls)))
    return found


def makespan(
    trials: list[Trial], slots: int, concurrency: int, per_request: int, *, longest_first: bool
) -> float:
    """Virtual time that the trials take, divided by the ideal."""
    longest, places = Longest(), Places(concurrency)
    longest.begin(dict.fromkeys(CONDITIONS, ATTEMPTS), [])
    server, todo = asyncio.Semaphore(slots), iter(trials)

    async def worker() -> None:
        for trial in todo:
            for at, calls in enumerate(trial.attempts):
                occasion = Occasion(trial.problem, 0, at, trial.mode)
                for tokens in calls:
                    await places.take(longest.of(occasion) if longest_first else 0.0)
                    async with server:
                        await asyncio.sleep(tokens)
                    usage = Usage(completion_tokens=round(tokens))
                    longest.called(occasion, Completion((), usage))
                    places.give()
            longest.ended(trial.problem.task, trial.problem.id, len(trial.attempts))

    async def main() -> float:
        await asyncio.gather(*(worker() for _ in range(concurrency * per_request)))
        return asyncio.get_running_loop().time()

    busy = sum(tokens for trial in trials for calls in trial.attempts for tokens in calls)
    return in_virtual_time(main()) / (busy / slots)


class _Skipping(selectors.SelectSelector):
    """Waits for nothing: time is put forward to the next timer instead."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("nothing is left to wait for")
        self.now += max(timeout, 0.0)
        return super().select(0)


def in_virtual_time(work: Coroutine[Any, Any, float]) -> float:
    """Run asynchronous work on a clock that jumps from timer to timer."""
    selector = _Skipping()
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: selector.now  # type: ignore[method-assign]
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


if __name__ == "__main__":
    script(measure)
