"""What a method trains on: rows of ``bridges.training``, drawn with weights.

Every problem with a corrected attempt weighs the same, however many there are of it: that is
reward-weighted regression with reward 1 for a right attempt after feedback and 0 for any other, the
weights ``exp(reward / temperature)`` normalised within a problem, in the limit of a small
temperature (RISE, Qu et al. 2024, arXiv:2407.18219, fine-tunes on own corrections by such weights).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from feedback_friction.bridges.training import origin_of, prompt_of, reply_of, rows_of
from feedback_friction.bridges.turns import Selected, Turn, read_turns
from feedback_friction.distill.asked import FIRST

Row = dict[str, Any]
_ORIGIN = ("task", "problem_id", "epoch", "iteration")


def rows_for(
    method: str, directory: Path, selected: Selected, seed: int, left_out: Counter[str]
) -> list[Row]:
    """The different rows that a method trains on, from a run.

    Of the control there are at most as many as of ``sft``, drawn by the seed.
    """
    problems = list(read_turns(directory, selected, left_out))
    if method not in ("sft", FIRST):
        return list(rows_of(method, problems))
    corrected = [_split(row) for row in rows_of("sft", problems)]
    if method == "sft":
        return corrected
    firsts = list(_firsts(problems))
    random.Random(f"{seed}:{FIRST}").shuffle(firsts)
    return firsts[: len(corrected)]


def drawn(rows: Sequence[Row], count: int, seed: int) -> list[Row]:
    """As many rows as a training takes: problems in turn, in random order, one row each."""
    rng = random.Random(f"{seed}:rows")
    by_problem: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        by_problem.setdefault((row["task"], row["problem_id"]), []).append(row)
    found: list[Row] = []
    while len(found) < count:
        groups = list(by_problem.values())
        rng.shuffle(groups)
        found += [rng.choice(group) for group in groups]
    return found[:count]


def _split(row: Row) -> Row:
    """Messages as a prompt and the reply to it, so that the loss is that of the reply alone."""
    *prompt, reply = row["messages"]
    return {"prompt": prompt, "completion": [reply], **_origin(row)}


def _origin(row: Row) -> Row:
    return {name: row[name] for name in _ORIGIN}


def _firsts(problems: Sequence[Sequence[Turn]]) -> Iterator[Row]:
    """Right first answers, each once: conditions share them."""
    for turns in problems:
        for turn in turns:
            if turn.number == 0 and turn.attempt.verdict.is_correct:
                yield {
                    "prompt": prompt_of(turn),
                    "completion": reply_of(turn),
                    **_origin(origin_of(turn)),
                }
                break
