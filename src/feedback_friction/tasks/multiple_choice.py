"""What the multiple-choice tasks share: how a question is put, and how an answer is stated."""

from __future__ import annotations

from feedback_friction.problem import Problem, lettered

SYSTEM = (
    "You are given a question and its options, exactly one of which is right. Work through the "
    'question step by step. End your reply with the sentence "The answer is (X).", where X is '
    "the letter of the option you choose."
)


def ask(problem: Problem) -> str:
    """The question, and each option in a line of its own."""
    return f"{problem.question}\n\n{lettered(problem.choices)}"


def state_answer(problem: Problem, answer: str) -> str:
    """A letter stated as the system prompt asks for it."""
    return f"The answer is ({answer})."


def state_gold(problem: Problem) -> str:
    """The right option stated so."""
    return state_answer(problem, problem.gold)
