"""Run directories as tables: what every analysis starts from.

Texts stay in the journals (a run of 100,000 attempts holds hundreds of megabytes of them) and are
fetched when they are shown; the frames hold what is counted.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from feedback_friction.analysis.journal import (
    ENDED,
    IN_FLIGHT,
    KNOWN_TRIALS,
    USAGE_COLUMNS,
    answer_text,
    has_table,
    one_line,
    open_journal,
    read_conditions,
    run_names,
    run_of_trials,
)
from feedback_friction.analysis.stats.arrays import MISSING, UNSOLVED, IntArray
from feedback_friction.errors import UsageError
from feedback_friction.mode_names import BY

_CONDITIONS = "SELECT * FROM conditions ORDER BY rowid"
_PROBLEMS = """
    SELECT task, problem_id, gold, choices, subject, level, s_pop, o_pop, {cluster} AS cluster
    FROM problems p ORDER BY rowid
"""
_CLUSTER = """
    (SELECT cluster FROM clusters c WHERE (c.task, c.problem_id) = (p.task, p.problem_id))
"""
_ATTEMPTS = f"""
    SELECT condition, problem_id, epoch, iteration, prediction, verdict, rule, is_correct,
           gold, choices, mean_logprob, temperature, draws,
           {", ".join(USAGE_COLUMNS)}, cost_usd, seconds, feedback_seconds,
           length(feedback) AS feedback_length, masked_spans, leaks != '[]' AS leaked,
           feedback_donor, finish_reason, {{aligned}} AS aligned,
           feedback = lag(feedback) OVER (
               PARTITION BY condition, problem_id, epoch ORDER BY iteration
           ) AS feedback_repeats
    FROM attempts a
"""
_ALIGNED = """
    EXISTS (SELECT 1 FROM aligned l WHERE (l.condition, l.problem_id, l.epoch, l.iteration)
                                        = (a.condition, a.problem_id, a.epoch, a.iteration))
"""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Runs:
    """One or many runs; equal only to itself, so that tables made from it can be kept.

    Every frame has a column ``run``: the position of the run directory in ``directories``. A
    condition is known by (``run``, ``condition``).

    A run with trials in flight is read up to its *horizon*: the number of iterations of which every
    trial that has begun knows the outcome. Comparisons of trials that ended, most of which were
    solved early, with others that did not would favour whatever runs ahead. Up to the horizon
    nothing is censored.
    """

    directories: tuple[Path, ...]  # the run directories
    documents: tuple[dict[str, Any], ...]  # their ``run.json``
    # a row a condition, columns of the journal's table; ``iterations`` is the horizon where that is
    # less, ``planned`` what the run was asked for
    conditions: pl.DataFrame
    problems: pl.DataFrame  # a row a problem of a task
    # a row a trial that ended, failed, is undecided or in flight, with ``known``, its attempts that
    # have a verdict, and ``solved_at``: the iteration at which it was solved, ``UNSOLVED`` where it
    # was not, ``MISSING`` where it failed or is undecided
    trials: pl.DataFrame
    # a row an attempt before the horizon, without texts, of the trials that are not missing; up to
    # the first right one, after which answers are only challenged. ``answer`` is what attempts are
    # compared by (``journal.answer_text``).
    attempts: pl.DataFrame
    # every attempt, in the same way: also those of missing trials, from the horizon on, and after
    # a right one. What was paid for, and what feedback was given, is counted over these.
    every_attempt: pl.DataFrame

    @property
    def names(self) -> list[str]:
        """What each run is called (``journal.run_names``)."""
        return run_names(self.directories)

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
        trials = self.trials.filter(pl.col("run") == run, pl.col("condition") == condition)
        found = trials.select("problem_id", "epoch", "solved_at").iter_rows()
        try:
            first = by_trial(found, ids, int(row["epochs"]), MISSING)
        except (LookupError, TypeError) as error:
            raise UsageError(
                f"the journal of {self.directories[run]} is damaged: '{condition}' has a trial of "
                f"no problem or epoch of its own ({one_line(error)})"
            ) from error
        return ids, first

    def unfinished(self, run: int) -> int:
        """Trials of a run that have still to end: in flight, or not begun."""
        planned = self.conditions.filter(pl.col("run") == run)["problems"].sum()
        ended = pl.col("status") != IN_FLIGHT
        return int(planned) - self.trials.filter(pl.col("run") == run, ended).height

    def horizon(self, run: int) -> tuple[int, int]:
        """The most iterations that a run's conditions are read to, and were asked for."""
        conditions = self.conditions.filter(pl.col("run") == run)
        return max(conditions["iterations"].to_list()), max(conditions["planned"].to_list())

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

    def clusters(self, run: int, task: str) -> dict[str, str]:
        """By problem id, what problems of a task share with others; nothing for the others."""
        rows = self.problems.filter(
            pl.col("run") == run, pl.col("task") == task, pl.col("cluster").is_not_null()
        )
        return dict(rows.select("problem_id", "cluster").iter_rows())


def by_trial(
    values: Iterable[tuple[str, int, int]], ids: Sequence[str], epochs: int, otherwise: int
) -> IntArray:
    """A value of each trial as an array of shape (problems, epochs).

    Args:
        values: problem id, epoch and value; other trials have the value ``otherwise``.
        ids: the problems in their order.
    """
    position = {problem: index for index, problem in enumerate(ids)}
    found = np.full((len(ids), epochs), otherwise, dtype=np.int64)
    for problem, epoch, value in values:
        found[position[problem], epoch] = value
    return found


