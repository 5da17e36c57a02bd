"""Tests of paired differences, and their correction for a family of comparisons."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from feedback_friction.analysis.stats.arrays import FloatArray


def sign_flip(gaps: FloatArray, rng: np.random.Generator, resamples: int = 10_000) -> float:
    """Two-sided permutation test that the problems' differences are centred on 0.

    If the conditions are exchangeable within problems, the sign of every difference is a fair coin:
    the p-value is the share of sign assignments with a mean at least as far from 0, the observed
    one included, so that it is never 0. Equal sizes are flipped together (their positive ones are
    binomial). With differences of -1, 0 and 1 it approaches McNemar's exact test.

    Args:
        gaps: shape (problems,): differences of the problems' means.
        rng: draws the signs.
        resamples: number of sign assignments.

    Returns:
        The p-value; 1 when nothing differs.

    Source: Edgington and Onghena (2007), Randomization Tests, chapter 5; Phipson and Smyth (2010),
    Statistical Applications in Genetics and Molecular Biology 9:39 (the observed one included).
    """
    # Rounding keeps sizes equal that differ only by the order of a sum.
    sizes, counts = np.unique(np.round(np.abs(gaps[gaps != 0]), 12), return_counts=True)
    if not len(sizes):
        return 1.0
    observed = abs(float(np.sum(gaps)))
    positive = rng.binomial(counts, 0.5, size=(resamples, len(counts)))
    sums = np.abs((2 * positive - counts) @ sizes)
    return float((1 + np.sum(sums >= observed - 1e-9)) / (1 + resamples))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm's step-down correction: adjusted p-values in the order given.

    The i-th smallest of m is multiplied by ``m - i + 1``; the results are made monotone and capped
    at 1. Rejecting those at or below alpha keeps the family-wise error rate at alpha under any
    dependence. A comparison that could not be made (``nan``) stays ``nan`` and is not counted.

    Raises:
        ValueError: a p-value outside 0..1.

    Source: Holm (1979), Scandinavian Journal of Statistics 6:65-70.
    """
    tested = sorted((p, i) for i, p in enumerate(p_values) if not math.isnan(p))
    if any(not 0 <= p <= 1 for p, _ in tested):
        raise ValueError("p-values must lie between 0 and 1")
    adjusted, running = [math.nan] * len(p_values), 0.0
    for rank, (p, i) in enumerate(tested):
        running = max(running, min(1.0, (len(tested) - rank) * p))
        adjusted[i] = running
    return tuple(adjusted)
