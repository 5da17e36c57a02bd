"""Grader and mask read alike: what one takes for the answer, the other hides."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from num2words import num2words

from feedback_friction.grading.choice import grade_choice
from feedback_friction.grading.expression import grade_expression
from feedback_friction.grading.quantity import grade_quantity
from feedback_friction.problem import Problem
from feedback_friction.protocol.masking.expressions import mask_expression
from feedback_friction.protocol.masking.letters import mask_letters
from feedback_friction.protocol.masking.quantities import mask_number

SENTENCES = st.sampled_from(
    [
        "{}", "The answer is {}.", "There are {} of them.", "So it is {}.", "x = {}", "#### {}",
        "Respuesta: {}", "It would be {} because of that.", "You should get {}!",
        "<answer>{}</answer>",
        "Therefore, the total is {} apples. I hope it is correct.", "Revised: {}", "$x = {}$",
    ]
)  # fmt: skip
BEFORE = st.sampled_from(["", "Your step 3 is wrong. ", "Look again. ", "I thought it was 7. "])


def expression(gold: str) -> Problem:
    return Problem("1", "math_500", "How many are there?", gold)


NUMBERS = st.builds(
    Fraction, st.integers(-400, 4000), st.sampled_from([1, 1, 1, 2, 3, 4, 5, 8, 9, 100])
)


def written(value: Fraction) -> list[str]:
    """One value in several forms, each of which the grader takes for it."""
    top, bottom = value.numerator, value.denominator
    forms = [str(value), f"\\frac{{{top}}}{{{bottom}}}", f"\\dfrac{{{2 * top}}}{{{2 * bottom}}}"]
    if bottom == 1:
        forms += [f"{top:,}", f"{top}.0", f"**{top}**", f"\\text{{{top}}}", num2words(top)]
    if bottom in (2, 4, 5, 8, 100):
        forms.append(f"{float(value)}")
    return forms


@settings(max_examples=150, deadline=None)
@given(NUMBERS, SENTENCES, BEFORE, st.integers(0, 9))
def test_what_the_expression_grader_accepts_does_not_pass_its_mask(
    value: Fraction, sentence: str, before: str, form: int
) -> None:
    problem = expression(str(value))
    forms = written(value)
    text = before + sentence.format(forms[form % len(forms)])
    masked = mask_expression(problem, text)
    assert not grade_expression(problem, masked.text).is_correct
    assert mask_expression(problem, masked.text).text == masked.text


@settings(max_examples=150, deadline=None)
@given(NUMBERS, st.integers(0, 9))
def test_the_value_of_a_mention_survives_its_writing(value: Fraction, form: int) -> None:
    forms = written(value)
    reply = f"The answer is {forms[form % len(forms)]}."
    assert grade_expression(expression(str(value)), reply).is_correct
    assert not grade_expression(expression(str(value + 1)), reply).is_correct


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 4000), SENTENCES, BEFORE)
def test_what_the_quantity_grader_accepts_does_not_pass_its_mask(
    value: int, sentence: str, before: str
) -> None:
    problem = Problem("1", "custom", "How many are there?", str(value), grader="number")
    masked = mask_number(problem, before + sentence.format(value))
    assert not grade_quantity(problem, masked.text).is_correct
    assert mask_number(problem, masked.text).text == masked.text


OPTIONS = ("1/4", "1/2", "neon", "x+11")
NAMED = st.sampled_from(
    [
        "The answer is (B).", "So (B).", "The answer is 0.5.", "The second choice is right.",
        "Answer: (A) -> (B)", "At first I thought (A). It is B.", "Eliminate A, C and D.",
        "Respuesta: B", "b", "You get $p = \\frac{1}{2}$.", "Revised: (B)",
    ]
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(NAMED, BEFORE)
def test_what_the_choice_grader_accepts_does_not_pass_its_mask(named: str, before: str) -> None:
    problem = Problem("1", "mmlu", "What is p?", "B", choices=OPTIONS)
    masked = mask_letters(problem, before + named)
    assert not grade_choice(problem, masked.text).is_correct
    assert mask_letters(problem, masked.text).text == masked.text


@pytest.mark.parametrize(
    ("question", "gold", "feedback"),
    [
        ("What is 1/2 + 1/4?", "3/4", "You computed 1/2 + 1/4 wrongly."),
        ("Reduce \\frac{6}{8}.", "\\frac{3}{4}", "Look at \\frac{6}{8} again."),
        ("Ann has 7 red and 2 blue balls in 2 bags.", "7", "Ann has 7 red and 2 blue balls in it."),
    ],
)
def test_what_the_question_says_itself_stays(question: str, gold: str, feedback: str) -> None:
    assert mask_expression(Problem("1", "math_500", question, gold), feedback).text == feedback


def test_an_answer_that_the_question_offers_goes() -> None:
    problem = Problem("1", "math_500", "Which is larger, 2/3 or 3/4?", "3/4")
    assert "3/4" not in mask_expression(problem, "It is 3/4.").text
