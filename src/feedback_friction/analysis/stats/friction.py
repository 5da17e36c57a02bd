"""Target accuracy and friction: what a solver that took up all its feedback would reach.

Target accuracy is the study's term; it prints no formula. Our reading: final accuracy plus the
share of trials that stay unsolved because of feedback resistance,
``target = final + P(unsolved and resistant)``. A trial that stopped, because a model refused to go
on, is not solved and resisted nothing. Friction is ``target - final``; relative friction is
``(target - final) / (target - initial)``, the part of the gain that feedback could have brought and
did not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from feedback_friction.analysis.stats.arrays import (
    MISSING,
    UNSOLVED,
    BoolArray,
    FloatArray,
    IntArray,
)
from feedback_friction.analysis.stats.clusters import clustered_share
from feedback_friction.analysis.stats.intervals import (
    Estimate,
    modified_wilson,
    z_value,
)
from feedback_friction.analysis.stats.proportions import student

RESISTANT, OTHER_REASON, UNLABELLED, STOPPED = 1, 0, -1, -2


@dataclass(frozen=True, slots=True)
class Friction:
    """Target accuracy and friction of one condition, from a sample of annotated trials."""

    initial: Estimate  # accuracy of the first attempts
    final: Estimate  # accuracy at the last iteration
    # share of the unsolved trials that resisted feedback; n is the number annotated
    resistance: Estimate
    target: Estimate  # target accuracy
    friction: Estimate  # target minus final
    # friction as a share of target minus initial; ``nan`` in [0, 1] when the two are equal, since
    # there was nothing to gain
    relative: Estimate
    unsolved: int  # number of unsolved trials that did not stop
    annotated: int  # number of them that carry a label


def friction(first: IntArray, labels: IntArray) -> Friction:
    """Target accuracy, friction and relative friction with intervals.

    All three are shares of trials (relative friction: of those that were solved later or resisted),
    so each gets Wilson's interval with an effective number of trials. The variance behind that
    number is the sum over problems of squared influences (Taylor linearisation), which holds the
    sampling of problems, the likeness of a problem's epochs and the sampling of labels at once.
    With every unsolved trial annotated and one epoch, target and friction are plain binomial
    shares. The bootstrap over problems covers the truth as little as half the time when few trials
    resist, since it may never draw one, and is not used.

    Args:
        first: first-solved iterations, shape (problems, epochs) or (problems,); see ``arrays``.
        labels: same shape, for unsolved trials: ``RESISTANT``, ``OTHER_REASON`` (feedback quality
            or other), ``UNLABELLED``, or ``STOPPED`` where a model refused to go on; ignored for
            all others. The labelled trials must be a random sample of the unsolved ones that did
            not stop; those that did are not solved, and resisted nothing.

    Returns:
        The estimates; n is the number of trials, for ``relative`` the (estimated) number of those
        solved later or resisting. With unsolved trials but no label the target is ``nan``, between
        the lower limit of final accuracy and 1.

    Raises:
        ValueError: the shapes differ, or a label is unknown.

    Source: Särndal, Swensson and Wretman (1992), Model Assisted Survey Sampling, sections 5.5
    (linearisation) and 9.3 (two-phase sampling); Korn and Graubard (1998), Survey Methodology
    24:193-201 (Wilson's interval with an effective sample size).
    """
    trials = _annotated(first, labels)
    initial = _accuracy(trials, trials.first == 0)
    final = _accuracy(trials, trials.first >= 0)
    unsolved, annotated = int(trials.unsolved.sum()), int(trials.annotated.sum())
    resistance = clustered_share(
        (trials.weights * trials.resistant).sum(axis=1),
        (trials.weights * trials.annotated).sum(axis=1),
        trials.annotated.sum(axis=1).astype(np.float64),
    )
    if initial.n and (annotated or not unsolved):
        target, distance, relative = _shares(trials)
    else:
        target = Estimate(math.nan, final.low, 1.0, initial.n)
        distance = Estimate(math.nan, 0.0, 1 - final.low, initial.n)
        relative = Estimate(math.nan, 0.0, 1.0, 0)
    return Friction(
        initial=initial,
        final=final,
        resistance=resistance,
        target=target,
        friction=distance,
        relative=relative,
        unsolved=unsolved,
        annotated=annotated,
    )


@dataclass(frozen=True, slots=True)
class _Trials:
    """Arrays of shape (problems, epochs), problems without a trial left out."""

    first: IntArray  # first-solved iterations
    weights: FloatArray  # weight of each trial: the problems weigh the same, and all together 1
    unsolved: BoolArray  # True where never solved, and not stopped
    annotated: BoolArray  # True where unsolved and labelled
    resistant: BoolArray  # True where labelled as resistant


def _annotated(first: IntArray, labels: IntArray) -> _Trials:
    """Check the arrays and derive the others from them."""
    if first.shape != labels.shape or first.ndim not in (1, 2):
        raise ValueError(f"labels of shape {labels.shape} for trials of shape {first.shape}")
    if not np.isin(labels, (RESISTANT, OTHER_REASON, UNLABELLED, STOPPED)).all():
        raise ValueError(
            "labels are 1 (resistant), 0 (another reason), -1 (unlabelled) and -2 (stopped)"
        )
    table, marks = first.reshape(len(first), -1), labels.reshape(len(first), -1)
    kept = (table != MISSING).any(axis=1)
    table, marks = table[kept], marks[kept]
    present = table != MISSING
    unsolved = (table == UNSOLVED) & (marks != STOPPED)
    annotated = unsolved & (marks != UNLABELLED)
    weights = present / present.sum(axis=1, keepdims=True) / max(len(table), 1)
    return _Trials(table, weights, unsolved, annotated, annotated & (marks == RESISTANT))


def _accuracy(trials: _Trials, hits: BoolArray) -> Estimate:
    """Mean over problems of the share of their trials that hit."""
    epochs = (trials.first != MISSING).sum(axis=1).astype(np.float64)
    return clustered_share(hits.sum(axis=1) / epochs, np.ones(len(epochs)), epochs)


def _shares(trials: _Trials) -> tuple[Estimate, Estimate, Estimate]:
    """Target, friction and relative friction; see ``friction`` for the method."""
    weights = trials.weights
    problems, count = len(weights), int((trials.first != MISSING).sum())
    unsolved, by_unsolved = _influence(weights, trials.unsolved)
    later, by_later = _influence(weights, trials.first > 0)
    resistance, by_label, doubt, sampled = _labels(trials)
    resisting = unsolved * resistance
    by_resisting = resistance * by_unsolved + unsolved * by_label

    def estimate(value: float, influence: FloatArray, base: float, reach: float) -> Estimate:
        """A share of a part ``base`` of the trials, moved by ``reach`` times the unsolved share."""
        variance = float((influence**2).sum()) + (reach * unsolved) ** 2 * doubt
        bounds = (problems * sampled * base, count * base)
        size = _size(value, variance, bounds, problems)
        return Estimate(value, *modified_wilson(value * size, size), round(count * base))

    solved, by_solved = _influence(weights, trials.first >= 0)
    target = estimate(min(1.0, solved + resisting), by_solved + by_resisting, 1.0, 1.0)
    distance = estimate(resisting, by_resisting, 1.0, 1.0)
    base = resisting + later
    if base == 0:
        return target, distance, Estimate(math.nan, 0.0, 1.0, 0)
    share = resisting / base
    by_share = ((1 - share) * by_resisting - share * by_later) / base
    return target, distance, estimate(share, by_share, base, (1 - share) / base)


def _labels(trials: _Trials) -> tuple[float, FloatArray, float, float]:
    """Share resistant, each problem's influence on it, its hidden variance, the share labelled.

    Labels that all agree show no variance of their own; theirs is then taken with one label of each
    kind added, and with the finite population correction. Without unsolved trials nothing resists,
    and nothing is in doubt.
    """
    problems, missing = len(trials.weights), int(trials.unsolved.sum())
    if missing == 0:
        return 1.0, np.zeros(problems), 0.0, 1.0
    labelled = int(trials.annotated.sum())
    mass = float((trials.weights * trials.annotated).sum())
    resistance = float((trials.weights * trials.resistant).sum()) / mass
    centred = trials.weights * (trials.resistant - resistance * trials.annotated)
    doubt = 0.0
    if resistance in (0.0, 1.0):
        doubt = (labelled + 1) / (labelled + 2) ** 2 / labelled * (1 - labelled / missing)
    return resistance, centred.sum(axis=1) / mass, doubt, labelled / missing


def _influence(weights: FloatArray, hits: BoolArray) -> tuple[float, FloatArray]:
    """The weighted share of hits, and how much each problem moves it, shape (problems,)."""
    # Over the sum of the weights, which is 1 but for rounding: a share of all is 1 exactly.
    share = min(1.0, float((weights * hits).sum() / weights.sum()))
    return share, (weights * (hits - share)).sum(axis=1)


def _size(share: float, variance: float, bounds: tuple[float, float], problems: int) -> float:
    """Number of independent trials with the same variance, kept within the bounds."""
    worst, best = bounds
    if not 0 < share < 1 or problems == 1:
        return worst
    if variance == 0:
        return best
    correction = (z_value() / student(problems - 1)) ** 2 * (problems - 1) / problems
    return min(max(share * (1 - share) / variance * correction, worst), best)
