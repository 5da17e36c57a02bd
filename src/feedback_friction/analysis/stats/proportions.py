"""Intervals for shares: exact, simultaneous over several classes, and from clustered trials.

Several epochs of one problem are not independent trials: the problem is the unit that was sampled.
``clustered`` asks how many independent trials the clustered ones are worth, and gives Wilson's
interval for that many.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats as distributions

from feedback_friction.analysis.stats.arrays import FloatArray
from feedback_friction.analysis.stats.intervals import Estimate, Interval, wilson, z_value


def clopper_pearson(successes: int, n: int, level: float = 0.95) -> Interval:
    """The exact binomial interval: its coverage is never below the level, and often well above.

    The limits are beta quantiles: ``B(a/2; x, n - x + 1)`` and ``B(1 - a/2; x + 1, n - x)`` with
    ``a = 1 - level``; 0 at no success, 1 at n successes, and from 0 to 1 when n is 0.

    Raises:
        ValueError: successes outside 0..n, or a level outside (0, 1).

    Source: Clopper and Pearson (1934), Biometrika 26:404-413.
    """
    z_value(level)
    if not 0 <= successes <= n:
        raise ValueError(f"successes must lie between 0 and n, got {successes} of {n}")
    tail, failures = (1 - level) / 2, n - successes
    low = 0.0 if successes == 0 else float(distributions.beta.ppf(tail, successes, failures + 1))
    high = 1.0 if failures == 0 else float(distributions.beta.isf(tail, successes + 1, failures))
    return Interval(low, high)


def clustered(
    successes: FloatArray,
    weights: FloatArray,
    trials: FloatArray | None = None,
    level: float = 0.95,
) -> Estimate:
    """The share ``sum(successes) / sum(weights)`` with a cluster-robust Wilson interval.

    The variance of the ratio comes from the clusters' residuals,
    ``v = C / (C - 1) * sum((x_c - p w_c)^2) / sum(w)^2``; the trials are worth
    ``n* = p (1 - p) / v * (z / t)^2`` independent ones, t being Student's quantile with C - 1
    degrees of freedom, and the interval is Wilson's with n* trials. n* is kept between what
    perfectly dependent and what independent trials within clusters would be worth, which also
    settles the case of no variance (no success, or nothing but successes): there the clusters
    count as one trial each. With one trial in every cluster the result is Wilson's own interval.

    Args:
        successes: shape (clusters,): sum of the outcomes of a cluster, 0 to its weight.
        weights: shape (clusters,): the cluster's share in the denominator; its number of trials
            for a share of trials, 1 for a mean over clusters. Clusters of weight 0 are left out.
        trials: shape (clusters,): number of trials behind the weight; by default the weights.
        level: confidence level.

    Returns:
        The estimate, n being the number of trials; ``nan`` in [0, 1] without any.

    Raises:
        ValueError: shapes differ, successes outside 0..weight, or a level outside (0, 1).

    Source: Korn and Graubard (1998), Survey Methodology 24:193-201 (effective sample size and the
    Student correction); Dean and Pagano (2015), Journal of Survey Statistics and Methodology
    3:484-503 (Wilson's interval with it).
    """
    counts = weights if trials is None else trials
    if not successes.shape == weights.shape == counts.shape:
        raise ValueError("successes, weights and trials must have one shape")
    used = weights > 0
    x, w, m = successes[used], weights[used], counts[used]
    if np.any(x < 0) or np.any(x > w * (1 + 1e-12)):
        raise ValueError("the successes of a cluster must lie between 0 and its weight")
    if not len(w):
        z_value(level)
        return Estimate(math.nan, 0.0, 1.0, 0)
    share = min(1.0, float(x.sum() / w.sum()))
    size = effective_size(share, x, w, m, level)
    limits = wilson(share * size, size, level)
    return Estimate(share, limits.low, limits.high, round(float(m.sum())))


@dataclass(frozen=True, slots=True)
class ClassShare:
    """The share of one of several exclusive classes.

    Attributes:
        count: number of trials in the class.
        share: its share with an interval for this class alone; n is the number of trials.
        joint: the same with an interval that holds together with those of all other classes.
    """

    count: int
    share: Estimate
    joint: Estimate


def class_shares(counts: FloatArray, level: float = 0.95) -> tuple[ClassShare, ...]:
    """Shares of exclusive classes, each with its own interval and with a joint one.

    The joint intervals use the level ``1 - (1 - level) / classes`` for every class: Goodman's
    simultaneous intervals, which cover together with probability ``level`` at least. All are
    cluster-robust; with one trial a problem they are Wilson's and Goodman's own.

    Args:
        counts: shape (problems, classes): trials of each problem in each class.
        level: confidence level.

    Returns:
        One entry for each class, in order.

    Raises:
        ValueError: not two-dimensional, without classes, or a level outside (0, 1).

    Source: Goodman (1965), Technometrics 7:247-254.
    """
    if counts.ndim != 2 or counts.shape[1] == 0:
        raise ValueError("counts take shape (problems, classes), at least one class")
    totals, each = counts.sum(axis=1), 1 - (1 - level) / counts.shape[1]
    return tuple(
        ClassShare(
            round(float(column.sum())),
            clustered(column, totals, level=level),
            clustered(column, totals, level=each),
        )
        for column in counts.T
    )


def effective_size(
    share: float, x: FloatArray, w: FloatArray, m: FloatArray, level: float
) -> float:
    """How many independent trials the clustered ones are worth.

    Args:
        share: ``sum(x) / sum(w)``.
        x: shape (clusters,): successes, as in ``clustered``.
        w: shape (clusters,): weights, all positive.
        m: shape (clusters,): numbers of trials, all positive.
        level: confidence level, for the Student correction.
    """
    clusters, total = len(w), float(w.sum())
    dependent = total**2 / float((w**2).sum())
    independent = total**2 / float((w**2 / m).sum())
    residual = float(((x - share * w) ** 2).sum())
    if clusters == 1 or share in (0.0, 1.0):
        return dependent
    if residual == 0.0:
        return independent
    variance = clusters / (clusters - 1) * residual / total**2
    student = float(distributions.t.ppf((1 + level) / 2, clusters - 1))
    size = share * (1 - share) / variance * (z_value(level) / student) ** 2
    return min(max(size, dependent), independent)
