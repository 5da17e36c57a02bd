"""The exact tutors of generated families: they find the planted slip, and give nothing away."""

from __future__ import annotations

import importlib
import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from effort import LINEAR, growth, repeated
from feedback_friction.tasks import base_conversion
from feedback_friction.tasks.catalog import FAMILIES as NAMES
from feedback_friction.tasks.catalog import get_page
from feedback_friction.tasks.exact.claims import claims
from feedback_friction.tasks.exact.family import grade, no_slip
from feedback_friction.tasks.validation import validate

FAMILIES = [importlib.import_module(f"feedback_friction.tasks.{name}").FAMILY for name in NAMES]
family_of = pytest.mark.parametrize("family", FAMILIES, ids=lambda each: each.name)
SEEDS = st.integers(0, 2**32)
KINDS = ("sum", "product", "division", "equation", "count")
OFF = st.integers(-40, 40).filter(bool)
WORDS = st.text(
    "Look, so we have that next: and then\n-*0123456789x=+/()^ ×tens base 5", max_size=60
)


def problem_of(family, seed):
    [row] = family.generate(1, seed)
    return family.to_problem(row)


def slipped(family, seed, at, off):
    """A problem, an attempt with one wrong line, and that line."""
    problem = problem_of(family, seed)
    text = family.attempt(problem, at, off)
    assume(not grade(problem, text).is_correct)
    work = family.work(family.read(problem.question), no_slip)
    lines = text.split("\n")
    number = next(
        n for n, (line, right) in enumerate(zip(lines, work, strict=False)) if line != str(right)
    )
    return problem, text, lines[number]


@family_of
@given(SEEDS, st.integers(0, 9), OFF)
def test_it_finds_the_planted_slip(family, seed, at, off):
    problem, text, line = slipped(family, seed, at, off)
    quote = family.locate(problem, text)
    assert quote is not None
    assert quote.replace(" × ", " * ") in line
    assert family.diagnose(problem, text).kind in (
        "sum",
        "product",
        "division",
        "equation",
        "count",
    )


@family_of
@given(SEEDS, st.integers(0, 9), OFF, WORDS, WORDS)
def test_it_gives_nothing_away_and_the_mask_leaves_no_leak(family, seed, at, off, before, after):
    problem, text, _ = slipped(family, seed, at, off)
    told = family.tutor(problem, f"{before}\n{text}\n{after}")
    masked = PAGES[family.name].task.mask(problem, told)
    assert masked.leaks == ()
    assert not grade(problem, masked.text).is_correct
    bare = family.tutor(problem, text)
    assert problem.gold not in bare.replace(".", " ").replace('"', " ").replace(":", " ").split()


PAGES = {name: get_page(name) for name in NAMES}


@family_of
@given(SEEDS)
def test_it_calls_no_line_of_a_right_solution_wrong(family, seed):
    problem = problem_of(family, seed)
    assert family.locate(problem, problem.solution) is None
    told = family.diagnose(problem, problem.solution)
    assert told.kind == "none"


@family_of
@given(SEEDS, st.integers(0, 9), OFF)
def test_what_it_says_of_a_value_is_so(family, seed, at, off):
    problem, text, _ = slipped(family, seed, at, off)
    step = family.wrong_step(problem, text)
    if step is not None and len(step.left) > 1:
        [claim] = claims(f"{' '.join(step.left)} = {step.right}", problem.gold)
        assert claim.holds
        assert step.wrong != step.right


@family_of
@given(SEEDS, st.integers(0, 9), SEEDS)
def test_what_misleads_calls_a_right_step_wrong_and_does_not_name_the_answer(family, seed, at, by):
    problem = problem_of(family, seed)
    said = family.mislead(problem, problem.solution, random.Random(by))
    if said is not None:
        assert said.value in said.text
        assert said.value != problem.gold
        assert not PAGES[family.name].task.mask(problem, said.text).spans


@family_of
def test_its_rows_are_fit_and_differ_and_do_not_depend_on_how_many_there_are(family):
    rows = family.generate(60, seed=3)
    assert rows[:10] == family.generate(10, seed=3)
    assert len({row["question"] for row in rows}) == 60
    problems = [family.to_problem(row) for row in rows]
    assert validate(PAGES[family.name], problems).failures == ()


@family_of
@given(st.text(max_size=300), SEEDS)
def test_it_reads_any_text(family, text, seed):
    problem = problem_of(family, seed)
    assert family.tutor(problem, text)
    assert family.diagnose(problem, text).kind


