"""Grader and mask read alike: what one takes for the answer, the other hides."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from num2words import num2words

from feedback_friction.grading.choice import grade_choice
from feedback_friction.grading.expression import grade_expression
from feedback_friction.grading.quantity import grade_quantity
from feedback_friction.grading.text import grade_text
from feedback_friction.problem import Problem
from feedback_friction.protocol.masking.aliases import mask_aliases
from feedback_friction.protocol.masking.expressions import mask_expression
from feedback_friction.protocol.masking.letters import mask_letters
from feedback_friction.protocol.masking.quantities import mask_number
from feedback_friction.tasks.catalog import get_page
from toys import accepts

SENTENCES = st.sampled_from(
    [
        "{}", "The answer is {}.", "There are {} of them.", "So it is {}.", "x = {}", "#### {}",
        "Respuesta: {}", "It would be {} because of that.", "You should get {}!",
        "<answer>{}</answer>",
        "Therefore, the total is {} apples. I hope it is correct.", "Revised: {}", "$x = {}$",
        "It is {} rather than 9999.", "~~9999~~ {}", "9999? No, {}.", "उत्तर {} है",
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


@pytest.mark.slow
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


@given(NUMBERS, st.integers(0, 9))
def test_the_value_of_a_mention_survives_its_writing(value: Fraction, form: int) -> None:
    forms = written(value)
    reply = f"The answer is {forms[form % len(forms)]}."
    assert grade_expression(expression(str(value)), reply).is_correct
    assert not grade_expression(expression(str(value + 1)), reply).is_correct


DRESSES = [  # from the inside out: Markdown is no part of a formula
    *("{{{}}}", "\\mathbf{{{}}}", "\\left({}\\right)", "\\displaystyle {}", "\\,{}\\,"),
    *("${}$", "\\({}\\)", " {} ", "*{}*", "**{}**", "`{}`"),
]
DRESS = st.sets(st.sampled_from(DRESSES), max_size=3)


@given(NUMBERS, st.integers(0, 9), DRESS)
def test_a_value_is_read_and_hidden_in_whatever_dress(
    value: Fraction, form: int, dress: set[str]
) -> None:
    forms = written(value)
    problem, text = expression(str(value)), forms[form % len(forms)]
    if text[0].isalpha():  # words are no mathematics
        dress = {each for each in dress if "\\" not in each and "{{" not in each}
    for each in sorted(dress, key=DRESSES.index):
        text = each.format(text)
    assert accepts(problem, text)
    masked = mask_expression(problem, f"You should get {text} there.")
    assert masked.spans
    assert not grade_expression(problem, masked.text).is_correct
    assert mask_expression(problem, masked.text).text == masked.text


@pytest.mark.slow
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


@given(NAMED, BEFORE)
def test_what_the_choice_grader_accepts_does_not_pass_its_mask(named: str, before: str) -> None:
    problem = Problem("1", "mmlu", "What is p?", "B", choices=OPTIONS)
    masked = mask_letters(problem, before + named)
    assert not grade_choice(problem, masked.text).is_correct
    assert mask_letters(problem, masked.text).text == masked.text


NAMES = st.sampled_from(
    [
        ("Henry VIII", ("Henry 8", "Henry the Eighth", "HENRY VIII", "Henry  VIII")),
        ("Beyoncé", ("Beyonce", "beyoncé", "**Beyoncé**")),
        ("July 4, 1776", ("4 July 1776", "the 4th of July, 1776", "1776-07-04", "July 4th, 1776")),
        ("J. R. R. Tolkien", ("JRR Tolkien", "J.R.R. Tolkien", "Tolkien, J. R. R.")),
        ("19th century", ("the nineteenth century", "the 19th Century")),
        ("XIV", ("14", "XIV", "fourteen")),
        ("44 BC", ("44 BCE", "44 B.C.")),
    ]
)
NAMING = st.sampled_from(
    ["{}", "The answer is {}.", "It was {}.", "<answer>{}</answer>", "答案是{}。",
     "Not Rome but {}.",
     "I think it is {}, though.", "Answer: {}", "Revised answer: {}"]
)  # fmt: skip


@pytest.mark.slow
@given(NAMES, NAMING, BEFORE, st.integers(0, 9))
def test_what_the_text_grader_accepts_does_not_pass_its_mask(
    name: tuple[str, tuple[str, ...]], sentence: str, before: str, form: int
) -> None:
    gold, forms = name
    problem = Problem("1", "trivia_qa", "Who, what or when was it?", gold)
    masked = mask_aliases(problem, before + sentence.format(forms[form % len(forms)]))
    assert not grade_text(problem, masked.text).is_correct
    assert mask_aliases(problem, masked.text).text == masked.text


MULTIPLICATIONS = st.tuples(st.integers(10_000, 99_999), st.integers(10_000, 99_999))
PRODUCTS = st.sampled_from(
    ["{}", "The product is {}.", "{} * {} = {}", "\\boxed{{{}}}", "#### {}", "Answer: {}",
     "Therefore, {} × {} = {}.", "<answer>{}</answer>"]
)  # fmt: skip
WRITTEN = st.sampled_from(["{}", "{:,}", "{:_}", "**{}**", "{}.0"])


@pytest.mark.slow
@given(MULTIPLICATIONS, PRODUCTS, WRITTEN, BEFORE, st.sampled_from(["decimal", "hex"]))
def test_what_the_multiplication_grader_accepts_does_not_pass_its_mask(
    factors: tuple[int, int], sentence: str, written: str, before: str, base: str
) -> None:
    task = get_page(f"{base}_multiplication").task
    write = str if base == "decimal" else "{:X}".format
    product = factors[0] * factors[1]
    one, other = map(write, factors)
    problem = Problem("1", task.name, f"{one} * {other}?", write(product), operands=(one, other))
    text = written.format(product) if base == "decimal" else write(product)
    parts = (one, other, text) if sentence.count("{}") == 3 else (text,)
    masked = task.mask(problem, before + sentence.format(*parts))
    assert not task.grade(problem, masked.text).is_correct
    assert task.mask(problem, masked.text).text == masked.text


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


@pytest.mark.parametrize(
    ("gold", "decimal"), [("\\frac{1}{3}", "0.333333"), ("\\pi", "3.14159265")]
)
def test_a_decimal_that_gives_gold_away_is_wrong_and_goes(gold: str, decimal: str) -> None:
    assert not grade_expression(expression(gold), f"\\boxed{{{decimal}}}").is_correct
    assert decimal not in mask_expression(expression(gold), f"It is about {decimal}.").text
