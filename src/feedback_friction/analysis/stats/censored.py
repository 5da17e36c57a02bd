"""Accuracy by iteration, gain and area, while some trials are known only up to an attempt.

A trial is censored where its further attempts are unknown: it is still in flight, it failed, or
its answer is undecided. Leaving such trials out would keep those that ended, which are mostly those
that were solved early; counting them as unsolved would be too low. So every trial counts as far as
it is known (Kaplan and Meier). By the standard library alone, as ``clusters``.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import NamedTuple

from feedback_friction.analysis.stats.clusters import (
    Merged,
    Within,
    merged_cells,
    share_of_cells,
    worth,
)
from feedback_friction.analysis.stats.intervals import Estimate, Interval


class Seen(NamedTuple):
    """What is known of a trial."""

    solved_at: int | None  # the iteration at which it was solved; None where it was not
    # iterations whose outcome is known: all of them for a trial that ended, the attempts made so
    # far for one that did not
    known: int

    def solved_by(self, iteration: int) -> bool:
        """Whether the trial is known to be solved at or before an iteration."""
        return self.solved_at is not None and self.solved_at <= iteration

    def knows(self, iteration: int) -> bool:
        """Whether it is known if the trial was solved at or before an iteration."""
        return self.solved_at is not None or iteration < self.known

    def at_risk(self, iteration: int) -> bool:
        """Whether an attempt at the iteration, or the lack of one, is known to have its outcome."""
        return iteration <= self.solved_at if self.solved_at is not None else self.knows(iteration)


Problems = Sequence[Sequence[Seen]]  # for each problem, its trials (epochs)


def censored_curve(problems: Problems, iterations: int, clusters: Within = None) -> list[Estimate]:
    """Share of problems solved at or before each iteration, from all that is known.

    Where every trial is known the estimate and its interval are ``clusters.clustered_share``'s.
    From the first iteration at which some are not, accuracy is one minus the Kaplan-Meier product,
    ``1 - prod (1 - h_j), j <= k``, in which h_j is the share of the trials known at j, and not
    solved before, that are solved at it. Its interval is Wilson's for the number of independent
    trials with the same variance (Greenwood's, by linearisation over problems); once every trial
    at risk is solved that variance is 0, and the lower limit is that of the trials that were at
    risk then. Where no trial is left that could tell, the last value stands as the least that is
    known, with an upper limit of 1: all the others may still be solved.

    That a trial is censored must say nothing of whether it would be solved. Of trials in flight
    this holds roughly: those with slow replies are in flight longer.

    Args:
        problems: trials of which nothing is known are left out; every problem with any that is
            known weighs the same.
        iterations: iterations of the run.
        clusters: the variance is that of their sums.

    Returns:
        One estimate for each iteration, n being the trials known at it; the values never fall.

    Source: Kaplan and Meier (1958), JASA 53:457-481; Williams (1995), Biometrics 51:1602-1606
    (variance by linearisation for clustered survival data); Korn and Graubard (1998), Survey
    Methodology 24:193-201 (Wilson's interval with an effective sample size).
    """
    found = _histories(problems, clusters)
    curve: list[Estimate] = []
    survival, influence = 1.0, [0.0] * len(found)
    for k, step in enumerate(_steps(found, iterations)):
        influence = [sum(pair) for pair in zip(influence, step.influence, strict=True)]
        survival *= 1 - step.hazard
        if all(trial.knows(k) for history in found for trial in history.trials):
            curve.append(_plain(found, k))
        elif step.at_risk > 0:
            least = curve[-1].value  # equal but for rounding while nothing more is solved
            accuracy = max(least, 1 - survival)
            curve.append(_kaplan_meier(found, k, accuracy, influence, step))
        else:
            curve.append(Estimate(curve[-1].value, curve[-1].low, 1.0, _known(found, k)))
    return curve


class _History(NamedTuple):
    """What is known of a problem, or of many alike."""

    trials: tuple[Seen, ...]  # the trials of the problem
    cluster: str | None  # what it shares with others; None where it shares nothing
    problems: int  # how many problems have such


def _histories(problems: Problems, clusters: Within = None) -> list[_History]:
    """The trials of each problem of which anything is known, alike ones counted.

    There are few: with one trial each, at most two for every iteration, however many problems; with
    clusters, so many for each of them.
    """
    known = ([trial for trial in problem if trial.knows(0)] for problem in problems)
    return [history for history in _counted(known, clusters) if history.trials]


def _counted(problems: Iterable[Sequence[Seen]], clusters: Within) -> list[_History]:
    within = repeat(None) if clusters is None else clusters
    counts = Counter(
        (tuple(sorted(trials, key=_order)), cluster)
        for trials, cluster in zip(problems, within, strict=clusters is not None)
    )
    return [_History(*each, count) for each, count in counts.items()]


def _order(trial: Seen) -> tuple[int, int]:
    return (-1 if trial.solved_at is None else trial.solved_at), trial.known


class _Step(NamedTuple):
    """One iteration of the Kaplan-Meier product."""

    hazard: float  # share of the trials at risk that are solved at it
    at_risk: float  # those, in problems: a trial counts one divided by the trials of its problem
    worth: float  # what they are worth at least (``_worth_alike``)
    # how much a problem of each history moves ``log(1 - hazard)``, up to its sign
    influence: list[float]


def _steps(found: Sequence[_History], iterations: int) -> Iterator[_Step]:
    """The factors of the Kaplan-Meier product, every problem weighing the same."""
    for k in range(iterations):
        risk = [_mean([trial.at_risk(k) for trial in trials]) for trials, _, _ in found]
        solved = [_mean([trial.solved_at == k for trial in trials]) for trials, _, _ in found]
        total = _total_of(risk, found)
        share = min(1.0, _total_of(solved, found) / total) if total > 0 else 0.0
        influence = [0.0] * len(found)
        if 0 < share < 1:
            influence = [
                (event - share * mass) / (total * (1 - share))
                for event, mass in zip(solved, risk, strict=True)
            ]
        yield _Step(share, total, _worth_alike(found, risk), influence)


def _total_of(values: Sequence[float], found: Sequence[_History]) -> float:
    """The sum over all problems of a value that each history has."""
    return math.fsum(value * each.problems for value, each in zip(values, found, strict=True))


def _squares_of(values: Sequence[float], found: Sequence[_History]) -> float:
    """The sum of a value's squares over what was sampled: over problems, or clusters' sums."""
    shared: dict[str, list[float]] = {}
    alone = []
    for value, each in zip(values, found, strict=True):
        if each.cluster is None:
            alone.append(value * value * each.problems)
        else:
            shared.setdefault(each.cluster, []).append(value * each.problems)
    return math.fsum(alone) + math.fsum(math.fsum(part) ** 2 for part in shared.values())


def _sampled(found: Iterable[_History]) -> int:
    """How many clusters, and problems of none, were sampled."""
    kept = list(found)
    alone = sum(each.problems for each in kept if each.cluster is None)
    return alone + len({each.cluster for each in kept} - {None})


def _worth_alike(found: Sequence[_History], weights: Sequence[float]) -> float:
    """How many problems they are worth where those of a cluster are perfectly alike.

    ``(sum w)^2 / sum w_c^2`` in clusters; without them the sum of the weights itself.

    Source: Kish (1965), Survey Sampling, section 5.4 (clusters), 11.7 (unequal weights).
    """
    total = _total_of(weights, found)
    if total == 0 or all(each.cluster is None for each in found):
        return total
    return min(total, total**2 / _squares_of(weights, found))


def _mean(hits: Sequence[bool]) -> float:
    return sum(hits) / len(hits)


def _plain(found: Sequence[_History], k: int) -> Estimate:
    cells = []
    for trials, cluster, count in found:
        solved = sum(trial.solved_by(k) for trial in trials)
        cells.append(((solved / len(trials), 1.0, float(len(trials))), cluster, count))
    return share_of_cells(merged_cells(cells))


def _kaplan_meier(
    found: Sequence[_History], k: int, accuracy: float, influence: Sequence[float], step: _Step
) -> Estimate:
    known = _known(found, k)
    if accuracy == 1:
        return worth(1.0, 0.0, max(1, round(step.worth)), known)
    clusters = _sampled(each for each in found if any(trial.knows(k) for trial in each.trials))
    variance = (1 - accuracy) ** 2 * _squares_of(influence, found)
    return worth(accuracy, variance, clusters, known, known)


def _known(found: Sequence[_History], k: int) -> int:
    """Trials known at an iteration."""
    return sum(each.problems * sum(trial.knows(k) for trial in each.trials) for each in found)


def worst_case(
    problems: Problems, epochs: int, iterations: int, clusters: Within = None
) -> list[Interval]:
    """Where accuracy lies whatever became of the trials that are missing.

    The lower limit counts every trial that is not known at an iteration as unsolved, the upper one
    as solved. Both carry the interval of their own share, so that the range holds the truth with at
    least the level, even where difficulty decides which trials are missing. With nothing missing
    it is the plain interval.

    Args as for ``censored_curve``; also ``epochs``, the trials that each problem was to get.

    Returns:
        One range for each iteration.

    Source: Horowitz and Manski (2000), JASA 95:77-84 (bounds); Imbens and Manski (2004),
    Econometrica 72:1845-1857 (an interval around both bounds covers the truth between them).
    """
    found = _counted(problems, clusters)
    ranges = []
    for k in range(iterations):
        least, most = list[Merged](), list[Merged]()
        for trials, cluster, count in found:
            solved = sum(trial.solved_by(k) for trial in trials)
            unknown = epochs - sum(trial.knows(k) for trial in trials)
            for cells, right in ((least, solved), (most, solved + unknown)):
                cells.append(((right / epochs, 1.0, float(epochs)), cluster, count))
        low, high = (share_of_cells(merged_cells(cells)) for cells in (least, most))
        ranges.append(Interval(low.low, high.high))
    return ranges


def normalised_gain(problems: Problems, iterations: int, clusters: Within = None) -> Estimate:
    """Of what was left after the first attempt, the share solved: (final - first) / (1 - first).

    With every trial known it is the ratio of the trials solved later to those wrong at first, every
    problem weighing the same, with ``clusters.clustered_share``'s interval. With some censored it
    is ``1 - prod (1 - h_j), j >= 1``, the same ratio of ``censored_curve``.

    Args as for ``censored_curve``.

    Returns:
        The estimate, n being the trials wrong at first; ``nan`` in [0, 1] where none was.

    Source: Hake (1998), American Journal of Physics 66:64-74 (the ratio).
    """
    found = _histories(problems, clusters)
    failed = [[trial for trial in each.trials if trial.solved_at != 0] for each in found]
    wrong = round(_total_of([float(len(trials)) for trials in failed], found))
    if all(trial.knows(iterations - 1) for trials in failed for trial in trials):
        cells = []
        for left, (trials, cluster, count) in zip(failed, found, strict=True):
            later = sum(trial.solved_at is not None for trial in left)
            cell = later / len(trials), len(left) / len(trials), float(len(left))
            cells.append((cell, cluster, count))
        return share_of_cells(merged_cells(cells))
    survival, influence = 1.0, [0.0] * len(found)
    for step in list(_steps(found, iterations))[1:]:
        if step.hazard == 1:  # nothing is left, and the variance 0: those at risk told it
            return worth(1.0, 0.0, max(1, round(step.worth)), wrong)
        survival *= 1 - step.hazard
        influence = [sum(pair) for pair in zip(influence, step.influence, strict=True)]
    variance = survival**2 * _squares_of(influence, found)
    units = _sampled(each for each, left in zip(found, failed, strict=True) if left)
    return worth(1 - survival, variance, units, wrong, wrong)


def area(problems: Problems, iterations: int, clusters: Within = None) -> Estimate:
    """Area under the accuracy curve: the mean of the accuracies at all iterations, from 0 to 1.

    It is 1 for a solver that is always right at first, and one minus the mean share of attempts at
    which a problem is still unsolved (the restricted mean survival time over the attempts). The
    interval is Wilson's for the number of independent trials with the same variance, by
    linearisation over problems.

    Args as for ``censored_curve``.

    Returns:
        The estimate, n being the trials known at the first iteration; ``nan`` in [0, 1] without.

    Source: Irwin (1949), Journal of Hygiene 47:188-189; Royston and Parmar (2013), BMC Medical
    Research Methodology 13:152 (restricted mean survival time).
    """
    found = _histories(problems, clusters)
    moved, influence, survival = [0.0] * len(found), [0.0] * len(found), 1.0
    solved = []
    for step in _steps(found, iterations):
        survival *= 1 - step.hazard
        solved.append(1 - survival)
        for index, each in enumerate(step.influence):
            influence[index] += each
            moved[index] += survival * influence[index] / iterations
    value = math.fsum(solved) / iterations
    trials = sum(len(each.trials) * each.problems for each in found)
    return worth(value, _squares_of(moved, found), _sampled(found), trials)
