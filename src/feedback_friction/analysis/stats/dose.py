"""Dose and response: a fit that only rises or only falls, and the dose of half the effect."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import isotonic_regression

from feedback_friction.analysis.stats.arrays import FloatArray
from feedback_friction.analysis.stats.clusters import clustered_share
from feedback_friction.analysis.stats.differences import mean_difference
from feedback_friction.analysis.stats.intervals import TAILS, Estimate, Interval

RESAMPLES = 1_000


@dataclass(frozen=True, slots=True)
class Response:
    """The response to a dose: its fit, the effect, and the dose of half the effect."""

    fitted: FloatArray  # for each dose, the response of the isotonic fit
    limits: tuple[Interval, ...]  # for each dose, the limits of the fit
    # the response at the last dose less that at the first, paired by problem. It is not taken from
    # the fit, which can only rise (or fall) and so finds an effect where there is none.
    effect: Estimate
    # the dose at which the fit has half of its effect; nan, over the whole range, where the limits
    # of the effect hold zero
    half: Estimate


def response(
    doses: FloatArray,
    values: FloatArray,
    *,
    rising: bool,
    trials: FloatArray | None = None,
    seed: int = 0,
) -> Response:
    """The isotonic fit of a response measured on the same problems at every dose.

    Args:
        doses: shape (doses,), rising.
        values: shape (problems, doses), each the share of a problem's trials that respond.
        rising: whether more is expected to do more; else less.
        trials: shape (problems,), a problem's trials at each dose; one each by default.
        seed: of the bootstrap over problems.

    Source: Barlow, Bartholomew, Bremner and Brunk (1972), Statistical inference under order
    restrictions, chapter 1; percentile intervals from resampled problems, nowhere narrower than
    the fit of the single shares' limits, since resampling gives no width where all problems agree.
    """
    rng = np.random.default_rng(seed)
    count = len(values)
    trials = np.ones(count) if trials is None else trials
    fitted = _fit(values.mean(axis=0), rising=rising)
    fits = np.array(
        [
            _fit(values[rng.integers(0, count, count)].mean(axis=0), rising=rising)
            for _ in range(RESAMPLES)
        ]
    )
    lows, highs = np.quantile(fits, TAILS, axis=0)
    shares = [clustered_share(list(each * trials), list(trials)) for each in values.T]
    lows = np.minimum(lows, _fit(np.array([each.low for each in shares]), rising=rising))
    highs = np.maximum(highs, _fit(np.array([each.high for each in shares]), rising=rising))
    effect = mean_difference(list(values[:, -1] - values[:, 0]), list(trials))
    half = Estimate(math.nan, float(doses[0]), float(doses[-1]), count)
    if effect.low > 0 if rising else effect.high < 0:
        draws = np.array([half_dose(doses, fit) for fit in fits])
        low, high = (float(each) for each in np.nanquantile(draws, TAILS))
        half = Estimate(half_dose(doses, fitted), low, high, count)
    limits = tuple(Interval(float(low), float(high)) for low, high in zip(lows, highs, strict=True))
    return Response(fitted, limits, effect, half)


def half_dose(doses: FloatArray, fitted: FloatArray) -> float:
    """The dose at which a fit is half way from its first to its last value; nan if they are equal.

    Between two doses the fit is taken to be straight; where it stays at the half, the first.
    """
    first, last = float(fitted[0]), float(fitted[-1])
    if first == last or math.isnan(first + last):
        return math.nan
    done = (fitted - first) / (last - first)
    at = int(np.argmax(done >= 0.5 - 1e-9))  # half in binary fractions
    before, after = float(done[at - 1]), float(done[at])
    share = (0.5 - before) / (after - before)
    return float(doses[at - 1] + share * (doses[at] - doses[at - 1]))


def _fit(means: FloatArray, *, rising: bool) -> FloatArray:
    """The isotonic fit of the means at each dose."""
    fit: FloatArray = isotonic_regression(means, increasing=rising).x
    return fit
