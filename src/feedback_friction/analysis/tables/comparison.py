"""Conditions compared problem by problem: every pair, and the gain over the controls."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import polars as pl

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.stats.arrays import (
    MISSING,
    UNSOLVED,
    IntArray,
    problem_means,
    solved_by,
)
from feedback_friction.analysis.stats.paired import Comparison, compare
from feedback_friction.analysis.stats.significance import holm
from feedback_friction.analysis.tables.columns import (
    Row,
    conditions,
    frame,
    once,
    spread,
    spread_schema,
)
from feedback_friction.modes import control_modes, named_history, recorded_mode


@dataclass(frozen=True, slots=True)
class Arm:
    """A condition with its trials, as one side of a comparison."""

    condition: Row
    ids: tuple[str, ...]
    first: IntArray

    @property
    def feedback(self) -> str:
        """Its feedback mode."""
        return str(self.condition["feedback"])

    def name(self) -> str:
        """Feedback, sampling and a history that is not the usual one, as a comparison says it."""
        history = named_history(self.feedback, self.condition["history"])
        parts = (self.feedback, self.condition["sampling"], history)
        return ", ".join(filter(None, parts))


@once
def arms(runs: Runs) -> dict[tuple[object, ...], list[Arm]]:
    """Conditions that share task, digits and solver, over all runs."""
    groups: dict[tuple[object, ...], list[Arm]] = defaultdict(list)
    for condition, ids, first in conditions(runs):
        key = (condition["task"], condition["digits"], condition["solver"])
        groups[key].append(Arm(condition, tuple(ids), first))
    return groups


def compare_arms(treatment: Arm, control: Arm, seed: int = 0) -> Comparison:
    """Treatment minus control on the problems of both, others counting as missing.

    Compared is what was solved within the iterations that both had, so that the comparison has one
    iteration only, and little to resample.
    """
    ids = sorted({*treatment.ids, *control.ids})
    iterations = min(treatment.condition["iterations"], control.condition["iterations"])
    return compare(
        _in_the_end(treatment, ids, iterations),
        _in_the_end(control, ids, iterations),
        1,
        np.random.default_rng(seed),
    )


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
    found = [(one, other) for group in arms(runs).values() for one, other in combinations(group, 2)]
    return _table(found)


@once
def solvers(runs: Runs) -> pl.DataFrame:
    """Every two solvers under the same task, feedback, sampling and history, Holm over all."""
    groups: dict[tuple[object, ...], list[Arm]] = defaultdict(list)
    for condition, ids, first in conditions(runs):
        key = tuple(
            condition[each] for each in ("task", "digits", "feedback", "sampling", "history")
        )
        groups[key].append(Arm(condition, tuple(ids), first))
    found = [
        (one, other)
        for group in groups.values()
        for one, other in combinations(group, 2)
        if one.condition["solver"] != other.condition["solver"]
    ]
    return _table(found)


@once
def gains(runs: Runs) -> pl.DataFrame:
    """What feedback adds to trying again: each mode against each control with its sampling."""
    return _table(_controlled(runs))


@once
def uptake(runs: Runs) -> pl.DataFrame:
    """One-step uptake on shared first failures: each mode against each control, Holm over all.

    ``right``: of the trials whose first attempt was wrong under both, the share whose second is
    right; ``control_right`` the same under the control, ``difference`` paired by problem. Every
    such trial makes a second attempt, so that nothing depends on who is still unsolved, or on the
    number of attempts. Pairs of conditions with one iteration are left out.
    """
    found = [
        (treatment, control)
        for treatment, control in _controlled(runs)
        if min(each.condition["iterations"] for each in (treatment, control)) > 1
    ]
    rates = [second_attempts(treatment, control) for treatment, control in found]
    table = _table(found, compare_second)
    return table.with_columns(
        pl.Series("right", [_rate(first) for first, _ in rates], dtype=pl.Float64),
        pl.Series("control_right", [_rate(second) for _, second in rates], dtype=pl.Float64),
    ).filter(pl.col("n") > 0)


def second_attempts(treatment: Arm, control: Arm) -> tuple[IntArray, IntArray]:
    """Trials whose first attempt failed under both arms: 0 where the second is right.

    Both arrays have shape (problems, epochs), the problems being those of both, in one order; all
    other trials are ``MISSING``.
    """
    ids = sorted({*treatment.ids, *control.ids})
    epochs = min(treatment.first.shape[1], control.first.shape[1])
    tables = [_ordered(arm, ids)[:, :epochs] for arm in (treatment, control)]
    failed = (tables[0] != 0) & (tables[1] != 0)
    present = failed & (tables[0] != MISSING) & (tables[1] != MISSING)
    first, second = (
        np.where(present, np.where(table == 1, 0, UNSOLVED), MISSING) for table in tables
    )
    return first, second


def compare_second(treatment: Arm, control: Arm) -> Comparison:
    """Second attempts after the failures that two arms share, treatment minus control."""
    return compare(*second_attempts(treatment, control), 1, np.random.default_rng(0))


def _rate(first: IntArray) -> float:
    """Share right, every problem counting the same; ``nan`` without any."""
    means, counts = problem_means(solved_by(first, 0))
    return float(means[counts > 0].mean()) if counts.any() else float("nan")


def _controlled(runs: Runs) -> list[tuple[Arm, Arm]]:
    """Each mode with each control of the same run, sampling and history."""
    return [
        (arm, control)
        for group in arms(runs).values()
        for arm in group
        for control in group
        if _rank(control.feedback) < _rank(arm.feedback)
        and arm.condition["sampling"] == control.condition["sampling"]
        and _same_history(arm, control)
        and arm.condition["run"] == control.condition["run"]
    ]


@once
def across(runs: Runs) -> pl.DataFrame:
    """The second run's conditions minus the first's, on the problems that both have.

    Conditions with the same task, digits, feedback and sampling face each other, where there are
    such with the same history; solvers and settings may differ. Where no two match, all conditions
    of the same task do.
    """
    sides: tuple[list[Arm], list[Arm]] = ([], [])
    for condition, ids, first in conditions(runs):
        sides[condition["run"]].append(Arm(condition, tuple(ids), first))
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
    return _table(shown_alike or alike or same_task)


def _same_history(one: Arm, other: Arm) -> bool:
    """Whether both show what came before in the same way; one that shows nothing suits all."""
    shows = all(recorded_mode(each.feedback).shows_history for each in (one, other))
    return not shows or one.condition["history"] == other.condition["history"]


def _rank(feedback: str) -> int:
    """Controls are compared with the controls before them only, and what is none with them all."""
    names = [mode.name for mode in control_modes()]
    name = recorded_mode(feedback).name
    return names.index(name) if name in names else len(names)


def _table(
    found: list[tuple[Arm, Arm]], compared: Callable[[Arm, Arm], Comparison] = compare_arms
) -> pl.DataFrame:
    """A row a pair: the difference with its score interval and the bootstrap's, McNemar, Holm."""
    rows = []
    for treatment, control in found:
        comparison = compared(treatment, control)
        solved = comparison.pairs
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
                "bootstrap_low": comparison.bootstrap[-1].low,
                "bootstrap_high": comparison.bootstrap[-1].high,
                "p_value": comparison.p_value,
                "only_treatment": solved.treatment if solved else None,
                "only_control": solved.control if solved else None,
                "n": comparison.final.n,
                "missing": comparison.missing,
            }
        )
    schema: dict[str, type[pl.DataType]] = {
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
    ending: dict[str, type[pl.DataType]] = {
        "bootstrap_low": pl.Float64,
        "bootstrap_high": pl.Float64,
        "p_value": pl.Float64,
        "only_treatment": pl.Int64,
        "only_control": pl.Int64,
        "n": pl.Int64,
        "missing": pl.Int64,
    }
    table = frame(rows, schema | spread_schema("difference") | ending)
    adjusted = holm(table["p_value"].fill_nan(None).fill_null(float("nan")).to_list())
    return table.with_columns(pl.Series("p_holm", adjusted, dtype=pl.Float64))
