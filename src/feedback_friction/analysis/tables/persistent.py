"""What a trial that stays unsolved ends with, as far as a program can tell without a judge."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import polars as pl

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.stats.arrays import UNSOLVED
from feedback_friction.analysis.stats.clusters import share_of_trials
from feedback_friction.analysis.table import CONDITION, Row, conditions, rows_of, table
from feedback_friction.mode_names import recorded_mode


class Ending(StrEnum):
    """How an unsolved trial ends; the first that holds."""

    REFUSAL = "refusal"  # a model refused to go on
    CUT_OFF = "cut off"  # the last reply ended at the limit on tokens
    FORMAT = "no answer read"  # no answer could be read in the last reply
    SAME_OPTION = "same option"  # it chooses the option that the attempt before chose
    SAME_ANSWER = "same answer"  # it gives the answer that the attempt before gave
    # another answer, but the tutor found the same first wrong line in the last two attempts that it
    # read
    SAME_LINE = "same first wrong line"
    OTHER = "another wrong answer"  # another wrong answer


@table(CONDITION, "ending text, count int, share estimate, n int, missing int")
def persistent(runs: Runs) -> Iterator[Row]:
    """What unsolved trials end with, told without a judge: one row a condition and ending.

    ``ending`` (``Ending``), its ``count`` and ``share`` of the ``n`` unsolved trials, clustered by
    problem. Conditions with one attempt have no rows.
    """
    for condition, _, _ in conditions(runs):
        ended = _endings(runs, condition)
        if condition["iterations"] < 2 or ended.is_empty():
            continue
        for ending in Ending:
            came = [(problem, name == ending) for problem, name in ended.iter_rows()]
            yield condition | {
                "ending": ending.value,
                "count": sum(each for _, each in came),
                "share": share_of_trials(came),
                "n": len(came),
            }


def _endings(runs: Runs, condition: Row) -> pl.DataFrame:
    """The problem and the ending of every trial that ended unsolved."""
    trial = ["problem_id", "epoch"]
    ended = rows_of(runs.trials, condition).filter(
        pl.col("solved_at") == UNSOLVED, pl.col("status").is_in(["unsolved", "stopped"])
    )
    # From the trials: one whose first request was refused has no attempt.
    attempts = ended.select(*trial, "status").join(
        rows_of(runs.attempts, condition), on=trial, how="left"
    )
    same = pl.col("answer").last() == pl.col("answer").shift(1).last()
    by_program = recorded_mode(condition["feedback"]).writer == "program"
    told_again = pl.col("feedback_repeats").drop_nulls().last() == 1
    ending = (
        pl.when(pl.col("status").last() == "stopped")
        .then(pl.lit(Ending.REFUSAL.value))
        .when(pl.col("finish_reason").last() == "length")
        .then(pl.lit(Ending.CUT_OFF.value))
        .when(pl.col("prediction").last().is_null())
        .then(pl.lit(Ending.FORMAT.value))
        .when(same & (pl.col("choices").last() != "[]"))
        .then(pl.lit(Ending.SAME_OPTION.value))
        .when(same)
        .then(pl.lit(Ending.SAME_ANSWER.value))
        .when(told_again & by_program)
        .then(pl.lit(Ending.SAME_LINE.value))
        .otherwise(pl.lit(Ending.OTHER.value))
    )
    ordered = attempts.sort(*trial, "iteration").group_by(trial, maintain_order=True)
    return ordered.agg(ending.alias("ending")).select("problem_id", "ending")
