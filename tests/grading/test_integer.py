"""AIME answers: leading zeros, units, exact values, and the 30 problems of 2024."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_friction.grading.expression import grade_expression
from feedback_friction.problem import Problem

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "cases" / "integer_grading.json").read_text(encoding="utf-8")
)
DATA = os.environ.get("FRICTION_DATA")


def problem(gold: object) -> Problem:
    return Problem(id="1", task="aime_2024", question="", gold=str(gold))


@pytest.mark.parametrize("case", CASES, ids=[f"{c['gold']}|{c['reply'][-30:]}" for c in CASES])
def test_labelled_replies(case: dict[str, Any]) -> None:
    verdict = grade_expression(problem(case["gold"]), case["reply"])
    assert (verdict.outcome, verdict.prediction) == (case["outcome"], case["prediction"])


@given(gold=st.integers(0, 999), other=st.integers(0, 999))
def test_leading_zeros_never_matter_and_other_numbers_are_wrong(gold: int, other: int) -> None:
    for reply in (f"\\boxed{{{other:03d}}}", f"The answer is {other}.", f"**Answer: {other:03d}**"):
        verdict = grade_expression(problem(f"{gold:03d}"), reply)
        assert verdict.prediction == str(other)
        assert verdict.is_correct == (gold == other)


@pytest.mark.skipif(not DATA, reason="FRICTION_DATA is not set")
def test_every_gold_answer_passes_stated_and_in_its_worked_solution() -> None:
    text = Path(str(DATA), "aime_2024.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.split("\n") if line]
    assert len(rows) == 30
    for row in rows:
        stated = grade_expression(problem(row["Answer"]), f"\\boxed{{{row['Answer']:03d}}}")
        solved = grade_expression(problem(row["Answer"]), row["Solution"])
        assert stated.is_correct
        assert solved.is_correct, row["ID"]
        assert solved.prediction == str(row["Answer"])
