"""Conditions compared problem by problem: every pair, and the gain over the controls."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import combinations, permutations

import numpy as np
import polars as pl

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.journal import Condition
from feedback_friction.analysis.retries import excludes
from feedback_friction.analysis.stats.arrays import MISSING, UNSOLVED, IntArray
from feedback_friction.analysis.stats.guessing import Excludes, guesser
from feedback_friction.analysis.stats.intervals import Interval
from feedback_friction.analysis.stats.paired import Comparison, compare
from feedback_friction.analysis.stats.significance import holm
from feedback_friction.analysis.tables.accuracy_table import results
from feedback_friction.analysis.tables.shared_columns import (
    Row,
    conditions,
    frame,
    once,
    spread,
    spread_schema,
)
from feedback_friction.analysis.uptake import Uptake, is_control
from feedback_friction.mode_names import recorded_mode
from feedback_friction.ways import named_history


@dataclass(frozen=True, slots=True)
class Arm:
    """A condition with its trials, as one side of a comparison; clusters by problem id."""

    condition: Row
    ids: tuple[str, ...]
    first: IntArray
    clusters: Mapping[str, str]

    @classmethod
    def every(cls, runs: Runs) -> Iterator[Arm]:
        """Every condition of the runs, in their order."""
        for condition, ids, first in conditions(runs):
            clusters = runs.clusters(condition["run"], condition["task"])
            yield cls(condition, tuple(ids), first, clusters)

    @property
    def feedback(self) -> str:
        """Its feedback mode."""
        return str(self.condition["feedback"])

    @property
    def recorded(self) -> Condition:
        """The condition as the journal has it."""
        return Condition(**{each.name: self.condition[each.name] for each in fields(Condition)})

    def name(self) -> str:
        """Feedback, sampling and a history that is not the usual one, as a comparison says it."""
        return arm_name(self.feedback, self.condition["sampling"], self.condition["history"])


def arm_name(feedback: str, sampling: str, history: str) -> str:
    """A condition as a comparison says it: the history where it is not the usual one."""
    return ", ".join(filter(None, (feedback, sampling, named_history(feedback, history))))


@once
def arms(runs: Runs) -> dict[tuple[object, ...], list[Arm]]:
    """Conditions that share task, digits and solver, over all runs."""
    groups: dict[tuple[object, ...], list[Arm]] = defaultdict(list)
    for arm in Arm.every(runs):
        key = tuple(arm.condition[each] for each in ("task", "digits", "solver"))
        groups[key].append(arm)
    return groups


def compare_arms(treatment: Arm, control: Arm) -> Comparison:
    """Treatment minus control on the problems of both, others counting as missing.

    Compared is what was solved within the iterations that both had.
    """
    ids = sorted({*treatment.ids, *control.ids})
    iterations = min(treatment.condition["iterations"], control.condition["iterations"])
    within = {**control.clusters, **treatment.clusters}
    return compare(
        _in_the_end(treatment, ids, iterations),
        _in_the_end(control, ids, iterations),
        1,
        np.random.default_rng(0),
        clusters=[within.get(problem) for problem in ids],
    )


def guessed_difference(runs: Runs, treatment: Arm, control: Arm) -> Interval:
    """What solvers would differ by in the end that guessed after their first attempt.

    From a guesser that keeps nothing in mind to one that keeps in mind what it was told is wrong,
    where it was told. No difference without options, and between solvers.
    """
    sides = (treatment, control)
    if treatment.condition["solver"] != control.condition["solver"]:
        return Interval(0.0, 0.0)
    iterations = min(side.condition["iterations"] for side in sides)
    kinds = [
        excludes(side.recorded, runs.documents[side.condition["run"]]["config"]) for side in sides
    ]
    gained = [
        [_guessed(runs, side, iterations - 1, kind) for kind in each]
        for side, each in zip(sides, kinds, strict=True)
    ]
    differences = [one - other for one, other in zip(*gained, strict=True)]
    return Interval(min(differences), max(differences))


def _guessed(runs: Runs, arm: Arm, attempts: int, kind: Excludes) -> float:
    """Share of problems solved by guesses after a first attempt that named a wrong option."""
    options = _options(runs, arm.condition["run"], arm.condition["task"])
    after = {
        m: guesser(m, attempts, kind, tried=1)[-1] if m > 1 and attempts else 0.0
        for m in {*options.values()}
    }
    present = arm.first != MISSING
    trials = present.sum(axis=1)
    failed = (present & (arm.first != 0)).sum(axis=1)
    kept = trials > 0
    if not kept.any():
        return 0.0
    chances = np.array([after[options[problem]] for problem in arm.ids])
    return float((failed[kept] / trials[kept] * chances[kept]).mean())


@once
def _options(runs: Runs, run: int, task: str) -> dict[str, int]:
    """Number of options of each problem of a task."""
    rows = runs.problems.filter(pl.col("run") == run, pl.col("task") == task)
    return {
        problem: len(json.loads(choices))
        for problem, choices in rows.select("problem_id", "choices").iter_rows()
    }


def _in_the_end(arm: Arm, ids: list[str], iterations: int) -> IntArray:
    """The arm's trials in the order of ``ids``: 0 where solved within so many iterations."""
    table = _ordered(arm, ids)
    solved = (table >= 0) & (table < iterations)
    return np.where(solved, 0, np.where(table == MISSING, MISSING, UNSOLVED))


