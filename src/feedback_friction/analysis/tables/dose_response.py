"""Dose and response: what more feedback, more noise, or a longer delay does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.stats.clusters import cluster_means, share_of_problems
from feedback_friction.analysis.stats.dose import response
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.analysis.table import ALIKE, CONDITION, Row, conditions, table
from feedback_friction.analysis.whole_trials import rounds, wrong_first
from feedback_friction.mode_names import recorded_mode
from feedback_friction.modes import BINARY, HINT, PROCESS, TUTOR, Mode


@table(
    CONDITION,
    "kind text, dose float, right estimate, fitted estimate, effect estimate, half estimate, n int",
)
def doses(runs: Runs) -> Iterator[Row]:
    """What a dose of feedback does: one row a kind of dose and dose.

    ``kind``: the mode without its dose; ``dose``; ``right``: of the trials whose first attempt is
    wrong at every dose, the share solved, at the second attempt, and for a delay by the last one,
    every problem weighing the same;
    ``fitted``: the isotonic fit of it; and for the kind, ``effect``: the share solved at the last
    dose less that at the first, paired by problem, and ``half``: the dose at which the fit has half
    of its effect, where there is one. No dose at all is the mode that is spoilt or late, or for a
    part, binary feedback, where the run has it.
    """
    groups: dict[tuple[str, tuple[object, ...]], dict[float, Row]] = defaultdict(dict)
    every = [condition for condition, _, _ in conditions(runs)]
    for condition in every:
        mode, kind = recorded_mode(condition["feedback"]), _kind(condition)
        if (dose := _dose(mode, condition)) is not None and condition["iterations"] > 1:
            groups[kind, tuple(condition[name] for name in ALIKE)][dose] = condition
    for (kind, alike), found in groups.items():
        _add_none(found, [each for each in every if tuple(each[name] for name in ALIKE) == alike])
        if len(found) > 1:
            yield from _rows(runs, kind, found)


def _dose(mode: Mode, condition: Row) -> float | None:
    """The dose that a condition's mode names; of a hint its level."""
    level = condition["feedback"].partition("@")[0].partition(":")[2]
    if mode.name == HINT.name and level.isdecimal():
        return float(level)
    return mode.dose


def _kind(condition: Row) -> str:
    """The mode's name without its dose."""
    said, at, who = condition["feedback"].partition("@")
    base, _, rest = said.partition(":")
    more = rest.partition(":")[2]
    return f"{base}{':' if more else ''}{more}{at}{who}"


def _add_none(found: dict[float, Row], alike: Sequence[Row]) -> None:
    """The condition without any noise, delay or part, where there is one and none was named."""
    some = next(iter(found.values()))
    mode = recorded_mode(some["feedback"])
    if mode.writer == "part":
        plain: tuple[str, ...] = (BINARY.name,)
    elif mode.writer not in ("noise", "late"):
        return
    elif mode.source:
        plain = (mode.source,)
    else:  # the task's own, as ``protocol.suits.for_task`` has it: a program's, or a model's
        plain = (TUTOR.name, HINT.name) if some["feedback_model"] is None else (PROCESS.name,)
    nothing = next((each for each in alike if each["feedback"] in plain), None)
    if nothing is not None:
        found.setdefault(0.0, nothing)


def _rows(runs: Runs, kind: str, found: dict[float, Row]) -> Iterator[Row]:
    known = {dose: wrong_first(rounds(runs, condition)) for dose, condition in found.items()}
    shared = set.intersection(*({*trials} for trials in known.values()))
    if not shared:
        return
    writer = recorded_mode(found[max(found)]["feedback"]).writer
    order, keys = sorted(found), sorted(shared)
    until = None if writer == "late" else 2  # the attempts after the first that count
    solved = {
        dose: [(key[0], any(each.right for each in known[dose][key][1:until])) for key in keys]
        for dose in order
    }
    means, trials = zip(*(cluster_means(solved[dose]) for dose in order), strict=True)
    fit = response(
        np.array(order), np.array(means).T, rising=writer not in ("noise", "late"),
        trials=np.array(trials[0]),
    )  # fmt: skip
    for dose, value, limits in zip(order, fit.fitted, fit.limits, strict=True):
        yield found[dose] | {
            "kind": kind,
            "dose": dose,
            "right": share_of_problems(solved[dose]),
            "fitted": Estimate(float(value), *limits, len(keys)),
            "effect": fit.effect,
            "half": fit.half,
            "n": len(keys),
        }
