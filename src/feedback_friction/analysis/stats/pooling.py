"""Differences of several tasks pooled with random effects."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from feedback_friction.analysis.stats.arrays import FloatArray
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.analysis.stats.proportions import student


@dataclass(frozen=True, slots=True)
class Pooled:
    """A mean over tasks."""

    # of the distribution that the tasks' true differences come from; n is the number of tasks
    mean: Estimate
    spread: float  # standard deviation of that distribution
    inconsistency: float  # I^2, the share of the observed variance between tasks that is not chance


def pooled(values: Sequence[float], errors: Sequence[float]) -> Pooled | None:
    """Random-effects mean: variance between tasks by REML, limits by Hartung and Knapp.

    Tasks differ in their true difference, and are few: the normal limits of a random-effects mean
    cover too little then. Hartung and Knapp's are Student's with one degree of freedom less than
    there are tasks, at the observed weighted variance of the tasks around the mean; where that is
    less than chance alone would give, chance's is taken (their ad hoc correction), since two tasks
    that happen to agree prove nothing.

    Args:
        values: the estimate of each task.
        errors: its standard error.

    Returns:
        The mean; None with fewer than two tasks that have a standard error above 0.

    Source: Viechtbauer (2005), JEBS 30:261-293 (REML); Hartung and Knapp (2001), Statistics in
    Medicine 20:3875-3889; Knapp and Hartung (2003), Statistics in Medicine 22:2693-2710 (the
    correction); Higgins and Thompson (2002), Statistics in Medicine 21:1539-1558 (I^2).
    """
    kept = [(y, s) for y, s in zip(values, errors, strict=True) if s > 0 and math.isfinite(y)]
    if len(kept) < 2:
        return None
    y, variances = np.array([each[0] for each in kept]), np.array([each[1] ** 2 for each in kept])
    between = _reml(y, variances)
    weights = 1 / (variances + between)
    mean = float(weights @ y / weights.sum())
    degrees = len(y) - 1
    observed = float(weights @ (y - mean) ** 2) / degrees
    error = math.sqrt(max(1.0, observed) / weights.sum())
    half = student(degrees) * error
    fixed = 1 / variances
    typical = degrees * fixed.sum() / (fixed.sum() ** 2 - (fixed**2).sum())
    return Pooled(
        Estimate(mean, mean - half, mean + half, len(y)),
        math.sqrt(between),
        between / (between + typical),
    )


def _reml(y: FloatArray, variances: FloatArray) -> float:
    """The variance between tasks at which the restricted likelihood is largest."""

    def loss(between: float) -> float:
        total = variances + between
        weights = 1 / total
        mean = weights @ y / weights.sum()
        return float(np.log(total).sum() + np.log(weights.sum()) + weights @ (y - mean) ** 2)

    # The likelihood may have its maximum at 0, where its slope is not 0.
    most = 10 * float(y.var(ddof=1)) + 1e-12
    found = optimize.minimize_scalar(
        loss, bounds=(0.0, most), method="bounded", options={"xatol": 1e-12 + 1e-8 * most}
    )
    return float(found.x) if loss(float(found.x)) < loss(0.0) else 0.0
