"""Grading of exact numbers: tables of cases, and what holds for any number and any text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from effort import LINEAR, growth, repeated
from feedback_friction.grading.number import canonical, extract, grade_number
from feedback_friction.grading.quantity import grade_quantity
from feedback_friction.grading.verdict import Outcome
from feedback_friction.problem import Problem

CASES = json.loads(Path(__file__).parents[1].joinpath("cases/number_grading.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['base']}-{case['name']}")
def test_case(case: dict[str, Any]) -> None:
    verdict = grade_number(
        case["gold"], case["response"], case["base"], tuple(case.get("operands", ()))
    )
    assert (verdict.outcome, verdict.prediction, verdict.rule) == (
        case["outcome"],
        case["prediction"],
        case["rule"],
    )


def _forms(value: int, base: int) -> list[str]:
    """The ways in which a model may write a number in a box."""
    digits = f"{value:d}" if base == 10 else f"{value:X}"
    grouped = f"{value:,}" if base == 10 else digits
    forms = [
        digits,
        "00" + digits,
        f"**{digits}**",
        f"${digits}$",
        rf"\text{{{digits}}}",
        rf"\mathbf{{{digits}}}",
        rf"{digits}_{{{base}}}",
        rf"\text{{{digits}}}_{{{base}}}",
        f" {digits} ",
    ]
    if base == 10:
        spaced = [grouped.replace(",", mark) for mark in (" ", "_", "'", "{,}", r"\,", r",\!")]
        return [*forms, grouped, *spaced, digits + ".0", digits + "."]
    underscored = f"0x{value:_X}"
    return [*forms, digits.lower(), "0x" + digits, underscored, digits + "h", digits + " (hex)"]


STATEMENTS = (
    r"\boxed{{{}}}",
    "The answer is {}.",
    "**Final answer:** {}",
    "## Answer\n\n{}\n",
    "<answer>{}</answer>",
    "Final product = {}",
    "So the answer is {}, and that is all.",
)
PROSE = st.sampled_from(
    [
        "",
        "Let me work through this step by step.\n\n",
        "First 970 * 153 = 148410.\n",
        "1. Split the numbers.\n2. The partial products are 5 and 7.\n",
        "\\[ 12 \\times 3 = 36 \\]\n",
        "The answer is 17? No, wait.\n",
    ]
)


@given(
    value=st.integers(16**8, 16**12),
    base=st.sampled_from([10, 16]),
    statement=st.sampled_from(STATEMENTS),
    before=PROSE,
    data=st.data(),
)
def test_every_written_form_in_every_statement_is_found(
    value: int, base: Any, statement: str, before: str, data: st.DataObject
) -> None:
    gold = f"{value:d}" if base == 10 else f"{value:X}"
    form = data.draw(st.sampled_from(_forms(value, base)))
    verdict = grade_number(gold, before + statement.format(form), base)
    assert verdict.outcome is Outcome.CORRECT
    assert verdict.prediction == gold


@given(
    value=st.integers(10**8, 10**12),
    other=st.integers(10**8, 10**12),
    base=st.sampled_from([10, 16]),
    statement=st.sampled_from(STATEMENTS),
)
def test_another_number_is_wrong_and_is_the_prediction(
    value: int, other: int, base: Any, statement: str
) -> None:
    gold, written = (f"{number:{'d' if base == 10 else 'X'}}" for number in (value, other))
    verdict = grade_number(gold, statement.format(written), base)
    assert verdict.prediction == written
    assert verdict.is_correct == (value == other)


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=300), st.sampled_from([10, 16]))
def test_any_text_is_graded_without_an_error(text: str, base: Any) -> None:
    verdict = grade_number("123456", text, base, ("123", "456"))
    assert (verdict.prediction is None) == (verdict.outcome is Outcome.NO_ANSWER)


@given(
    first=st.integers(10**8, 10**10),
    second=st.integers(10**8, 10**10),
    turn=st.sampled_from([" No wait, ", "\n\nHmm, I slipped. ", "\n\n**Correction:** "]),
)
def test_the_last_statement_counts(first: int, second: int, turn: str) -> None:
    reply = f"So we get \\boxed{{{first}}}.{turn}the answer is {second}."
    assert grade_number(str(second), reply, 10).is_correct


CUT_WORK = (
    "Split: 77970 = 77000 + 970\n74153 = 74000 + 153\n\n"
    "Step 1: 77000 * 74000 = 5698000000\n"
    "Step 2: 77000 * 153 = 11781000\n"
    "Step 3: 970 * 74000 = 71780000\n"
    "Step 4: 970 * 153 = 148410\n\n"
    "Now I add them: 5698000000 + 11781000 = 5709781000\n"
    "5709781000 + 71780000 = 5781561000\n77970 * 74153\n= 5781561000 + 148410"
)


@pytest.mark.parametrize("end", range(len(CUT_WORK)))
def test_work_cut_off_anywhere_before_its_conclusion_has_no_answer(end: int) -> None:
    assert extract(CUT_WORK[:end], 10, ("77970", "74153")) is None


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece",
    [
        "the answer is ",
        "answer is is is is is",
        "\\boxed{",
        "\\boxed{1}",
        "{",
        "\n",
        "1 ",
        "1,",
        "77970 × 74153 = ",
        "77970 × 74153\n=",
        "answer: (",
        "x",
        " ",
        "So 5 = ",
        "0x",
        "^{1",
        "é",
        "**",
        "answer answer",
    ],
)
@pytest.mark.parametrize("base", [10, 16])
def test_work_grows_with_the_length_of_the_reply(piece: str, base: Any) -> None:
    given = base, ("77970", "74153")
    assert growth(extract, lambda size: (repeated(piece, size), *given), 500) < LINEAR


def test_canonical_refuses_what_is_not_one_number() -> None:
    with pytest.raises(ValueError, match="base 10"):
        canonical("12 apples and 3 pears", 10)
    assert canonical("0x00fF", 16) == "FF"


@pytest.mark.parametrize(
    ("reply", "prediction"),
    [("is -2½.", "-2.5"), ("is minus two and a half.", "-2.5"), ("is 2½.", "2.5")],
)
def test_mixed_numbers_are_decimals_with_their_sign(reply: str, prediction: str) -> None:
    verdict = grade_quantity(Problem("1", "custom", "", "-2.5"), f"The answer {reply}")
    assert verdict.prediction == prediction
    assert verdict.is_correct == (prediction == "-2.5")
