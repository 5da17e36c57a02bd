"""What the tasks with short answers in words share: how a question is put, and answered."""

from __future__ import annotations

from feedback_friction.problem import Problem

SYSTEM = (
    "You are given a question whose answer is a name, a date or a few words. Reply with the answer "
    "alone: no sentence around it, no explanation, and one answer only."
)


def ask(problem: Problem) -> str:
    """The question as it stands."""
    return problem.question


def state_answer(problem: Problem, answer: str) -> str:
    """The bare answer, as the system prompt asks for it."""
    return answer


def state_gold(problem: Problem) -> str:
    """The gold answer stated so."""
    return problem.gold
