"""The tutor: it finds the first wrong line, says nothing untrue, and gives nothing away."""

from __future__ import annotations

import json
import os
from pathlib import Path
from random import Random
from typing import Any

import pytest
from attempts import STYLES, Style, Work, attempt
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from effort import LINEAR, growth, repeated
from feedback_friction.problem import Problem
from feedback_friction.tasks.catalog import get_page
from feedback_friction.tasks.tutor import Kind, find_error, tutor
from task_rows import ROWS

FILES = Path(__file__).parents[1] / "cases"
CASES = json.loads((FILES / "tutor_attempts.json").read_text())
TEXT = json.loads((FILES / "tutor_text.json").read_text())
DATA = os.environ.get("FRICTION_DATA")
NAMES = {10: "decimal_multiplication", 16: "hex_multiplication"}
ABOUT_A_LINE = frozenset(Kind) - {
    Kind.ANSWER,
    Kind.MISSING,
    Kind.RESULT,
    Kind.NO_WORK,
    Kind.NO_ANSWER,
    Kind.UNFINISHED,
    Kind.NONE,
}
REMARKS = (
    "Let me go on carefully.",
    "So far so good.",
    "Carry the 1.",
    "*Note:* 10 digits are expected.",
    "Each step uses 2 numbers.",
    "",
    "Next:",
    "(9 + 3 = 12, write 2, carry 1)",
    "We have 4 partial products.",
)


def _problem(base: int, factors: tuple[str, ...]) -> Problem:
    product = int(factors[0], base) * int(factors[1], base)
    gold = f"{product:d}" if base == 10 else f"{product:X}"
    question = f"Calculate {factors[0]} * {factors[1]}."
    return Problem("x", NAMES[base], question, gold, operands=factors)


def _hides(problem: Problem, text: str) -> bool:
    """Whether the task's mask and its grader find nothing of the answer in a text."""
    task = get_page(problem.task).task
    return not task.mask(problem, text).spans and not task.grade(problem, text).is_correct


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_case(case: dict[str, Any]) -> None:
    problem = _problem(case["base"], tuple(case["factors"]))
    found = find_error(problem, case["attempt"])
    assert (found.kind, found.line) == (case["kind"], case["line"])
    assert case.get("says", "") in found.why
    assert case.get("quote", found.quote) == found.quote
    assert _hides(problem, tutor(problem, case["attempt"]))


# --- attempts in many styles ---------------------------------------------------------------------

FIVE_OR_SIX_DIGITS = st.integers(10_001, 999_999)
# Numbers in which no partial product passes for another, so that a slip is where it seems to be.
VARIED = FIVE_OR_SIX_DIGITS.filter(lambda value: len(set(str(value))) > 4)
# Numbers in which they do: digits that repeat, many zeros.
AWKWARD = (
    st.sampled_from(["01", "012", "19", "123"])
    .flatmap(lambda digits: st.text(digits, min_size=5, max_size=6))
    .map(int)
    .filter(lambda value: value > 10_000)
)


@st.composite
def tasks(draw: st.DrawFn, numbers: st.SearchStrategy[int]) -> tuple[int, Style, tuple[str, str]]:
    """A base, a style of working, and two factors; in base 16 perhaps with leading zeros."""
    base = draw(st.sampled_from([10, 16]))
    style = draw(st.sampled_from(STYLES[base]))
    width = draw(st.sampled_from([1, 6])) if base == 16 else 1
    first, second = (f"{draw(numbers):0{width}d}" for _ in range(2))
    return base, style, (first, second)


@pytest.mark.slow
@settings(max_examples=100, deadline=None, derandomize=True)
@given(task=tasks(VARIED), wrong_at=st.integers(0, 10_000), seed=st.integers(0, 10_000))
def test_the_first_wrong_line_is_found_with_its_kind(
    task: tuple[int, Style, tuple[str, str]], wrong_at: int, seed: int
) -> None:
    base, style, factors = task
    assume(factors[0] != factors[1])
    problem = _problem(base, factors)
    work = attempt(style, base, factors, wrong_at, seed)
    if get_page(problem.task).task.grade(problem, work.text()).is_correct:
        return  # a slip that the rest of the work does not depend on
    found = find_error(problem, work.text())
    assert (found.kind, found.line) == work.slip, found
    assert _hides(problem, tutor(problem, work.text()))


@pytest.mark.slow
@given(task=tasks(FIVE_OR_SIX_DIGITS | AWKWARD), seed=st.integers(0, 10_000))
def test_right_lines_are_never_found_wrong(
    task: tuple[int, Style, tuple[str, str]], seed: int
) -> None:
    base, style, factors = task
    work = attempt(style, base, factors, None, 0)
    rng = Random(seed)
    if "|" not in work.text() and "```" not in work.text() and "\n=" not in work.text():
        for _ in range(rng.randrange(4)):
            work.lines.insert(rng.randrange(len(work.lines)), rng.choice(REMARKS))
    assert find_error(_problem(base, factors), work.text()).kind is Kind.NONE


@pytest.mark.slow
@given(task=tasks(FIVE_OR_SIX_DIGITS | AWKWARD), share=st.floats(0, 1))
def test_work_that_is_cut_off_is_not_found_wrong(
    task: tuple[int, Style, tuple[str, str]], share: float
) -> None:
    base, style, factors = task
    text = attempt(style, base, factors, None, 0).text()
    cut = text[: int(share * len(text))]
    problem = _problem(base, factors)
    assert find_error(problem, cut).kind not in ABOUT_A_LINE
    assert _hides(problem, tutor(problem, cut))


