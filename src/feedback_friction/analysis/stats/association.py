"""Does one thing go with another: rank correlation, classes told apart, predictions that held."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import optimize
from scipy import stats as distributions

from feedback_friction.analysis.stats.arrays import BoolArray, FloatArray
from feedback_friction.analysis.stats.intervals import Estimate, Interval, z_value
from feedback_friction.analysis.stats.proportions import student


def spearman(x: FloatArray, y: FloatArray) -> Estimate:
    """Spearman's rank correlation, ties getting their mean rank.

    The interval lives on Fisher's z scale and takes the larger of two standard errors: Bonett and
    Wright's ``sqrt((1 + r^2 / 2) / (n - 3))``, which alone is too small (89% coverage) where the
    spread of y changes with x, and the correlation's influence function's with a Student quantile,
    which alone is too small (81%) where one of the two seldom varies.

    Args:
        x: shape (problems,); pairs with a ``nan`` are left out. With several epochs give one mean a
            problem, since the interval takes the pairs for independent.
        y: same shape.

    Returns:
        The estimate, n being the number of pairs; ``nan`` when x or y does not vary, and limits of
        -1 and 1 then and with fewer than 4 pairs. At a correlation of -1 or 1 the limits are those
        of the nearest value that n pairs can show (one swap of neighbours).

    Raises:
        ValueError: the shapes differ.

    Source: Bonett and Wright (2000), Psychometrika 65:23-28; Croux and Dehon (2010), Statistical
    Methods and Applications 19:497-515 (influence function).
    """
    z = z_value()
    if x.shape != y.shape:
        raise ValueError("x and y must have one shape")
    kept = ~(np.isnan(x) | np.isnan(y))
    # Rounding keeps ties that differ only by the order of a sum.
    first, second, n = np.round(x[kept], 12), np.round(y[kept], 12), int(kept.sum())
    if n < 2 or np.all(first == first[0]) or np.all(second == second[0]):
        return Estimate(math.nan, -1.0, 1.0, n)
    value, error = _rank_correlation(first, second)
    if n < 4:
        return Estimate(value, -1.0, 1.0, n)
    nearest = 1 - 12 / (n * (n * n - 1))
    inner = max(-nearest, min(nearest, value))
    robust = student(n - 2) * error / (1 - inner**2) * math.sqrt(n / (n - 3))
    half = max(z * math.sqrt((1 + inner**2 / 2) / (n - 3)), robust)
    low, high = math.tanh(math.atanh(inner) - half), math.tanh(math.atanh(inner) + half)
    return Estimate(value, min(low, value), max(high, value), n)


def _rank_correlation(x: FloatArray, y: FloatArray) -> tuple[float, float]:
    """Spearman's correlation and its standard error from the influence function.

    A pair moves the covariance of the ranks by itself, and by shifting the ranks of all others.
    """
    n = len(x)
    f = (distributions.rankdata(x) - 0.5) / n - 0.5
    g = (distributions.rankdata(y) - 0.5) / n - 0.5
    covariance, first, second = float((f * g).mean()), float((f * f).mean()), float((g * g).mean())
    value = covariance / math.sqrt(first * second)
    moves = f * g + _mean_above(x, g) + _mean_above(y, f) - 3 * covariance
    moves_first = f * f + 2 * _mean_above(x, f) - 3 * first
    moves_second = g * g + 2 * _mean_above(y, g) - 3 * second
    influence = moves / math.sqrt(first * second)
    influence = influence - value / 2 * (moves_first / first + moves_second / second)
    return max(-1.0, min(1.0, value)), math.sqrt(float((influence**2).sum())) / n


def _mean_above(x: FloatArray, values: FloatArray) -> FloatArray:
    """For every case the mean over all cases of the values of those with a larger x, ties half."""
    _, group = np.unique(x, return_inverse=True)
    sums = np.bincount(group, values)
    above = np.cumsum(sums[::-1])[::-1] - sums / 2
    return np.asarray(above[group] / len(x))


def auroc(score: FloatArray, positive: BoolArray) -> Estimate:
    """Chance that a positive case scores higher than a negative one, ties counting half.

    The variance is DeLong's; the limits are symmetric on the logit scale, with a Student quantile
    at Satterthwaite's degrees of freedom, without which 3 positive cases among 400 are covered 77%
    of the time. Where that variance is 0 or unknown (classes perfectly apart, a single case in
    one) the limits are all areas within z of Hanley and McNeil's standard errors of the estimate.

    Args:
        score: shape (cases,), without ``nan``.
        positive: same shape.

    Returns:
        The estimate, n being the number of cases; ``nan`` in [0, 1] when there is only one class.

    Raises:
        ValueError: the shapes differ.

    Source: DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44:837-845; Newcombe (2006),
    Statistics in Medicine 25:559-573, method 5.
    """
    z = z_value()
    if score.shape != positive.shape:
        raise ValueError("scores and classes must have one shape")
    yes, no = score[positive], score[~positive]
    if not len(yes) or not len(no):
        return Estimate(math.nan, 0.0, 1.0, len(score))
    # DeLong's components from ranks: Sun and Xu (2014), IEEE Signal Processing Letters 21:1389.
    pooled = distributions.rankdata(np.concatenate([yes, no]))
    above = (pooled[: len(yes)] - distributions.rankdata(yes)) / len(no)
    below = 1 - (pooled[len(yes) :] - distributions.rankdata(no)) / len(yes)
    value = float(above.mean())
    if min(len(yes), len(no)) > 1 and 0 < value < 1 and above.var() + below.var() > 0:
        limits = _delong(value, above, below)
    else:
        limits = _hanley_mcneil(value, len(yes), len(no), z)
    return Estimate(value, *limits, len(score))


def _delong(value: float, above: FloatArray, below: FloatArray) -> Interval:
    """Logit limits with DeLong's variance and Satterthwaite's degrees of freedom."""
    parts = [float(part.var(ddof=1)) / len(part) for part in (above, below)]
    variance = sum(parts)
    shares = [part**2 / (len(of) - 1) for part, of in zip(parts, (above, below), strict=True)]
    half = student(variance**2 / sum(shares)) * math.sqrt(variance) / (value * (1 - value))
    centre = math.log(value / (1 - value))
    return Interval(
        (1 + math.tanh((centre - half) / 2)) / 2, (1 + math.tanh((centre + half) / 2)) / 2
    )


def _hanley_mcneil(value: float, yes: int, no: int, z: float) -> Interval:
    """All areas within z standard errors, by Hanley and McNeil's formula, of the estimate."""
    extra = (yes + no) / 2 - 1

    def excess(area: float) -> float:
        inner = 1 + extra * (1 - area) / (2 - area) + extra * area / (1 + area)
        return (value - area) ** 2 - z * z * area * (1 - area) * inner / (yes * no)

    end = 1e-12  # at 0 and 1 themselves the standard error is 0
    low, high = 0.0, 1.0
    if value > end:
        low = float(optimize.brentq(excess, end, min(value, 1 - end)))
    if value < 1 - end:
        high = float(optimize.brentq(excess, max(value, end), 1 - end))
    return Interval(low, high)


BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Predictions of about the same chance."""

    low: float  # low, high: the bin holds predictions from ``low`` to below ``high``
    high: float
    predicted: float  # their mean
    happened: int  # how many times it happened, of ``n``
    n: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """How well predictions held."""

    brier: float  # mean squared difference between prediction and outcome; ``nan`` without any
    base_brier: float  # the same of the overall share as everyone's prediction
    # chance that a case in which it happened had the higher prediction; ``nan`` where it always or
    # never happened
    auroc: float
    n: int  # predictions
    bins: tuple[Bin, ...]  # those that are not empty, in order


def calibration(predicted: FloatArray, happened: FloatArray) -> Calibration:
    """How well predicted chances hold against what happened (0 or 1), both of shape (n,).

    Sources: Brier (1950), Monthly Weather Review 78; AUROC as the Mann-Whitney statistic, ties
    counting half (Hanley and McNeil 1982, Radiology 143).
    """
    n = len(predicted)
    if not n:
        return Calibration(math.nan, math.nan, math.nan, 0, ())
    share = float(happened.mean())
    place = np.minimum((predicted * BINS).astype(int), BINS - 1)
    bins = tuple(
        Bin(
            at / BINS,
            (at + 1) / BINS,
            float(predicted[place == at].mean()),
            int(happened[place == at].sum()),
            int((place == at).sum()),
        )
        for at in range(BINS)
        if (place == at).any()
    )
    yes, no = predicted[happened == 1], predicted[happened == 0]
    area = math.nan
    if len(yes) and len(no):
        area = float(distributions.mannwhitneyu(yes, no).statistic) / (len(yes) * len(no))
    brier = float(((predicted - happened) ** 2).mean())
    return Calibration(brier, share * (1 - share), area, n, bins)
