"""What happens between attempts: answers that change or repeat, feedback, tokens and cost."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.stats.clusters import clustered_share
from feedback_friction.analysis.stats.transitions import Move, Transitions, transitions
from feedback_friction.analysis.table import CONDITION, Row, conditions, once, rows_of, table

_TOKENS = [f"{who}{what}_tokens" for who in ("", "feedback_") for what in ("prompt", "completion")]


@table(CONDITION, "move text, count int, share estimate, repetition estimate, n int, missing int")
def moves(runs: Runs) -> Iterator[Row]:
    """How each retry's answer relates to those before it: one row a condition and kind of move.

    ``move``, its ``count`` and ``share`` of the ``n`` retries; and for the whole condition
    ``repetition``: the share of retries that give a wrong answer given before.
    """
    for about, found in _transitions(runs):
        for each in found.shares:
            yield about | {
                "move": each.move.value,
                "count": each.count,
                "share": each.share,
                "repetition": found.repetition,
                "n": each.share.n,
            }


@table(CONDITION, "iteration int, move text, count int")
def moves_by_iteration(runs: Runs) -> Iterator[Row]:
    """Counts of moves from each iteration to the next: one row a condition, iteration and move."""
    for about, found in _transitions(runs):
        for iteration, counts in enumerate(found.by_iteration, 1):
            for move, count in zip(Move, counts, strict=True):
                yield about | {"iteration": iteration, "move": move.value, "count": count}


@once
def _transitions(runs: Runs) -> list[tuple[Row, Transitions]]:
    """The moves of every condition that has attempts."""
    found = []
    for condition, _, _ in conditions(runs):
        attempts = rows_of(runs.attempts, condition).sort("problem_id", "epoch", "iteration")
        if not attempts.is_empty():
            by_trial = attempts.group_by("problem_id", "epoch", maintain_order=True)
            trials = by_trial.agg("answer", "is_correct")
            answers = [
                list(zip(*each, strict=True))
                for each in trials.select("answer", "is_correct").iter_rows()
            ]
            found.append((condition, transitions(answers, trials["problem_id"].to_list())))
    return found


@table(CONDITION, "texts int, length float, masked float, leaks int, leaked estimate, missing int")
def feedback(runs: Runs) -> Iterator[Row]:
    """Length, masking and leaks of the feedback: one row a condition that gave any.

    ``texts``, all that were given; mean ``length`` in characters, mean ``masked`` spans, share
    ``leaked`` of texts in which the audit found the answer (clustered by problem).
    """
    for condition, _, _ in conditions(runs):
        attempts = rows_of(runs.every_attempt, condition)
        given = attempts.filter(pl.col("feedback_length").is_not_null())
        if given.is_empty():
            continue
        problems = given.group_by("problem_id").agg(pl.col("leaked").sum(), pl.len().alias("texts"))
        yield condition | {
            "texts": given.height,
            "length": given["feedback_length"].mean(),
            "masked": given["masked_spans"].mean(),
            "leaks": int(given["leaked"].sum()),
            "leaked": clustered_share(problems["leaked"].to_list(), problems["texts"].to_list()),
        }


@table(
    CONDITION,
    "solved int, tokens int, tokens_per_solved float, cost_usd float, cost_per_solved float",
    "draws int, n int, missing int",
)
def cost(runs: Runs) -> Iterator[Row]:
    """Tokens and US dollars of a condition, in all and per solved problem.

    Shared calls are counted in every condition. ``tokens`` are prompt and completion tokens of
    answers and feedback, of all attempts, also of trials that failed; ``solved`` trials ever were;
    ``cost_usd`` is null where a price is not known.
    """
    for condition, _, first in conditions(runs):
        attempts = rows_of(runs.every_attempt, condition)
        solved = int(rows_of(runs.trials, condition)["solved"].sum())
        tokens = sum(int(attempts[part].sum()) for part in _TOKENS)
        priced = attempts["cost_usd"].null_count() == 0 and not attempts.is_empty()
        dollars = float(attempts["cost_usd"].sum()) if priced else None
        yield condition | {
            "solved": solved,
            "tokens": tokens,
            "tokens_per_solved": tokens / solved if solved else None,
            "cost_usd": dollars,
            "cost_per_solved": dollars / solved if solved and dollars is not None else None,
            "draws": int(attempts["draws"].sum()),
            "n": first.size - condition["missing"],
        }