def _ordered(arm: Arm, ids: list[str]) -> IntArray:
    """The arm's first-solved iterations in the order of ``ids``, ``MISSING`` where it has none."""
    position = {problem: index for index, problem in enumerate(arm.ids)}
    table = np.full((len(ids), arm.first.shape[1]), MISSING, dtype=np.int64)
    rows = [index for index, problem in enumerate(ids) if problem in position]
    table[rows] = arm.first[[position[ids[index]] for index in rows]]
    return table


@once
def pairs(runs: Runs) -> pl.DataFrame:
    """Every two conditions of a task and solver, at the last iteration, Holm over the family."""
    return _table(runs, _pairs(runs))


@once
def solvers(runs: Runs) -> pl.DataFrame:
    """Every two solvers under the same task, feedback, sampling and history, Holm over all."""
    return _table(runs, _solvers(runs))


def within(runs: Runs) -> pl.DataFrame:
    """The rows of ``pairs`` and of ``solvers``, Holm over all of them together."""
    return _table(runs, [*_pairs(runs), *_solvers(runs)])


def _pairs(runs: Runs) -> list[tuple[Arm, Arm]]:
    return [pair for group in arms(runs).values() for pair in combinations(group, 2)]


def _solvers(runs: Runs) -> list[tuple[Arm, Arm]]:
    groups: dict[tuple[object, ...], list[Arm]] = defaultdict(list)
    for arm in Arm.every(runs):
        key = tuple(
            arm.condition[each] for each in ("task", "digits", "feedback", "sampling", "history")
        )
        groups[key].append(arm)
    return [
        (one, other)
        for group in groups.values()
        for one, other in combinations(group, 2)
        if one.condition["solver"] != other.condition["solver"]
    ]


@once
def gains(runs: Runs) -> pl.DataFrame:
    """What feedback adds to trying again: each mode against each control with its sampling."""
    return _table(runs, _controlled(runs))


@once
def uptake(runs: Runs) -> pl.DataFrame:
    """One-step uptake on shared first failures: each mode against each control, Holm over all.

    ``right``: of the trials whose first attempt was wrong under both, the share whose second is
    right; ``control_right`` the same under the control; ``guess`` and ``control_guess`` what a
    guesser's second attempts would get right (0 without options); ``difference`` is paired by
    problem, with what a guesser would gain taken off. Beside it, each paired on the same trials:
    ``repeated`` (the second attempt gives the first wrong answer again), ``gain`` (solved by the
    end) and ``area`` (mean share solved at the attempts after the first). See ``analysis.uptake``.
    """
    rows = [
        _sides(condition["run"], each)
        | {"right": each.right.treatment, "control_right": each.right.control}
        | {"guess": each.guess, "control_guess": each.control_guess}
        | spread("difference", each.right.difference)
        | {
            f"{prefix}{name}": getattr(getattr(each, name), side)
            for name in _BESIDE
            for prefix, side in (("", "treatment"), ("control_", "control"))
        }
        | {
            key: value
            for name in _BESIDE
            for key, value in spread(f"{name}_difference", getattr(each, name).difference).items()
        }
        | {
            "p_value": each.p_value,
            "only_treatment": each.pairs.treatment if each.pairs else None,
            "only_control": each.pairs.control if each.pairs else None,
            "n": each.n,
            "trials": each.trials,
        }
        for condition, result in results(runs)
        for each in result.uptakes
        if condition["iterations"] > 1
    ]
    shares = ["right", "control_right", "guess", "control_guess"]
    beside = [f"{prefix}{name}" for name in _BESIDE for prefix in ("", "control_")]
    schema = _SIDES | dict.fromkeys(shares, pl.Float64) | spread_schema("difference")
    schema |= dict.fromkeys(beside, pl.Float64)
    schema |= spread_schema(*(f"{name}_difference" for name in _BESIDE))
    counts = dict.fromkeys(("only_treatment", "only_control", "n", "trials"), pl.Int64)
    return _adjusted(frame(rows, schema | {"p_value": pl.Float64} | counts))


_BESIDE = ("repeated", "gain", "area")


