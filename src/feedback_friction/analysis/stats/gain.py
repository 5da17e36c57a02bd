"""What attempts after the first one bring, in one number: normalised gain, area under the curve.

Both are what the field quotes, and neither needs a control. By the standard library alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from feedback_friction.analysis.stats.censored import (
    Seen,
    histories,
    sampled,
    squares_of,
    steps,
    total_of,
)
from feedback_friction.analysis.stats.clusters import merged_cells, share_of_cells, worth
from feedback_friction.analysis.stats.intervals import Estimate


def normalised_gain(
    problems: Sequence[Sequence[Seen]],
    iterations: int,
    clusters: Sequence[str | None] | None = None,
) -> Estimate:
    """Of what was left after the first attempt, the share solved: (final - first) / (1 - first).

    With every trial known it is the ratio of the trials solved later to those wrong at first, every
    problem weighing the same, with ``clusters.clustered_share``'s interval. With some censored it
    is ``1 - prod (1 - h_j), j >= 1``, the same ratio of ``censored.censored_curve``.

    Args as for ``censored.censored_curve``.

    Returns:
        The estimate, n being the trials wrong at first; ``nan`` in [0, 1] where none was.

    Source: Hake (1998), American Journal of Physics 66:64-74 (the ratio).
    """
    found = histories(problems, clusters)
    failed = [[trial for trial in each.trials if trial.solved_at != 0] for each in found]
    wrong = round(total_of([float(len(trials)) for trials in failed], found))
    if all(trial.knows(iterations - 1) for trials in failed for trial in trials):
        cells = []
        for left, (trials, cluster, count) in zip(failed, found, strict=True):
            later = sum(trial.solved_at is not None for trial in left)
            cell = later / len(trials), len(left) / len(trials), float(len(left))
            cells.append((cell, cluster, count))
        return share_of_cells(merged_cells(cells))
    survival, influence = 1.0, [0.0] * len(found)
    for step in list(steps(found, iterations))[1:]:
        if step.hazard == 1:  # nothing is left, and the variance 0: those at risk told it
            return worth(1.0, 0.0, max(1, round(step.worth)), wrong)
        survival *= 1 - step.hazard
        influence = [sum(pair) for pair in zip(influence, step.influence, strict=True)]
    variance = survival**2 * squares_of(influence, found)
    units = sampled(each for each, left in zip(found, failed, strict=True) if left)
    return worth(1 - survival, variance, units, wrong, wrong)


def area(
    problems: Sequence[Sequence[Seen]],
    iterations: int,
    clusters: Sequence[str | None] | None = None,
) -> Estimate:
    """Area under the accuracy curve: the mean of the accuracies at all iterations, from 0 to 1.

    It is 1 for a solver that is always right at first, and one minus the mean share of attempts at
    which a problem is still unsolved (the restricted mean survival time over the attempts). The
    interval is Wilson's for the number of independent trials with the same variance, by
    linearisation over problems.

    Args as for ``censored.censored_curve``.

    Returns:
        The estimate, n being the trials known at the first iteration; ``nan`` in [0, 1] without.

    Source: Irwin (1949), Journal of Hygiene 47:188-189; Royston and Parmar (2013), BMC Medical
    Research Methodology 13:152 (restricted mean survival time).
    """
    found = histories(problems, clusters)
    moved, influence, survival = [0.0] * len(found), [0.0] * len(found), 1.0
    solved = []
    for step in steps(found, iterations):
        survival *= 1 - step.hazard
        solved.append(1 - survival)
        for index, each in enumerate(step.influence):
            influence[index] += each
            moved[index] += survival * influence[index] / iterations
    value = math.fsum(solved) / iterations
    trials = sum(len(each.trials) * each.problems for each in found)
    return worth(value, squares_of(moved, found), sampled(found), trials)
