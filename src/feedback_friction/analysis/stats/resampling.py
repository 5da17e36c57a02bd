"""The bootstrap over problems: whole problems are drawn again, with all that belongs to them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from feedback_friction.analysis.stats.arrays import FloatArray
from feedback_friction.analysis.stats.intervals import Interval, z_value

RESAMPLES = 10_000
_CELLS = 4_000_000  # resampled counts held at once: 32 MB


def bootstrap_means(
    rows: FloatArray, rng: np.random.Generator, resamples: int = RESAMPLES
) -> FloatArray:
    """Means of the rows over resampled problems.

    Equal rows are drawn together: how often each distinct row appears among n draws is
    multinomial, which is the same distribution as drawing n rows with replacement, and first-solved
    iterations leave few distinct rows.

    Args:
        rows: shape (problems, values), without ``nan``.
        rng: source of the draws.
        resamples: number of resamples.

    Returns:
        Shape (resamples, values).

    Raises:
        ValueError: no problem to draw from.

    Source: Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 6.
    """
    n = len(rows)
    if n == 0:
        raise ValueError("cannot resample no problems")
    distinct, counts = np.unique(rows, axis=0, return_counts=True)
    means = np.empty((resamples, rows.shape[1]))
    step = max(1, _CELLS // len(counts))
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        means[start : start + size] = rng.multinomial(n, counts / n, size=size) @ distinct / n
    return means


def bootstrap(
    rows: FloatArray,
    statistic: Callable[[FloatArray], FloatArray],
    rng: np.random.Generator,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """Percentile interval of a function of means over problems.

    Args:
        rows: shape (problems, values), without ``nan``.
        statistic: from means of shape (resamples, values) to shape (resamples,); resamples in which
            it is undefined are ``nan`` and are left out.
        rng: source of the draws.
        level: confidence level.
        resamples: number of resamples.

    Returns:
        The interval; both limits ``nan`` when the statistic is defined in no resample.
    """
    values = statistic(bootstrap_means(rows, rng, resamples))
    return percentile(values, level)


def percentile(values: FloatArray, level: float) -> Interval:
    """The central ``level`` of resampled values of shape (resamples,), ``nan`` left out."""
    z_value(level)
    defined = values[~np.isnan(values)]
    if not len(defined):
        return Interval(float("nan"), float("nan"))
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))
