"""What happens between attempts: answers that change or repeat, feedback, tokens and cost."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

import numpy as np
import polars as pl

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.journal import answer_text
from feedback_friction.analysis.stats.proportions import clustered
from feedback_friction.analysis.stats.transitions import Move, transitions
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

Answer = tuple[str | None, bool]


@once
def moves(runs: Runs) -> pl.DataFrame:
    """How each retry's answer relates to those before it: one row a condition and kind of move.

    Columns: ``move``, its ``count`` and ``share`` of the retries, ``n`` retries; and for the whole
    condition ``repetition``: the share of retries that give a wrong answer given before.
    """
    rows: list[Row] = []
    for condition, _, first in conditions(runs):
        trials = list(_answers(runs, condition))
        if not trials:
            continue
        found = transitions([answers for _, answers in trials], [problem for problem, _ in trials])
        rows += [
            setting(condition)
            | {"move": each.move.value, "count": each.count}
            | spread("share", each.share)
            | spread("repetition", found.repetition)
            | {"n": each.share.n, "missing": missing(first)}
            for each in found.shares
        ]
    schema = SETTING_SCHEMA | {"move": pl.String, "count": pl.Int64} | spread_schema("share")
    counts = {"n": pl.Int64, "missing": pl.Int64}
    return frame(rows, schema | spread_schema("repetition") | counts)


@once
def moves_by_iteration(runs: Runs) -> pl.DataFrame:
    """Counts of moves from each iteration to the next: one row a condition, iteration and move."""
    rows = []
    for condition, _, _ in conditions(runs):
        trials = [answers for _, answers in _answers(runs, condition)]
        if not trials:
            continue
        for iteration, counts in enumerate(transitions(trials).by_iteration, 1):
            for move, count in zip(Move, counts, strict=True):
                rows.append(
                    setting(condition)
                    | {"iteration": iteration, "move": move.value, "count": count}
                )
    return frame(
        rows,
        SETTING_SCHEMA | {"iteration": pl.Int64, "move": pl.String, "count": pl.Int64},
    )


def _answers(runs: Runs, condition: Row) -> Iterator[tuple[str, list[Answer]]]:
    """(problem id, answers in order) of each trial; a choice is known by its text."""
    attempts = runs.attempts.filter(
        pl.col("run") == condition["run"], pl.col("condition") == condition["condition"]
    ).sort("problem_id", "epoch", "iteration")
    rows = attempts.select("problem_id", "epoch", "prediction", "is_correct", "choices").iter_rows()
    for (problem, _), trial in groupby(rows, key=itemgetter(0, 1)):
        yield problem, [(answer_text(row[2], row[4]), bool(row[3])) for row in trial]


@once
def feedback(runs: Runs) -> pl.DataFrame:
    """Length, masking and leaks of the feedback: one row a condition that gave any.

    Columns: ``texts``, mean ``length`` in characters, mean ``masked`` spans, share ``leaked`` of
    texts in which the audit found the answer (clustered by problem).
    """
    rows = []
    for condition, _, first in conditions(runs):
        given = runs.attempts.filter(
            pl.col("run") == condition["run"],
            pl.col("condition") == condition["condition"],
            pl.col("feedback_length").is_not_null(),
        )
        if given.is_empty():
            continue
        problems = given.group_by("problem_id").agg(pl.col("leaked").sum(), pl.len().alias("texts"))
        leaked = clustered(_floats(problems["leaked"]), _floats(problems["texts"]))
        rows.append(
            setting(condition)
            | {
                "texts": given.height,
                "length": given["feedback_length"].mean(),
                "masked": given["masked_spans"].mean(),
                "leaks": int(given["leaked"].sum()),
            }
            | spread("leaked", leaked)
            | {"missing": missing(first)}
        )
    schema = SETTING_SCHEMA | {
        "texts": pl.Int64,
        "length": pl.Float64,
        "masked": pl.Float64,
        "leaks": pl.Int64,
    }
    return frame(rows, schema | spread_schema("leaked") | {"missing": pl.Int64})


@once
def cost(runs: Runs) -> pl.DataFrame:
    """Tokens and US dollars of a condition, in all and per solved problem.

    Shared calls are counted in every condition. ``tokens`` are prompt and completion tokens of
    answers and feedback; ``cost_usd`` is null where a price is not known.
    """
    parts = (
        "prompt_tokens",
        "completion_tokens",
        "feedback_prompt_tokens",
        "feedback_completion_tokens",
    )
    rows = []
    for condition, _, first in conditions(runs):
        attempts = runs.attempts.filter(
            pl.col("run") == condition["run"], pl.col("condition") == condition["condition"]
        )
        solved = int((first >= 0).sum())
        tokens = sum(int(attempts[part].sum()) for part in parts)
        priced = attempts["cost_usd"].null_count() == 0 and not attempts.is_empty()
        dollars = float(attempts["cost_usd"].sum()) if priced else None
        rows.append(
            setting(condition)
            | {
                "solved": solved,
                "tokens": tokens,
                "tokens_per_solved": tokens / solved if solved else None,
                "cost_usd": dollars,
                "cost_per_solved": dollars / solved if solved and dollars is not None else None,
                "draws": int(attempts["draws"].sum()),
                "n": first.size - missing(first),
                "missing": missing(first),
            }
        )
    return frame(
        rows,
        SETTING_SCHEMA
        | {
            "solved": pl.Int64,
            "tokens": pl.Int64,
            "tokens_per_solved": pl.Float64,
            "cost_usd": pl.Float64,
            "cost_per_solved": pl.Float64,
            "draws": pl.Int64,
            "n": pl.Int64,
            "missing": pl.Int64,
        },
    )


def _floats(column: pl.Series) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return column.cast(pl.Float64).to_numpy()
