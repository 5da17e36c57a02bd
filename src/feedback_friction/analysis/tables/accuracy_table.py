"""Accuracy by iteration, and the chance of correction at each attempt."""

from __future__ import annotations

from collections.abc import Iterator
from math import nan

import polars as pl

from feedback_friction.analysis.accuracy_by_attempt import ConditionResult, read_results
from feedback_friction.analysis.frames import Runs, by_trial
from feedback_friction.analysis.stats.arrays import IntArray
from feedback_friction.analysis.stats.intervals import Estimate, Interval
from feedback_friction.analysis.stats.survival import hazard, kaplan_meier
from feedback_friction.analysis.table import CONDITION, Row, conditions, once, rows_of, table


@once
def results(runs: Runs) -> tuple[tuple[Row, ConditionResult], ...]:
    """What ``friction results`` says of every condition, in the order of ``conditions``."""
    by_name = {
        (run, result.condition.condition): result
        for run, directory in enumerate(runs.directories)
        for result in read_results(directory)
    }
    return tuple(
        (condition, by_name[condition["run"], condition["condition"]])
        for condition, _, _ in conditions(runs)
    )


@table(
    CONDITION,
    "iteration int, accuracy estimate, bound_low float, bound_high float",
    "guess float, guess_most float, n int, missing int",
)
def accuracy(runs: Runs) -> Iterator[Row]:
    """Share of trials solved at or before each iteration: one row a condition and iteration.

    ``bound_low`` and ``bound_high``: where accuracy lies whatever became of the missing trials;
    ``guess`` and ``guess_most``: a guesser's accuracy, without and with options tried before in
    mind, null without options; ``n``: trials known at the iteration, ``missing`` the others. A
    trial that failed or is undecided counts as far as it is known.
    """
    for condition, result in results(runs):
        for iteration in range(condition["iterations"]):
            yield condition | {"iteration": iteration} | _accuracy_at(result, iteration)


def _accuracy_at(result: ConditionResult, iteration: int) -> Row:
    """The numbers of one iteration; nan in [0, 1] where nothing is known."""
    accuracy, bound = Estimate(nan, 0.0, 1.0, 0), Interval(0.0, 1.0)
    if result.curve:
        accuracy, bound = result.curve[iteration], result.bounds[iteration]
    return {
        "accuracy": accuracy,
        "bound_low": bound.low,
        "bound_high": bound.high,
        "guess": result.guess and result.guess[iteration],
        "guess_most": result.guess_most and result.guess_most[iteration],
        "n": accuracy.n,
        "missing": result.condition.problems - accuracy.n,
    }


@table(
    CONDITION,
    "gain estimate, area estimate, repetition estimate, second estimate",
    "guess float, above_guess bool, second_attempts int, wrong_first int, n int",
)
def summary(runs: Runs) -> Iterator[Row]:
    """What the attempts after the first bring, in one number each: one row a condition.

    ``gain``: normalised gain, (last - first) / (1 - first); ``area``: area under the accuracy
    curve, from 0 to 1; ``repetition``: share of the second attempts that give the first wrong
    answer again; ``second``: share of them that is right; each with limits. Those two are of the
    ``second_attempts`` that are known, gain is of the ``wrong_first`` trials. ``guess``: the share
    of second attempts that a guesser would get right that keeps in mind what it was told is wrong,
    null without options; ``above_guess``: whether ``second`` is above it, limits and all.
    """
    for condition, result in results(runs):
        second = result.second
        yield condition | {
            "gain": result.gain,
            "area": result.area,
            "repetition": second.repeated,
            "second": second.right,
            "guess": second.guess,
            "above_guess": second.above_guess,
            "second_attempts": second.right.n,
            "wrong_first": result.gain.n,
            "n": result.area.n,
        }


@table(CONDITION, "iteration int, hazard estimate, unsolved estimate, at_risk int, missing int")
def correction(runs: Runs) -> Iterator[Row]:
    """Hazard of correction and Kaplan-Meier survival: one row a condition and iteration.

    ``hazard``: share of the attempts at that iteration that solve a problem; ``unsolved``: share
    still unsolved after it, trials that stopped early being censored; ``at_risk``: attempts.
    """
    for condition, ids, first in conditions(runs):
        last = _last_attempt(runs, condition, ids, first)
        hazards = hazard(first, condition["iterations"], last)
        survival = kaplan_meier(first, condition["iterations"], last)
        for iteration, (chance, unsolved) in enumerate(zip(hazards, survival, strict=True)):
            yield condition | {
                "iteration": iteration,
                "hazard": chance,
                "unsolved": unsolved,
                "at_risk": chance.n,
            }


def _last_attempt(runs: Runs, condition: Row, ids: list[str], first: IntArray) -> IntArray:
    """Last iteration attempted by each trial, where it stopped early before the last one."""
    iterations = condition["iterations"]
    stopped = rows_of(runs.trials, condition).filter(pl.col("status") == "stopped")
    last = pl.min_horizontal("known", pl.lit(iterations)) - 1
    rows = stopped.select("problem_id", "epoch", last).iter_rows()
    return by_trial(rows, ids, first.shape[1], iterations - 1)
