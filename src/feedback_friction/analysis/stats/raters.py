"""How far raters agree: Cohen's kappa, Krippendorff's alpha, and agreement on each class."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from feedback_friction.analysis.stats.arrays import FloatArray, IntArray
from feedback_friction.analysis.stats.clusters import clustered_share
from feedback_friction.analysis.stats.intervals import Estimate, Interval, wilson
from feedback_friction.analysis.stats.proportions import student

UNRATED = -1


def kappa(first: IntArray, second: IntArray, classes: int) -> Estimate:
    """Cohen's kappa of two raters: ``(po - pe) / (1 - pe)``.

    po is the share of units rated alike, pe what the raters' own shares of the classes would give
    by chance. The interval is the wider of two: Fleiss, Cohen and Everitt's large-sample variance
    on Fisher's z scale with a Student quantile, which alone covers 53% when a class is rare and
    agreement low (5% of 50 units), and Wilson's limits of po with pe as it is, which alone is too
    narrow when pe is uncertain.

    Args:
        first: shape (units,): classes 0..classes - 1, or ``UNRATED``; units that either rater left
            out do not count.
        second: same shape.
        classes: number of classes.

    Returns:
        The estimate, n being the number of units that both rated; ``nan`` in [-1, 1] without any,
        and when both raters gave one and the same class throughout (pe is 1).

    Raises:
        ValueError: the shapes differ, or a class is out of range.

    Source: Cohen (1960), Educational and Psychological Measurement 20:37-46; Fleiss, Cohen and
    Everitt (1969), Psychological Bulletin 72:323-327, equation 13.
    """
    if first.shape != second.shape:
        raise ValueError("both raters must have rated the same units")
    ratings = _checked(np.stack([first, second]), classes)
    ratings = ratings[:, (ratings != UNRATED).all(axis=0)]
    n = ratings.shape[1]
    table = np.zeros((classes, classes))
    np.add.at(table, (ratings[0], ratings[1]), 1.0)
    shares = table / max(n, 1)
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    observed, expected = float(np.trace(shares)), float(rows @ columns)
    if n == 0 or expected >= 1 - 1e-12:
        return Estimate(math.nan, -1.0, 1.0, n)
    value = (observed - expected) / (1 - expected)
    # How much each cell moves kappa: from po directly, and through both margins from pe.
    margins = columns[:, np.newaxis] + rows[np.newaxis, :]
    weight = (1 - observed) / (1 - expected) ** 2
    influence = (np.eye(classes) - observed) / (1 - expected) - weight * (margins - 2 * expected)
    variance = float((shares * influence**2).sum()) / max(n - 1, 1)
    limits = wilson(min(1.0, observed) * n, n)
    return _wider(value, variance, n, expected, limits)


def alpha(ratings: IntArray, classes: int) -> Estimate:
    """Krippendorff's alpha for nominal classes: any number of raters, ratings may be missing.

    ``1 - Do / De``: the observed disagreement within units over the one expected if all pairable
    ratings were shuffled between units. The interval is made as for ``kappa``, the variance being
    the jackknife's over units, and Wilson's limits cluster-robust. It was preferred to the
    bootstrap over units, which gives a width of 0 whenever all units agree.

    Args:
        ratings: shape (raters, units): classes 0..classes - 1, or ``UNRATED``; units with fewer
            than 2 ratings cannot be paired and do not count.
        classes: number of classes.

    Returns:
        The estimate, n being the number of units with 2 ratings or more; ``nan`` in [-1, 1] without
        any, and when all ratings are of one class.

    Raises:
        ValueError: not two-dimensional, or a class is out of range.

    Source: Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, section C; Efron and
    Tibshirani (1993), An Introduction to the Bootstrap, chapter 11 (jackknife).
    """
    counts, raters = _pairable(ratings, classes)
    n = len(raters)
    alike = (counts * (counts - 1)).sum(axis=1) / (raters - 1)
    totals = counts.sum(axis=0)
    values = _alpha(totals, float((raters - alike).sum()))
    if n == 0 or math.isnan(float(values)):
        return Estimate(math.nan, -1.0, 1.0, n)
    without = _alpha(totals - counts, float((raters - alike).sum()) - (raters - alike))
    without = without[~np.isnan(without)]
    variance = (n - 1) / n * float(without.var() * len(without)) if len(without) else 0.0
    total = float(totals.sum())
    expected = 1 - (total**2 - float((totals**2).sum())) / (total * (total - 1))
    limits = clustered_share(alike, raters).interval
    return _wider(float(values), variance, n, expected, limits)


def _alpha(totals: FloatArray, disagreement: FloatArray | float) -> FloatArray:
    """Alpha from the totals of each class (last axis) and the summed disagreement of the units."""
    n = totals.sum(axis=-1)
    expected = n**2 - (totals**2).sum(axis=-1)
    ratio = np.divide(
        (n - 1) * disagreement, expected, out=np.full(np.shape(n), np.nan), where=expected > 0
    )
    return np.asarray(1 - ratio)


@dataclass(frozen=True, slots=True)
class ClassAgreement:
    """Agreement on one class."""

    label: int  # the class
    ratings: int  # how often it was given in units with 2 ratings or more
    # chance that another rater of the unit says the same when one says this class (the specific
    # agreement ``2 a / (2 a + b + c)`` of two raters); n is ``ratings``
    agreement: Estimate


def class_agreement(ratings: IntArray, classes: int) -> tuple[ClassAgreement, ...]:
    """Agreement on each class by itself, with cluster-robust intervals (the unit is the cluster).

    Args as for ``alpha``.

    Returns:
        One entry for each class; ``nan`` in [0, 1] for a class that nobody gave.

    Source: Fleiss, Levin and Paik (2003), Statistical Methods for Rates and Proportions, 3rd
    edition, section 18.1 (specific agreement).
    """
    counts, raters = _pairable(ratings, classes)
    found = []
    for label in range(classes):
        given = counts[:, label]
        agreed = clustered_share(given * (given - 1) / (raters - 1), given)
        found.append(ClassAgreement(label, int(given.sum()), agreed))
    return tuple(found)


def _checked(ratings: IntArray, classes: int) -> IntArray:
    """The ratings, once their shape and range are known to be right."""
    if ratings.ndim != 2:
        raise ValueError(f"ratings take (raters, units), got {ratings.ndim} dimensions")
    if ratings.size and (ratings.min() < UNRATED or ratings.max() >= classes):
        raise ValueError(f"classes must lie in 0..{classes - 1}, or be {UNRATED} for unrated")
    return ratings


def _pairable(ratings: IntArray, classes: int) -> tuple[FloatArray, FloatArray]:
    """Counts (units, classes) and numbers of ratings (units,) of the units with 2 or more."""
    checked = _checked(ratings, classes)
    counts = (checked.T[:, :, np.newaxis] == np.arange(classes)).sum(axis=1).astype(np.float64)
    raters = counts.sum(axis=1)
    return counts[raters >= 2], raters[raters >= 2]


def _wider(value: float, variance: float, n: int, expected: float, limits: Interval) -> Estimate:
    """The wider of both intervals; ``limits`` are those of the observed agreement."""
    low = (limits.low - expected) / (1 - expected)
    high = (limits.high - expected) / (1 - expected)
    if variance > 0 and abs(value) < 1 and n > 1:
        half = student(n - 1) * math.sqrt(variance) / (1 - value**2)
        low = min(low, math.tanh(math.atanh(value) - half))
        high = max(high, math.tanh(math.atanh(value) + half))
    return Estimate(value, max(-1.0, min(low, value)), min(1.0, max(high, value)), n)