def _sides(run: int, each: Uptake) -> Row:
    """The columns that say which two conditions a row of ``uptake`` is about."""
    one, other = each.condition, each.control
    return {
        "task": one.task,
        "digits": one.digits,
        "solver": one.solver,
        "control_solver": other.solver,
        "treatment": arm_name(one.feedback, one.sampling, one.history),
        "control": arm_name(other.feedback, other.sampling, other.history),
        "treatment_run": run,
        "control_run": run,
        "feedback": one.feedback,
        "against": other.feedback,
        "sampling": one.sampling,
        "control_sampling": other.sampling,
        "history": one.history,
        "control_history": other.history,
        "simulated": bool(one.simulated),
    }


def _controlled(runs: Runs) -> list[tuple[Arm, Arm]]:
    """Each mode with each control of the same run, sampling and history."""
    return [
        (arm, control)
        for group in arms(runs).values()
        for arm, control in permutations(group, 2)
        if arm.condition["run"] == control.condition["run"]
        and is_control(arm.recorded, control.recorded)
    ]


@once
def across(runs: Runs) -> pl.DataFrame:
    """The second run's conditions minus the first's, on the problems that both have.

    Conditions with the same task, digits, feedback and sampling face each other, where there are
    such with the same history; solvers and settings may differ. Where no two match, all conditions
    of the same task do.
    """
    sides: tuple[list[Arm], list[Arm]] = ([], [])
    for arm in Arm.every(runs):
        sides[arm.condition["run"]].append(arm)
    same_task = [
        (new, old)
        for old in sides[0]
        for new in sides[1]
        if all(new.condition[each] == old.condition[each] for each in ("task", "digits"))
    ]
    alike = [
        (new, old)
        for new, old in same_task
        if all(new.condition[each] == old.condition[each] for each in ("feedback", "sampling"))
    ]
    shown_alike = [(new, old) for new, old in alike if _same_history(new, old)]
    return _table(runs, shown_alike or alike or same_task)


def _same_history(one: Arm, other: Arm) -> bool:
    """Whether both show what came before in the same way; one that shows nothing suits all."""
    shows = all(recorded_mode(each.feedback).shows_history for each in (one, other))
    return not shows or one.condition["history"] == other.condition["history"]


_SIDES: dict[str, type[pl.DataType]] = {
    "task": pl.String,
    "digits": pl.Int64,
    "solver": pl.String,
    "control_solver": pl.String,
    "treatment": pl.String,
    "control": pl.String,
    "treatment_run": pl.Int64,
    "control_run": pl.Int64,
    "feedback": pl.String,
    "against": pl.String,
    "sampling": pl.String,
    "control_sampling": pl.String,
    "history": pl.String,
    "control_history": pl.String,
    "simulated": pl.Boolean,
}


def _table(runs: Runs, found: list[tuple[Arm, Arm]]) -> pl.DataFrame:
    """A row a pair: the difference with its score interval, McNemar, Holm.

    Where there are options, ``guess_low`` to ``guess_high`` is what guessers would differ by, and
    the p-value is that of the difference lying in that range.
    """
    rows = []
    for treatment, control in found:
        comparison = compare_arms(treatment, control)
        solved = comparison.pairs
        guessed = guessed_difference(runs, treatment, control)
        rows.append(
            {
                "task": treatment.condition["task"],
                "digits": treatment.condition["digits"],
                "solver": treatment.condition["solver"],
                "control_solver": control.condition["solver"],
                "treatment": treatment.name(),
                "control": control.name(),
                "treatment_run": treatment.condition["run"],
                "control_run": control.condition["run"],
                "feedback": treatment.feedback,
                "against": control.feedback,
                "sampling": treatment.condition["sampling"],
                "control_sampling": control.condition["sampling"],
                "history": treatment.condition["history"],
                "control_history": control.condition["history"],
                "simulated": bool(treatment.condition["simulated"]),
            }
            | spread("difference", comparison.final)
            | {
                "guess_low": guessed.low,
                "guess_high": guessed.high,
                "p_value": comparison.p_beyond(guessed),
                "only_treatment": solved.treatment if solved else None,
                "only_control": solved.control if solved else None,
                "n": comparison.final.n,
                "missing": comparison.missing,
            }
        )
    ending: dict[str, type[pl.DataType]] = {
        "guess_low": pl.Float64,
        "guess_high": pl.Float64,
        "p_value": pl.Float64,
        "only_treatment": pl.Int64,
        "only_control": pl.Int64,
        "n": pl.Int64,
        "missing": pl.Int64,
    }
    return _adjusted(frame(rows, _SIDES | spread_schema("difference") | ending))


def _adjusted(table: pl.DataFrame) -> pl.DataFrame:
    """The table with its p-values adjusted by Holm over all its rows."""
    adjusted = holm(table["p_value"].fill_nan(None).fill_null(float("nan")).to_list())
    return table.with_columns(pl.Series("p_holm", adjusted, dtype=pl.Float64))
