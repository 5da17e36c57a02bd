"""Answers in words: a table of replies, and what must hold for any answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from effort import LINEAR, growth, repeated
from feedback_friction.grading.text import grade_text
from feedback_friction.grading.verdict import Outcome
from feedback_friction.problem import Problem
from feedback_friction.reading.words import is_named, key, normalized

CASES = Path(__file__).parent.parent / "cases" / "text_grading.json"


def problem(question: str, gold: str, *aliases: str) -> Problem:
    return Problem("1", "trivia_qa", question, gold, aliases)


def cases() -> Iterator[object]:
    for group in json.loads(CASES.read_text()):
        for case in group["replies"]:
            yield pytest.param(group, case, id=f"{group['gold']}: {case['response'][:50]!r}")


@pytest.mark.parametrize(("group", "case"), list(cases()))
def test_a_reply_gets_the_verdict_of_the_table(group, case):
    asked = problem(group["question"], group["gold"], *group["aliases"])
    verdict = grade_text(asked, case["response"])
    assert verdict.outcome == case["outcome"], verdict
    assert verdict.prediction == case.get("prediction", verdict.prediction)


def test_the_table_has_enough_replies_of_every_outcome():
    outcomes = [
        case["outcome"] for group in json.loads(CASES.read_text()) for case in group["replies"]
    ]
    assert len(outcomes) >= 200
    stated = [outcome for outcome in Outcome if outcome is not Outcome.UNDECIDED]
    assert all(outcomes.count(outcome) >= 20 for outcome in stated)


# Capitalised words, none of which the grader reads as more than a name.
word = st.text("bcdfgklmnprstvz", min_size=2, max_size=5).map(lambda s: (s + "a").capitalize())
name = st.lists(word, min_size=1, max_size=3).map(" ".join)
FRAMES = (
    "{}",
    "{}.",
    "The answer is {}.",
    "Answer: {}",
    "I think it is {}.",
    "Let me think about this.\n\nThe final answer is **{}**.",
    "My earlier answer was Ottawa. The correct answer is {}, which I overlooked.",
    "Ottawa? No, it is {}.",
    "\\boxed{{\\text{{{}}}}}",
)


@given(name, st.sampled_from(FRAMES))
def test_any_name_is_found_in_any_frame(gold, frame):
    verdict = grade_text(problem("Who was it?", gold), frame.format(gold))
    assert verdict.is_correct
    assert verdict.prediction == normalized(gold)


def is_same(gold, other):
    """Whether two names are one person's, with or without middle names."""
    return key(gold) == key(other) or is_named(key(other), key(gold), True)


@given(name, name, st.sampled_from(FRAMES))
def test_another_name_is_wrong_in_every_frame(gold, other, frame):
    verdict = grade_text(problem("Who was it?", gold), frame.format(other))
    assert verdict.is_correct == (is_same(gold, other) or "".join(key(gold)) == "".join(key(other)))


@given(name, name)
def test_a_list_of_guesses_is_never_right(gold, other):
    if not is_same(gold, other):
        for guesses in (f"{gold} or {other}", f"{other}, {gold}, or Quito", f"{gold}/{other}",
                        f"either {gold} or {other}", f"- {other}\n- {gold}"):  # fmt: skip
            assert not grade_text(problem("Who was it?", gold), guesses).is_correct


@given(name)
def test_a_negated_answer_is_no_answer(gold):
    for reply in (f"not {gold}", f"It is not {gold}.", f"The answer is not {gold}.",
                  f"I am not sure whether it is {gold}."):  # fmt: skip
        assert grade_text(problem("Who was it?", gold), reply).outcome is Outcome.NO_ANSWER


@given(name, st.sampled_from(FRAMES), st.sampled_from(["  ", "\t", "\n"]), st.sampled_from("*_"))
def test_white_space_and_emphasis_change_nothing(gold, frame, space, mark):
    plain = grade_text(problem("Who was it?", gold), frame.format(gold))
    decorated = frame.format(gold).replace(gold, f"{mark}{gold}{mark}")
    padded = space + decorated.replace(" ", "  ") + space
    assert grade_text(problem("Who was it?", gold), padded) == plain or plain.rule == "alias"
    assert grade_text(problem("Who was it?", gold), padded).is_correct


@given(st.text())
@example("b,a")
@example("ﾞ")
def test_any_text_gets_a_verdict_whose_prediction_is_there_exactly_with_an_answer(response):
    verdict = grade_text(problem("Who directed it?", "Billy Wilder"), response)
    assert (verdict.prediction is None) == (verdict.outcome is Outcome.NO_ANSWER)
    assert verdict.prediction != ""


BOMBS = {
    "spaces": " ",
    "letters": "a",
    "words": "a ",
    "names": "Paris ",
    "lines": "Paris\n",
    "markers": "the answer is ",
    "boxes": "\\boxed{",
    "braces": ("\\boxed{", "{"),
    "tags": "<answer ",
    "digits": "1,111",
    "initials": "A. ",
    "clauses": "x but ",
    "doubts": "I am not sure whether ",
    "either": "either a or ",
    "quotes": '"',
    "accents": "e\u0301",
}


@pytest.mark.slow
@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_work_grows_with_the_length_of_the_reply(bomb):
    before, piece = bomb if isinstance(bomb, tuple) else ("", bomb)
    asked = problem("Who directed it?", "Billy Wilder")
    assert growth(grade_text, lambda size: (asked, before + repeated(piece, size)), 500) < LINEAR


def test_the_answer_at_the_end_of_a_megabyte_is_found():
    reply = "It is a film of 1950. " * 50_000 + "\nThe answer is Billy Wilder."
    assert grade_text(problem("Who directed it?", "Billy Wilder"), reply).is_correct


def test_half_a_negation_at_the_edge_of_what_is_read_is_no_answer():
    for length in range(19_990, 20_010):
        reply = "not Billy Wilder" + " " + "x" * length
        assert not grade_text(problem("Who directed it?", "Billy Wilder"), reply).is_correct


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Beyoncé", "beyonce"),
        ("The_Lord_of_the_Rings", "the Lord of the Rings"),
        ("J. R. R. Tolkien", "JRR Tolkien"),
        ("U.S.A", "USA"),
        ("1,234,567", "1234567"),
        ("Simon & Garfunkel", "Simon and Garfunkel"),
        ("rock 'n' roll", "rock n roll"),
        ("Øresund", "oresund"),
    ],
)
def test_spellings_of_one_name_have_one_key(one, other):
    assert key(one) == key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Vitamin A", "vitamin"), ("1.5", "15"), ("New York", "New York Times"), ("1234", "1,2,34")],
)
def test_different_answers_have_different_keys(one, other):
    assert key(one) != key(other)
