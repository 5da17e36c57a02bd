"""Accuracy by iteration: the curve, and the iteration after which it is flat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from feedback_friction.analysis.stats.arrays import (
    FloatArray,
    IntArray,
    as_first,
    problem_means,
    solved_by,
)
from feedback_friction.analysis.stats.intervals import Estimate, z_value
from feedback_friction.analysis.stats.proportions import clustered
from feedback_friction.analysis.stats.resampling import RESAMPLES, bootstrap_means


def accuracy_curve(first: IntArray, iterations: int, level: float = 0.95) -> tuple[Estimate, ...]:
    """Share of problems solved at or before each iteration.

    With one epoch each interval is Wilson's. With several, a problem's accuracy is its mean over
    the epochs it has, every problem counts the same, and the interval is that of
    ``clusters.clustered_share``.

    Args:
        first: first-solved iterations, shape (problems, epochs); see ``arrays``.
        iterations: number of iterations of the run.
        level: confidence level.

    Returns:
        One estimate for each iteration, n being the number of trials that are not missing. The
        values never fall.
    """
    table = as_first(first, iterations)
    curve = []
    for iteration in range(iterations):
        means, trials = problem_means(solved_by(table, iteration))
        present = (trials > 0).astype(np.float64)
        curve.append(clustered(np.nan_to_num(means), present, trials, level))
    return tuple(curve)


@dataclass(frozen=True, slots=True)
class Plateau:
    """Where a curve flattens.

    Attributes:
        iteration: the first iteration after which every further gain is below the threshold; None
            when the last gain still reaches it.
        low: lower limit of the interval over resampled problems.
        high: upper limit; None when the plateau may lie beyond the last iteration.
        threshold: the gain in accuracy that counts, from 0 to 1.
    """

    iteration: int | None
    low: int | None
    high: int | None
    threshold: float


def plateau(
    first: IntArray,
    iterations: int,
    rng: np.random.Generator,
    threshold: float = 0.01,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Plateau:
    """The first iteration after which no iteration gains the threshold or more.

    The interval holds the central ``level`` of the plateaus of resampled problems; a resample
    without one counts as later than all others. As it consists of whole iterations it covers more
    than its level (98 to 99.8% at 450 problems or more), and less (86%) where the threshold is
    worth a single problem, as 0.01 of 100 is: take one worth several.

    Args:
        first: first-solved iterations, shape (problems, epochs); see ``arrays``.
        iterations: number of iterations of the run.
        rng: draws the resamples.
        threshold: the smallest gain in accuracy (share of problems) that counts.
        level: confidence level.
        resamples: number of resamples.
    """
    z_value(level)
    table = as_first(first, iterations)
    columns = [problem_means(solved_by(table, k))[0] for k in range(iterations)]
    rows = np.column_stack(columns)
    rows = rows[~np.isnan(rows[:, 0])]
    if not len(rows):
        return Plateau(None, None, None, threshold)
    found = _plateau_of(rows.mean(axis=0)[np.newaxis], threshold)[0]
    draws = _plateau_of(bootstrap_means(rows, rng, resamples), threshold)
    tail = (1 - level) / 2
    low, high = np.quantile(draws, [tail, 1 - tail], method="inverted_cdf")
    seen = [None if k == iterations else int(k) for k in (found, low, high)]
    return Plateau(seen[0], seen[1], seen[2], threshold)


def _plateau_of(curves: FloatArray, threshold: float) -> IntArray:
    """Plateau of each curve, (curves, iterations) to (curves,); ``iterations`` when there is none.

    A plateau is seen by at least one gain below the threshold, so the last iteration is none.
    """
    iterations = curves.shape[1]
    if iterations == 1:
        return np.ones(len(curves), dtype=np.int64)
    # A hair below, so that a gain of exactly the threshold counts whatever its rounding.
    large = np.diff(curves, axis=1) >= threshold - 1e-12
    last = np.where(large.any(axis=1), iterations - 1 - np.argmax(large[:, ::-1], axis=1), 0)
    return np.where(last == iterations - 1, iterations, last).astype(np.int64)
