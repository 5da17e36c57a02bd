"""Accuracy by iteration while some trials are known only up to an attempt.

A trial is censored where its further attempts are unknown: it is still in flight, it failed, or
its answer is undecided. Leaving such trials out would keep those that ended, which are mostly those
that were solved early; counting them as unsolved would be too low. So every trial counts as far as
it is known (Kaplan and Meier). By the standard library alone, as ``clusters``.
"""

from __future__ import annotations

import math
from collections import Counter
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
    found = _histories(problems)
    curve: list[Estimate] = []
    survival, influence = 1.0, [0.0] * len(found)
    for k in range(iterations):
        risk = [_mean([trial.at_risk(k) for trial in trials]) for trials, _ in found]
        solved = [_mean([trial.solved_at == k for trial in trials]) for trials, _ in found]
        total = _total(risk, found)
        share = min(1.0, _total(solved, found) / total) if total > 0 else 0.0
        if 0 < share < 1:
            for index, (event, mass) in enumerate(zip(solved, risk, strict=True)):
                influence[index] += (event - share * mass) / (total * (1 - share))
        survival *= 1 - share
        if all(trial.knows(k) for trials, _ in found for trial in trials):
            curve.append(_plain(found, k, level))
        elif total > 0:
            least = curve[-1].value  # equal but for rounding while nothing more is solved
            curve.append(_kaplan_meier(found, k, max(least, 1 - survival), influence, level))
        else:
            curve.append(Estimate(curve[-1].value, curve[-1].low, 1.0, _known(found, k)))
    return curve


_History = tuple[tuple[Seen, ...], int]  # the trials of a problem, and how many problems have such


def _histories(problems: Sequence[Sequence[Seen]]) -> list[_History]:
    """The trials of each problem of which anything is known, alike ones counted.

    There are few: with one trial each, at most two for every iteration, however many problems.
    """
    known = (tuple(trial for trial in problem if trial.knows(0)) for problem in problems)
    counts = Counter(tuple(sorted(trials, key=_order)) for trials in known if trials)
    return list(counts.items())


def _order(trial: Seen) -> tuple[int, int]:
    return (-1 if trial.solved_at is None else trial.solved_at), trial.known


def _mean(hits: Sequence[bool]) -> float:
    return sum(hits) / len(hits)


def _total(values: Sequence[float], found: Sequence[_History]) -> float:
    return math.fsum(value * count for value, (_, count) in zip(values, found, strict=True))


def _plain(found: Sequence[_History], k: int, level: float) -> Estimate:
    means: list[float] = []
    sizes: list[float] = []
    for trials, count in found:
        solved = _mean([trial.solved_at is not None and trial.solved_at <= k for trial in trials])
        means += [solved] * count
        sizes += [float(len(trials))] * count
    return clustered_share(means, [1.0] * len(means), sizes, level)


def _kaplan_meier(
    found: Sequence[_History],
    k: int,
    accuracy: float,
    influence: Sequence[float],
    level: float,
) -> Estimate:
    known = _known(found, k)
    clusters = sum(count for trials, count in found if any(trial.knows(k) for trial in trials))
    survival = 1 - accuracy
    variance = survival**2 * _total([each * each for each in influence], found)
    size = float(clusters)
    if variance > 0 and 0 < accuracy < 1 and clusters > 1:
        student = (z_value(level) / student_value(level, clusters - 1)) ** 2
        size = min(accuracy * survival / variance * student, float(known))
    limits = wilson(accuracy * size, size, level)
    return Estimate(accuracy, limits.low, limits.high, known)


def _known(found: Sequence[_History], k: int) -> int:
    """Trials known at an iteration."""
    return sum(count * sum(trial.knows(k) for trial in trials) for trials, count in found)
