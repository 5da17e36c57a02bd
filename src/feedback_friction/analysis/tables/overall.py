"""Over tasks and solvers: what differences have in common, and where outcomes vary."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.stats.arrays import MISSING, FloatArray
from feedback_friction.analysis.stats.components import EPOCH, Effect, split
from feedback_friction.analysis.stats.intervals import z_value
from feedback_friction.analysis.stats.pooling import pooled as pool
from feedback_friction.analysis.tables.comparison import Arm, arms, gains, uptake
from feedback_friction.analysis.tables.shared_columns import Row, frame, once, spread, spread_schema

MEASURES = {"uptake": uptake, "accuracy": gains}
FACTORS = ("problem", "solver", "feedback", "epoch")
DRAWS, REST = "draws", "rest"  # of a trial: all that its epoch is in; with one epoch all else


@once
def pooled(runs: Runs) -> pl.DataFrame:
    """Differences of a condition and its control over tasks: one row a solver, measure and pair.

    Columns: ``measure`` (``uptake``: at the second attempt, of the problems missed at first;
    ``accuracy``: at the last attempt), ``difference``, the mean over tasks with limits
    (``stats.pooling``), ``spread``, the standard deviation of the tasks' true differences around
    it, ``inconsistency`` (I^2), and the ``tasks``. A task's standard error is taken from the width
    of its interval. Empty with one task.
    """
    rows: list[Row] = []
    for measure, table in MEASURES.items():
        groups: dict[tuple[str, ...], dict[tuple[object, ...], Row]] = defaultdict(dict)
        for row in table(runs).iter_rows(named=True):
            pair = tuple(row[name] for name in _PAIR)
            groups[pair].setdefault((row["task"], row["digits"]), row)
        for pair, tasks in groups.items():
            found = pool(
                [row["difference"] for row in tasks.values()],
                [_error(row) for row in tasks.values()],
            )
            if found is not None:
                rows.append(
                    dict(zip(_PAIR, pair, strict=True))
                    | {"measure": measure}
                    | spread("difference", found.mean)
                    | {"spread": found.spread, "inconsistency": found.inconsistency}
                    | {"tasks": found.mean.n}
                )
    names: dict[str, type[pl.DataType]] = dict.fromkeys((*_PAIR, "measure"), pl.String)
    numbers: dict[str, type[pl.DataType]] = dict.fromkeys(("spread", "inconsistency"), pl.Float64)
    return frame(rows, names | spread_schema("difference") | numbers | {"tasks": pl.Int64})


_PAIR = ("solver", "treatment", "control")


def _error(row: Row) -> float:
    return float(row["difference_high"] - row["difference_low"]) / (2 * z_value(0.95))


@once
def variance(runs: Runs) -> pl.DataFrame:
    """Where the outcome of a trial varies: one row a task, solvers and component.

    The variance of whether a trial is solved in the end, split by ``stats.components`` over the
    problems of which every trial is known. Columns: ``solvers`` (all of them where they have
    conditions in common, else each by itself), ``component`` (``problem``, ``solver``,
    ``feedback``, what they have together, and ``draws``: what one epoch has and another has not),
    ``variance``, its ``share``; ``icc``, the share of a trial's variance under one condition that
    lies between problems, and ``icc_difference``, the same of a difference between two conditions,
    which ``friction power --icc`` takes, with limits; ``problems``, ``conditions``, ``epochs``.
    With one epoch draws cannot be told from what all factors have together: both are ``rest``, and
    there are no correlations.
    """
    rows: list[Row] = []
    for (task, digits), solvers, table in _crossed(runs):
        found = split(table)
        shares = _named(found.components, table.shape[EPOCH])
        whole = sum(max(value, 0.0) for value in shares.values())
        rows += [
            {"task": task, "digits": digits, "solvers": ", ".join(solvers), "component": name}
            | {"variance": value, "share": max(value, 0.0) / whole if whole else None}
            | spread("icc", found.icc)
            | spread("icc_difference", found.difference)
            | {
                "problems": table.shape[0],
                "conditions": table.shape[2],
                "epochs": table.shape[EPOCH],
            }
            for name, value in shares.items()
        ]
    schema: dict[str, type[pl.DataType]] = {"task": pl.String, "digits": pl.Int64}
    schema |= dict.fromkeys(("solvers", "component"), pl.String)
    schema |= dict.fromkeys(("variance", "share"), pl.Float64)
    schema |= spread_schema("icc", "icc_difference")
    return frame(rows, schema | dict.fromkeys(("problems", "conditions", "epochs"), pl.Int64))


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


def _crossed(
    runs: Runs,
) -> Iterator[tuple[tuple[str, int | None], tuple[str, ...], FloatArray]]:
    """By task, solvers and what they solved: shape (problems, solvers, conditions, epochs)."""
    tasks: dict[tuple[str, int | None], dict[str, dict[str, Arm]]] = defaultdict(dict)
    for group in arms(runs).values():
        for arm in group:
            about = arm.condition["task"], arm.condition["digits"]
            tasks[about].setdefault(arm.condition["solver"], {}).setdefault(arm.name(), arm)
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
