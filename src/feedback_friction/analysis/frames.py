"""Run directories as tables: what every analysis starts from.

Texts stay in the journals (a run of 100,000 attempts holds hundreds of megabytes of them) and are
fetched when they are shown; the frames hold what is counted.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from feedback_friction.analysis.journal import open_journal, read_run
from feedback_friction.analysis.stats.arrays import MISSING, UNSOLVED, IntArray
from feedback_friction.errors import UsageError

_CONDITIONS = "SELECT * FROM conditions ORDER BY rowid"
_PROBLEMS = "SELECT task, problem_id, gold, subject, level, s_pop, o_pop FROM problems"
_TRIALS = "SELECT condition, problem_id, epoch, status, reason, attempts FROM trials"
_ATTEMPTS = """
    SELECT condition, problem_id, epoch, iteration, prediction, verdict, rule, is_correct,
           gold, choices, mean_logprob, temperature, draws,
           prompt_tokens, completion_tokens, cached_tokens, reasoning_tokens,
           feedback_prompt_tokens, feedback_completion_tokens, feedback_cached_tokens,
           feedback_reasoning_tokens, cost_usd, seconds, feedback_seconds,
           length(feedback) AS feedback_length, masked_spans, leaks != '[]' AS leaked,
           feedback_donor
    FROM attempts
"""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Runs:
    """One or many runs; equal only to itself, so that tables made from it can be kept.

    Every frame has a column ``run``: the position of the run directory in ``directories``. A
    condition is known by (``run``, ``condition``).

    Attributes:
        directories: the run directories.
        documents: their ``run.json``.
        conditions: a row a condition, columns of the journal's table.
        problems: a row a problem of a task.
        trials: a row a trial that ended or failed, with ``solved_at``: the iteration at which it
            was solved, ``UNSOLVED`` where it was not, ``MISSING`` where it failed or is
            undecided.
        attempts: a row an attempt, without texts.
    """

    directories: tuple[Path, ...]
    documents: tuple[dict[str, Any], ...]
    conditions: pl.DataFrame
    problems: pl.DataFrame
    trials: pl.DataFrame
    attempts: pl.DataFrame

    def first_solved(self, run: int, condition: str) -> tuple[list[str], IntArray]:
        """A condition's trials as the estimators want them.

        Returns:
            The problem ids in the order of the run, and an array of shape (problems, epochs):
            the iteration at which each trial was solved, ``UNSOLVED`` or ``MISSING``.

        Raises:
            UsageError: the run has no such condition.
        """
        row = self.condition(run, condition)
        ids = self.problem_ids(run, row["task"])
        position = {problem: index for index, problem in enumerate(ids)}
        first = np.full((len(ids), int(row["epochs"])), MISSING, dtype=np.int64)
        trials = self.trials.filter(pl.col("run") == run, pl.col("condition") == condition)
        for problem, epoch, solved in trials.select("problem_id", "epoch", "solved_at").iter_rows():
            first[position[problem], epoch] = solved
        return ids, first

    def condition(self, run: int, condition: str) -> dict[str, Any]:
        """The row of a condition; raises ``UsageError`` when the run has none of that name."""
        rows = self.conditions.filter(pl.col("run") == run, pl.col("condition") == condition)
        if rows.is_empty():
            raise UsageError(f"{self.directories[run]} has no condition '{condition}'")
        return rows.row(0, named=True)

    def problem_ids(self, run: int, task: str) -> list[str]:
        """The ids of a task's problems, in the order of the run."""
        rows = self.problems.filter(pl.col("run") == run, pl.col("task") == task)
        return rows["problem_id"].to_list()


def load_runs(directories: Sequence[Path]) -> Runs:
    """Read run directories; a run may still be writing to one of them.

    Raises:
        UsageError: one of them is no run directory, or cannot be read.
    """
    if not directories:
        raise UsageError("no run directory given")
    frames: dict[str, list[pl.DataFrame]] = {}
    documents = []
    for run, directory in enumerate(directories):
        documents.append(read_run(directory))
        with open_journal(directory) as db:
            for name, query in (
                ("conditions", _CONDITIONS),
                ("problems", f"{_PROBLEMS} ORDER BY rowid"),
                ("trials", _TRIALS),
                ("attempts", f"{_ATTEMPTS} ORDER BY condition, problem_id, epoch, iteration"),
            ):
                frames.setdefault(name, []).append(_read(db, query, run))
    joined = {name: pl.concat(parts, how="vertical_relaxed") for name, parts in frames.items()}
    solved_at = (
        pl.when(pl.col("status") == "solved")
        .then(pl.col("attempts") - 1)
        .when(pl.col("status").is_in(["failed", "undecided"]))
        .then(pl.lit(MISSING))
        .otherwise(pl.lit(UNSOLVED))
    )
    return Runs(
        tuple(directories),
        tuple(documents),
        joined["conditions"],
        joined["problems"],
        joined["trials"].with_columns(solved_at.cast(pl.Int64).alias("solved_at")),
        joined["attempts"],
    )


# What SQLite's columns hold; a column of a frame without rows needs to be told.
_FLOATS = {"mean_logprob", "temperature", "cost_usd", "seconds", "feedback_seconds"}
_TEXTS = {
    "condition", "task", "solver", "feedback", "feedback_model", "sampling", "history", "grader",
    "problem_id", "gold", "subject", "level", "status", "reason", "prediction", "verdict", "rule",
    "choices", "feedback_donor",
}  # fmt: skip


def _read(db: sqlite3.Connection, query: str, run: int) -> pl.DataFrame:
    cursor = db.execute(query)
    names = [column[0] for column in cursor.description]
    schema = {name: _type(name) for name in names}
    rows = [tuple(row) for row in cursor]
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return frame.select(pl.lit(run).cast(pl.Int64).alias("run"), pl.all())


def _type(name: str) -> type[pl.DataType]:
    if name in _TEXTS:
        return pl.String
    return pl.Float64 if name in _FLOATS else pl.Int64
