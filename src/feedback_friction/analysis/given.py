"""Forms that runs chose among, and what came of each: by the standard library alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from feedback_friction.analysis.choices import Decision, read_choices
from feedback_friction.analysis.stats.clusters import clustered_share
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.forms import FORMS


@dataclass(frozen=True, slots=True)
class FormGiven:
    """One form within one condition that chooses among several.

    Attributes:
        run: position of the run directory.
        task, solver, feedback: of the condition.
        form: the form.
        right: share of right next attempts, weighted by the inverse of the form's probability,
            with limits clustered by problem.
        repeated: the same of next answers that repeat the last.
        tokens: of a round of it: writing the feedback, and the next attempt.
        n: how often it was given.
    """

    run: int
    task: str
    solver: str
    feedback: str
    form: str
    right: Estimate
    repeated: Estimate
    tokens: float
    n: int

    def as_json(self) -> dict[str, Any]:
        """The object that ``friction results --json`` prints; a share without answers is null."""

        def share(each: Estimate) -> dict[str, float | int | None]:
            value = None if math.isnan(each.value) else each.value
            return {"value": value, "ci_low": each.low, "ci_high": each.high}

        return {
            "task": self.task,
            "solver": self.solver,
            "feedback": self.feedback,
            "form": self.form,
            "right_next": share(self.right),
            "repeated_next": share(self.repeated),
            "tokens": self.tokens,
            "n": self.n,
        }


def forms_given(directories: Sequence[Path]) -> list[FormGiven]:
    """The forms of conditions that choose among several, in the order of runs and of ``FORMS``.

    Raises:
        UsageError: a directory is no run directory, or its journal is damaged.
    """
    by_condition: dict[tuple[int, str], list[Decision]] = {}
    for each in read_choices(directories):
        by_condition.setdefault((each.run, each.condition), []).append(each)
    order = list(FORMS)
    found = []
    for group in by_condition.values():
        names = [*{each.form for each in group}]
        if len(names) < 2:
            continue
        names = sorted(names, key=lambda name: (order.index(name.partition(":")[0]), name))
        found += [_given([each for each in group if each.form == name]) for name in names]
    return found


def _given(same: Sequence[Decision]) -> FormGiven:
    first = same[0]
    answered = [each for each in same if each.repeated is not None]
    return FormGiven(
        first.run,
        first.task,
        first.solver,
        first.feedback,
        first.form,
        _share(same, [each.right for each in same]),
        _share(answered, [bool(each.repeated) for each in answered]),
        sum(each.tokens for each in same) / len(same),
        len(same),
    )


def _share(decisions: Sequence[Decision], happened: Sequence[bool]) -> Estimate:
    """A share by weights, clustered by problem."""
    sums: dict[str, tuple[float, float, int]] = {}
    for each, did in zip(decisions, happened, strict=True):
        weight = 1 / each.propensity
        yes, total, trials = sums.get(each.problem, (0.0, 0.0, 0))
        sums[each.problem] = (yes + weight * did, total + weight, trials + 1)
    if not sums:
        return Estimate(math.nan, 0.0, 1.0, 0)
    successes, weights, trials_of = zip(*sums.values(), strict=True)
    return clustered_share(successes, weights, trials_of)
