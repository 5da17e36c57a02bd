"""Replies that a grader cannot read come together by their shapes, the commonest first."""

from __future__ import annotations

import pytest

from feedback_friction.grading.verdict import Outcome
from feedback_friction.problem import Problem
from feedback_friction.protocol.records import Reply
from feedback_friction.tasks.catalog import get_page
from feedback_friction.tasks.validation import grade_replies, shape

PROBLEM = Problem("p", "custom", "Which?", "B", choices=("oxygen", "neon"), grader="choice")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("I think that it is 4.", "X words 9."),
        ("**Option: (B)**", "**words: (X)**"),
        ("sum = 1,400.5", "words = 9"),
        ("", "nothing"),
        ("don't know", "words"),
    ],
)
def test_a_shape_has_signs_for_words_and_numbers(line: str, found: str) -> None:
    assert shape(line) == found


def test_what_is_not_read_is_listed_commonest_first() -> None:
    said = ["The answer is (B).", "The answer is (A).", "no idea", "who knows", "", "I give up!"]
    graded = grade_replies(
        get_page("custom").task, {"p": PROBLEM}, [("p", Reply(each)) for each in said]
    )
    assert graded.verdicts == {Outcome.CORRECT: 1, Outcome.WRONG: 1, Outcome.NO_ANSWER: 4}
    assert graded.shapes[0] == ("words", 2, "no idea")
    assert {each for each, _, _ in graded.shapes[1:]} == {"nothing", "X words!"}
