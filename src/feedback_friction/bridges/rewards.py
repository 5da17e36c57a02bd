"""Reward functions for TRL's GRPO and RLOO on the rows of ``friction export --to grpo``.

They take what TRL gives a reward function: the completions, and every column of the rows as a list
of the same length. Verdicts are those of ``friction run``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from feedback_friction.grading.verdict import Verdict
from feedback_friction.problem import Problem
from feedback_friction.protocol.state import answer_key
from feedback_friction.tasks.catalog import get_page

_READ = ("problem_id", "task", "question", "gold", "aliases", "choices", "grader")
Completions = Sequence[Sequence[dict[str, str]]]


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
        yield problem, get_page(row["task"]).task.grade(problem, completion[-1]["content"])