@pytest.mark.slow
@settings(max_examples=60, deadline=None, derandomize=True)
@given(task=tasks(VARIED), drop=st.integers(0, 3), twice=st.booleans())
def test_a_partial_product_left_out_or_added_twice_is_named(
    task: tuple[int, Style, tuple[str, str]], drop: int, twice: bool
) -> None:
    base, _, factors = task
    work = Work(base, factors, Random(0))
    places = [(digit, at) for at, digit in enumerate(reversed(factors[1])) if digit != "0"]
    products = []
    for digit, at in places:
        products.append(work.value(factors[0]) * work.value(digit) * base**at)
        work.add(f"{factors[0]} * {digit}{'0' * at} = {work.write(products[-1])}")
    odd = products[drop % len(products)]
    terms = [*products, odd] if twice else [term for term in products if term != odd]
    if len(terms) < 2 or products.count(odd) > 1:
        return
    total = work.write(sum(terms))
    work.add(f"{' + '.join(map(work.write, terms))} = {total}", f"Answer: {total}.")
    problem = _problem(base, factors)
    found = find_error(problem, work.text())
    assert found.kind is Kind.MISSING
    assert f"line {products.index(odd) + 1}" in found.why
    assert ("too large" in found.why) == twice
    assert _hides(problem, tutor(problem, work.text()))


@given(
    factors=st.tuples(FIVE_OR_SIX_DIGITS, FIVE_OR_SIX_DIGITS),
    digit=st.integers(2, 9),
    place=st.integers(0, 4),
)
def test_decimal_arithmetic_with_a_hexadecimal_number_is_found(
    factors: tuple[int, int], digit: int, place: int
) -> None:
    first, second = map(str, factors)
    product = int(first) * digit * 10**place
    if product == int(f"{int(first, 16) * digit * 16**place:X}".translate(_NO_LETTERS) or "0"):
        return  # without a carry both bases agree
    line = f"{first} × {digit}{'0' * place} = {product}"
    problem = _problem(16, (first, second))
    found = find_error(problem, f"{line}\nThe answer is 123456789.")
    assert (found.kind, found.line) == (Kind.BASE, 1)


_NO_LETTERS = str.maketrans("", "", "ABCDEF")


@pytest.mark.slow
@pytest.mark.skipif(DATA is None, reason="needs FRICTION_DATA")
def test_nothing_is_wrong_with_the_studys_own_solutions() -> None:
    page = get_page("hex_multiplication")
    path = Path(DATA or "") / "hex_5d_authors_300.jsonl"
    for line in path.read_text().splitlines():
        problem = page.to_problem(json.loads(line))
        assert find_error(problem, problem.solution or "").kind is Kind.NONE


@pytest.mark.parametrize("base", [10, 16])
def test_nothing_is_wrong_with_our_own_solutions(base: int) -> None:
    page = get_page(NAMES[base])
    for row in ROWS[page.name]:
        problem = page.to_problem(row)
        assert find_error(problem, problem.solution or "").kind is Kind.NONE


# --- what it says --------------------------------------------------------------------------------


def test_numbers_that_give_away_are_left_out_of_a_quotation() -> None:
    text = (
        "77000 * 74000 = 5698000000\n77000 * 153 = 11781000\n970 * 74000 = 71780000\n"
        "970 * 153 = 148410\n5698000000 + 11781000 + 71780000 + 148410 = 5781709510\n"
        "The answer is \\boxed{5781709510}."
    )
    said = tutor(_problem(10, ("77970", "74153")), text)
    assert "… + … + … + … = 5781709510" in said
    assert (
        "The sum is wrong. Counting from the right, its first wrong digit is in the hundreds"
        in (said)
    )


def test_a_finding_that_would_give_away_is_told_without_numbers() -> None:
    problem = _problem(10, ("77970", "74153"))
    said = tutor(problem, "57817 + 09410 = 5 781 709 410 + 1\nThe answer is 12.")
    assert _hides(problem, said)
    assert "5 781" not in said


def test_the_same_attempt_gets_the_same_words() -> None:
    problem = _problem(10, ("77970", "74153"))
    assert tutor(problem, "77970 × 2 = 155941\nAnswer: 5") == (
        'Look at "77970 × 2 = 155941". The product is wrong. Counting from the right, its first '
        "wrong digit is in the units. Multiply again digit by digit, with the carries, and redo "
        "every line that uses this result."
    )


def test_gold_that_is_not_the_product_is_refused() -> None:
    problem = Problem("x", NAMES[10], "2 * 3", "7", operands=("2", "3"))
    with pytest.raises(ValueError, match=r"7 is not 2 \* 3"):
        find_error(problem, "")


@pytest.mark.slow
@given(
    st.lists(
        st.sampled_from(TEXT["words"]),
        max_size=60,
    ),
    st.sampled_from([10, 16]),
)
def test_any_text_gets_feedback_that_gives_nothing_away(words: list[str], base: int) -> None:
    problem = _problem(base, ("77970", "74153") if base == 10 else ("18222", "92515"))
    said = tutor(problem, " ".join(words))
    assert said
    assert _hides(problem, said)


@pytest.mark.slow
@pytest.mark.parametrize("base", [10, 16])
@pytest.mark.parametrize("piece", TEXT["pieces"])
def test_work_grows_with_the_length_of_the_attempt(piece: str, base: int) -> None:
    problem = _problem(base, ("77970", "74153"))
    assert growth(tutor, lambda size: (problem, repeated(piece, size)), 500) < LINEAR
