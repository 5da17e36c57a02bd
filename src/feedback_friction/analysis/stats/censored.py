"""Accuracy by iteration while some trials are known only up to an attempt.

A trial is censored where its further attempts are unknown: it is still in flight, it failed, or
its answer is undecided. Leaving such trials out would keep those that ended, which are mostly those
that were solved early; counting them as unsolved would be too low. So every trial counts as far as
it is known (Kaplan and Meier). By the standard library alone, as ``clusters``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from feedback_friction.analysis.stats.clusters import clustered_share, student_value
from feedback_friction.analysis.stats.intervals import Estimate, wilson, z_value


class Seen(NamedTuple):
    """What is known of a trial.

    Attributes:
        solved_at: the iteration at which it was solved; None where it was not.
        known: iterations whose outcome is known: all of them for a trial that ended, the attempts
            made so far for one that did not.
    """

    solved_at: int | None
    known: int

    def knows(self, iteration: int) -> bool:
        """Whether it is known if the trial was solved at or before an iteration."""
        return self.solved_at is not None or iteration < self.known

    def at_risk(self, iteration: int) -> bool:
        """Whether an attempt at the iteration, or the lack of one, is known to have its outcome."""
        return iteration <= self.solved_at if self.solved_at is not None else self.knows(iteration)


def censored_curve(
    problems: Sequence[Sequence[Seen]], iterations: int, level: float = 0.95
) -> list[Estimate]:
    """Share of problems solved at or before each iteration, from all that is known.

    Where every trial is known the estimate and its interval are ``clusters.clustered_share``'s.
    From the first iteration at which some are not, accuracy is one minus the Kaplan-Meier product,
    ``1 - prod (1 - h_j), j <= k``, in which h_j is the share of the trials known at j, and not
    solved before, that are solved at it. Its interval is Wilson's for the number of independent
    trials with the same variance (Greenwood's, by linearisation over problems). Where no trial is
    left that could tell, the last value stands as the least that is known, with an upper limit of
    1: all the others may still be solved.

    That a trial is censored must say nothing of whether it would be solved. Of trials in flight
    this holds roughly: those with slow replies are in flight longer.

    Args:
        problems: for each problem, its trials (epochs); those of which nothing is known are left
            out. Every problem that has any weighs the same.
        iterations: iterations of the run.
        level: confidence level.

    Returns:
        One estimate for each iteration, n being the trials known at it; the values never fall.

    Source: Kaplan and Meier (1958), JASA 53:457-481; Williams (1995), Biometrics 51:1602-1606
    (variance by linearisation for clustered survival data); Korn and Graubard (1998), Survey
    Methodology 24:193-201 (Wilson's interval with an effective sample size).
    """
    trials = [[trial for trial in problem if trial.knows(0)] for problem in problems]
    trials = [problem for problem in trials if problem]
    curve: list[Estimate] = []
    survival, influence = 1.0, [0.0] * len(trials)
    for k in range(iterations):
        risk = [_mean(problem, [trial.at_risk(k) for trial in problem]) for problem in trials]
        solved = [_mean(problem, [trial.solved_at == k for trial in problem]) for problem in trials]
        total = math.fsum(risk)
        share = min(1.0, math.fsum(solved) / total) if total > 0 else 0.0
        if 0 < share < 1:
            for index, (event, mass) in enumerate(zip(solved, risk, strict=True)):
                influence[index] += (event - share * mass) / (total * (1 - share))
        survival *= 1 - share
        if all(trial.knows(k) for problem in trials for trial in problem):
            curve.append(_plain(trials, k, level))
        elif total > 0:
            least = curve[-1].value  # equal but for rounding while nothing more is solved
            curve.append(_kaplan_meier(trials, k, max(least, 1 - survival), influence, level))
        else:
            curve.append(Estimate(curve[-1].value, curve[-1].low, 1.0, sum(_known(trials, k))))
    return curve


def _mean(problem: Sequence[Seen], hits: Sequence[bool]) -> float:
    return sum(hits) / len(problem)


def _plain(trials: Sequence[Sequence[Seen]], k: int, level: float) -> Estimate:
    solved = [sum(_solved_by(trial, k) for trial in problem) for problem in trials]
    means = [count / len(problem) for count, problem in zip(solved, trials, strict=True)]
    sizes = [float(len(problem)) for problem in trials]
    return clustered_share(means, [1.0] * len(means), sizes, level)


def _solved_by(trial: Seen, k: int) -> bool:
    return trial.solved_at is not None and trial.solved_at <= k


def _kaplan_meier(
    trials: Sequence[Sequence[Seen]],
    k: int,
    accuracy: float,
    influence: Sequence[float],
    level: float,
) -> Estimate:
    known = _known(trials, k)
    clusters = sum(count > 0 for count in known)
    survival = 1 - accuracy
    variance = survival**2 * math.fsum(each * each for each in influence)
    size = float(clusters)
    if variance > 0 and 0 < accuracy < 1 and clusters > 1:
        student = (z_value(level) / student_value(level, clusters - 1)) ** 2
        size = min(accuracy * survival / variance * student, float(sum(known)))
    limits = wilson(accuracy * size, size, level)
    return Estimate(accuracy, limits.low, limits.high, sum(known))


def _known(trials: Sequence[Sequence[Seen]], k: int) -> list[int]:
    """For each problem, its trials known at an iteration."""
    return [sum(trial.knows(k) for trial in problem) for problem in trials]
