"""Where in a reply the right and the repeated answer part."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_friction.grading.verdict import Verdict
from feedback_friction.inside.parting import parting
from feedback_friction.problem import Problem
from feedback_friction.protocol.records import Attempt, Reply
from feedback_friction.tasks.multiplication_pages import DECIMAL_PAGE as DECIMAL
from feedback_friction.tasks.multiplication_pages import HEX_PAGE as HEX
from feedback_friction.tasks.tutor import find_error, wrong_step
from toys import CHOICES, TASK

PRODUCT = Problem(
    "374x320", "decimal_multiplication", "374 * 320.", "119680", operands=("374", "320")
)
WORK = "374 * 300 = 115200\n374 * 20 = 7480\n115200 + 7480 = 122680\n\\boxed{122680}"
CAPITAL = Problem("c", "toy", "Capital of Australia?", "Canberra", aliases=("Canberra ACT",))


def attempt(problem, text, prediction, correct=False):
    return Attempt(0, problem, Reply(text), Verdict.of(correct, prediction, "r"), 0.0)


def parted(problem, before, after, task=TASK):
    return parting(task, attempt(problem, *before), attempt(problem, *after))


def test_the_wrong_step_is_the_one_that_the_tutor_points_at():
    step = wrong_step(PRODUCT, WORK)
    assert (step.left, step.wrong, step.right) == (("374", "×", "300"), "115200", "112200")
    assert find_error(PRODUCT, WORK).quote == "374 × 300 = 115200"


def test_a_step_of_base_sixteen_is_worked_out_in_it():
    problem = Problem("Ax3", "hex_multiplication", "A0 * 13", "BE0", operands=("A0", "13"))
    step = wrong_step(problem, "A0 * 10 = A00\nA0 * 3 = 1D0\nA00 + 1D0 = BD0")
    assert (step.wrong, step.right) == ("1D0", "1E0")
    assert HEX.task.wrong_step is wrong_step


@pytest.mark.parametrize("said", ["112200", "115200", "119,000"])
def test_the_place_in_a_reply_does_not_depend_on_what_it_says_there(said):
    reply = f'Look at "374 × 300". I redo 374*300 = {said}.\n374 * 20 = 7480'
    found = parted(PRODUCT, (WORK, "122680"), (reply, "1"), DECIMAL.task)
    assert found.prefix == 'Look at "374 × 300". I redo 374*300 = '
    assert (found.right, found.wrong, found.is_step) == ("112200.", "115200.", True)


def test_a_reply_that_never_comes_back_to_the_step_has_no_place():
    assert parted(PRODUCT, (WORK, "122680"), ("1374 * 300 = 5", "5"), DECIMAL.task) is None


@pytest.mark.parametrize("said", ["Canberra", "Sydney", "Perth"])
def test_without_steps_the_place_is_the_first_statement_of_an_answer(said):
    old, new = ("It is SYDNEY, the city.", "sydney"), (f"The capital is {said}", said.lower())
    found = parted(CAPITAL, old, new)
    assert found.prefix == "The capital is "
    assert (found.right, found.wrong) == ("Canberra.", "SYDNEY.")


def test_an_answer_within_another_word_is_no_statement_of_it():
    assert parted(CAPITAL, ("Sydney", "sydney"), ("Sydneyans know", None)) is None


def test_choices_part_at_their_letters_as_they_are_now():
    moved = Problem("c1", "toy", "Which?", "A", choices=("apple", "stone", "cloud", "sea"))
    before = attempt(CHOICES, "(C) it is", "C")  # cloud, which is C in both orders
    after = attempt(moved, "The answer is (A)", "A", True)
    found = parting(TASK, before, after)
    assert (found.prefix, found.right, found.wrong) == ("The answer is (", "A)", "C)")


def test_an_attempt_without_an_answer_has_nothing_to_repeat():
    assert parted(CAPITAL, ("who knows", None), ("Canberra", "canberra", True)) is None


@given(st.text(max_size=60), st.text(min_size=1, max_size=10))
def test_no_reply_raises(reply, old):
    parted(CAPITAL, (old, old), (reply, reply[:3] or None))
    parted(PRODUCT, (old, old), (reply, None), DECIMAL.task)
