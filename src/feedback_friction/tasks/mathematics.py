"""What the mathematics tasks share: how a problem is put, and how an answer is stated."""

from __future__ import annotations

from feedback_friction.problem import Problem

SYSTEM = (
    "You are given a problem in mathematics. Work it out step by step and show the steps. End with "
    "the final answer, and nothing but the answer, in \\boxed{}."
)


def ask(problem: Problem) -> str:
    """The problem as it stands."""
    return problem.question


def state_answer(problem: Problem, answer: str) -> str:
    """An answer stated as the system prompt asks for it."""
    return f"The final answer is $\\boxed{{{answer}}}$."
