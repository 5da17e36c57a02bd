"""Several solvers on the same problems: do they fail on the same ones?"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import polars as pl

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.stats.arrays import MISSING, FloatArray
from feedback_friction.analysis.stats.overlap import Overlap, overlap
from feedback_friction.analysis.tables.shared_columns import (
    Row,
    conditions,
    frame,
    once,
    spread,
    spread_schema,
)

Group = tuple[str, int | None, str, str, str]


@once
def overlaps(runs: Runs) -> dict[Group, tuple[tuple[str, ...], Overlap]]:
    """Failure overlap by (task, digits, feedback, sampling, history) with two solvers or more.

    A problem counts as failed by a solver when none of its epochs was solved.
    """
    groups: dict[Group, dict[str, dict[str, float]]] = defaultdict(dict)
    for condition, ids, first in conditions(runs):
        key = (
            condition["task"],
            condition["digits"],
            condition["feedback"],
            condition["sampling"],
            condition["history"],
        )
        failed = np.where((first == MISSING).all(axis=1), np.nan, (first < 0).all(axis=1))
        groups[key].setdefault(condition["solver"], {}).update(
            zip(ids, failed.tolist(), strict=True)
        )
    return {
        key: (tuple(solvers), overlap(_matrix(solvers), np.random.default_rng(0)))
        for key, solvers in groups.items()
        if len(solvers) > 1
    }


def _matrix(solvers: dict[str, dict[str, float]]) -> FloatArray:
    ids = sorted({problem for failed in solvers.values() for problem in failed})
    return np.array(
        [[failed.get(problem, np.nan) for problem in ids] for failed in solvers.values()]
    )


@once
def overlap_summary(runs: Runs) -> pl.DataFrame:
    """All / union of the failures, and the ratio expected by chance: one row a group."""
    rows: list[Row] = []
    for (task, digits, feedback, sampling, history), (solvers, found) in overlaps(runs).items():
        chance = found.chance
        counts: Row = {
            "task": task,
            "digits": digits,
            "feedback": feedback,
            "sampling": sampling,
            "history": history,
            "solvers": ", ".join(solvers),
            "all": found.all,
            "union": found.union,
            "n": found.n,
            "missing": found.missing,
        }
        by_chance: Row = {
            "chance": chance.mean if chance else None,
            "chance_low": chance.low if chance else None,
            "chance_high": chance.high if chance else None,
            "p_value": chance.p_value if chance else None,
        }
        rows.append(counts | spread("ratio", found.ratio) | by_chance)
    schema: dict[str, type[pl.DataType]] = {
        "task": pl.String,
        "digits": pl.Int64,
        "feedback": pl.String,
        "sampling": pl.String,
        "history": pl.String,
        "solvers": pl.String,
        "all": pl.Int64,
        "union": pl.Int64,
    }
    ending: dict[str, type[pl.DataType]] = {
        "chance": pl.Float64,
        "chance_low": pl.Float64,
        "chance_high": pl.Float64,
        "p_value": pl.Float64,
        "n": pl.Int64,
        "missing": pl.Int64,
    }
    return frame(rows, schema | spread_schema("ratio") | ending)


@once
def overlap_sets(runs: Runs) -> pl.DataFrame:
    """Problems that exactly these solvers fail on: the bars of an UpSet plot."""
    rows = [
        {
            "task": task,
            "digits": digits,
            "feedback": feedback,
            "sampling": sampling,
            "history": history,
            "solvers": ", ".join(solvers[index] for index in shared.solvers),
            "size": len(shared.solvers),
            "count": shared.count,
            "n": found.n,
        }
        for (task, digits, feedback, sampling, history), (solvers, found) in overlaps(runs).items()
        for shared in found.exclusive
    ]
    return frame(
        rows,
        {
            "task": pl.String,
            "digits": pl.Int64,
            "feedback": pl.String,
            "sampling": pl.String,
            "history": pl.String,
            "solvers": pl.String,
            "size": pl.Int64,
            "count": pl.Int64,
            "n": pl.Int64,
        },
    )
