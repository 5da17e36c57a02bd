"""Solved within so many tokens: conditions beside each other at equal cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
import polars as pl

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.stats.arrays import FloatArray
from feedback_friction.analysis.stats.clusters import clustered_share
from feedback_friction.analysis.stats.differences import mean_difference
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.analysis.tables.shared_columns import (
    SETTING_SCHEMA,
    Row,
    conditions,
    frame,
    once,
    setting,
    spread,
    spread_schema,
)

LEVELS = 11
LONGEST = 0.98  # of the trials; the levels end with what these took
_TRIAL = ["problem_id", "epoch"]
_ANSWERING = pl.col("prompt_tokens").fill_null(0) + pl.col("completion_tokens").fill_null(0)
_WRITING = pl.col("feedback_prompt_tokens").fill_null(0) + pl.col(
    "feedback_completion_tokens"
).fill_null(0)


@dataclass(frozen=True, slots=True, eq=False)
class _Spending:
    """What the trials of a condition took.

    Attributes:
        problems: ids, in the order of the run; one for each trial.
        solved: tokens to the end of the right attempt, infinite where there is none; shape (n,).
        took: tokens of the whole trial, shape (n,).
        clusters: by problem id, what it shares with others.
    """

    problems: list[str]
    solved: FloatArray
    took: FloatArray
    clusters: dict[str, str]

    def shares(self, level: float) -> dict[str, tuple[float, float]]:
        """By problem, how many of its trials are solved within a level, and how many it has."""
        found: dict[str, tuple[float, float]] = {}
        for problem, solved in zip(self.problems, self.solved <= level, strict=True):
            right, trials = found.get(problem, (0.0, 0.0))
            found[problem] = (right + float(solved), trials + 1)
        return found


@once
def solved_within(runs: Runs, levels: tuple[int, ...] = ()) -> pl.DataFrame:
    """Share of trials that are solved with at most so many tokens: a row a condition and level.

    ``tokens``: read and written, by the solver and by who writes feedback, from the trial's first
    call to the end of its right attempt; calls that conditions share count in each. ``solved`` with
    limits; ``short``: trials that ended unsolved with fewer tokens: with more attempts they may
    have been solved, so that the share says too little where there are many. ``difference``: what
    the condition adds to the ``against`` one, the first of its task and solver, paired by problem.
    ``n``: trials.

    Args:
        levels: numbers of tokens; none for some that the trials took.
    """
    found = [
        (condition, spending)
        for condition, _, _ in conditions(runs)
        if len((spending := _spending(runs, condition)).took)
    ]
    wanted = levels or _levels([spending for _, spending in found])
    first: dict[tuple[object, ...], tuple[Row, _Spending]] = {}
    rows: list[Row] = []
    for condition, spending in found:
        where = tuple(condition[name] for name in ("task", "digits", "solver"))
        against, base = first.setdefault(where, (condition, spending))
        rows.extend(
            setting(condition)
            | {"tokens": level}
            | spread("solved", _share(spending, level))
            | {"short": int(((spending.took < level) & np.isinf(spending.solved)).sum())}
            | {"against": against["feedback"]}
            | spread("difference", _difference(spending, base, level))
            | {"n": len(spending.took)}
            for level in wanted
        )
    counts: dict[str, type[pl.DataType]] = {"tokens": pl.Int64}
    schema = SETTING_SCHEMA | counts | spread_schema("solved") | {"short": pl.Int64}
    schema |= {"against": pl.String} | spread_schema("difference") | {"n": pl.Int64}
    return frame(rows, schema)


def _spending(runs: Runs, condition: Row) -> _Spending:
    run = condition["run"]
    attempts = runs.attempts.filter(
        pl.col("run") == run, pl.col("condition") == condition["condition"]
    ).sort(*_TRIAL, "iteration")
    told = _WRITING.shift(1, fill_value=0).over(_TRIAL)
    spent = attempts.with_columns((_ANSWERING + told).cum_sum().over(_TRIAL).alias("spent"))
    right = pl.col("is_correct").cast(pl.Boolean)
    trials = spent.group_by(_TRIAL, maintain_order=True).agg(
        pl.col("spent").filter(right).min().cast(pl.Float64).fill_null(np.inf).alias("solved"),
        pl.col("spent").max().cast(pl.Float64).alias("took"),
    )
    return _Spending(
        trials["problem_id"].to_list(),
        trials["solved"].to_numpy(),
        trials["took"].to_numpy(),
        runs.clusters(run, condition["task"]),
    )


def _levels(found: Sequence[_Spending]) -> list[int]:
    """Numbers of tokens in equal steps, over what the trials took, but for the longest few."""
    if not found:
        return []
    took = np.concatenate([each.took for each in found])
    low, high = np.quantile(took, [0.0, LONGEST]).tolist()
    return sorted({round(each) for each in np.linspace(low, high, LEVELS).tolist()})


def _share(spending: _Spending, level: int) -> Estimate:
    """The share, by whatever the problems share where they do."""
    sums: dict[str, tuple[float, float]] = {}
    for problem, (right, trials) in spending.shares(level).items():
        unit = spending.clusters.get(problem, f"\0{problem}")
        before, count = sums.get(unit, (0.0, 0.0))
        sums[unit] = (before + right, count + trials)
    rights, counts = zip(*sums.values(), strict=True)
    return clustered_share(rights, counts)


def _difference(one: _Spending, other: _Spending, level: int) -> Estimate:
    """The difference on the problems that both have; nothing for a condition and itself."""
    if one is other:
        return Estimate(nan, nan, nan, 0)
    mine, theirs = one.shares(level), other.shares(level)
    shared = [problem for problem in mine if problem in theirs]
    gaps = [mine[each][0] / mine[each][1] - theirs[each][0] / theirs[each][1] for each in shared]
    trials = [max(mine[each][1], theirs[each][1]) for each in shared]
    clusters = [one.clusters.get(each) for each in shared]
    return mean_difference(gaps, trials, clusters=clusters)
