"""Intervals for shares in arrays: simultaneous over several classes, and clustered."""

from __future__ import annotations

from dataclasses import dataclass

from feedback_friction.analysis.stats.arrays import FloatArray
from feedback_friction.analysis.stats.clusters import clustered_share
from feedback_friction.analysis.stats.intervals import Estimate


def clustered(
    successes: FloatArray,
    weights: FloatArray,
    trials: FloatArray | None = None,
    level: float = 0.95,
) -> Estimate:
    """``clusters.clustered_share`` of arrays.

    Args:
        successes: shape (clusters,).
        weights: shape (clusters,).
        trials: shape (clusters,); by default the weights.
        level: confidence level.

    Raises:
        ValueError: shapes differ, successes outside 0..weight, or a level outside (0, 1).
    """
    counts = weights if trials is None else trials
    if not successes.shape == weights.shape == counts.shape:
        raise ValueError("successes, weights and trials must have one shape")
    return clustered_share(successes.tolist(), weights.tolist(), counts.tolist(), level)


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
