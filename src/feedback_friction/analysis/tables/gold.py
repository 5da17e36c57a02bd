"""Problems whose gold answer is in doubt: independent voices agree on another one.

Such a problem looks like friction and is none: the feedback argues for a wrong answer. Agreement
proves nothing, it says where to look. What is repeated is not agreement: the conditions of a run
share their first attempts, and a solver that keeps to its first answer under five of them has said
it once.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from feedback_friction.analysis.frames import TRIAL, Runs
from feedback_friction.analysis.journal import answer_text
from feedback_friction.analysis.table import Row, table

VOICES = 3  # that agree, of one solver
SHARE = 2 / 3  # of all voices on the problem

_PROBLEM = ["task", "digits", "problem_id"]


@table(
    "task text, digits int, problem_id text, gold text, answer text, voices int, all_voices int",
    "share float, solvers int, conditions int, epochs int, trials int, solved int",
)
def suspect_gold(runs: Runs) -> Iterable[Row]:
    """Problems on which voices agree on one answer that is not gold: one row a problem.

    A voice is a trial's last answer; trials that keep a first answer which they share are one. At
    least three voices, or two solvers, give the answer, and two thirds of all voices on the
    problem. ``voices`` give it, of ``all_voices``, from so many ``solvers``, ``conditions`` and
    ``epochs``; ``trials`` end with it, and ``solved`` ones are right. Most voices first.
    """
    ends = _ends(runs).with_columns(
        trials=pl.len().over(*_PROBLEM, "answer"),
        conditions=pl.col("condition").n_unique().over(*_PROBLEM, "answer"),
        solved=pl.col("answer").is_null().sum().over(_PROBLEM),
    )
    voices = ends.unique([*_PROBLEM, "run", "solver", "epoch", "changed", "answer"]).with_columns(
        all_voices=pl.len().over(_PROBLEM)
    )
    found = (
        voices.filter(pl.col("answer").is_not_null())
        .group_by(*_PROBLEM, "answer")
        .agg(
            pl.col("all_voices", "trials", "conditions", "solved").first(),
            voices=pl.len(),
            solvers=pl.col("solver").n_unique(),
            epochs=pl.struct("run", "epoch").n_unique(),
        )
        .filter(
            (pl.col("voices") >= VOICES) | (pl.col("solvers") > 1),
            pl.col("voices") >= SHARE * pl.col("all_voices"),
        )
        .with_columns(share=pl.col("voices") / pl.col("all_voices"))
        .sort("solvers", "voices", *_PROBLEM, descending=[True, True, False, False, False])
    )
    golds = _golds(runs)
    for row in found.iter_rows(named=True):
        yield row | {"gold": golds[row["task"], row["problem_id"]]}


def _golds(runs: Runs) -> dict[tuple[str, str], str]:
    """The gold answer of each problem in words: the option's text where there are options."""
    rows = runs.problems.select("task", "problem_id", "gold", "choices").iter_rows()
    return {
        (task, problem): str(answer_text(gold, choices)) for task, problem, gold, choices in rows
    }


def _ends(runs: Runs) -> pl.DataFrame:
    """Every trial that gave an answer at last, with its voice.

    That is the run, the solver, the ``epoch`` (0 for all without a temperature, which draw the same
    reply), ``changed`` (the condition under which the first answer was changed; "" where it was
    kept, since all conditions share the first attempt) and the last ``answer``, null where it is
    right.
    """
    warm = (pl.col("temperature") > 0).fill_null(value=True)
    trials = (
        runs.attempts.sort(*TRIAL, "iteration")
        .group_by(TRIAL, maintain_order=True)
        .agg(
            first=pl.col("answer").first(),
            last=pl.col("answer").last(),
            right=pl.col("is_correct").last() == 1,
            drawn=warm.any(),
        )
        .filter(pl.col("right") | pl.col("last").is_not_null())
    )
    settings = runs.conditions.select("run", "condition", "task", "digits", "solver")
    kept = pl.col("first").eq_missing(pl.col("last"))
    return trials.join(settings, on=["run", "condition"], maintain_order="left").with_columns(
        epoch=pl.when("drawn").then("epoch").otherwise(0),
        changed=pl.when(kept).then(pl.lit("")).otherwise("condition"),
        answer=pl.when(~pl.col("right")).then("last"),
    )
