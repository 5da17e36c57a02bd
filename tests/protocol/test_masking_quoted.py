"""What a student had worked out himself is no leak where feedback repeats it."""

from __future__ import annotations

import pytest

from feedback_friction.problem import Problem
from feedback_friction.protocol.masking.quoted import parted, parted_unmasked
from feedback_friction.protocol.records import Masked
from feedback_friction.tasks.catalog import get_page

SUM = Problem("1", "math_500", "What is 3 + 4?", "7")
PRODUCT = Problem("1", "decimal_multiplication", "970 * 624", "605280", operands=("970", "624"))


def aligned(problem: Problem, feedback: str, *replies: str) -> tuple[str, ...]:
    masked = get_page(problem.task).task.mask(problem, feedback)
    return parted(problem, feedback, masked, replies)[1]


@pytest.mark.parametrize(
    ("feedback", "reply", "found"),
    [
        ("Your 7 in line 1 was right.", "3 + 4 = 7, so it is 8.", ("7",)),
        ("Your 7 in line 1 was right.", "3 + 4 is \\boxed{8}; 7 was my age.", ()),
        ("It should be 7.", "3 + 4 = 8", ()),
        ("It should be 7.", "3 + 4 = 17", ()),
        ("Try again.", "3 + 4 = 7", ()),
        ("Your 7 in line 1 was right.", "(7) and so 8 =", ()),
    ],
)
def test_a_value_that_the_reply_states_is_the_students_own(
    feedback: str, reply: str, found: tuple[str, ...]
) -> None:
    assert aligned(SUM, feedback, reply) == found


def test_a_partial_product_that_was_right_is_the_students_own() -> None:
    work = "900 * 600 = 540000\n70 * 600 = 42000\nso 605000"
    said = "900 * 600 = 540000 is right, 582000 + 23280 = 605280 was to come."
    assert aligned(PRODUCT, said, work) == ("540000",)


def test_every_attempt_that_is_shown_counts() -> None:
    assert aligned(SUM, "You had 7 before.", "3 + 4 = 7?", "It is 8.") == ("7",)


def test_a_leak_is_either_aligned_or_a_leak() -> None:
    masked = Masked("seven? or 7.0", (), ("seven", "7.0"))
    assert parted(SUM, "seven? or 7.0", masked, ["it is seven"]) == (("7.0",), ("seven",))


def test_options_are_nobodys_own() -> None:
    problem = Problem("1", "mmlu", "Which?", "B", choices=("oxygen", "neon"))
    assert aligned(problem, "Neon is right.", "The answer is neon. So (A).") == ()


def test_feedback_that_no_mask_saw_leaks_what_the_mask_would_hide() -> None:
    said = "Your 7 in line 1 was right; it is seven."
    found = get_page("math_500").task.mask(SUM, said)
    leaks, own = parted_unmasked(SUM, said, found, ["3 + 4 = 7, so it is 8."])
    assert (leaks, own) == (("seven",), ("7",))
