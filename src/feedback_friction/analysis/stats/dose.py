"""Dose and response: a fit that only rises or only falls, and the dose of half the effect."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import isotonic_regression

from feedback_friction.analysis.stats.arrays import FloatArray
from feedback_friction.analysis.stats.intervals import Estimate, Interval

RESAMPLES = 1_000


@dataclass(frozen=True, slots=True)
class Response:
    """What a dose does.

    Attributes:
        fitted: for each dose, the response of the isotonic fit.
        limits: for each dose, the limits of the fit.
        effect: the response at the last dose less that at the first.
        half: the dose at which half the effect is reached; nan where there is none.
    """

    fitted: FloatArray
    limits: tuple[Interval, ...]
    effect: Estimate
    half: Estimate


def response(
    doses: FloatArray, values: FloatArray, *, rising: bool, seed: int = 0, level: float = 0.95
) -> Response:
    """The isotonic fit of a response measured on the same problems at every dose.

    Args:
        doses: shape (doses,), rising.
        values: shape (problems, doses), each the share of a problem's trials that respond; nan
            where a problem was not measured at a dose.
        rising: whether more is expected to do more; else less.
        seed: of the bootstrap over problems.

    Source: Barlow, Bartholomew, Bremner and Brunk (1972), Statistical inference under order
    restrictions, chapter 1; percentile intervals from resampled problems.
    """
    rng = np.random.default_rng(seed)
    count = len(values)
    fitted = _fit(values, rising=rising)
    draws = [_fit(values[rng.integers(0, count, count)], rising=rising) for _ in range(RESAMPLES)]
    fits = np.array([draw for draw in draws if not np.isnan(draw).any()])
    tails = [(1 - level) / 2, (1 + level) / 2]
    lows, highs = np.quantile(fits, tails, axis=0) if len(fits) else (fitted, fitted)
    halves = np.array([half_dose(doses, fit) for fit in fits])
    halves = halves[~np.isnan(halves)]
    effects = fits[:, -1] - fits[:, 0] if len(fits) else np.array([])
    return Response(
        fitted,
        tuple(Interval(float(low), float(high)) for low, high in zip(lows, highs, strict=True)),
        _estimate(float(fitted[-1] - fitted[0]), effects, tails, count, (-1.0, 1.0)),
        _estimate(
            half_dose(doses, fitted), halves, tails, count, (float(doses[0]), float(doses[-1]))
        ),
    )


def half_dose(doses: FloatArray, fitted: FloatArray) -> float:
    """The dose at which a fit is half way from its first to its last value; nan if they are equal.

    Between two doses the fit is taken to be straight; where it stays at the half, the first.
    """
    first, last = float(fitted[0]), float(fitted[-1])
    if first == last or math.isnan(first + last):
        return math.nan
    done = (fitted - first) / (last - first)
    at = int(np.argmax(done >= 0.5))
    before, after = float(done[at - 1]), float(done[at])
    share = (0.5 - before) / (after - before)
    return float(doses[at - 1] + share * (doses[at] - doses[at - 1]))


def _fit(values: FloatArray, *, rising: bool) -> FloatArray:
    """The isotonic fit of the means at each dose; nan where a dose was measured on no problem."""
    counts = (~np.isnan(values)).sum(axis=0)
    if not counts.all():
        return np.full(values.shape[1], np.nan)
    means = np.nansum(values, axis=0) / counts
    weights = counts.astype(np.float64)
    fit: FloatArray = isotonic_regression(means, weights=weights, increasing=rising).x
    return fit


def _estimate(
    value: float, draws: FloatArray, tails: list[float], n: int, most: tuple[float, float]
) -> Estimate:
    if not len(draws):
        return Estimate(value, *most, n)
    low, high = (float(each) for each in np.quantile(draws, tails))
    return Estimate(value, low, high, n)
