"""A share in buckets of another quantity: accuracy by confidence, gain by entropy, and the like."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from feedback_friction.analysis.stats.arrays import FloatArray
from feedback_friction.analysis.stats.clusters import clustered_share
from feedback_friction.analysis.stats.intervals import Estimate

FEW = 10  # buckets with fewer problems are flagged, as in the study
_ROUNDING = 1e-9  # 3 * 0.2 is not below 0.6000000000000001 for anyone who reads the axis


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket."""

    low: float  # lower edge, included
    high: float  # upper edge, included in the last bucket only
    problems: int  # number of problems in it
    few: bool  # True when there are fewer than 10, too few to read anything from
    # the share within the bucket; ``nan`` in [0, 1] where there is nothing to share
    share: Estimate


def equal_width(values: FloatArray, width: float) -> FloatArray:
    """Edges at multiples of a width, from the one at or below the least value to beyond the last.

    Args:
        values: shape (problems,), ``nan`` ignored.
        width: width of a bucket, above 0; 0.2 nats for semantic entropy, as in the study.

    Raises:
        ValueError: no value, or a width that is not positive.
    """
    known = values[~np.isnan(values)]
    if width <= 0 or not len(known):
        raise ValueError("buckets take a positive width and at least one value")
    start = np.floor(known.min() / width + _ROUNDING)
    stop = np.floor(known.max() / width + _ROUNDING) + 1
    return np.asarray(np.arange(start, stop + 1) * width)


def equal_count(values: FloatArray, buckets: int) -> FloatArray:
    """Edges at quantiles, so that buckets hold about as many problems each.

    Ties make some edges equal; they are merged, so that there may be fewer buckets.

    Args:
        values: shape (problems,), ``nan`` ignored.
        buckets: number of buckets, at least 1.

    Raises:
        ValueError: no value, or no bucket.
    """
    known = values[~np.isnan(values)]
    if buckets < 1 or not len(known):
        raise ValueError("buckets take at least one bucket and one value")
    edges = np.unique(np.quantile(known, np.linspace(0, 1, buckets + 1)))
    return edges if len(edges) > 1 else np.array([edges[0], edges[0]])


def bucketed(
    values: FloatArray, successes: FloatArray, weights: FloatArray, edges: FloatArray
) -> tuple[Bucket, ...]:
    """The share ``sum(successes) / sum(weights)`` in each bucket, with cluster-robust intervals.

    Accuracy by confidence takes the problem's number of correct trials and of trials; the gain that
    the study draws, ``(final - initial) / (1 - initial)`` of a bucket's mean accuracies, takes the
    trials solved after the first attempt and those not solved at it.

    Args:
        values: shape (problems,): what the buckets are of; ``nan`` is in none of them.
        successes: shape (problems,), 0 to the weight.
        weights: shape (problems,): numbers of trials.
        edges: shape (buckets + 1,), ascending.

    Returns:
        One entry for each bucket; values outside the edges are in none.

    Raises:
        ValueError: the shapes differ, or there are fewer than 2 edges.
    """
    if not values.shape == successes.shape == weights.shape or len(edges) < 2:
        raise ValueError("values, successes and weights must have one shape, and edges two ends")
    slack = _ROUNDING * max(1.0, float(np.abs(edges).max()))
    place = np.digitize(values, edges[:-1] - slack) - 1
    place[np.isnan(values) | (values > edges[-1] + slack)] = -1
    found = []
    for bucket, (low, high) in enumerate(pairwise(edges)):
        inside = place == bucket
        share = clustered_share(successes[inside], weights[inside])
        count = int(inside.sum())
        found.append(Bucket(float(low), float(high), count, count < FEW, share))
    return tuple(found)
