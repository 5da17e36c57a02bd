"""What training did to a solver: to its first answers and, apart from these, to its uptake.

Both are measured on held-out problems, before and after, in runs with the same problems and
prompts. A solver that answers right at first more often has fewer wrong answers to correct, and
other ones: so uptake is also told for the trials that were wrong at first both times, and against
controls in which the solver is told nothing of its own attempt.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from feedback_friction.analysis.journal import open_journal, read_conditions, read_run
from feedback_friction.analysis.retries import read_retries
from feedback_friction.analysis.stats.clusters import cluster_means, share_of_trials
from feedback_friction.analysis.stats.differences import mean_difference, subtracted
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.errors import UsageError
from feedback_friction.mode_names import recorded_mode

Trial = tuple[str, int, int]  # problem id, number of the pair of runs, epoch
_FIRSTS = """
    SELECT condition, problem_id, epoch, is_correct FROM attempts
    WHERE iteration = 0 AND verdict != 'undecided'
"""


@dataclass(frozen=True, slots=True)
class Change:
    """A share before and after."""

    before: Estimate  # before, after: every trial weighing the same; n is the number of trials
    after: Estimate
    difference: Estimate  # after minus before


@dataclass(frozen=True, slots=True)
class Uptake:
    """What one round of a feedback mode brings, of the trials that were wrong at first."""

    feedback: str  # the mode
    # share of the second attempts that are right; the difference is of shares of different trials,
    # its limits from those of the two shares
    right: Change
    repeated: Change  # share of the second attempts that give the first wrong answer again
    # difference of right second attempts on the trials wrong at first before and after, paired by
    # problem; n is the number of problems
    both: Estimate
    # by control, what the mode brings above it before and after, paired by problem, on the trials
    # wrong under both; the difference's limits are from those of the two
    above: Mapping[str, Change]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What training did to first answers and to uptake."""

    first: Change  # accuracy of first answers; the difference is paired by problem
    uptakes: tuple[Uptake, ...]  # by feedback mode that informs

    def as_json(self) -> dict[str, Any]:
        """Plain values; a share that nothing is known of is null."""
        found: dict[str, Any] = orjson.loads(orjson.dumps(self))
        return found


@dataclass(frozen=True, slots=True)
class _Side:
    """All runs of one side: first answers, and by mode what followed wrong ones."""

    firsts: dict[Trial, bool]
    right: dict[str, dict[Trial, bool]]
    repeated: dict[str, dict[Trial, bool]]


def outcome(pairs: Sequence[tuple[Path, Path]]) -> Outcome:
    """What became of first answers and of uptake, over pairs of runs (before, after).

    Raises:
        UsageError: a directory is no run directory, or its runs have no first answer in common.
    """
    before, after = (_side([pair[at] for pair in pairs]) for at in (0, 1))
    shared = before.firsts.keys() & after.firsts.keys()
    if not shared:
        raise UsageError("the runs before and after have no problem in common")
    first = Change(
        _share(before.firsts), _share(after.firsts), _paired(after.firsts, before.firsts)
    )
    informing = [name for name in before.right if recorded_mode(name).informs]
    return Outcome(first, tuple(_uptake(name, before, after) for name in informing))


def _uptake(name: str, before: _Side, after: _Side) -> Uptake:
    controls = [each for each in before.right if not recorded_mode(each).informs]
    return Uptake(
        name,
        _change(before.right[name], after.right.get(name, {})),
        _change(before.repeated[name], after.repeated.get(name, {})),
        _paired(after.right.get(name, {}), before.right[name]),
        {control: _above(name, control, before, after) for control in controls},
    )


def _side(directories: Sequence[Path]) -> _Side:
    side = _Side({}, defaultdict(dict), defaultdict(dict))
    for number, directory in enumerate(directories):
        with open_journal(directory) as db:
            conditions = read_conditions(db)
            retries = read_retries(db, conditions, read_run(directory)["config"])
            for row in db.execute(_FIRSTS):
                place = row["problem_id"], number, row["epoch"]
                side.firsts.setdefault(place, bool(row["is_correct"]))
        for condition in conditions:
            mode = condition.feedback
            side.right.setdefault(mode, {})
            side.repeated.setdefault(mode, {})
            for (problem, epoch), retry in retries[condition.condition].items():
                side.right[mode][problem, number, epoch] = retry.right
                side.repeated[mode][problem, number, epoch] = retry.repeated
    return side


def _share(values: Mapping[Trial, bool]) -> Estimate:
    return share_of_trials((place[0], value) for place, value in values.items())


def _paired(treated: Mapping[Trial, bool], control: Mapping[Trial, bool]) -> Estimate:
    """The mean difference over the trials of both, every problem weighing the same."""
    shared = sorted(treated.keys() & control.keys())
    gaps = ((place[0], float(treated[place]) - control[place]) for place in shared)
    return mean_difference(*cluster_means(gaps))


def _change(before: Mapping[Trial, bool], after: Mapping[Trial, bool]) -> Change:
    one, other = _share(before), _share(after)
    return Change(one, other, subtracted(other, one))


def _above(name: str, control: str, before: _Side, after: _Side) -> Change:
    one, other = (
        _paired(side.right.get(name, {}), side.right.get(control, {})) for side in (before, after)
    )
    return Change(one, other, subtracted(other, one))
