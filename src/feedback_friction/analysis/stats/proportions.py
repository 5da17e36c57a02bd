"""Shares of several classes at once, pass@k, and Student's quantile."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import stats as distributions

from feedback_friction.analysis.stats.arrays import FloatArray, IntArray
from feedback_friction.analysis.stats.clusters import clustered_share
from feedback_friction.analysis.stats.intervals import LEVEL, TAILS, Estimate


def student(degrees: float) -> float:
    """Two-sided 95% quantile of Student's distribution; ``clusters.student_value`` by scipy."""
    return float(distributions.t.ppf(TAILS[1], degrees))


@dataclass(frozen=True, slots=True)
class ClassShare:
    """The share of one of several exclusive classes."""

    count: int  # number of trials in the class
    share: Estimate  # its share with an interval for this class alone; n is the number of trials
    joint: Estimate  # the same with an interval that holds together with those of all other classes


def class_shares(counts: FloatArray) -> tuple[ClassShare, ...]:
    """Shares of exclusive classes, each with its own interval and with a joint one.

    The joint intervals use the level ``1 - (1 - 0.95) / classes`` for every class: Goodman's
    simultaneous intervals, which cover together with probability 0.95 at least. All are
    cluster-robust; with one trial a problem they are Wilson's and Goodman's own.

    Args:
        counts: shape (problems, classes): trials of each problem in each class.

    Returns:
        One entry for each class, in order.

    Raises:
        ValueError: not two-dimensional, or without classes.

    Source: Goodman (1965), Technometrics 7:247-254.
    """
    if counts.ndim != 2 or counts.shape[1] == 0:
        raise ValueError("counts take shape (problems, classes), at least one class")
    totals, each = counts.sum(axis=1), 1 - (1 - LEVEL) / counts.shape[1]
    return tuple(
        ClassShare(
            round(float(column.sum())),
            clustered_share(column, totals),
            clustered_share(column, totals, level=each),
        )
        for column in counts.T
    )


def pass_at_k(correct: IntArray, samples: IntArray, k: int) -> Estimate:
    """Chance that at least one of k samples is correct, averaged over problems.

    For a problem with c correct among n samples ``1 - C(n - c, k) / C(n, k)``, the unbiased
    estimator; with k = n it is coverage: the share of problems solved by any sample. The interval
    is Wilson's with an effective number of problems (``clusters.clustered_share``), since
    the problems' values lie between 0 and 1 and vary no more than single trials would.

    Args:
        correct: shape (problems,): number of correct samples.
        samples: shape (problems,): number of samples, each at least k.
        k: number of samples that are looked at, at least 1.

    Returns:
        The mean, n being the number of problems; ``nan`` in [0, 1] without problems.

    Raises:
        ValueError: k below 1 or above a problem's number of samples, or correct outside 0..samples.

    Source: Chen et al. (2021), arXiv 2107.03374, equation 1.
    """
    if correct.shape != samples.shape:
        raise ValueError("correct and samples must have one shape")
    if k < 1 or np.any(samples < k):
        raise ValueError(f"k must lie between 1 and the number of samples, got {k}")
    if np.any(correct < 0) or np.any(correct > samples):
        raise ValueError("the number correct must lie between 0 and the number of samples")
    all_wrong = np.ones(len(correct))
    for drawn in range(k):
        all_wrong *= np.maximum(samples - correct - drawn, 0) / (samples - drawn)
    # n samples hold at most n / k independent draws of k.
    found = clustered_share(1 - all_wrong, np.ones(len(correct)), samples / k)
    return replace(found, n=len(correct))
