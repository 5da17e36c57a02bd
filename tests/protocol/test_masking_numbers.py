"""The mask of the multiplication tasks: a table of feedback texts, and what holds for all texts."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from num2words import num2words

from effort import LINEAR, growth, repeated
from feedback_friction.grading.number import grade_number
from feedback_friction.problem import Problem
from feedback_friction.protocol.masking.gate import MASK
from feedback_friction.protocol.masking.numbers import (
    mask_decimal,
    mask_hex,
    number_leaks,
    partial_products,
    split,
)
from feedback_friction.protocol.records import Masked

TABLE = json.loads((Path(__file__).parents[1] / "cases" / "mask_numbers.json").read_text("utf-8"))
PROBLEMS = {
    name: Problem("1", row["task"], row["question"], row["gold"], operands=tuple(row["operands"]))
    for name, row in TABLE["problems"].items()
}
DATA = os.environ.get("FRICTION_DATA")
needs_data = pytest.mark.skipif(DATA is None, reason="FRICTION_DATA is not set")


def masked(problem: Problem, text: str) -> Masked:
    return (mask_decimal if problem.task == "decimal" else mask_hex)(problem, text)


def multiplication(task: str, first: str, second: str) -> Problem:
    base = 10 if task == "decimal" else 16
    product = int(first, base) * int(second, base)
    gold = str(product) if base == 10 else f"{product:X}"
    return Problem("1", task, f"{first} * {second}", gold, operands=(first, second))


# --- the table -----------------------------------------------------------------------------------


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["name"])
def test_feedback_is_masked_as_the_table_says(case):
    found = masked(PROBLEMS[case["problem"]], case["text"])
    assert (found.text, list(found.leaks)) == (case["masked"], case["leaks"])


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["name"])
def test_masking_again_changes_nothing(case):
    problem = PROBLEMS[case["problem"]]
    assert masked(problem, case["masked"]) == Masked(case["masked"], (), tuple(case["leaks"]))


@pytest.mark.parametrize("case", TABLE["audit"], ids=lambda case: case["name"])
def test_the_audit_names_the_leaks(case):
    problem = PROBLEMS[case["problem"]]
    base = 10 if problem.task == "decimal" else 16
    assert list(number_leaks(problem.gold, case["text"], base)) == case["leaks"]


# --- partial products ----------------------------------------------------------------------------


def test_the_four_partial_products_of_the_split_at_the_thousands():
    assert partial_products(19365, 12534) == (228_000_000, 10_146_000, 4_380_000, 194_910)


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        (70000, 20005, (1_400_000_000, 350_000)),  # 0 twice
        (70001, 20005, (1_400_000_000, 350_000)),  # 20000 = b_hi, 5 = b_lo
        (21003, 35007, (735_000_000, 147_000, 105_000)),  # 21 is below 1,000
        (1000, 45678, (45_000_000, 678_000)),
        (1, 23456, ()),  # 23000 and 456 are the parts
        (473, 628, (240_000, 11_200, 43_800, 2_044)),
        (403, 628, (240_000, 11_200, 1_800)),  # 3 * 28 = 84 is below 100
        (400, 628, (240_000, 11_200)),  # 0 twice
        (4738, 1628, (7_520_000, 131_600, 60_800, 1_064)),
        (47, 36, (1200, 240, 210, 42)),
        (41, 32, (1200, 80)),  # 30 is a part, 2 has one digit
        (42, 35, (1200, 200, 60)),  # ten is what places are spoken of by
        (40, 30, (1200,)),  # 0 three times
        (1, 47, ()),  # 40 and 7 are the parts
        (7, 8, (56,)),
    ],
)
def test_partial_products_that_are_small_or_stand_in_the_question_are_left_alone(
    first, second, kept
):
    assert partial_products(first, second) == kept


sizes = st.integers(2, 6).flatmap(lambda n: st.tuples(*2 * [st.integers(10 ** (n - 1), 10**n - 1)]))


@given(sizes)
def test_nothing_in_the_question_or_its_split_is_masked(numbers):
    first, second = numbers
    problem = multiplication("decimal", str(first), str(second))
    (high, low), (other_high, other_low) = split(first, second)
    text = (
        f"{first} * {second} = ({high} + {low}) * ({other_high} + {other_low}); that is, "
        f"{first:,} = {high:,} + {low} and {second:,} = {other_high:,} + {other_low}."
    )
    assert masked(problem, text).text is text


@pytest.mark.parametrize(
    ("first", "second", "text"),
    [
        ("40", "40", "640 is the wrong result; 600 + 40 is not 1500."),  # 1600 is 640 in base 16
        ("43", "71", "A bed of nails, Bed by bed; 0b4."),  # 3053 is BED
        ("49", "61", "That is a bad idea, Bad."),  # 2989 is BAD
        ("21", "23", "1e3 times as large; one E 3."),  # 483 is 1E3
        ("261", "246", "face to Face"),  # 64206 is FACE
        ("47", "36", "Step 4: 7 and 6, carry 4; 12 of 30, 10 times 47, 24 hours, 420, 1.2, 142."),
    ],
)
def test_other_numbers_and_words_stay_where_numbers_are_small(first, second, text):
    assert masked(multiplication("decimal", first, second), text).text is text


def test_a_short_number_in_base_16_is_masked_as_a_word_and_not_within_one():
    problem = multiplication("hex", "65", "02")
    text = "Calculate cases: CA, 0xCA, 0x00ca or CAh; decade, 0xCAB, CA7, xCA."
    assert masked(problem, text).text == (
        f"Calculate cases: {MASK}, {MASK}, {MASK} or {MASK}; decade, 0xCAB, CA7, xCA."
    )


@pytest.mark.parametrize(
    ("first", "second", "forms"),
    [
        ("40", "40", "1600|1,600|sixteen hundred|one thousand six hundred|1.6e3|16 * 100|160 × 10"),
        ("40", "40", "0x640|0X0640|640h"),
        ("43", "71", "3053|0xBED|0xbed|BEDh|3,053"),
        (
            "47",
            "36",
            "1692|42|forty-two|210|24 * 10|one thousand six hundred ninety-two"
            "|sixteen hundred and ninety-two",
        ),
        ("473", "628", "297044|297,044|0x48854|2044|two thousand and forty-four|11,200"),
    ],
)
def test_small_secrets_are_masked_in_every_form(first, second, forms):
    problem = multiplication("decimal", first, second)
    for form in forms.split("|"):
        found = masked(problem, f"It is {form}, no less.")
        assert found.text == f"It is {MASK}, no less.", form
        assert found.leaks == ()


# --- properties ----------------------------------------------------------------------------------

factors = st.integers(10_000, 999_999).map(str)
problems = st.one_of(
    st.builds(multiplication, st.just("decimal"), factors, factors),
    st.builds(multiplication, st.just("hex"), factors, factors),
)
WORDS = (
    "The Your answer is step wrong, because you forgot to carry; a an add be and then **Check** "
    "(again) \\( \\times \\) = + → - the product: `line` hundreds column FACE \\frac in &"
)
prose = st.lists(st.sampled_from([*WORDS.split(" "), "\n"]), max_size=12).map(" ".join)
separators = st.sampled_from(
    ["", ",", " ", "_", "'", "\u00a0", "\u2009", "\u202f", "{,}", "\\,", "\\ ", "\\!", "{\\,}"]
)
odd_separators = st.sampled_from([" ", "-", ", ", "**", "`", "\u200b", " | ", " & ", "\n"])


def grouped(digits: str, separator: str, size: int) -> str:
    head = len(digits) % size
    groups = [digits[:head]] if head else []
    groups += [digits[at : at + size] for at in range(head, len(digits), size)]
    return separator.join(groups)


@st.composite
def written(draw, digits: str, base: int) -> str:
    """A number, given by its digits, in one of the forms in which feedback writes it."""
    kind = draw(st.sampled_from(["grouped", "apart", "scaled", "words", "affixes", "foreign"]))
    if kind == "apart" and len(digits) > 5:
        return draw(odd_separators).join(digits)
    if kind == "scaled" and base == 10 and digits.strip("0") != digits[0]:
        mantissa = f"{digits[0]}.{digits[1:].rstrip('0')}"
        power = len(digits) - 1
        forms = ["{}e{}", "{}E+{}", "{} × 10^{}", "{} \\times 10^{{{}}}", "{} * 10**{}"]
        return draw(st.sampled_from(forms)).format(mantissa, power)
    if kind == "words" and base == 10:
        words = num2words(int(digits))
        change = draw(st.sampled_from([str, str.upper, str.title]))
        return change(words if draw(st.booleans()) else words.replace(" and", "").replace(",", ""))
    if kind == "affixes":
        forms = ["000{}", "{}.0", "{}.00", "+{}"] if base == 10 else ["0x{}", "{}h", "0X00{}"]
        return draw(st.sampled_from(forms)).format(digits)
    if kind == "foreign":
        zero = draw(st.sampled_from("０٠०𝟎"))
        return "".join(chr(ord(zero) + int(d)) if d.isdigit() else d for d in digits)
    return grouped(digits, draw(separators), 3 if base == 10 else 4)


@st.composite
def embedded(draw, number: str) -> str:
    """A number within prose, perhaps in LaTeX or Markdown."""
    frame = draw(
        st.sampled_from(
            [" {} ", " {}. ", " ({}) ", " **{}** ", " `{}` ", " \\boxed{{{}}} ", " ${}$ ", ": {}, "]
        )
    )
    return draw(prose) + frame.format(number) + draw(prose)


@given(problems, st.data())
def test_the_answer_is_masked_in_whatever_form_it_stands(problem, data):
    base = 10 if problem.task == "decimal" else 16
    digits = problem.gold if data.draw(st.booleans()) else problem.gold.lower()
    number = data.draw(written(digits, base))
    before, after = data.draw(embedded("\0")).split("\0")
    found = masked(problem, before + number + after)
    assert MASK in found.text
    assert found.leaks == ()
    assert not grade_number(problem.gold, found.text, base, problem.operands).is_correct
    # Nothing but the number went, a sign or a bracket beside it apart.
    assert found.text.startswith(before.rstrip())
    assert found.text.endswith(after)
    assert masked(problem, found.text) == Masked(found.text)


@given(problems, st.data())
def test_spans_are_offsets_into_the_original(problem, data):
    base = 10 if problem.task == "decimal" else 16
    numbers = [data.draw(written(problem.gold, base)) for _ in range(2)]
    text = "\n".join(data.draw(embedded(number)) for number in numbers)
    found = masked(problem, text)
    rebuilt, at = "", 0
    for span in found.spans:
        rebuilt += text[at : span.start] + MASK
        at = span.end
    assert rebuilt + text[at:] == found.text
    assert len(found.spans) >= 2


@given(problems, st.integers(10**4, 10**11), st.data())
def test_other_numbers_stay(problem, number, data):
    base = 10 if problem.task == "decimal" else 16
    secrets = {int(problem.gold, base)}
    if base == 10:
        secrets |= set(partial_products(*map(int, problem.operands)))
    assume(number not in secrets)
    digits = str(number) if base == 10 else f"{number:X}"
    text = data.draw(embedded(data.draw(written(digits, base))))
    assert masked(problem, text) == Masked(text)


@given(problems, st.sampled_from("0123456789"), st.booleans())
def test_the_answer_within_a_longer_number_stays(problem, digit, in_front):
    assume(not (in_front and digit == "0"))
    text = digit + problem.gold if in_front else problem.gold + digit
    assert masked(problem, f"It is {text}, you wrote.").spans == ()


@given(problems, prose, prose, st.booleans())
def test_the_audit_finds_an_answer_planted_in_masked_text(problem, before, after, apart):
    base = 10 if problem.task == "decimal" else 16
    clean = masked(problem, f"{before} {problem.gold} {after}").text
    planted = f"{clean} {grouped(problem.gold, ',', 3) if base == 10 and apart else problem.gold}"
    assert number_leaks(problem.gold, planted, base) != ()
    assert number_leaks(problem.gold, clean, base) == ()


@given(problems, st.text(max_size=200))
def test_no_text_raises_and_masking_is_idempotent(problem, text):
    found = masked(problem, text)
    assert masked(problem, found.text) == Masked(found.text, (), found.leaks)


PIECES = (
    "5781709410 5,781,709,410 578170941 5 7 8 1 0 10 ^ e9 × . , e { } \\ _ [masked] 77970 x h "
    "DCB2096CA D CB20 96CA five billion thousand and 148410"
)
pieces = st.sampled_from([*PIECES.split(" "), " ", "\n"])


@given(st.lists(pieces, max_size=25).map("".join), st.sampled_from(["decimal", "hex"]))
def test_what_the_grader_accepts_whole_is_masked_or_named_as_a_leak(text, name):
    problem = PROBLEMS[name]
    base = 10 if problem.task == "decimal" else 16
    found = masked(problem, text)
    assert masked(problem, found.text) == Masked(found.text, (), found.leaks)
    if grade_number(problem.gold, found.text, base).is_correct:
        assert found.leaks


# --- real data -----------------------------------------------------------------------------------


def rows(name: str) -> list[dict[str, object]]:
    assert DATA is not None
    return [json.loads(line) for line in (Path(DATA) / name).read_text("utf-8").splitlines()]


@needs_data
def test_worked_solutions_of_the_authors_lose_the_final_sum_and_nothing_else():
    for row in rows("hex_5d_authors_300.jsonl"):
        solution, gold = str(row["Explanation"]), str(row["answer"])
        first, second = str(row["question"]).rstrip(".").rsplit(": ")[-1].split(" * ")
        found = masked(multiplication("hex", first, second), solution)
        assert found.leaks == ()
        expected = solution.replace(f"Intermediate Sum: {gold}\n", f"Intermediate Sum: {MASK}\n")
        assert found.text == expected.replace(f"(hex) = {gold}", f"(hex) = {MASK}")


@needs_data
def test_worked_solutions_of_the_authors_decimal_problems_lose_product_and_partial_products():
    for row in rows("decimal_5d_authors_450.jsonl"):
        first, second = str(row["question"]).rstrip(".").rsplit(": ")[-1].split(" * ")
        problem = multiplication("decimal", first, second)
        a, b = [[int(x) // 1000 * 1000, int(x) % 1000] for x in (first, second)]
        lines = [f"{x} * {y} = {x * y}" for x in a for y in b] + [f"Sum = {problem.gold}"]
        found = masked(problem, "\n".join(lines))
        secrets = {str(product) for product in partial_products(int(first), int(second))}
        results = [line.split(" = ")[1] for line in lines]
        assert [line.split(" = ")[1] for line in found.text.split("\n")] == [
            MASK if result in secrets or result == problem.gold else result for result in results
        ]
        assert found.leaks == ()


# --- work ----------------------------------------------------------------------------------------


def work(problem: Problem, piece: str, size: int) -> float:
    by_task = mask_decimal if problem.task == "decimal" else mask_hex
    return growth(by_task, lambda size: (problem, repeated(piece, size)), size)


@pytest.mark.slow
@pytest.mark.parametrize(
    "case", ["decimal: a whole reply", "decimal: nothing to mask", "hex: worked solution"]
)
def test_work_grows_with_the_length_of_feedback(case):
    (row,) = (row for row in TABLE["cases"] if row["name"] == case)
    assert work(PROBLEMS[row["problem"]], f"{row['text']}\n", 3000) < LINEAR


@pytest.mark.slow
@pytest.mark.parametrize("name", ["decimal", "hex"])
def test_work_grows_with_the_length_of_text_that_has_every_form(name):
    text = "\n".join(case["text"] for case in TABLE["cases"] if case["problem"] == name)
    assert work(PROBLEMS[name], text, len(text)) < LINEAR


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit",
    [
        *("5781709410", "5781709410,", "5,781,709,410 ", "5 7 8 1 7 0 9 4 1 0 ", "5", "5 ", "0 "),
        *("5.78170941e9,", "5.78170941 × 10^9 ", "10 × ", "1 × 10", "578170941 x 10,", "1 ", "{"),
        *("five billion ", "two billion ", "five seven eight ", "\\", "\\text{", "<b>", "<a "),
        *(
            "5*",
            "5 ***********",
            "\u200b5",
            "½",
            "٥",
            "[masked]",
            "DCB2096CA ",
            "d c b ",
            "a ",
            "&n",
        ),
    ],
)
@pytest.mark.parametrize("name", ["decimal", "round", "hex", "hex zeros"])
def test_work_grows_with_the_length_of_hostile_repetition(name, unit):
    assert work(PROBLEMS[name], unit, 500) < LINEAR
