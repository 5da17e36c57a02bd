"""Students and teachers: what each pair gains, and whose the differences are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.stats.arrays import MISSING, IntArray
from feedback_friction.analysis.stats.clusters import clustered_share
from feedback_friction.analysis.stats.components import crossed
from feedback_friction.analysis.stats.differences import mean_difference
from feedback_friction.analysis.table import Row, conditions, table
from feedback_friction.mode_names import BY, recorded_mode
from feedback_friction.modes import SELF, SOLVER

_ALIKE = ("task", "digits", "sampling", "history", "feedback")
_GROUP = "task text, digits int, sampling text, history text, feedback text"
Cell = dict[str, float]  # by problem, the share solved of the trials that were wrong at first


@table(_GROUP, "student text, teacher text, gain estimate, over_self estimate, n int")
def teachers(runs: Runs) -> Iterator[Row]:
    """What a student gains from a teacher: one row a student, teacher and way of teaching.

    ``gain``: of the trials wrong at first, the share solved by the last attempt, every problem
    weighing the same; ``over_self``: the same less the student's gain from feedback of its own,
    on the problems wrong at first under both, null without such a condition. Several runs are put
    together; a pair that occurs twice counts as it did first.
    """
    for group, cells in _cells(runs).items():
        for (student, teacher), cell in cells.items():
            own = _self(runs, group, student)
            gaps = [cell[each] - own[each] for each in cell if each in own] if own else []
            yield dict(zip(_ALIKE, group, strict=True)) | {
                "student": student,
                "teacher": teacher,
                "gain": clustered_share([*cell.values()], [1.0] * len(cell)),
                "over_self": None if own is None else mean_difference(gaps, [1.0] * len(gaps)),
                "n": len(cell),
            }


@table(_GROUP, "part text, share estimate, students int, teachers int, n int")
def teaching_variance(runs: Runs) -> Iterator[Row]:
    """Whose the variance of gain is: one row a way of teaching and part.

    ``part``: student, teacher, their interaction, and the rest, which is the problems' and chance's
    (``stats.components.crossed``); ``share`` of the variance of one trial's gain. For groups in
    which at least two students meet the same two teachers or more.
    """
    for group, cells in _cells(runs).items():
        students = list(dict.fromkeys(student for student, _ in cells))
        common = [
            each
            for each in dict.fromkeys(teacher for _, teacher in cells)
            if all((student, each) in cells for student in students)
        ]
        if len(students) < 2 or len(common) < 2:
            continue
        problems = sorted({problem for cell in cells.values() for problem in cell})
        values = [
            [[cells[student, teacher].get(each, np.nan) for each in problems] for teacher in common]
            for student in students
        ]
        counts = {"students": len(students), "teachers": len(common), "n": len(problems)}
        for part, share in crossed(np.array(values)).items():
            yield dict(zip(_ALIKE, group, strict=True)) | counts | {"part": part, "share": share}


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
