"""Conditions compared problem by problem: every pair, and the gain over the controls."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import combinations, permutations, product

import numpy as np
import polars as pl

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.journal import Condition
from feedback_friction.analysis.retries import excludes
from feedback_friction.analysis.stats.arrays import MISSING, UNSOLVED, IntArray
from feedback_friction.analysis.stats.differences import Pairs, holm
from feedback_friction.analysis.stats.guessing import Excludes, guesser
from feedback_friction.analysis.stats.intervals import Interval
from feedback_friction.analysis.stats.paired import Comparison, compare
from feedback_friction.analysis.table import Row, conditions, frame, once
from feedback_friction.analysis.tables.accuracy_table import results
from feedback_friction.analysis.uptake import is_control
from feedback_friction.mode_names import recorded_mode
from feedback_friction.ways import condition_name


@dataclass(frozen=True, slots=True)
class Arm:
    """A condition with its trials, as one side of a comparison; clusters by problem id."""

    condition: Row
    ids: tuple[str, ...]
    first: IntArray
    clusters: Mapping[str, str]

    @property
    def recorded(self) -> Condition:
        """The condition as the journal has it."""
        return Condition(**{each.name: self.condition[each.name] for each in fields(Condition)})


def arm_name(condition: Row) -> str:
    """A condition as a comparison says it."""
    return condition_name(condition["feedback"], condition["history"], condition["sampling"])


@once
def arms(runs: Runs, alike: tuple[str, ...] = ("task", "digits", "solver")) -> list[list[Arm]]:
    """Conditions that share task, digits and solver, or what else is said, over all runs."""
    groups: dict[tuple[object, ...], list[Arm]] = defaultdict(list)
    for condition, ids, first in conditions(runs):
        clusters = runs.clusters(condition["run"], condition["task"])
        arm = Arm(condition, tuple(ids), first, clusters)
        groups[tuple(condition[each] for each in alike)].append(arm)
    return [*groups.values()]


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
    """The arm's trials in the order of ``ids``, within so many iterations."""
    ended = np.where(arm.first < iterations, arm.first, UNSOLVED)
    nothing = np.full(arm.first.shape[1], MISSING)
    by_id = dict(zip(arm.ids, ended, strict=True))
    return np.array([by_id.get(problem, nothing) for problem in ids], dtype=np.int64)


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
    return [pair for group in arms(runs) for pair in combinations(group, 2)]


def _solvers(runs: Runs) -> list[tuple[Arm, Arm]]:
    alike = ("task", "digits", "feedback", "sampling", "history")
    return [
        (one, other)
        for group in arms(runs, alike)
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
    by_name = {(row["run"], row["condition"]): row for row, _, _ in conditions(runs)}
    rows = [
        _sides(
            condition,
            by_name[condition["run"], each.control.condition],
            condition["run"],
            condition["run"],
        )
        | {"guess": each.guess, "control_guess": each.control_guess}
        | {"difference": each.right.difference}
        | {name: getattr(each, name).treatment for name in ("right", *_BESIDE)}
        | {f"control_{name}": getattr(each, name).control for name in ("right", *_BESIDE)}
        | {f"{name}_difference": getattr(each, name).difference for name in _BESIDE}
        | {"p_value": each.p_value, "n": each.n, "trials": each.trials}
        | _discordant(each.pairs)
        for condition, result in results(runs)
        for each in result.uptakes
        if condition["iterations"] > 1
    ]
    return _adjusted(
        rows,
        "right float, control_right float, guess float, control_guess float, difference estimate",
        *(f"{name} float, control_{name} float" for name in _BESIDE),
        *(f"{name}_difference estimate" for name in _BESIDE),
        "p_value float, only_treatment int, only_control int, n int, trials int",
    )


_BESIDE = ("repeated", "gain", "area")


def _controlled(runs: Runs) -> list[tuple[Arm, Arm]]:
    """Each mode with each control of the same run, sampling and history."""
    return [
        (arm, control)
        for group in arms(runs)
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
    every = [(new, old) for old, new in product(*arms(runs, ("run",)))]
    same_task = [pair for pair in every if _same(*pair, "task", "digits")]
    alike = [pair for pair in same_task if _same(*pair, "feedback", "sampling")]
    shown_alike = [pair for pair in alike if _same_history(*pair)]
    return _table(runs, shown_alike or alike or same_task)


def _same(one: Arm, other: Arm, *names: str) -> bool:
    return all(one.condition[name] == other.condition[name] for name in names)


def _same_history(one: Arm, other: Arm) -> bool:
    """Whether both show what came before in the same way; one that shows nothing suits all."""
    shows = all(recorded_mode(each.condition["feedback"]).shows_history for each in (one, other))
    return not shows or _same(one, other, "history")


_SIDES = (
    "task text, digits int, solver text, control_solver text, treatment text, control text, "
    "treatment_run int, control_run int, feedback text, against text, sampling text, "
    "control_sampling text, history text, control_history text, simulated bool"
)


def _sides(one: Row, other: Row, run: int, control_run: int) -> Row:
    """The columns that say which two conditions a row compares."""
    return {
        **{name: one[name] for name in ("task", "digits", "solver", "feedback", "sampling")},
        "history": one["history"],
        "treatment": arm_name(one),
        "treatment_run": run,
        "simulated": bool(one["simulated"]),
        "against": other["feedback"],
        "control": arm_name(other),
        "control_run": control_run,
        **{f"control_{name}": other[name] for name in ("solver", "sampling", "history")},
    }


def _discordant(pairs: Pairs | None) -> Row:
    """The columns of problems that one side alone solves; null with several epochs."""
    if pairs is None:
        return {}
    return {"only_treatment": pairs.treatment, "only_control": pairs.control}


def _table(runs: Runs, found: list[tuple[Arm, Arm]]) -> pl.DataFrame:
    """A row a pair: the difference with its score interval, McNemar, Holm.

    Where there are options, ``guess_low`` to ``guess_high`` is what guessers would differ by, and
    the p-value is that of the difference lying in that range.
    """
    return _adjusted(
        [_compared(runs, treatment, control) for treatment, control in found],
        "difference estimate, guess_low float, guess_high float, p_value float",
        "only_treatment int, only_control int, n int, missing int",
    )


def _compared(runs: Runs, treatment: Arm, control: Arm) -> Row:
    comparison = compare_arms(treatment, control)
    guessed = guessed_difference(runs, treatment, control)
    one, other = treatment.condition, control.condition
    return {
        **_sides(one, other, one["run"], other["run"]),
        **_discordant(comparison.pairs),
        "difference": comparison.difference,
        "guess_low": guessed.low,
        "guess_high": guessed.high,
        "p_value": comparison.p_beyond(guessed),
        "n": comparison.difference.n,
        "missing": comparison.missing,
    }


def _adjusted(rows: list[Row], *columns: str) -> pl.DataFrame:
    """Rows as a table with their p-values adjusted by Holm over all of them."""
    table = frame(rows, _SIDES, *columns)
    adjusted = holm(table["p_value"].fill_nan(None).fill_null(float("nan")).to_list())
    return table.with_columns(pl.Series("p_holm", adjusted, dtype=pl.Float64))
