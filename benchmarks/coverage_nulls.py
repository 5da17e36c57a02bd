"""Null designs: nothing is to be found, and each yields whether a sentence would say that it is."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.coverage_designs import ITERATIONS, LOOP, Rng, retries, uptake_of
from feedback_friction.analysis.retries import second_attempts
from feedback_friction.analysis.stats.arrays import UNSOLVED, IntArray
from feedback_friction.analysis.stats.guessing import Excludes, guesser, right_next
from feedback_friction.analysis.stats.intervals import Interval
from feedback_friction.analysis.stats.paired import compare

CLEAR = 0.05  # the p-value below which a sentence is written


def alike(problems: int, epochs: int, rng: Rng) -> Iterator[tuple[str, bool]]:
    """Feedback that does what retrying does: any clear difference is a false one."""
    _, (treated, control) = LOOP.pair(problems, epochs, rng, LOOP.uptake, LOOP.uptake)
    found = uptake_of(treated, control)
    yield "uptake over retry", found is not None and found.p_value < CLEAR
    gain = compare(treated, control, rng, resamples=400)
    yield "accuracy over retry", gain.p_value < CLEAR


def guessing(options: int, mindful: bool, rng: Rng) -> Iterator[tuple[str, bool]]:
    """Guessers, who keep wrong options in mind when told, or do not: they take up nothing."""
    kind, problems = (Excludes.ALL if mindful else Excludes.NOTHING), 300
    first = np.where(rng.random((problems, 1)) < 0.5, 0, UNSOLVED)
    treated, control = (_guessed(first, options, each, rng) for each in (kind, Excludes.NOTHING))
    least, most = (right_next(options, 1, each) for each in (Excludes.NOTHING, Excludes.ALL))
    found = uptake_of(treated, control, guesses=(least, most, least, least))
    yield "uptake over retry", found is not None and found.p_value < CLEAR
    second = second_attempts(retries(treated, np.zeros(treated.shape), (least, most)))
    yield "second attempts above guessing", bool(second.above_guess)
    after = [guesser(options, ITERATIONS - 1, each, 1)[-1] for each in (Excludes.ALL, kind.NOTHING)]
    wrong = float((first != 0).mean())
    gain = compare(treated, control, rng, resamples=10)
    p_value = gain.p_beyond(Interval(0.0, wrong * (after[0] - after[1])))
    yield "accuracy over retry", p_value < CLEAR


def _guessed(first: IntArray, options: int, kind: Excludes, rng: Rng) -> IntArray:
    """First-solved iterations of guessers whose first attempts are given."""
    solved = first.copy()
    for k in range(1, ITERATIONS):
        tried = min(k, options - 1) if kind is Excludes.ALL else 1
        right = rng.random(first.shape) < right_next(options, tried, kind)
        solved = np.where((solved == UNSOLVED) & right, k, solved)
    return solved
