"""What goes with taking up feedback: a discrete-time model of the attempts after the first."""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any

import numpy as np
import polars as pl

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.journal import answer_text
from feedback_friction.analysis.stats.arrays import FloatArray, IntArray
from feedback_friction.analysis.stats.mixed import mixed_logit
from feedback_friction.analysis.tables.shared_columns import Row, frame, once, spread, spread_schema
from feedback_friction.ways import GREEDY, named_history

Group = tuple[int, str, int | None, str]  # run, task, digits, solver
MOST_SUBJECTS = 12  # more would each have too few problems

_SCHEMA: dict[str, type[pl.DataType]] = {
    "run": pl.Int64,
    "task": pl.String,
    "digits": pl.Int64,
    "solver": pl.String,
    "term": pl.String,
}


@once
def uptake_model(runs: Runs) -> pl.DataFrame:
    """Odds ratios of a right attempt after the first: one row a run, task, solver and term.

    A logistic model of all attempts after the first, each trial as long as it is unsolved, in which
    every problem has an effect of its own (``stats.mixed``). Terms: each condition against the
    first of the run, ``iteration`` (per attempt), ``feedback length`` (per doubling of its
    characters), ``masked spans`` (per span), ``leak`` (the audit found the answer in the feedback
    before), ``alignment leak`` (it repeats what of the answer the solver had
    worked out), ``repeated`` (the attempt before gave an answer that the trial had given before),
    and each subject against the first. A term that those before it give (one feedback text has one
    length) is left out, and where nothing can be fitted there is no row. Columns: ``odds_ratio``
    with limits, ``p_value``, ``attempts``, ``problems``, ``icc`` (share of the latent variance that
    lies between problems).
    """
    rows: list[Row] = []
    for group, (right, columns, problem) in _designs(runs).items():
        kept, table = _independent(columns, len(right))
        found = mixed_logit(right, table, problem)
        if found is None:
            continue
        rows += [
            dict(zip(("run", "task", "digits", "solver"), group, strict=True))
            | {"term": term}
            | spread("odds_ratio", ratio)
            | {"p_value": p_value, "attempts": len(right), "problems": ratio.n, "icc": found.icc}
            for term, ratio, p_value in zip(
                kept, found.odds_ratios[1:], found.p_values[1:], strict=True
            )
        ]
    ending: dict[str, type[pl.DataType]] = {
        "p_value": pl.Float64,
        "attempts": pl.Int64,
        "problems": pl.Int64,
        "icc": pl.Float64,
    }
    return frame(rows, _SCHEMA | spread_schema("odds_ratio") | ending)


def _independent(columns: dict[str, FloatArray], n: int) -> tuple[list[str], FloatArray]:
    """The columns that those before them, and an intercept, do not give, and all as one array."""
    kept: list[str] = []
    table = np.ones((n, 1))
    for name, values in columns.items():
        wider = np.column_stack([table, values])
        if np.linalg.matrix_rank(wider) > table.shape[1]:
            kept.append(name)
            table = wider
    return kept, table


def _designs(runs: Runs) -> dict[Group, tuple[FloatArray, dict[str, FloatArray], IntArray]]:
    """By group: outcomes, the columns by name, and the number of the problem of each attempt."""
    found: dict[Group, list[Row]] = defaultdict(list)
    settings = {
        (row["run"], row["condition"]): row for row in runs.conditions.iter_rows(named=True)
    }
    place = {key: number for number, key in enumerate(settings)}
    subjects = {
        (run, task, problem): subject or ""
        for run, task, problem, subject in runs.problems.select(
            "run", "task", "problem_id", "subject"
        ).iter_rows()
    }
    keys = ["run", "condition", "problem_id", "epoch"]
    attempts = runs.attempts.sort(*keys, "iteration").select(*keys, *_READ).iter_rows(named=True)
    for (run, name, problem, _), trial in groupby(attempts, key=itemgetter(*keys)):
        condition = settings[run, name]
        group = (run, condition["task"], condition["digits"], condition["solver"])
        subject = subjects.get((run, condition["task"], problem), "")
        label = _label(**{each: condition[each] for each in ("feedback", "sampling", "history")})
        found[group] += [
            row
            | {"problem": problem, "condition": label, "subject": subject}
            | {"place": place[run, name]}
            for row in _attempts(list(trial))
        ]
    return {group: _design(rows) for group, rows in found.items() if rows}


def _label(feedback: str, sampling: str, history: str) -> str:
    """A condition by its feedback, and by what else of it is not the usual."""
    drawn = "" if sampling == GREEDY.name else sampling
    return ", ".join(filter(None, (feedback, drawn, named_history(feedback, history))))


_TERMS = (
    "iteration", "feedback length", "masked spans", "leak", "alignment leak", "repeated",
)  # fmt: skip
_READ = (
    "iteration", "prediction", "choices", "is_correct", "feedback_length", "masked_spans", "leaked",
    "aligned",
)  # fmt: skip


def _attempts(trial: list[dict[str, Any]]) -> list[Row]:
    """The attempts of a trial after the first, with what went before each."""
    rows, given = [], set[str | None]()
    for before, now in pairwise(trial):
        answer = answer_text(before["prediction"], before["choices"])
        rows.append(
            {
                "right": float(now["is_correct"]),
                "iteration": float(now["iteration"]),
                "feedback length": float(np.log2(1 + (before["feedback_length"] or 0))),
                "masked spans": float(before["masked_spans"] or 0),
                "leak": float(before["leaked"] or 0),
                "alignment leak": float(before["aligned"] or 0),
                "repeated": float(answer is not None and answer in given),
            }
        )
        given.add(answer)
    return rows


def _design(rows: list[Row]) -> tuple[FloatArray, dict[str, FloatArray], IntArray]:
    columns: dict[str, FloatArray] = {}
    asked = {row["condition"]: row["place"] for row in rows}
    conditions = sorted(asked, key=asked.__getitem__)
    for name in conditions[1:]:
        columns[f"{name} against {conditions[0]}"] = _column(rows, "condition", name)
    for name in _TERMS:
        columns[name] = np.array([row[name] for row in rows])
    subjects = sorted({row["subject"] for row in rows})
    if len(subjects) <= MOST_SUBJECTS:
        for name in subjects[1:]:
            columns[f"{name} against {subjects[0]}"] = _column(rows, "subject", name)
    place = {name: number for number, name in enumerate({row["problem"]: 0 for row in rows})}
    problem = np.array([place[row["problem"]] for row in rows], dtype=np.int64)
    return np.array([row["right"] for row in rows]), columns, problem


def _column(rows: list[Row], name: str, value: str) -> FloatArray:
    return np.array([float(row[name] == value) for row in rows])