def load_runs(directories: Sequence[Path]) -> Runs:
    """Read run directories; a run may still be writing to one of them."""
    if not directories:
        raise UsageError("no run directory given")
    frames: dict[str, list[pl.DataFrame]] = {}
    documents = []
    for run, directory in enumerate(directories):
        documents.append(run_of_trials(directory))
        with open_journal(directory) as db:
            read_conditions(db)  # refuses what no run can have
            attempts = _ATTEMPTS.format(aligned=_ALIGNED if has_table(db, "aligned") else "0")
            problems = _PROBLEMS.format(cluster=_CLUSTER if has_table(db, "clusters") else "NULL")
            for name, query in (
                ("conditions", _CONDITIONS),
                ("problems", problems),
                ("trials", KNOWN_TRIALS),
                ("attempts", f"{attempts} ORDER BY condition, problem_id, epoch, iteration"),
            ):
                read = _read(db, query, run)
                frames.setdefault(name, []).append(
                    _with_answers(read) if name == "attempts" else read
                )
    joined = {name: pl.concat(parts, how="vertical_relaxed") for name, parts in frames.items()}
    told = _with_teachers(joined["conditions"])
    conditions = _up_to_the_horizon(told, joined["trials"])
    trials = _with_solved_at(joined["trials"], conditions)
    return Runs(
        tuple(directories),
        tuple(documents),
        conditions,
        joined["problems"],
        trials,
        _counted(joined["attempts"], trials, conditions),
        joined["attempts"],
    )


_CONDITION = ["run", "condition"]
TRIAL = [*_CONDITION, "problem_id", "epoch"]


def _with_answers(attempts: pl.DataFrame) -> pl.DataFrame:
    answers = [answer_text(*row) for row in attempts.select("prediction", "choices").iter_rows()]
    return attempts.with_columns(pl.Series("answer", answers, dtype=pl.String))


def _with_teachers(conditions: pl.DataFrame) -> pl.DataFrame:
    """The conditions, with the feedback model named in ``feedback`` where a run has several."""
    alike = ["run", "task", "digits", "solver", "feedback", "sampling", "history"]
    several = pl.col("feedback_model").n_unique().over(alike) > 1
    named = pl.col("feedback") + BY + pl.col("feedback_model")
    return conditions.with_columns(
        pl.when(several).then(named).otherwise(pl.col("feedback")).alias("feedback")
    )


def _up_to_the_horizon(conditions: pl.DataFrame, trials: pl.DataFrame) -> pl.DataFrame:
    """The conditions with ``iterations`` cut to the horizon of their run; see ``Runs``."""
    in_flight = trials.filter(pl.col("status") == IN_FLIGHT, pl.col("solved") == 0)
    horizons = in_flight.group_by("run").agg(pl.col("known").min().alias("horizon"))
    cut = pl.min_horizontal("iterations", pl.col("horizon").clip(lower_bound=1))
    return (
        conditions.join(horizons, on="run", how="left", maintain_order="left")
        .with_columns(pl.col("iterations").alias("planned"), cut.alias("iterations"))
        .drop("horizon")
    )


def _with_solved_at(trials: pl.DataFrame, conditions: pl.DataFrame) -> pl.DataFrame:
    solved_at = pl.col("known") - 1
    lost = ~pl.col("status").is_in([*ENDED, IN_FLIGHT])
    return (
        trials.join(
            conditions.select(*_CONDITION, "iterations"),
            on=_CONDITION,
            how="left",
            maintain_order="left",
        )
        .with_columns(
            pl.when(lost)
            .then(pl.lit(MISSING))
            .when((pl.col("solved") == 1) & (solved_at < pl.col("iterations")))
            .then(solved_at)
            .otherwise(pl.lit(UNSOLVED))
            .cast(pl.Int64)
            .alias("solved_at")
        )
        .drop("iterations")
    )


def _counted(
    attempts: pl.DataFrame, trials: pl.DataFrame, conditions: pl.DataFrame
) -> pl.DataFrame:
    """The attempts that the frames' trials stand on: see ``Runs``."""
    counted = trials.filter(pl.col("solved_at") != MISSING)
    horizon = conditions.select(*_CONDITION, "iterations")
    return (
        attempts.join(counted, on=TRIAL, how="semi", maintain_order="left")
        .join(horizon, on=_CONDITION, how="left", maintain_order="left")
        .filter(pl.col("iteration") < pl.col("iterations"))
        .filter(pl.col("is_correct").cum_sum().over(TRIAL) - pl.col("is_correct") == 0)
        .drop("iterations")
    )


# What SQLite's columns hold; a column of a frame without rows needs to be told.
_FLOATS = {"mean_logprob", "temperature", "cost_usd", "seconds", "feedback_seconds"}
_TEXTS = {
    "condition", "task", "solver", "feedback", "feedback_model", "sampling", "history", "grader",
    "problem_id", "gold", "subject", "level", "status", "reason", "prediction", "verdict", "rule",
    "choices", "feedback_donor", "finish_reason", "cluster",
}  # fmt: skip


def _read(db: sqlite3.Connection, query: str, run: int) -> pl.DataFrame:
    cursor = db.execute(query)
    names = [column[0] for column in cursor.description]
    schema = {name: _type(name) for name in names}
    rows = [tuple(row) for row in cursor]
    try:
        frame = pl.DataFrame(rows, schema=schema, orient="row")
    except pl.exceptions.PolarsError as error:  # a cell of another type than its column's
        raise ValueError(str(error)) from error
    return frame.select(pl.lit(run).cast(pl.Int64).alias("run"), pl.all())


def _type(name: str) -> type[pl.DataType]:
    if name in _TEXTS:
        return pl.String
    return pl.Float64 if name in _FLOATS else pl.Int64
