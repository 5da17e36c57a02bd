"""The variance of outcomes split by what they have in common: problem, solver, feedback, epoch."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, combinations

import numpy as np
from scipy import stats as distributions

from feedback_friction.analysis.stats.arrays import FloatArray
from feedback_friction.analysis.stats.intervals import Estimate, z_value

PROBLEM, SOLVER, CONDITION, EPOCH = range(4)
_GROUPS = 30  # of problems, for the jackknife: more take longer and tell little more

Effect = tuple[int, ...]  # the factors that an effect depends on, ascending


@dataclass(frozen=True, slots=True)
class Split:
    """The variance of the outcome of one trial.

    Attributes:
        components: variance of each effect; of an effect of several factors what those of fewer do
            not explain. Estimates, which may be a little below 0 where the truth is near it.
        icc: of two trials of one problem by one solver under one condition, their correlation: the
            share of a trial's variance that lies between problems.
        difference: the same for the difference of two conditions on one trial: what
            ``friction power --icc`` takes.
    """

    components: dict[Effect, float]
    icc: Estimate
    difference: Estimate


def split(solved: FloatArray, level: float = 0.95) -> Split:
    """Variance components of problems, solvers and conditions crossed, epochs within, by moments.

    The mean square of an effect is expected to be the sum, over all effects that hold it, of their
    variance times the trials that share their levels: as many equations as variances. Nothing is
    assumed of the outcomes' distribution. The limits of both correlations are a jackknife's that
    leaves out a thirtieth of the problems at a time, with Student's quantile, on Fisher's scale.

    Args:
        solved: shape (problems, solvers, conditions, epochs), 0 and 1; no trial missing. Epochs
            are numbered alike under all conditions, which share their first attempts.
        level: confidence level.

    Returns:
        The split. Factors of one level are in no effect. A correlation is ``nan`` in [0, 1] where
        there is one epoch, and of differences also where there is one condition.

    Source: Searle, Casella and McCulloch (1992), Variance Components, chapter 4; Brennan (2001),
    Generalizability Theory, section 3.2; Kott (2001), Journal of Official Statistics 17:521-526
    (the jackknife by groups); Miller (2024), arXiv 2411.00640, section 3 (problems and draws).
    """
    z_value(level)
    whole = components(solved)
    shares = [_correlation(whole, crossed) for crossed in (False, True)]
    groups = np.arange(len(solved)) % min(_GROUPS, len(solved))
    left: list[list[float]] = [[], []]
    if not all(map(math.isnan, shares)) and groups.max(initial=0) > 1:
        for group in range(groups.max() + 1):
            found = components(solved[groups != group])
            for crossed, values in zip((False, True), left, strict=True):
                values.append(_correlation(found, crossed))
    epochs = solved.shape[EPOCH]
    icc, difference = (
        _estimate(share, values, epochs, len(solved), level)
        for share, values in zip(shares, left, strict=True)
    )
    return Split(whole, icc, difference)


def components(solved: FloatArray) -> dict[Effect, float]:
    """The variance of every effect; see ``split``."""
    factors = [axis for axis, size in enumerate(solved.shape) if size > 1]
    effects = [part for part in _parts(tuple(factors)) if part]
    means = {
        effect: solved.mean(axis=tuple({*range(solved.ndim)} - {*effect}), keepdims=True)
        for effect in [(), *effects]
    }
    squares, degrees = defaultdict[Effect, float](float), defaultdict[Effect, int](int)
    for effect in effects:
        gaps = sum((-1) ** (len(effect) - len(part)) * means[part] for part in _parts(effect))
        whole = _nested(effect, factors)
        squares[whole] += float((np.asarray(gaps) ** 2).sum()) * _repeats(solved, effect)
        degrees[whole] += math.prod(solved.shape[axis] - 1 for axis in effect)
    kept = [*squares]
    holds = np.array([[float({*effect} <= {*wider}) for wider in kept] for effect in kept])
    mean_squares = [squares[effect] / degrees[effect] for effect in kept]
    found = np.linalg.solve(holds, mean_squares).tolist() if kept else []
    return {
        effect: value / _repeats(solved, effect) for effect, value in zip(kept, found, strict=True)
    }


def _nested(effect: Effect, factors: Sequence[int]) -> Effect:
    """The effect itself; with an epoch, which is another draw for each problem and solver, theirs.

    Nothing ties the third epoch of one problem to the third of another.
    """
    if EPOCH not in effect:
        return effect
    return tuple(axis for axis in factors if axis in effect or axis in (PROBLEM, SOLVER))


def _repeats(solved: FloatArray, effect: Effect) -> float:
    """Trials that share the levels of an effect."""
    return float(solved.size / math.prod(solved.shape[axis] for axis in effect))


def _parts(effect: Effect) -> Sequence[Effect]:
    return [*chain.from_iterable(combinations(effect, n) for n in range(len(effect) + 1))]


def _correlation(found: dict[Effect, float], crossed: bool) -> float:
    """Between problems over all within one solver and condition, or their difference.

    Effects without the problem, such as the mean of a condition, are the same for all its trials.
    """
    of = {
        effect: value
        for effect, value in found.items()
        if PROBLEM in effect or EPOCH in effect
        if not crossed or CONDITION in effect
    }
    within = sum(value for effect, value in of.items() if EPOCH in effect)
    between = sum(value for effect, value in of.items() if EPOCH not in effect)
    if not any(EPOCH in effect for effect in of) or between + within <= 0:
        return math.nan
    return between / (between + within)


def _estimate(
    share: float, left: Sequence[float], epochs: int, problems: int, level: float
) -> Estimate:
    """A correlation with the jackknife's limits on Fisher's scale for so many epochs.

    Source: Fisher (1925), Statistical Methods for Research Workers, section 39.
    """
    steepest = 1 - 1e-9

    def scaled(value: float) -> float:
        within = min(steepest, max(value, (1e-9 - 1) / (epochs - 1)))
        return 0.5 * math.log((1 + (epochs - 1) * within) / (1 - within))

    def unscaled(value: float) -> float:
        ratio = math.exp(2 * min(value, 300.0))
        return (ratio - 1) / (ratio + epochs - 1)

    kept = np.array([scaled(each) for each in left if not math.isnan(each)])
    low, high = 0.0, 1.0
    if not math.isnan(share) and len(kept) > 1:
        count = len(kept)
        error = math.sqrt((count - 1) / count * float(((kept - kept.mean()) ** 2).sum()))
        half = float(distributions.t.ppf((1 + level) / 2, count - 1)) * error
        low, high = (unscaled(scaled(share) + sign * half) for sign in (-1, 1))
    value = share if math.isnan(share) else min(1.0, max(0.0, share))
    return Estimate(value, max(0.0, low), min(1.0, max(0.0, high)), problems)
