"""The variance of outcomes split by what they have in common: problem, solver, feedback, epoch."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, combinations

import numpy as np

from feedback_friction.analysis.stats.arrays import FloatArray
from feedback_friction.analysis.stats.intervals import TAILS, Estimate
from feedback_friction.analysis.stats.proportions import student

PROBLEM, SOLVER, CONDITION, EPOCH = range(4)
RESAMPLES = 1_000  # of problems, in ``crossed``
PARTS = ("student", "teacher", "interaction", "rest")
_FEWEST = 10  # problems whose jackknife tells a likeness: limits of fewer cover 23 to 89%
_GROUPS = 30  # of problems, for the jackknife: more take longer and tell little more

Effect = tuple[int, ...]  # the factors that an effect depends on, ascending


@dataclass(frozen=True, slots=True)
class Split:
    """The variance of the outcome of one trial."""

    # variance of each effect; of an effect of several factors what those of fewer do not explain.
    # Estimates, which may be a little below 0 where the truth is near it.
    components: dict[Effect, float]
    # of two trials of one problem by one solver under one condition, their correlation: the share
    # of a trial's variance that lies between problems
    icc: Estimate
    # the same for the difference of two conditions on one trial: what ``friction power --icc``
    # takes
    difference: Estimate


def split(solved: FloatArray) -> Split:
    """Variance components of problems, solvers and conditions crossed, epochs within, by moments.

    The mean square of an effect is expected to be the sum, over all effects that hold it, of their
    variance times the trials that share their levels: as many equations as variances. Nothing is
    assumed of the outcomes' distribution. The limits of both correlations are a jackknife's that
    leaves out a thirtieth of the problems at a time, with Student's quantile, on Fisher's scale;
    they are 0 and 1 for fewer than ten problems, and where leaving any out changes nothing.

    Args:
        solved: shape (problems, solvers, conditions, epochs), 0 and 1; no trial missing. Epochs
            are numbered alike under all conditions, which share their first attempts.

    Returns:
        The split. Factors of one level are in no effect. A correlation is ``nan`` in [0, 1] where
        there is one epoch, and of differences also where there is one condition.

    Source: Searle, Casella and McCulloch (1992), Variance Components, chapter 4; Brennan (2001),
    Generalizability Theory, section 3.2; Kott (2001), Journal of Official Statistics 17:521-526
    (the jackknife by groups); Miller (2024), arXiv 2411.00640, section 3 (problems and draws).
    """
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
        _estimate(share, values, epochs, len(solved))
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


def _estimate(share: float, left: Sequence[float], epochs: int, problems: int) -> Estimate:
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
    told = problems >= _FEWEST and len(kept) > 1 and float(np.ptp(kept)) > 1e-9
    if told and not math.isnan(share):
        count = len(kept)
        error = math.sqrt((count - 1) / count * float(((kept - kept.mean()) ** 2).sum()))
        half = student(count - 1) * error
        low, high = (unscaled(scaled(share) + sign * half) for sign in (-1, 1))
    value = share if math.isnan(share) else min(1.0, max(0.0, share))
    return Estimate(value, max(0.0, low), min(1.0, max(0.0, high)), problems)


def crossed(values: FloatArray, seed: int = 0) -> dict[str, Estimate]:
    """The variance split of crossed students and teachers.

    Two-way random effects with replication, by the moments of unweighted means: the variance of the
    students' means, the teachers' and the interaction's, each less what the parts below it add,
    never below 0. Limits come from a bootstrap over problems, the same in every cell; they are for
    these students and teachers, of which there are too few to speak of others.

    Args:
        values: the gain of each student from each teacher at each problem, shape (students,
            teachers, problems), at least two of each; nan where the student was right at first, or
            the trial is missing.

    Returns:
        By the names in ``PARTS``, shares of the variance of one trial's gain; they add up to 1.

    Source: Searle, Casella and McCulloch (1992), Variance Components, sections 4.3 and 5.5.
    """
    rng = np.random.default_rng(seed)
    problems = values.shape[2]
    point = _shares(values)
    draws = [_shares(values[:, :, rng.integers(0, problems, problems)]) for _ in range(RESAMPLES)]
    kept = np.array([draw for draw in draws if not np.isnan(draw).any()])
    limits = np.array([np.zeros(len(PARTS)), np.ones(len(PARTS))])
    if len(kept):
        limits = np.quantile(kept, TAILS, axis=0)
    return {
        part: Estimate(value, low, high, problems)
        for part, value, low, high in zip(PARTS, point.tolist(), *limits.tolist(), strict=True)
    }


def _shares(values: FloatArray) -> FloatArray:
    """The four shares; nan where a cell has no trials or nothing varies."""
    counts = (~np.isnan(values)).sum(axis=2)
    nothing = np.full(len(PARTS), np.nan)
    if not counts.all() or (counts < 2).all():
        return nothing
    means = np.nansum(values, axis=2) / counts
    within = np.nansum((values - means[:, :, None]) ** 2) / max(1, (counts - 1).sum())
    size = len(counts.ravel()) / (1 / counts).sum()  # the harmonic mean of the cells' trials
    students, teachers = means.shape
    rows = means.mean(axis=1) - means.mean()
    columns = means.mean(axis=0) - means.mean()
    left = means - means.mean() - rows[:, None] - columns[None, :]
    both_square = (left**2).sum() / ((students - 1) * (teachers - 1))
    both = max(0.0, both_square - within / size)
    student = max(0.0, (rows**2).sum() / (students - 1) - both_square / teachers)
    teacher = max(0.0, (columns**2).sum() / (teachers - 1) - both_square / students)
    parts = np.array([student, teacher, both, within])
    return parts / parts.sum() if parts.sum() > 0 else nothing
