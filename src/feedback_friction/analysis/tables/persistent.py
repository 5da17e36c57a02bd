"""What a trial that stays unsolved ends with, as far as a program can tell without a judge."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from enum import StrEnum
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
import polars as pl

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.journal import answer_text
from feedback_friction.analysis.stats.arrays import UNSOLVED
from feedback_friction.analysis.stats.proportions import clustered
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
from feedback_friction.mode_names import recorded_mode


class Ending(StrEnum):
    """How an unsolved trial ends; the first that holds.

    Attributes:
        REFUSAL: a model refused to go on.
        CUT_OFF: the last reply ended at the limit on tokens.
        FORMAT: no answer could be read in the last reply.
        SAME_OPTION: it chooses the option that the attempt before chose.
        SAME_ANSWER: it gives the answer that the attempt before gave.
        SAME_LINE: another answer, but the tutor found the same first wrong line in the last two
            attempts that it read.
        OTHER: another wrong answer.
    """

    REFUSAL = "refusal"
    CUT_OFF = "cut off"
    FORMAT = "no answer read"
    SAME_OPTION = "same option"
    SAME_ANSWER = "same answer"
    SAME_LINE = "same first wrong line"
    OTHER = "another wrong answer"


@once
def persistent(runs: Runs) -> pl.DataFrame:
    """What unsolved trials end with, told without a judge: one row a condition and ending.

    Columns: ``ending`` (``Ending``), its ``count`` and ``share`` of the unsolved trials, clustered
    by problem, ``n`` unsolved trials, ``missing``. Conditions with one attempt have no rows.
    """
    rows: list[Row] = []
    for condition, _, first in conditions(runs):
        if condition["iterations"] < 2:
            continue
        by_problem: dict[str, Counter[Ending]] = defaultdict(Counter)
        for problem, trial, stopped in _unsolved(runs, condition):
            by_problem[problem][_ending(trial, condition["feedback"], stopped=stopped)] += 1
        totals = np.array([float(each.total()) for each in by_problem.values()])
        if not totals.size:
            continue
        for ending in Ending:
            counts = np.array([float(each[ending]) for each in by_problem.values()])
            share = clustered(counts, totals)
            rows.append(
                setting(condition)
                | {"ending": ending.value, "count": int(counts.sum())}
                | spread("share", share)
                | {"n": int(totals.sum()), "missing": missing(first)}
            )
    schema = SETTING_SCHEMA | {"ending": pl.String, "count": pl.Int64} | spread_schema("share")
    return frame(rows, schema | {"n": pl.Int64, "missing": pl.Int64})


def _unsolved(runs: Runs, condition: Row) -> Iterator[tuple[str, list[tuple[Any, ...]], bool]]:
    """The problem, the attempts and whether it stopped, of every trial that ended unsolved."""
    keys = ["run", "condition", "problem_id", "epoch"]
    ended = runs.trials.filter(
        pl.col("run") == condition["run"],
        pl.col("condition") == condition["condition"],
        pl.col("solved_at") == UNSOLVED,
        pl.col("status").is_in(["unsolved", "stopped"]),
    )
    columns = ["prediction", "choices", "finish_reason", "feedback_repeats", "status"]
    attempts = runs.attempts.join(ended.select(*keys, "status"), on=keys).sort(*keys, "iteration")
    rows = attempts.select("problem_id", "epoch", *columns).iter_rows()
    for (problem, _), trial in groupby(rows, key=itemgetter(0, 1)):
        made = [row[2:] for row in trial]
        yield problem, made, made[-1][-1] == "stopped"


def _ending(trial: list[tuple[Any, ...]], feedback: str, *, stopped: bool) -> Ending:
    prediction, choices, finish, _, _ = trial[-1]
    if stopped:
        return Ending.REFUSAL
    if finish == "length":
        return Ending.CUT_OFF
    if prediction is None:
        return Ending.FORMAT
    before = trial[-2] if len(trial) > 1 else (None, choices)
    if answer_text(prediction, choices) == answer_text(before[0], before[1]):
        return Ending.SAME_OPTION if choices != "[]" else Ending.SAME_ANSWER
    told = [row[3] for row in trial if row[3] is not None]
    if recorded_mode(feedback).writer == "program" and told and told[-1]:
        return Ending.SAME_LINE
    return Ending.OTHER
