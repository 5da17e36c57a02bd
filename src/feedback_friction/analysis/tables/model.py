"""What goes with taking up feedback: a discrete-time model of the attempts after the first."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from feedback_friction.analysis.frames import TRIAL, Runs
from feedback_friction.analysis.stats.arrays import FloatArray, IntArray
from feedback_friction.analysis.stats.mixed import mixed_logit
from feedback_friction.analysis.table import Row, table
from feedback_friction.ways import GREEDY, condition_name

MOST_SUBJECTS = 12  # more would each have too few problems


@table(
    "run int, task text, digits int, solver text, term text, odds_ratio estimate, p_value float",
    "attempts int, problems int, icc float",
)
def uptake_model(runs: Runs) -> Iterator[Row]:
    """Odds ratios of a right attempt after the first: one row a run, task, solver and term.

    A logistic model of all attempts after the first, each trial as long as it is unsolved, in which
    every problem has an effect of its own (``stats.mixed``). Terms: each condition against the
    first of the run, ``iteration`` (per attempt), ``feedback length`` (per doubling of its
    characters, from what is usual in its condition), ``masked spans`` (per span), ``leak`` (the
    audit found the answer in the feedback before), ``alignment leak`` (it repeats what of the
    answer the solver had worked out), ``repeated`` (the attempt before gave an answer that the
    trial had given before), and each subject against the first. A term that those before it give
    (one feedback text has one length) is left out, and where nothing can be fitted there is no row.
    A ratio is ``nan``, from 0 to infinity, where all attempts with a term came out alike. ``icc``:
    share of the latent variance that lies between problems.
    """
    about = ["run", "task", "digits", "solver"]
    for group, every in _attempts(runs).group_by(about, maintain_order=True):
        attempts = every.filter(pl.col("made") > 0)
        if attempts.is_empty():
            continue
        right = attempts["right"].to_numpy()
        kept, design = _independent(_columns(attempts), len(right))
        found = mixed_logit(right, design, _numbers(attempts["problem_id"]))
        if found is None:
            continue
        terms = zip(kept, found.odds_ratios[1:], found.p_values[1:], strict=True)
        for term, ratio, p_value in terms:
            yield dict(zip(about, group, strict=True)) | {
                "term": term,
                "odds_ratio": ratio,
                "p_value": p_value,
                "attempts": len(right),
                "problems": ratio.n,
                "icc": found.icc,
            }


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


_TERMS = (
    "iteration", "feedback length", "masked spans", "leak", "alignment leak", "repeated",
)  # fmt: skip


def _attempts(runs: Runs) -> pl.DataFrame:
    """Every attempt, ``made`` so many before it, with what went before it as ``_TERMS``."""
    labels = [
        condition_name(feedback, history, "" if sampling == GREEDY.name else sampling)
        for feedback, history, sampling in runs.conditions.select(
            "feedback", "history", "sampling"
        ).iter_rows()
    ]
    conditions = runs.conditions.with_row_index("place").select(
        "run", "condition", "task", "digits", "solver", "place", pl.Series("label", labels)
    )
    subjects = runs.problems.select("run", "task", "problem_id", pl.col("subject").fill_null(""))
    given_before = pl.int_range(pl.len()).over(*TRIAL, "answer") > 0

    def before(column: str, name: str) -> pl.Expr:
        return pl.col(column).cast(pl.Float64).fill_null(0.0).shift(1).over(TRIAL).alias(name)

    attempts = runs.attempts.sort(*TRIAL, "iteration").with_columns(
        again=given_before & pl.col("answer").is_not_null()
    )
    return (
        attempts.join(conditions, on=["run", "condition"], how="left", maintain_order="left")
        .join(subjects, on=["run", "task", "problem_id"], how="left", maintain_order="left")
        .with_columns(
            pl.col("is_correct").cast(pl.Float64).alias("right"),
            pl.col("iteration").cast(pl.Float64),
            pl.col("subject").fill_null(""),
            before("feedback_length", "feedback length"),
            before("masked_spans", "masked spans"),
            before("leaked", "leak"),
            before("aligned", "alignment leak"),
            before("again", "repeated"),
            pl.int_range(pl.len()).over(TRIAL).alias("made"),
        )
    )


def _columns(attempts: pl.DataFrame) -> dict[str, FloatArray]:
    """The columns of the model by name."""
    columns: dict[str, FloatArray] = {}
    places = attempts.group_by("label").agg(pl.col("place").last()).sort("place")
    first, *others = places["label"]
    for name in others:
        columns[f"{name} against {first}"] = _is(attempts["label"], name)
    for name in _TERMS:
        columns[name] = attempts[name].to_numpy()
    # Of its condition: no feedback has no length, and a ratio at length 0 would be of nothing seen.
    length = attempts.select((pl.col("feedback length") + 1).log(2), "label")
    usual = pl.col("feedback length").mean().over("label")
    columns["feedback length"] = length.select(pl.first() - usual).to_series().to_numpy()
    subjects = attempts["subject"].unique().sort().to_list()
    if len(subjects) <= MOST_SUBJECTS:
        for name in subjects[1:]:
            columns[f"{name} against {subjects[0]}"] = _is(attempts["subject"], name)
    return columns


def _is(column: pl.Series, value: str) -> FloatArray:
    return (column == value).cast(pl.Float64).to_numpy()


def _numbers(names: pl.Series) -> IntArray:
    """The names as numbers from 0, in order of appearance."""
    number = {name: at for at, name in enumerate(names.unique(maintain_order=True))}
    return np.array([number[name] for name in names], dtype=np.int64)
