"""Accuracy by iteration, and the chance of correction at each attempt."""

from __future__ import annotations

import numpy as np
import polars as pl

from feedback_friction.analysis.accuracy import as_seen
from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.stats.arrays import IntArray
from feedback_friction.analysis.stats.censored import Seen, censored_curve
from feedback_friction.analysis.stats.survival import hazard, kaplan_meier
from feedback_friction.analysis.tables.columns import (
    SETTING_SCHEMA,
    Row,
    conditions,
    frame,
    missing,
    once,
    setting,
    spread,
    spread_schema,
)


@once
def accuracy(runs: Runs) -> pl.DataFrame:
    """Share of trials solved at or before each iteration: one row a condition and iteration.

    Columns: the condition, ``iteration``, ``accuracy`` with limits, ``n`` trials known at it,
    ``missing``. A trial that failed or is undecided counts as far as it is known.
    """
    rows = []
    for condition, ids, first in conditions(runs):
        curve = censored_curve(_seen(runs, condition, ids), condition["iterations"])
        for iteration, estimate in enumerate(curve):
            rows.append(
                setting(condition)
                | {"iteration": iteration}
                | spread("accuracy", estimate)
                | {"n": estimate.n, "missing": missing(first)}
            )
    counts = {"n": pl.Int64, "missing": pl.Int64}
    return frame(
        rows, SETTING_SCHEMA | {"iteration": pl.Int64} | spread_schema("accuracy") | counts
    )


def _seen(runs: Runs, condition: Row, ids: list[str]) -> list[list[Seen]]:
    """What is known of the trials of each problem."""
    seen: dict[str, list[Seen]] = {problem: [] for problem in ids}
    trials = runs.trials.filter(
        pl.col("run") == condition["run"], pl.col("condition") == condition["condition"]
    )
    columns = trials.select("problem_id", "status", "known", "solved")
    for problem, status, known, solved in columns.iter_rows():
        seen[problem].append(as_seen(status, known, bool(solved), condition["planned"]))
    return list(seen.values())


@once
def correction(runs: Runs) -> pl.DataFrame:
    """Hazard of correction and Kaplan-Meier survival: one row a condition and iteration.

    ``hazard``: share of the attempts at that iteration that solve a problem; ``unsolved``: share
    still unsolved after it, trials that stopped early being censored; ``at_risk``: attempts.
    """
    rows = []
    for condition, ids, first in conditions(runs):
        last = _last_attempt(runs, condition, ids, first)
        hazards = hazard(first, condition["iterations"], last)
        survival = kaplan_meier(first, condition["iterations"], last)
        for iteration, (chance, unsolved) in enumerate(zip(hazards, survival, strict=True)):
            rows.append(
                setting(condition)
                | {"iteration": iteration}
                | spread("hazard", chance)
                | spread("unsolved", unsolved)
                | {"at_risk": chance.n, "missing": missing(first)}
            )
    schema = SETTING_SCHEMA | {"iteration": pl.Int64} | spread_schema("hazard")
    counts = {"at_risk": pl.Int64, "missing": pl.Int64}
    return frame(rows, schema | spread_schema("unsolved") | counts)


def _last_attempt(runs: Runs, condition: Row, ids: list[str], first: IntArray) -> IntArray:
    """Last iteration attempted by each trial, where it stopped early before the last one."""
    last = np.full(first.shape, condition["iterations"] - 1, dtype=np.int64)
    stopped = runs.trials.filter(
        pl.col("run") == condition["run"],
        pl.col("condition") == condition["condition"],
        pl.col("status") == "stopped",
    )
    position = {problem: index for index, problem in enumerate(ids)}
    for problem, epoch, known in stopped.select("problem_id", "epoch", "known").iter_rows():
        last[position[problem], epoch] = min(known, condition["iterations"]) - 1
    return last
