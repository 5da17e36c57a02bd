"""Replies and feedback that graders and masks once misread, kind by kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from feedback_friction.grading.expression import grade_expression
from feedback_friction.problem import Problem
from reading.kinds import graded_as, masked_text, passes_the_mask

CASES = Path(__file__).parents[1] / "cases"
GRADING: list[dict[str, Any]] = json.loads((CASES / "reading_grading.json").read_text("utf-8"))
RIGHT = [case for case in GRADING if case["want"] == "correct"]
PEERS: list[dict[str, Any]] = json.loads((CASES / "peers.json").read_text("utf-8"))
MASKING: list[dict[str, Any]] = json.loads((CASES / "reading_masking.json").read_text("utf-8"))


@pytest.mark.slow
@pytest.mark.parametrize("case", GRADING, ids=[f"{c['kind']}|{c['response']}" for c in GRADING])
def test_replies_are_graded_by_what_stands_in_them(case: dict[str, Any]) -> None:
    verdict = graded_as(case)
    assert verdict == case["want"] or (case["want"] == "not correct" and verdict != "correct")


@pytest.mark.slow
@pytest.mark.parametrize("task", sorted({case["task"] for case in RIGHT}))
def test_what_is_graded_right_does_not_pass_the_mask(task: str) -> None:
    right = [case for case in RIGHT if case["task"] == task]
    assert [case["response"] for case in right if passes_the_mask(case)] == []


@pytest.mark.parametrize("case", MASKING, ids=[f"{c['kind']}|{c['feedback']}" for c in MASKING])
def test_feedback_loses_the_answer_and_nothing_else(case: dict[str, Any]) -> None:
    masked = masked_text(case)
    assert [text for text in case["gone"] if text in masked] == []
    assert [text for text in case["kept"] if text not in masked] == []


@pytest.mark.parametrize("case", PEERS, ids=[f"{c['gold']}|{c['reply']}" for c in PEERS])
def test_mathematics_of_many_writings_is_graded_as_labelled(case: dict[str, Any]) -> None:
    problem = Problem("1", "math_500", case["question"], case["gold"])
    assert grade_expression(problem, case["reply"]).is_correct == case["right"]