HOLDS = [
    "47 + 38 = 85 - 15 = 70",
    "23 / 5 = 4, remainder 3",
    "23 / 5 = 4 r 3",
    "- 15 + 30 = 45",
    "1. 47 + 38 = 85",
    "2) 47 + 38 = 85",
    "(2031)_5 = 2 * 125 + 3 * 5 + 1",
    "2031 base 5 = 2 * 125 + 3 * 5 + 1 = 266",
    "40 + 45 = 8 tens and 5",
    "**47 + 38 = 85**",
    r"$47 \times 2 = 94$",
    r"\frac{44}{4} = 11",
    r"5^{3} = 125",
    "2**3 = 8",
    "1,200 + 34 = 1,234",
    "7x - 3x = 4x",
    "If x = 5, then 7x = 35",
    "2 x 5 = 10",
    "step 2 = 47 + 38",
    "5 = 6",
    "so 8 + 8 = 16.",
    "2(3 + 4) = 14",
    "3 + 4 * 2 = 11",
]


@pytest.mark.parametrize("text", HOLDS)
def test_what_may_be_meant_rightly_is_not_called_wrong(text):
    assert [claim.quote for claim in claims(text, "11") if not claim.holds] == []


WRONG = [
    ("47 + 38 = 84", "47 + 38 = 84"),
    ("So we get 47+38=84 and go on.", "47 + 38 = 84"),
    ("47 + 38 = 84 - 15 = 69", "47 + 38 = 84 - 15"),
    ("85 - 15 = 70 + 3 = 74", "70 + 3 = 74"),
    ("4x = 40", "4x = 40"),
    ("x = 44 / 4 = 12", "44 / 4 = 12"),
    ("7x + 12 - 12 = 3x + 44", None),
    (r"**47 \times 2 = 95**", "47 × 2 = 95"),
    ("Therefore x = 12.", "x = 12"),
    ("2**3 = 9", "2^3 = 9"),
]


@pytest.mark.parametrize(("text", "quote"), WRONG)
def test_what_is_false_in_every_reading_is_found(text, quote):
    false = [claim.quote for claim in claims(text, "11") if not claim.holds]
    assert false[:1] == ([quote] if quote else [])


@pytest.mark.parametrize(
    ("left", "value"),
    [("2+3*4", 14), ("(2+3)*4", 20), ("2^3", 8), ("2x+1", ""), ("2(3+4)", 14), ("1/0", None),
     ("7/2", None), ("2^5000", None), ("2+", None), ("(2", None), ("9" * 1300, None)],
)  # fmt: skip
def test_a_claim_has_the_value_of_its_left_side_if_it_is_whole(left, value):
    found = [claim.value for claim in claims(f"{left} = 5", "11")]
    assert found == ([] if value is None else [str(value)])


@pytest.mark.parametrize("piece", ["1 + 1 = 3\n", "((((", "2^9^9^", "1=1=", "x=", "pepper: 3 "])
def test_a_long_text_takes_time_in_proportion(piece):
    assert growth(claims, lambda size: (repeated(piece, size),), 500) < LINEAR


def test_a_digit_at_another_place_is_a_step_of_its_own_kind():
    family = base_conversion.FAMILY
    question = "Write the number 2031 of base 5 in base 10."
    problem = family.to_problem({"question": question, "answer": 266})
    told = family.diagnose(problem, "2 * 25 = 50\n3 * 5 = 15\n50 + 15 + 1 = 66\nThe answer is 66.")
    assert (told.kind, told.where) == ("place", 'Look at "2 × 25 = 50".')
    horner = "2 * 5 = 10\n10 * 5 = 50\n50 + 3 = 53\n53 * 5 = 265\n265 + 1 = 266"
    assert family.locate(problem, horner) is None


@family_of
def test_what_is_wrong_where_no_step_is(family):
    problem = problem_of(family, 5)
    assert family.diagnose(problem, "").kind == "no answer"
    assert family.diagnose(problem, "The answer is 987654.").kind == "no work"
    missed = f"1 + 1 = 2\nThe answer is {int(problem.gold) + 1}."
    assert family.diagnose(problem, missed).kind == "result"
    copied = f"{problem.gold} + 0 = {problem.gold}\nThe answer is 987654."
    assert family.diagnose(problem, copied).kind == "answer"
