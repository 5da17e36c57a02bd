"""Accuracy by iteration while some trials are known only up to an attempt.

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

from feedback_friction.analysis.stats.clusters import Merged, merged_cells, share_of_cells, worth
from feedback_friction.analysis.stats.intervals import Estimate, Interval


class Seen(NamedTuple):
    """What is known of a trial."""

    solved_at: int | None  # the iteration at which it was solved; None where it was not
    # iterations whose outcome is known: all of them for a trial that ended, the attempts made so
    # far for one that did not
    known: int

    def knows(self, iteration: int) -> bool:
        """Whether it is known if the trial was solved at or before an iteration."""
        return self.solved_at is not None or iteration < self.known

    def at_risk(self, iteration: int) -> bool:
        """Whether an attempt at the iteration, or the lack of one, is known to have its outcome."""
        return iteration <= self.solved_at if self.solved_at is not None else self.knows(iteration)


def censored_curve(
    problems: Sequence[Sequence[Seen]],
    iterations: int,
    clusters: Sequence[str | None] | None = None,
) -> list[Estimate]:
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
        problems: for each problem, its trials (epochs); those of which nothing is known are left
            out. Every problem that has any weighs the same.
        iterations: iterations of the run.
        clusters: for each problem, what it shares with others, None where it shares nothing: the
            variance is that of the clusters' sums.

    Returns:
        One estimate for each iteration, n being the trials known at it; the values never fall.

    Source: Kaplan and Meier (1958), JASA 53:457-481; Williams (1995), Biometrics 51:1602-1606
    (variance by linearisation for clustered survival data); Korn and Graubard (1998), Survey
    Methodology 24:193-201 (Wilson's interval with an effective sample size).
    """
    found = histories(problems, clusters)
    curve: list[Estimate] = []
    survival, influence = 1.0, [0.0] * len(found)
    for k, step in enumerate(steps(found, iterations)):
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


class History(NamedTuple):
    """What is known of a problem, or of many alike."""

    trials: tuple[Seen, ...]  # the trials of the problem
    cluster: str | None  # what it shares with others; None where it shares nothing
    problems: int  # how many problems have such


def histories(
    problems: Sequence[Sequence[Seen]], clusters: Sequence[str | None] | None = None
) -> list[History]:
    """The trials of each problem of which anything is known, alike ones counted.

    There are few: with one trial each, at most two for every iteration, however many problems; with
    clusters, so many for each of them.
    """
    known = ([trial for trial in problem if trial.knows(0)] for problem in problems)
    return [history for history in _counted(known, clusters) if history.trials]


def _counted(
    problems: Iterable[Sequence[Seen]], clusters: Sequence[str | None] | None
) -> list[History]:
    within = repeat(None) if clusters is None else clusters
    counts = Counter(
        (tuple(sorted(trials, key=_order)), cluster)
        for trials, cluster in zip(problems, within, strict=clusters is not None)
    )
    return [History(*each, count) for each, count in counts.items()]


def _order(trial: Seen) -> tuple[int, int]:
    return (-1 if trial.solved_at is None else trial.solved_at), trial.known


class Step(NamedTuple):
    """One iteration of the Kaplan-Meier product."""

    hazard: float  # share of the trials at risk that are solved at it
    at_risk: float  # those, in problems: a trial counts one divided by the trials of its problem
    worth: float  # what they are worth at least (``worth_alike``)
    # how much a problem of each history moves ``log(1 - hazard)``, up to its sign
    influence: list[float]


def steps(found: Sequence[History], iterations: int) -> Iterator[Step]:
    """The factors of the Kaplan-Meier product, every problem weighing the same."""
    for k in range(iterations):
        risk = [_mean([trial.at_risk(k) for trial in trials]) for trials, _, _ in found]
        solved = [_mean([trial.solved_at == k for trial in trials]) for trials, _, _ in found]
        total = total_of(risk, found)
        share = min(1.0, total_of(solved, found) / total) if total > 0 else 0.0
        influence = [0.0] * len(found)
        if 0 < share < 1:
            influence = [
                (event - share * mass) / (total * (1 - share))
                for event, mass in zip(solved, risk, strict=True)
            ]
        yield Step(share, total, worth_alike(found, risk), influence)


def total_of(values: Sequence[float], found: Sequence[History]) -> float:
    """The sum over all problems of a value that each history has."""
    return math.fsum(value * each.problems for value, each in zip(values, found, strict=True))


def squares_of(values: Sequence[float], found: Sequence[History]) -> float:
    """The sum of a value's squares over what was sampled: over problems, or clusters' sums."""
    shared: dict[str, list[float]] = {}
    alone = []
    for value, each in zip(values, found, strict=True):
        if each.cluster is None:
            alone.append(value * value * each.problems)
        else:
            shared.setdefault(each.cluster, []).append(value * each.problems)
    return math.fsum(alone) + math.fsum(math.fsum(part) ** 2 for part in shared.values())


def sampled(found: Iterable[History]) -> int:
    """How many clusters, and problems of none, were sampled."""
    kept = list(found)
    alone = sum(each.problems for each in kept if each.cluster is None)
    return alone + len({each.cluster for each in kept} - {None})


def worth_alike(found: Sequence[History], weights: Sequence[float]) -> float:
    """How many problems they are worth where those of a cluster are perfectly alike.

    ``(sum w)^2 / sum w_c^2`` in clusters; without them the sum of the weights itself.

    Source: Kish (1965), Survey Sampling, section 5.4 (clusters), 11.7 (unequal weights).
    """
    total = total_of(weights, found)
    if total == 0 or all(each.cluster is None for each in found):
        return total
    return min(total, total**2 / squares_of(weights, found))


def _mean(hits: Sequence[bool]) -> float:
    return sum(hits) / len(hits)


def _plain(found: Sequence[History], k: int) -> Estimate:
    cells = []
    for trials, cluster, count in found:
        solved = sum(_solved_by(trial, k) for trial in trials)
        cells.append(((solved / len(trials), 1.0, float(len(trials))), cluster, count))
    return share_of_cells(merged_cells(cells))


def _solved_by(trial: Seen, k: int) -> bool:
    return trial.solved_at is not None and trial.solved_at <= k


def _kaplan_meier(
    found: Sequence[History],
    k: int,
    accuracy: float,
    influence: Sequence[float],
    step: Step,
) -> Estimate:
    known = _known(found, k)
    if accuracy == 1:
        return worth(1.0, 0.0, max(1, round(step.worth)), known)
    clusters = sampled(each for each in found if any(trial.knows(k) for trial in each.trials))
    variance = (1 - accuracy) ** 2 * squares_of(influence, found)
    return worth(accuracy, variance, clusters, known, known)


def _known(found: Sequence[History], k: int) -> int:
    """Trials known at an iteration."""
    return sum(each.problems * sum(trial.knows(k) for trial in each.trials) for each in found)


def worst_case(
    problems: Sequence[Sequence[Seen]],
    epochs: int,
    iterations: int,
    clusters: Sequence[str | None] | None = None,
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
            solved = sum(_solved_by(trial, k) for trial in trials)
            unknown = epochs - sum(trial.knows(k) for trial in trials)
            for cells, right in ((least, solved), (most, solved + unknown)):
                cells.append(((right / epochs, 1.0, float(epochs)), cluster, count))
        low, high = (share_of_cells(merged_cells(cells)) for cells in (least, most))
        ranges.append(Interval(low.low, high.high))
    return ranges
