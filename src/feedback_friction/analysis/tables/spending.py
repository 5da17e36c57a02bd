"""Solved within so many tokens: conditions beside each other at equal cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
import polars as pl

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.stats.arrays import MISSING, FloatArray
from feedback_friction.analysis.stats.clusters import by_cluster, share_of_problems
from feedback_friction.analysis.stats.differences import mean_difference
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.analysis.table import CONDITION, Row, conditions, rows_of, table

LEVELS = 11
LONGEST = 0.98  # of the trials; the levels end with what these took
_TRIAL = ["problem_id", "epoch"]
_ANSWERING = pl.col("prompt_tokens").fill_null(0) + pl.col("completion_tokens").fill_null(0)
_WRITING = pl.col("feedback_prompt_tokens").fill_null(0) + pl.col(
    "feedback_completion_tokens"
).fill_null(0)


@dataclass(frozen=True, slots=True, eq=False)
class _Spending:
    """What the trials of a condition took."""

    problems: list[str]  # ids, in the order of the run; one for each trial
    # tokens to the end of the right attempt, infinite where there is none; shape (n,)
    solved: FloatArray
    took: FloatArray  # tokens of the whole trial, shape (n,)
    clusters: dict[str, str]  # by problem id, what it shares with others

    def within(self, level: int) -> list[tuple[str, float]]:
        """Each trial's problem, and whether it is solved within so many tokens."""
        return list(zip(self.problems, (self.solved <= level).tolist(), strict=True))


@table(
    CONDITION, "tokens int, solved estimate, short int, against text, difference estimate, n int"
)
def solved_within(runs: Runs, levels: tuple[int, ...] = ()) -> Iterator[Row]:
    """Share of trials that are solved with at most so many tokens: a row a condition and level.

    ``tokens``: read and written, by the solver and by who writes feedback, from the trial's first
    call to the end of its right attempt; calls that conditions share count in each. ``solved`` with
    limits, every problem weighing the same; ``short``: trials that ended unsolved with fewer
    tokens: with more attempts they may have been solved, so that the share says too little where
    there are many. ``difference``: what the condition adds to the ``against`` one, the first of its
    task and solver, paired by problem. ``n``: trials; one whose first request was refused took
    nothing, and is not solved.

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
    for condition, spending in found:
        where = tuple(condition[name] for name in ("task", "digits", "solver"))
        against, base = first.setdefault(where, (condition, spending))
        for level in wanted:
            yield condition | {
                "tokens": level,
                "solved": _share(spending, level),
                "short": int(((spending.took < level) & np.isinf(spending.solved)).sum()),
                "against": against["feedback"],
                "difference": _difference(spending, base, level),
                "n": len(spending.took),
            }


def _spending(runs: Runs, condition: Row) -> _Spending:
    begun = rows_of(runs.trials, condition).filter(pl.col("solved_at") != MISSING)
    attempts = (
        begun.select(*_TRIAL)
        .join(rows_of(runs.attempts, condition), on=_TRIAL, how="left")
        .sort(*_TRIAL, "iteration")
    )
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
        runs.clusters(condition["run"], condition["task"]),
    )


def _levels(found: Sequence[_Spending]) -> list[int]:
    """Numbers of tokens in equal steps, over what the trials took, but for the longest few."""
    if not found:
        return []
    took = np.concatenate([each.took for each in found])
    low, high = np.quantile(took, [0.0, LONGEST]).tolist()
    return sorted({round(each) for each in np.linspace(low, high, LEVELS).tolist()})


def _share(spending: _Spending, level: int) -> Estimate:
    """The share, clustered by what problems share, or by problem."""
    return share_of_problems(spending.within(level), spending.clusters)


def _difference(one: _Spending, other: _Spending, level: int) -> Estimate:
    """The difference on the problems that both have; nothing for a condition and itself."""
    if one is other:
        return Estimate(nan, nan, nan, 0)
    mine, theirs = by_cluster(one.within(level)), by_cluster(other.within(level))
    shared = [problem for problem in mine if problem in theirs]
    gaps = [
        sum(mine[each]) / len(mine[each]) - sum(theirs[each]) / len(theirs[each]) for each in shared
    ]
    trials = [max(len(mine[each]), len(theirs[each])) for each in shared]
    clusters = [one.clusters.get(each) for each in shared]
    return mean_difference(gaps, trials, clusters=clusters)
