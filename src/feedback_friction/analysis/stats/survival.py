"""When trials are solved, as a survival analysis: hazard of correction and Kaplan-Meier curve.

A trial "survives" while it is unsolved. A trial that stopped early (a model refused to go on) was
not observed to the end: it leaves the risk set after its last attempt instead of counting as
unsolved in iterations that it never saw.
"""

from __future__ import annotations

import math

import numpy as np

from feedback_friction.analysis.stats.arrays import UNSOLVED, FloatArray, IntArray, as_first
from feedback_friction.analysis.stats.clusters import clustered_share, student_value
from feedback_friction.analysis.stats.intervals import Estimate, Interval


def hazard(first: IntArray, iterations: int, last: IntArray | None = None) -> tuple[Estimate, ...]:
    """Share of the attempts at each iteration that solve a problem not solved before.

    ``h_k = (solved at k) / (attempted at k)``, iteration 0 being the first attempt, so that h_0 is
    the initial accuracy. The interval is Wilson's, cluster-robust with several epochs.

    Args:
        first: first-solved iterations, shape (problems, epochs); see ``arrays``.
        iterations: number of iterations of the run.
        last: same shape: last iteration attempted by trials that were not solved; without it they
            all went to the end.

    Returns:
        One estimate for each iteration, n being the trials at risk; ``nan`` in [0, 1] where none
        is left.

    Source: Kalbfleisch and Prentice (2002), The Statistical Analysis of Failure Time Data,
    section 2.3 (discrete hazard).
    """
    solved, at_risk = _events(as_first(first, iterations), iterations, last)
    return tuple(
        clustered_share(solved[..., k].sum(axis=1), at_risk[..., k].sum(axis=1))
        for k in range(iterations)
    )


def kaplan_meier(
    first: IntArray, iterations: int, last: IntArray | None = None
) -> tuple[Estimate, ...]:
    """Kaplan-Meier estimate of the share still unsolved after each iteration.

    ``S(k) = product of (1 - h_j), j <= k``, with limits ``S^exp(+-t s)`` from the standard error s
    of ``log(-log S)`` and Student's quantile t with the problems less one as degrees of freedom.
    The variance of ``log S`` sums squared influences over problems: with one epoch that is
    Greenwood's formula, with several it allows for epochs that go alike. It is never less than
    that of independent trials, so that problems which all go alike do not leave it without any.
    Without early stops S(k) is 1 minus the accuracy at k.

    Args as for ``hazard``.

    Returns:
        One estimate for each iteration, n being the trials at risk; ``nan`` in [0, 1] from where
        none is left. While nothing is solved (S = 1) and once everything is (S = 0) the variance is
        not defined; the open limit is then that of a share of 0 among all trials, and among those
        at risk when the last of them was solved. With one problem the limits are 0 and 1.

    Source: Kaplan and Meier (1958), JASA 53:457-481; Kalbfleisch and Prentice (2002), The
    Statistical Analysis of Failure Time Data, section 1.4 (log(-log) limits); Williams (1995),
    Biometrika 82:1-12 in substance: Taylor linearisation for clustered survival data.
    """
    solved, at_risk = _events(as_first(first, iterations), iterations, last)
    influence = np.zeros(len(solved))
    survival, independent, curve = 1.0, 0.0, []
    trials = at_risk[..., 0].sum(axis=1)
    for k in range(iterations):
        risk, events = at_risk[..., k].sum(axis=1), solved[..., k].sum(axis=1)
        total = float(risk.sum())
        if total > 0:
            share = float(events.sum()) / total
            survival *= 1 - share
            if share < 1:
                influence += (events - share * risk) / (total * (1 - share))
                independent += share / (total * (1 - share))
        elif survival > 0:
            survival = math.nan
        if survival == 0 and total > 0:
            trials = risk
        variance = max(float((influence**2).sum()), independent)
        limits = _limits(survival, variance, trials)
        curve.append(Estimate(survival, *limits, round(total)))
    return tuple(curve)


def _limits(survival: float, variance: float, trials: FloatArray) -> Interval:
    """Limits of one point of the curve; see ``kaplan_meier`` for those at 0 and at 1."""
    if math.isnan(survival):
        return Interval(0.0, 1.0)
    if survival in (0.0, 1.0):
        most = clustered_share(np.zeros(len(trials)), trials).high
        return Interval(1 - most, 1.0) if survival == 1 else Interval(0.0, most)
    clusters = int((trials > 0).sum())
    if clusters < 2:
        return Interval(0.0, 1.0)
    error = math.sqrt(variance) / abs(math.log(survival))
    factor = math.exp(min(student_value(clusters - 1) * error, 700.0))
    return Interval(survival**factor, survival ** (1 / factor))


def _events(
    first: IntArray, iterations: int, last: IntArray | None
) -> tuple[FloatArray, FloatArray]:
    """1 where a trial was solved, and where it was at risk, at each iteration.

    Both arrays have shape (problems, epochs, iterations).

    Raises:
        ValueError: ``last`` has another shape, or lies outside -1..iterations - 1 for an unsolved
            trial; -1 is one whose first request was refused, which was at risk at no iteration.
    """
    end = np.full(first.shape, iterations - 1) if last is None else last.reshape(first.shape)
    unsolved = first == UNSOLVED
    if np.any(unsolved & ((end < -1) | (end >= iterations))):
        raise ValueError(f"the last iteration of an unsolved trial lies in -1..{iterations - 1}")
    end = np.where(unsolved, end, first)  # a solved trial's last attempt is the one that solved it
    k = np.arange(iterations)
    solved = (first[..., np.newaxis] == k).astype(np.float64)
    return solved, (k <= end[..., np.newaxis]).astype(np.float64)
