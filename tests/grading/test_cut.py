"""A reply that was cut off has the answer that it states in full, and no other."""

from __future__ import annotations

import pytest

from feedback_friction.grading.cut import graded, is_cut_off
from feedback_friction.grading.verdict import OVERRULED, Outcome, Verdict
from feedback_friction.problem import Problem
from feedback_friction.tasks.catalog import get_page

CHOICES = ("the nucleus", "the ribosome", "mitochondria")
PROBLEMS = {
    "math_500": Problem("1", "math_500", "How many?", "12"),
    "decimal_multiplication": Problem(
        "1", "decimal_multiplication", "34 * 56", "1904", operands=("34", "56")
    ),
    "mmlu": Problem("1", "mmlu", "Where?", "B", choices=CHOICES),
    "trivia_qa": Problem("1", "trivia_qa", "What is the capital of Peru?", "Lima"),
}
STATED = [
    ("math_500", "So $\\boxed{12}$. Let me check th"),
    ("math_500", "The answer is 12. To see why, no"),
    ("math_500", "\\boxed{12}"),
    ("math_500", "The answer is $12$."),
    ("decimal_multiplication", "The answer is 1,904. To verify: 34 * 5"),
    ("mmlu", "The answer is (B). That is bec"),
    ("mmlu", "B\n\nExplanation: the ribosome is where prot"),
    ("trivia_qa", "The answer is Lima. It was foun"),
]
NOT_STATED = [
    ("math_500", "The answer is 12"),  # on its way to 1,234
    ("math_500", "There are 12 of them."),
    ("math_500", "Therefore x = 12."),
    ("math_500", "12"),
    ("math_500", "The answer is 11. Wait, that is wrong. It must be 12."),
    ("decimal_multiplication", "Therefore, the sum is 1904."),
    ("mmlu", "(A) is wrong, and so is (C).\n\n(B)"),
    ("mmlu", "The answer is B"),
    ("trivia_qa", "The capital of Peru is Lima"),
]


def verdict(task: str, reply: str, *, cut_off: bool) -> Verdict:
    return graded(get_page(task).task.grade, PROBLEMS[task], reply, cut_off=cut_off)


@pytest.mark.parametrize(("task", "reply"), STATED)
def test_what_a_cut_off_reply_states_is_its_answer(task: str, reply: str) -> None:
    assert verdict(task, reply, cut_off=True).is_correct


@pytest.mark.parametrize(("task", "reply"), NOT_STATED)
def test_what_a_cut_off_reply_ends_in_is_no_answer(task: str, reply: str) -> None:
    assert verdict(task, reply, cut_off=True).outcome is Outcome.NO_ANSWER
    assert verdict(task, reply, cut_off=False).is_correct


def test_a_formula_that_a_reply_was_cut_off_in_is_no_answer() -> None:
    cut = verdict("math_500", "The answer is \\frac{12}{1", cut_off=True)
    assert cut.outcome is Outcome.NO_ANSWER


def test_a_persons_verdict_stands_however_the_reply_ended() -> None:
    said = Verdict(Outcome.CORRECT, "12", OVERRULED)
    assert graded(lambda problem, reply: said, PROBLEMS["math_500"], "so 12", cut_off=True) == said


@pytest.mark.parametrize(
    ("reason", "cut"),
    [
        ("length", True),
        ("MAX_TOKENS", True),
        ("content_filter", True),
        ("stop", False),
        (None, False),
    ],
)
def test_a_log_says_in_its_own_words_that_a_reply_was_cut_off(reason: object, cut: bool) -> None:
    assert is_cut_off(reason) is cut
