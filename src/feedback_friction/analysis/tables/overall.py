"""Over tasks and solvers: what differences have in common, and where outcomes vary."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.stats.arrays import MISSING, FloatArray
from feedback_friction.analysis.stats.components import EPOCH, Effect, split
from feedback_friction.analysis.stats.intervals import Estimate, z_value
from feedback_friction.analysis.stats.pooling import pooled as pool
from feedback_friction.analysis.table import Row, fields_of, grouped, table
from feedback_friction.analysis.tables.comparison import Arm, arm_name, arms, gains, uptake

MEASURES = {"uptake": uptake, "accuracy": gains}
FACTORS = ("problem", "solver", "feedback", "epoch")
DRAWS, REST = "draws", "rest"  # of a trial: all that its epoch is in; with one epoch all else


@table(
    "solver text, treatment text, control text, measure text, difference estimate",
    "spread float, inconsistency float, tasks int",
)
def pooled(runs: Runs) -> Iterator[Row]:
    """Differences of a condition and its control over tasks: one row a solver, measure and pair.

    ``measure`` is ``uptake``, at the second attempt, of the problems missed at first, or
    ``accuracy``, at the last attempt; ``difference``, the mean over tasks (``stats.pooling``),
    ``spread``, the standard deviation of the tasks' true differences around
    it, ``inconsistency`` (I^2), and the ``tasks``. A task's standard error is taken from the width
    of its interval. Of a task that several runs have, the first counts. Empty with one task.
    """
    for measure, differences in MEASURES.items():
        for tasks in grouped(differences(runs).iter_rows(named=True), _PAIR):
            firsts = [group[0] for group in grouped(tasks, ("task", "digits"))]
            found = pool([row["difference"] for row in firsts], [_error(row) for row in firsts])
            if found is not None:
                pair = {name: tasks[0][name] for name in _PAIR}
                low, high = max(found.mean.low, -1.0), min(found.mean.high, 1.0)
                mean = Estimate(found.mean.value, low, high, found.mean.n)
                own = {"measure": measure, "difference": mean, "tasks": mean.n}
                yield pair | fields_of(found) | own


_PAIR = ("solver", "treatment", "control")


def _error(row: Row) -> float:
    return float(row["difference_high"] - row["difference_low"]) / (2 * z_value(0.95))


@table(
    "task text, digits int, solvers text, component text, variance float, share float",
    "icc estimate, icc_difference estimate, problems int, conditions int, epochs int",
)
def variance(runs: Runs) -> Iterator[Row]:
    """Where the outcome of a trial varies: one row a task, solvers and component.

    The variance of whether a trial is solved in the end, split by ``stats.components`` over the
    problems of which every trial is known. ``solvers`` (all of them where they have
    conditions in common, else each by itself), ``component`` (``problem``, ``solver``,
    ``feedback``, what they have together, and ``draws``: what one epoch has and another has not),
    ``variance``, its ``share``; ``icc``, the share of a trial's variance under one condition that
    lies between problems, and ``icc_difference``, the same of a difference between two conditions,
    which ``friction power --icc`` takes, with limits; ``problems``, ``conditions``, ``epochs``.
    With one epoch draws cannot be told from what all factors have together: both are ``rest``, and
    there are no correlations.
    """
    for (task, digits), solvers, solved in _crossed(runs):
        found = split(solved)
        problems, _, among, epochs = solved.shape
        shares = _named(found.components, epochs)
        whole = sum(max(value, 0.0) for value in shares.values())
        for name, value in shares.items():
            yield {
                "task": task,
                "digits": digits,
                "solvers": ", ".join(solvers),
                "component": name,
                "variance": value,
                "share": max(value, 0.0) / whole if whole else None,
                "icc": found.icc,
                "icc_difference": found.difference,
                "problems": problems,
                "conditions": among,
                "epochs": epochs,
            }


def _named(components: dict[Effect, float], epochs: int) -> dict[str, float]:
    """The components in words; those of the epoch are one, and with one epoch the widest is it."""
    named: dict[str, float] = {}
    widest = max(components, key=len, default=())
    for effect, value in components.items():
        drawn = EPOCH in effect or (epochs == 1 and effect == widest)
        name = (
            (DRAWS if epochs > 1 else REST)
            if drawn
            else " x ".join(FACTORS[factor] for factor in effect)
        )
        named[name] = named.get(name, 0.0) + value
    return named


def _crossed(runs: Runs) -> Iterator[tuple[tuple[str, int | None], tuple[str, ...], FloatArray]]:
    """By task, solvers and what they solved: shape (problems, solvers, conditions, epochs)."""
    tasks: dict[tuple[str, int | None], dict[str, dict[str, Arm]]] = defaultdict(dict)
    for group in arms(runs):
        for arm in group:
            about = arm.condition["task"], arm.condition["digits"]
            name = arm_name(arm.condition)
            tasks[about].setdefault(arm.condition["solver"], {}).setdefault(name, arm)
    for about, solvers in tasks.items():
        first, *others = solvers.values()
        shared = [name for name in first if all(name in other for other in others)]
        for names in [tuple(solvers)] if shared else [(solver,) for solver in solvers]:
            conditions = shared or [*solvers[names[0]]]
            table = _solved([[solvers[name][each] for each in conditions] for name in names])
            if len(table) > 1:
                yield about, names, table


def _solved(groups: Sequence[Sequence[Arm]]) -> FloatArray:
    """Whether each trial was solved within the iterations that all had, complete problems only."""
    every = [arm for group in groups for arm in group]
    places = [{problem: row for row, problem in enumerate(arm.ids)} for arm in every]
    ids = [each for each in every[0].ids if all(each in place for place in places)]
    iterations = min(arm.condition["iterations"] for arm in every)
    epochs = min(arm.first.shape[1] for arm in every)
    first = np.stack(
        [
            arm.first[[place[each] for each in ids], :epochs]
            for arm, place in zip(every, places, strict=True)
        ],
        axis=1,
    )
    whole = (first != MISSING).all(axis=(1, 2))
    solved = ((first >= 0) & (first < iterations))[whole].astype(np.float64)
    shape = (len(solved), len(groups), len(groups[0]), epochs)
    return np.asarray(solved.reshape(shape))
