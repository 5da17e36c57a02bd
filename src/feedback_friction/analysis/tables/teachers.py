"""Students and teachers: what each pair gains, and whose the differences are."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import polars as pl

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.stats.arrays import MISSING, FloatArray, IntArray
from feedback_friction.analysis.stats.clusters import clustered_share
from feedback_friction.analysis.stats.crossed import PARTS, split
from feedback_friction.analysis.stats.differences import mean_difference
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.analysis.tables.shared_columns import (
    conditions,
    frame,
    once,
    spread,
    spread_schema,
)
from feedback_friction.mode_names import BY, recorded_mode
from feedback_friction.modes import SELF, SOLVER

_ALIKE = ("task", "digits", "sampling", "history", "feedback")
_GROUP_SCHEMA: dict[str, type[pl.DataType]] = {
    "task": pl.String, "digits": pl.Int64, "sampling": pl.String, "history": pl.String,
    "feedback": pl.String,
}  # fmt: skip
Cell = dict[str, float]  # by problem, the share solved of the trials that were wrong at first


@once
def teachers(runs: Runs) -> pl.DataFrame:
    """What a student gains from a teacher: one row a student, teacher and way of teaching.

    ``gain``: of the trials wrong at first, the share solved by the last attempt (the normalised
    gain of these trials); ``over_self``: the same less the student's gain from feedback of its own,
    on the problems wrong at first under both, null without such a condition. Several runs are put
    together; a pair that occurs twice counts as it did first.
    """
    rows = []
    for group, cells in _cells(runs).items():
        for (student, teacher), cell in cells.items():
            own = _self(runs, group, student)
            over = _over(cell, own) if own is not None else None
            rows.append(
                dict(zip(_ALIKE, group, strict=True))
                | {"student": student, "teacher": teacher}
                | spread("gain", _share(cell))
                | (spread("over_self", over) if over else {})
                | {"n": len(cell)}
            )
    schema = _GROUP_SCHEMA | {"student": pl.String, "teacher": pl.String}
    schema |= spread_schema("gain", "over_self")
    schema |= {"n": pl.Int64}
    return frame([{name: row.get(name) for name in schema} for row in rows], schema)


@once
def teaching_variance(runs: Runs) -> pl.DataFrame:
    """Whose the variance of gain is: one row a way of teaching and part.

    ``part``: student, teacher, their interaction, and the rest, which is the problems' and chance's
    (``stats.crossed``); ``share`` of the variance of one trial's gain. For groups in which at least
    two students meet the same two teachers or more.
    """
    rows = []
    for group, cells in _cells(runs).items():
        students = list(dict.fromkeys(student for student, _ in cells))
        taught = [teacher for _, teacher in cells]
        common = [
            each
            for each in dict.fromkeys(taught)
            if all((student, each) in cells for student in students)
        ]
        if len(students) < 2 or len(common) < 2:
            continue
        problems = sorted({problem for cell in cells.values() for problem in cell})
        values = [
            [_values(cells[student, teacher], problems) for teacher in common]
            for student in students
        ]
        rows += [
            dict(zip(_ALIKE, group, strict=True))
            | {"part": part}
            | spread("share", share)
            | {"students": len(students), "teachers": len(common), "n": len(problems)}
            for part, share in zip(PARTS, split(values).shares, strict=True)
        ]
    counts = {"students": pl.Int64, "teachers": pl.Int64, "n": pl.Int64}
    return frame(rows, _GROUP_SCHEMA | {"part": pl.String} | spread_schema("share") | counts)


Group = tuple[object, ...]


def _cells(runs: Runs) -> dict[Group, dict[tuple[str, str], Cell]]:
    """By way of teaching, student and teacher: what is written by another model than the solver."""
    found: dict[Group, dict[tuple[str, str], Cell]] = defaultdict(dict)
    for condition, ids, first in conditions(runs):
        mode, teacher = recorded_mode(condition["feedback"]), condition["feedback_model"]
        if mode.speaker != SOLVER and teacher is not None and condition["iterations"] > 1:
            plain = condition | {"feedback": condition["feedback"].partition(BY)[0]}
            group = tuple(plain[name] for name in _ALIKE)
            pair = (str(condition["solver"]), str(teacher))
            found[group].setdefault(pair, _cell(ids, first))
    return found


def _cell(ids: list[str], first: IntArray) -> Cell:
    cell = {}
    for problem, trials in zip(ids, first, strict=True):
        wrong = trials[(trials != MISSING) & (trials != 0)]
        if len(wrong):
            cell[problem] = float((wrong > 0).mean())
    return cell


def _self(runs: Runs, group: Group, student: str) -> Cell | None:
    """What a student gains from feedback that it writes itself, in the same setting."""
    for condition, ids, first in conditions(runs):
        same = tuple(condition[name] for name in _ALIKE[:-1]) == group[:-1]
        if same and condition["solver"] == student and condition["feedback"] == SELF.name:
            return _cell(ids, first)
    return None


def _share(cell: Cell) -> Estimate:
    return clustered_share([*cell.values()], [1.0] * len(cell))


def _over(cell: Cell, own: Cell) -> Estimate:
    gaps = [cell[problem] - own[problem] for problem in cell if problem in own]
    return mean_difference(gaps, [1.0] * len(gaps))


def _values(cell: Cell, problems: list[str]) -> FloatArray:
    return np.array([cell.get(problem, np.nan) for problem in problems])
