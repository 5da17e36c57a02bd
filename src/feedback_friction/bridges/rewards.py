"""Reward functions for TRL's GRPO and RLOO on the rows of ``friction export --to grpo``.

They take what TRL gives a reward function: the completions, and every column of the rows as a list
of the same length. Verdicts are those of ``friction run``; a reply that was cut off has the answer
that it states in full, and no other, where ``within`` tells the limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any

from feedback_friction.grading.cut import graded
from feedback_friction.grading.verdict import Verdict
from feedback_friction.problem import Problem
from feedback_friction.protocol.state import answer_key
from feedback_friction.tasks.catalog import get_page

_READ = ("problem_id", "task", "question", "gold", "aliases", "choices", "grader")
Completions = Sequence[Sequence[dict[str, str]]]


def within(limit: int) -> list[Callable[..., list[float]]]:
    """``solved`` and ``not_refuted`` for trainers that end replies at a limit.

    Args:
        limit: the trainer's ``max_completion_length``, in tokens; a reply of so many was cut off.
    """

    def of(reward: Callable[..., list[float]]) -> Callable[..., list[float]]:
        @wraps(reward)
        def judged(
            completions: Completions, completion_ids: Sequence[Sequence[int]], **columns: Any
        ) -> list[float]:
            cut_off = [len(ids) >= limit for ids in completion_ids]
            return reward(completions, cut_off=cut_off, **columns)

        return judged

    return [of(solved), of(not_refuted)]


def solved(completions: Completions, **columns: Sequence[Any]) -> list[float]:
    """1 where the reply is right, else 0."""
    return [float(verdict.is_correct) for _, verdict in _verdicts(completions, columns)]


def not_refuted(completions: Completions, **columns: Sequence[Any]) -> list[float]:
    """-1 where the reply gives an answer again that feedback has called wrong, else 0."""
    judged = _verdicts(completions, columns)
    return [
        -float(answer_key(problem, verdict) in refuted)
        for (problem, verdict), refuted in zip(judged, columns["refuted"], strict=True)
    ]


def _verdicts(
    completions: Completions, columns: dict[str, Sequence[Any]]
) -> Iterator[tuple[Problem, Verdict]]:
    cut_off = columns.get("cut_off")
    for place, completion in enumerate(completions):
        row = {name: columns[name][place] for name in _READ}
        problem = Problem(
            row["problem_id"],
            row["task"],
            row["question"],
            row["gold"],
            tuple(row["aliases"]),
            tuple(row["choices"]),
            grader=row["grader"],
        )
        grade, reply = get_page(row["task"]).task.grade, completion[-1]["content"]
        yield problem, graded(grade, problem, reply, cut_off=bool(cut_off and cut_off[place]))
