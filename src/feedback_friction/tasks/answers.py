"""The ways of answering that tasks share: how a question is put and answered, graded and masked.

Each is a ``Task`` without a name; a page gives it one.
"""

from __future__ import annotations

from feedback_friction.grading.choice import grade_choice
from feedback_friction.grading.expression import grade_expression
from feedback_friction.grading.text import grade_text
from feedback_friction.problem import Problem, lettered
from feedback_friction.protocol.masking.aliases import mask_aliases
from feedback_friction.protocol.masking.expressions import mask_expression
from feedback_friction.protocol.masking.letters import mask_letters
from feedback_friction.protocol.task import Task


def as_it_stands(problem: Problem) -> str:
    """The question without anything added."""
    return problem.question


def with_options(problem: Problem) -> str:
    """The question, and each option in a line of its own."""
    return f"{problem.question}\n\n{lettered(problem.choices)}"


def boxed(problem: Problem, answer: str) -> str:
    """An answer stated as the prompt of the generated tasks asks for it."""
    return f"The answer is \\boxed{{{answer}}}."


CHOICE = Task(
    name="",
    system=(
        "You are given a question and its options, exactly one of which is right. Work through the "
        'question step by step. End your reply with the sentence "The answer is (X).", where X is '
        "the letter of the option you choose."
    ),
    ask=with_options,
    grade=grade_choice,
    mask=mask_letters,
    state_answer=lambda problem, answer: f"The answer is ({answer}).",
    slow=True,
)

MATHEMATICS = Task(
    name="",
    system=(
        "You are given a problem in mathematics. Work it out step by step and show the steps. End "
        "with the final answer, and nothing but the answer, in \\boxed{}."
    ),
    ask=as_it_stands,
    grade=grade_expression,
    mask=mask_expression,
    state_answer=lambda problem, answer: f"The final answer is $\\boxed{{{answer}}}$.",
    slow=True,
)

# A name, a date or a few words.
SHORT = Task(
    name="",
    system=(
        "You are given a question whose answer is a name, a date or a few words. Reply with the "
        "answer alone: no sentence around it, no explanation, and one answer only."
    ),
    ask=as_it_stands,
    grade=grade_text,
    mask=mask_aliases,
    state_answer=lambda problem, answer: answer,
    slow=True,
)
