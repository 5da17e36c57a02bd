"""The two multiplication tasks: generation, worked solutions, and the study's own rows."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from itertools import product
from pathlib import Path

import pytest
from attempts import STYLES, attempt
from hypothesis import given
from hypothesis import strategies as st

from feedback_friction.errors import UsageError
from feedback_friction.grading.verdict import Outcome
from feedback_friction.problem import Problem
from feedback_friction.settings import Selection
from feedback_friction.tasks import multiplication
from feedback_friction.tasks.catalog import get_page
from feedback_friction.tasks.multiplication import DIGITS, KINDS, factors_of, generate, solution
from feedback_friction.tasks.page import Page, RowError
from task_rows import ROWS

DATA = os.environ.get("FRICTION_DATA")
NAMES = {"decimal": "decimal_multiplication", "hex": "hex_multiplication"}
AUTHORS = {"decimal": "decimal_5d_authors_450.jsonl", "hex": "hex_5d_authors_300.jsonl"}

both = pytest.mark.parametrize("kind", ["decimal", "hex"])


def _factors(kind: str, row: object) -> tuple[str, str]:
    assert isinstance(row, dict)
    found = factors_of(KINDS[kind], row["question"])
    assert found is not None
    return found


def _holds_good(page: Page, problem: Problem) -> None:
    """Gold grades itself, stands in the solution, and is masked there with nothing left of it."""
    task, solution = page.task, problem.solution or ""
    assert task.grade(problem, task.state_answer(problem, problem.gold)).is_correct
    assert task.grade(problem, solution).is_correct
    masked = task.mask(problem, solution)
    assert re.search(rf"(?<!\w){problem.gold}(?!\w)", masked.text) is None
    assert not task.grade(problem, masked.text).is_correct
    assert not masked.leaks
    assert not task.mask(problem, problem.question).spans


@pytest.mark.slow
@both
@pytest.mark.parametrize("digits", DIGITS)
def test_gold_grades_itself_masks_itself_and_is_in_the_solution(kind: str, digits: int) -> None:
    page = get_page(NAMES[kind])
    for row in (*generate(kind, digits, 60, seed=3), *ROWS[page.name]):
        _holds_good(page, page.to_problem(row))


@pytest.mark.slow
@both
def test_so_it_does_for_problems_of_two_digits(kind: str) -> None:
    page = get_page(NAMES[kind])
    count = {"decimal": 900, "hex": 98**2 - 16}[kind]
    rows = generate(kind, 2, count, seed=0)
    assert len({row["question"] for row in rows}) == count
    for row in rows[::7]:
        _holds_good(page, page.to_problem(row))


@pytest.mark.slow
def test_so_it_does_for_pairs_of_two_digits_from_a_file() -> None:
    page = get_page(NAMES["decimal"])
    pairs = list(product(range(10, 100), repeat=2))
    for first, second in pairs[::7]:  # every number comes as a first and as a second factor
        question = KINDS["decimal"].question.format(first, second)
        _holds_good(page, page.to_problem({"question": question, "answer": first * second}))


@given(kind=st.sampled_from(sorted(KINDS)), digits=st.integers(3, 4), data=st.data())
def test_so_it_does_for_any_pair_of_three_or_four_digits(
    kind: str, digits: int, data: st.DataObject
) -> None:
    page, task = get_page(NAMES[kind]), KINDS[kind]
    least = 10 ** (digits - 1) if kind == "decimal" else 4
    numbers = st.integers(least, 10**digits - 1) | st.sampled_from([least, 10**digits // 2])
    factors = tuple(f"{data.draw(numbers):0{digits}d}" for _ in range(2))
    one, other = factors
    row = {"question": task.question.format(one, other), "answer": task.product((one, other))}
    _holds_good(page, page.to_problem(row))


@pytest.mark.parametrize(
    ("kind", "digits", "count", "says"),
    [
        ("decimal", 2, 901, "there are 900, 100 for each leading digit"),
        ("decimal", 3, 90_001, "there are 90000, 10000 for each leading digit"),
        ("hex", 2, 9_589, "there are 9588"),
    ],
)
def test_more_problems_than_there_are_is_refused(
    kind: str, digits: int, count: int, says: str
) -> None:
    with pytest.raises(UsageError, match=f"{count} different {kind} problems .*{says}"):
        generate(kind, digits, count, seed=0)


@pytest.mark.parametrize(
    ("factors", "lines"),
    [
        (("47", "36"), "tens|40 * 30 = 1200|40 * 6 = 240|7 * 30 = 210|7 * 6 = 42|= 1692"),
        (("40", "30"), "tens|40 * 30 = 1200|40 * 0 = 0|0 * 30 = 0|0 * 0 = 0|= 1200"),
        (("473", "628"), "hundreds|400 * 600 = 240000|400 * 28 = 11200|73 * 28 = 2044|= 297044"),
        (("400", "628"), "hundreds|400 = 400 + 0|400 * 28 = 11200|0 * 600 = 0|= 251200"),
        (("4738", "1628"), "hundreds|4700 * 1600 = 7520000|4700 * 28 = 131600|38 * 28 = 1064"),
        (("123456", "987654"), "thousands|123000 * 987000 = 121401000000|456 * 654 = 298224"),
    ],
)
def test_where_a_decimal_solution_splits_the_factors(factors: tuple[str, str], lines: str) -> None:
    text = solution(KINDS["decimal"], factors)
    assert all(line in text for line in lines.split("|")), text


def test_what_is_masked_of_a_solution_with_two_digits() -> None:
    page, (one, other) = get_page(NAMES["decimal"]), ("47", "36")
    question = KINDS["decimal"].question.format(one, other)
    problem = page.to_problem({"question": question, "answer": 1692})
    assert page.task.mask(problem, problem.solution or "").text.splitlines()[1:] == [
        "47 = 40 + 7",
        "36 = 30 + 6",
        "Step 1: 40 * 30 = [masked]",
        "Step 2: 40 * 6 = [masked]",
        "Step 3: 7 * 30 = [masked]",
        "Step 4: 7 * 6 = [masked]",
        "Step 5: [masked] + [masked] + [masked] + [masked] = [masked]",
        "Final product = [masked]",
    ]


@both
def test_rows_have_the_reference_schema(kind: str) -> None:
    rows = generate(kind, 5, 30, seed=0)
    fields = {"question": str, "answer": int if kind == "decimal" else str}
    fields |= {"range": str, "Explanation": str}
    for row in rows:
        assert all(isinstance(row[name], wanted) for name, wanted in fields.items())
        first, second = _factors(kind, row)
        assert len(first) == len(second) == 5
        low, high = re.findall("[0-9]+", str(row["range"]))
        if kind == "decimal":
            assert int(low) <= int(first) <= int(high)
            assert int(low) <= int(second) <= int(high)
            assert int(high) - int(low) == 9999
        else:
            assert (low, high) == (first, second)


@both
def test_the_same_seed_gives_the_same_rows_whatever_their_number(kind: str) -> None:
    assert generate(kind, 5, 40, seed=7) == generate(kind, 5, 400, seed=7)[:40]
    assert generate(kind, 5, 40, seed=7) != generate(kind, 5, 40, seed=8)


@pytest.mark.slow
@both
def test_no_question_occurs_twice(kind: str) -> None:
    rows = generate(kind, 5, 3000, seed=0)
    assert len({row["question"] for row in rows}) == 3000


def test_rows_that_collide_are_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        multiplication, "_decade", lambda leading, _: (10 * leading, 10 * leading + 1)
    )
    monkeypatch.setattr(multiplication, "_row", lambda kind, factors: {"question": factors})
    rows = generate("decimal", 5, 36, seed=0)
    assert len({row["question"] for row in rows}) == 36


def test_decimal_leading_digits_are_spread_evenly() -> None:
    rows = generate("decimal", 6, 450, seed=0)
    leading = Counter(_factors("decimal", row)[0][0] for row in rows)
    assert leading == {str(digit): 50 for digit in range(1, 10)}


@pytest.mark.slow
def test_hex_factors_are_uniform_digits_with_leading_zeros() -> None:
    rows = generate("hex", 5, 4000, seed=0)
    pairs = [_factors("hex", row) for row in rows]
    assert not any(char.isalpha() for pair in pairs for factor in pair for char in factor)
    leading_zero = sum("0" in (one[0], other[0]) for one, other in pairs)
    assert 0.17 < leading_zero / 4000 < 0.21  # expected 1 - 0.9**2 = 0.19; theirs 193 of 1,000


def test_decimal_solution_shows_no_running_sum() -> None:
    lines = solution(KINDS["decimal"], ("40817", "49026")).splitlines()
    assert lines[1:] == [
        "40817 = 40000 + 817",
        "49026 = 49000 + 26",
        "Step 1: 40000 * 49000 = 1960000000",
        "Step 2: 40000 * 26 = 1040000",
        "Step 3: 817 * 49000 = 40033000",
        "Step 4: 817 * 26 = 21242",
        "Step 5: 1960000000 + 1040000 + 40033000 + 21242 = 2001094242",
        "Final product = 2001094242",
    ]


def test_hex_solution_goes_digit_by_digit() -> None:
    lines = solution(KINDS["hex"], ("18222", "92515")).splitlines()
    assert lines[2] == (
        "Step 2: 18222 * 1 = 18222; shifted by 1: 18222 * 10 = 182220; "
        "running sum: 78AAA + 182220 = 1FACCA"
    )
    assert len(lines) == 7
    assert lines[-1] == "Final product = DCB2096CA"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("octal", 5, 1, 0), "allowed: decimal, hex"),
        (("decimal", 7, 1, 0), "allowed: 2, 3, 4, 5, 6"),
        (("hex", 5, 0, 0), "at least 1"),
    ],
)
def test_generate_says_what_is_allowed(arguments: tuple[str, int, int, int], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        generate(*arguments)


QUESTION = "Calculate the following question: 40817 * 49026."
HEX_QUESTION = KINDS["hex"].question.format("18222", "92515")


@pytest.mark.parametrize(
    ("kind", "row", "field", "says"),
    [
        ("decimal", {"answer": 1}, "question", "is missing"),
        ("decimal", {"question": 5, "answer": 1}, "question", "no single product"),
        ("decimal", {"question": "What is 5?", "answer": 5}, "question", "no single product"),
        ("decimal", {"question": "2 * 3 and 4 * 5", "answer": 6}, "question", "no single product"),
        ("decimal", {"question": f"{'9' * 51} * 3", "answer": 6}, "question", "no single product"),
        ("decimal", {"question": QUESTION}, "answer", "is missing"),
        ("decimal", {"question": QUESTION, "answer": True}, "answer", "neither"),
        ("decimal", {"question": QUESTION, "answer": [1]}, "answer", "neither"),
        ("decimal", {"question": QUESTION, "answer": 2.5}, "answer", "neither"),
        ("decimal", {"question": QUESTION, "answer": "many"}, "answer", "not a number"),
        ("decimal", {"question": QUESTION, "answer": 2001094243}, "answer", "is 2001094242"),
        ("decimal", {"question": HEX_QUESTION, "answer": "DCB2096CA"}, "answer", "not a number"),
        ("hex", {"question": HEX_QUESTION, "answer": "DCB2096CB"}, "answer", "is DCB2096CA"),
        ("hex", {"question": HEX_QUESTION, "answer": 1685808330}, "answer", "is DCB2096CA"),
    ],
)
def test_a_wrong_row_is_refused_by_field(
    kind: str, row: dict[str, object], field: str, says: str
) -> None:
    with pytest.raises(RowError, match=says) as raised:
        get_page(NAMES[kind]).to_problem(row)
    assert raised.value.field == field


@pytest.mark.parametrize(
    ("kind", "question", "factors"),
    [
        ("decimal", QUESTION, ("40817", "49026")),
        ("decimal", "What is 40817 × 49026?", ("40817", "49026")),
        ("decimal", r"Compute $40817 \times 49026$.", ("40817", "49026")),
        ("decimal", "40817 x 49026", ("40817", "49026")),
        ("decimal", "40817*49026", ("40817", "49026")),
        ("hex", HEX_QUESTION, ("18222", "92515")),
        ("hex", KINDS["hex"].question.format("08799", "10428"), ("08799", "10428")),
        ("hex", "In base 16: 1A2B * 3c4d", ("1A2B", "3c4d")),
    ],
)
def test_factors_are_found_as_written(kind: str, question: str, factors: tuple[str, str]) -> None:
    assert factors_of(KINDS[kind], question) == factors


def test_ids_come_from_the_factors() -> None:
    problem = get_page("hex_multiplication").to_problem(
        {"question": KINDS["hex"].question.format("08799", "10428"), "answer": "8A5C6D78"}
        | {"answer": KINDS["hex"].product(("08799", "10428"))}
    )
    assert (problem.id, problem.operands) == ("08799x10428", ("08799", "10428"))


def test_a_supplied_explanation_is_kept_only_where_its_numbers_are_right() -> None:
    page = get_page("hex_multiplication")
    ours = solution(KINDS["hex"], ("18222", "92515"))
    theirs = ours.replace("running sum", "so far we have")
    row = {"question": HEX_QUESTION, "answer": "dcb2096ca"}
    assert page.to_problem(row | {"Explanation": theirs}).solution == theirs
    for wrong in (theirs.replace("1FACCA", "1FACCB"), "Final product = DCB2096CA", "", None, 7):
        assert page.to_problem(row | {"Explanation": wrong}).solution == ours


@pytest.mark.slow
@both
@pytest.mark.skipif(DATA is None, reason="needs FRICTION_DATA")
def test_every_row_of_the_study_loads_grades_itself_and_masks_itself(kind: str) -> None:
    page = get_page(NAMES[kind])
    lines = (Path(DATA or "") / AUTHORS[kind]).read_text().splitlines()
    assert len(lines) == {"decimal": 450, "hex": 300}[kind]
    for line in lines:
        row = json.loads(line)
        problem = page.to_problem(row)
        assert page.task.grade(problem, page.task.state_answer(problem, problem.gold)).is_correct
        masked = page.task.mask(problem, problem.solution or "")
        assert problem.gold not in masked.text
        assert not masked.leaks
        if kind == "hex":
            assert problem.solution == row["Explanation"]


@pytest.mark.slow
@pytest.mark.parametrize("base", [10, 16])
def test_work_in_any_style_that_is_cut_off_is_right_or_no_answer(base: int) -> None:
    page = get_page(NAMES["decimal" if base == 10 else "hex"])
    factors = ("77970", "74153")
    problem = page.to_problem(
        {
            "question": KINDS["decimal" if base == 10 else "hex"].question.format(*factors),
            "answer": KINDS["decimal" if base == 10 else "hex"].product(factors),
        }
    )
    for style in STYLES[base]:
        text = attempt(style, base, factors, None, 0).text()
        # "Answer: 57817" may be all that there is of an answer; a cut-off box shows that it is not
        end = max(text.rfind("Final Product"), text.rfind("**Answer"))
        for length in range(0, end if end > 0 else len(text), 3):
            verdict = page.task.grade(problem, text[:length])
            assert verdict.outcome is not Outcome.WRONG, text[:length][-80:]


@both
def test_rows_of_a_page_follow_the_selection(kind: str) -> None:
    page = get_page(NAMES[kind])
    for digits in (2, 6):
        rows = page.rows(Selection(seed=5, digits=digits))
        assert len(rows) == page.size
        assert rows[:3] == generate(kind, digits, 3, seed=5)
