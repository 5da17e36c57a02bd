"""Accuracy by iteration, and the chance of correction at each attempt."""

from __future__ import annotations

from math import nan

import numpy as np
import polars as pl

from feedback_friction.analysis.accuracy_by_attempt import ConditionResult, read_results
from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.stats.arrays import IntArray
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.analysis.stats.survival import hazard, kaplan_meier
from feedback_friction.analysis.tables.shared_columns import (
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
def results(runs: Runs) -> tuple[tuple[Row, ConditionResult], ...]:
    """What ``friction results`` says of every condition, in the order of ``columns.conditions``."""
    read = [read_results(directory) for directory in runs.directories]
    by_name = {
        (run, result.condition.condition): result
        for run, found in enumerate(read)
        for result in found
    }
    return tuple(
        (condition, by_name[condition["run"], condition["condition"]])
        for condition, _, _ in conditions(runs)
    )


@once
def accuracy(runs: Runs) -> pl.DataFrame:
    """Share of trials solved at or before each iteration: one row a condition and iteration.

    Columns: the condition, ``iteration``, ``accuracy`` with limits, ``bound_low`` and
    ``bound_high`` (where accuracy lies whatever became of the missing trials), ``guess`` and
    ``guess_most`` (a guesser's accuracy, without and with options tried before in mind; null
    without options), ``n`` trials known at the iteration, ``missing``. A trial that failed or is
    undecided counts as far as it is known.
    """
    absent = {(row["run"], row["condition"]): missing(first) for row, _, first in conditions(runs)}
    rows = [
        setting(condition)
        | {"iteration": iteration}
        | _accuracy_at(result, iteration)
        | {"missing": absent[condition["run"], condition["condition"]]}
        for condition, result in results(runs)
        for iteration in range(condition["iterations"])
    ]
    floats = dict.fromkeys(("bound_low", "bound_high", "guess", "guess_most"), pl.Float64)
    counts = {"n": pl.Int64, "missing": pl.Int64}
    columns = {"iteration": pl.Int64} | spread_schema("accuracy") | floats | counts
    return frame(rows, SETTING_SCHEMA | columns)


def _accuracy_at(result: ConditionResult, iteration: int) -> Row:
    """The numbers of one iteration; nan in [0, 1] where nothing is known."""
    guesses = {
        name: None if curve is None else curve[iteration]
        for name, curve in (("guess", result.guess), ("guess_most", result.guess_most))
    }
    if not result.accuracy:
        nothing = spread("accuracy", Estimate(nan, 0.0, 1.0, 0))
        return nothing | {"bound_low": 0.0, "bound_high": 1.0} | guesses | {"n": 0}
    return guesses | {
        "accuracy": result.accuracy[iteration],
        "accuracy_low": result.ci_low[iteration],
        "accuracy_high": result.ci_high[iteration],
        "bound_low": result.bound_low[iteration],
        "bound_high": result.bound_high[iteration],
        "n": result.known[iteration],
    }


@once
def summary(runs: Runs) -> pl.DataFrame:
    """What the attempts after the first bring, in one number each: one row a condition.

    ``gain``: normalised gain, (last - first) / (1 - first); ``area``: area under the accuracy
    curve, from 0 to 1; ``repetition``: share of the second attempts that give the first wrong
    answer again; ``second``: share of them that is right; each with limits, and the
    ``wrong_first`` trials that gain is of. ``guess``: the share of second attempts that a guesser
    would get right that keeps in mind what it was told is wrong, null without options;
    ``above_guess``: whether ``second`` is above it, limits and all.
    """
    rows = [
        setting(condition)
        | spread("gain", result.gain)
        | spread("area", result.area)
        | spread("repetition", result.second.repeated)
        | spread("second", result.second.right)
        | {"guess": result.second.guess, "above_guess": result.second.above_guess}
        | {"wrong_first": result.gain.n, "n": result.area.n}
        for condition, result in results(runs)
    ]
    counts = {"wrong_first": pl.Int64, "n": pl.Int64}
    schema = SETTING_SCHEMA | spread_schema("gain", "area", "repetition", "second")
    guesses: dict[str, type[pl.DataType]] = {"guess": pl.Float64, "above_guess": pl.Boolean}
    return frame(rows, schema | guesses | counts)


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
