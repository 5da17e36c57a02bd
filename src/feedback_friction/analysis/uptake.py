"""What one round of feedback does: conditions against controls on the failures that both share.

The conditions of a run share their first attempts. Of the trials whose first attempt was wrong
under a condition and under its control, every one makes a second attempt, so that one-step uptake
depends neither on who is still unsolved nor on the number of attempts. Where there are options to
choose from, what a guesser would gain (``stats.guessing``) is taken off. By the standard library
alone, so that ``friction results`` can lead with it.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import permutations
from operator import attrgetter
from typing import Any, NamedTuple

from feedback_friction.analysis.journal import Condition
from feedback_friction.analysis.retries import Key, Retry, mean
from feedback_friction.analysis.stats.differences import (
    Pairs,
    discordance,
    mcnemar,
    mean_difference,
)
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.mode_names import recorded_mode
from feedback_friction.modes import control_modes


@dataclass(frozen=True, slots=True)
class Contrast:
    """A share under a condition and under its control, on the same trials."""

    treatment: float  # the share under the condition, every problem weighing the same
    control: float  # the share under the control
    difference: Estimate  # treatment minus control, paired by problem; n is the number of problems


@dataclass(frozen=True, slots=True)
class Uptake:
    """A condition against a control, on the trials whose first attempt was wrong under both."""

    condition: Condition  # the condition
    control: Condition  # the control
    n: int  # problems with such trials
    trials: int  # such trials
    # share of the second attempts that are right, and its difference, from which what a guesser
    # would gain is taken off (``guess`` less ``control_guess``)
    right: Contrast
    # share that a guesser's second attempts would get right under the condition: one that keeps in
    # mind what it was told is wrong, where it was told. 0 without options.
    guess: float
    control_guess: float  # the same under the control
    # two-sided, that the difference lies within what guessers may gain: McNemar's mid-p with one
    # trial a problem, no clusters and no options, else the score test
    p_value: float
    pairs: Pairs | None  # second attempts by who is right; None with several trials a problem
    repeated: Contrast  # share of the second attempts that give the first wrong answer again
    gain: Contrast  # share solved by the end: the normalised gain of these trials
    area: Contrast  # mean share solved at the attempts after the first

    def as_json(self) -> dict[str, Any]:
        """What ``friction results --json`` prints of it, below the condition."""
        found: dict[str, Any] = {
            "against": self.control.feedback,
            "control": self.control.condition,
            "n": self.n,
            "trials": self.trials,
            "guess": self.guess,
            "control_guess": self.control_guess,
            "p_value": self.p_value,
        }
        for name in MEASURES:
            contrast: Contrast = getattr(self, name)
            difference = contrast.difference
            found[name] = {
                "treatment": contrast.treatment,
                "control": contrast.control,
                "difference": difference.value,
                "ci_low": difference.low,
                "ci_high": difference.high,
            }
        return found


MEASURES = tuple(field.name for field in fields(Uptake) if field.type == "Contrast")


def is_control(condition: Condition, control: Condition) -> bool:
    """Whether a condition of the same run is a control of another: all but the feedback alike.

    Controls are compared with the controls before them only, what is none with all. A control that
    shows the solver nothing suits every history.
    """
    alike = all(
        getattr(condition, name) == getattr(control, name)
        for name in ("task", "digits", "solver", "sampling")
    )
    modes = [recorded_mode(each.feedback) for each in (condition, control)]
    writers = [each.feedback_model for each in (condition, control)]
    alike = alike and writers[1] in (None, control.solver, writers[0])
    shows = all(mode.shows_history for mode in modes)
    names = [mode.name for mode in control_modes()]
    ranks = [names.index(mode.name) if mode.name in names else len(names) for mode in modes]
    return alike and ranks[1] < ranks[0] and (not shows or condition.history == control.history)


def contrasts(
    conditions: Sequence[Condition],
    retries: Mapping[str, Mapping[Key, Retry]],
    clusters: Mapping[str, Mapping[str, str]] | None = None,
) -> list[Uptake]:
    """Every condition against each of its controls, in the order of the run.

    Conditions with one iteration have none.

    Args:
        conditions: of one run.
        retries: as ``read_retries`` gives them.
        clusters: by task and problem id, what the problem shares with others.
    """
    return [
        _uptake(
            condition,
            control,
            retries[condition.condition],
            retries[control.condition],
            (clusters or {}).get(condition.task, {}),
        )
        for condition, control in permutations(conditions, 2)
        if is_control(condition, control)
        and min(condition.iterations, control.iterations) > 1
        and retries[condition.condition].keys() & retries[control.condition].keys()
    ]


def _uptake(
    condition: Condition,
    control: Condition,
    treated: Mapping[Key, Retry],
    controls: Mapping[Key, Retry],
    clusters: Mapping[str, str],
) -> Uptake:
    """One condition against one control; they share at least one trial."""
    shared: dict[str, list[Pair]] = defaultdict(list)
    for key in sorted(treated.keys() & controls.keys()):
        shared[key[0]].append((treated[key], controls[key]))
    problems = Counter((tuple(pairs), clusters.get(problem)) for problem, pairs in shared.items())
    last = min(condition.iterations, control.iterations) - 1
    plain = _contrast(problems, attrgetter("right"))
    # what a guesser gains that keeps nothing in mind, and one that does
    least, most = (_means(problems, attrgetter(name)) for name in ("guess", "guess_most"))
    guessed, guessed_control = mean(most.treated), mean(most.control)
    taken_off = guessed - guessed_control
    guesses = sorted([mean(least.treated) - mean(least.control), taken_off])
    pairs = _pairs(problems)
    return Uptake(
        condition,
        control,
        len(shared),
        sum(map(len, shared.values())),
        replace(plain, difference=_moved(plain.difference, -taken_off)),
        guessed,
        guessed_control,
        _p_value(problems, pairs, *guesses),
        pairs,
        _contrast(problems, attrgetter("repeated")),
        _contrast(_known(problems, last), lambda retry: retry.seen.solved_by(last)),
        _contrast(
            _known(problems, last),
            lambda retry: sum(retry.seen.solved_by(k) for k in range(1, last + 1)) / last,
            math.inf,
        ),
    )


Pair = tuple[Retry, Retry]  # a trial under the condition and under the control
# How many problems have such trials, and share such a cluster: alike ones are counted.
Problems = Counter[tuple[tuple[Pair, ...], str | None]]


class _Means(NamedTuple):
    """The means of a value over the trials of each problem, under condition and control."""

    treated: list[float]
    control: list[float]
    trials: list[float]  # how many each problem has
    clusters: list[str | None]

    @property
    def gaps(self) -> list[float]:
        """Condition minus control."""
        return [one - other for one, other in zip(self.treated, self.control, strict=True)]


def _means(problems: Problems, value: Callable[[Retry], float]) -> _Means:
    found = _Means([], [], [], [])
    for (trials, cluster), count in problems.items():
        for side, means in enumerate((found.treated, found.control)):
            means += [mean([value(pair[side]) for pair in trials])] * count
        found.trials.extend([float(len(trials))] * count)
        found.clusters.extend([cluster] * count)
    return found


def _contrast(
    problems: Problems, value: Callable[[Retry], float], worth: float | None = None
) -> Contrast:
    """The mean of a value under both conditions; a problem is worth so many trials, or its own."""
    means = _means(problems, value)
    trials = means.trials if worth is None else [worth] * len(means.trials)
    difference = mean_difference(means.gaps, trials, means.clusters)
    return Contrast(mean(means.treated), mean(means.control), difference)


def _moved(estimate: Estimate, by: float) -> Estimate:
    return Estimate(estimate.value + by, estimate.low + by, estimate.high + by, estimate.n)


def _pairs(problems: Problems) -> Pairs | None:
    if any(len(trials) > 1 for trials, _ in problems):
        return None
    counts = Counter[tuple[bool, bool]]()
    for ([(retry, control)], _), count in problems.items():
        counts[retry.right, control.right] += count
    return Pairs(counts[True, True], counts[True, False], counts[False, True], counts[False, False])


def _p_value(problems: Problems, pairs: Pairs | None, low: float, high: float) -> float:
    alone = all(cluster is None for _, cluster in problems)
    if pairs is not None and alone and low == high == 0:
        return mcnemar(pairs.treatment, pairs.control)
    means = _means(problems, attrgetter("right"))
    return discordance(means.gaps, means.trials, means.clusters).p_value(low, high)


def _known(problems: Problems, last: int) -> Problems:
    """The trials of which both sides are known to the last iteration."""
    found: Problems = Counter()
    for (trials, cluster), count in problems.items():
        kept = tuple(pair for pair in trials if all(side.seen.knows(last) for side in pair))
        if kept:
            found[kept, cluster] += count
    return found
