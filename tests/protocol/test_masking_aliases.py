"""The gate for answers in words: a table of feedback, and what holds for any answer and text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from effort import LINEAR, growth, repeated
from feedback_friction.grading.text import grade_text
from feedback_friction.problem import Problem
from feedback_friction.protocol.masking.aliases import mask_aliases
from feedback_friction.protocol.masking.gate import MASK

CASES = json.loads((Path(__file__).parent.parent / "cases" / "mask_aliases.json").read_text())


def problem(gold: str, *aliases: str, question: str = "Who was it?") -> Problem:
    return Problem("1", "trivia_qa", question, gold, aliases)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['name']}: {case['text'][:40]!r}")
def test_feedback_is_masked_as_in_the_table(case):
    masked = mask_aliases(
        problem(case["gold"], *case["aliases"], question=case["question"]), case["text"]
    )
    assert masked.text == case["masked"]
    assert masked.leaks == ()


def test_the_table_has_feedback_that_is_masked_and_feedback_that_is_not():
    changed = [case["masked"] != case["text"] for case in CASES]
    assert len(changed) >= 100
    assert 20 <= changed.count(False) <= 60


def test_spans_are_offsets_into_the_text_as_written():
    text = "On “Sunset” Boulevard, or Sunset Blvd"
    masked = mask_aliases(problem("Sunset Boulevard", "Sunset Blvd"), text)
    assert [text[span.start : span.end] for span in masked.spans] == [
        "Sunset” Boulevard",
        "Sunset Blvd",
    ]


def test_what_the_grader_would_still_accept_is_masked(monkeypatch):
    monkeypatch.setattr(
        "feedback_friction.protocol.masking.aliases._Answers.find", lambda self, text: iter(())
    )
    masked = mask_aliases(problem("Billy Wilder"), "Think again. It was Billy Wilder, not Ford.")
    assert (masked.text, masked.leaks) == ("Think again. It was [masked], not Ford.", ())


word = st.text("bcdfgklmnprstvz", min_size=3, max_size=6).map(lambda s: (s + "a").capitalize())
name = st.lists(word, min_size=1, max_size=3, unique=True).map(" ".join)
SURROUNDINGS = (
    "{}",
    "The answer is {}.",
    "You should have written {} here, as in the last attempt.",
    "Hint: ({})",
    "1. Read it again.\n2. It is **{}**, which you left out.",
    "It was not Ottawa; {}'s brother was older.",
)
DISGUISES = (
    str,
    str.upper,
    str.lower,
    lambda s: s.replace(" ", "-"),
    lambda s: s.replace(" ", "_"),
    lambda s: s.replace(" ", "\n"),
    lambda s: s.replace(" ", "* *"),
    lambda s: s.replace(" ", "\u00a0"),
    lambda s: "-".join(s.replace(" ", "")),
    lambda s: "\u200b".join(s),
    lambda s: s.replace("a", "á"),
    lambda s: f"“{s}”",
)


@given(name, st.sampled_from(SURROUNDINGS), st.sampled_from(DISGUISES))
@example("Lima", "Hint: ({})", "-".join)  # the first letter is a Roman numeral, too
@example("Vienna", "Hint: ({})", " ".join)
def test_no_disguise_of_an_answer_gets_through(gold, frame, disguise):
    masked = mask_aliases(problem(gold), frame.format(disguise(gold)))
    assert masked.text.count(MASK) == 1
    assert masked.leaks == ()
    left = masked.text.replace(MASK, " ")
    assert not any(part in left for part in gold.split())


@given(name, st.lists(name, max_size=3), st.text(max_size=200))
def test_masking_twice_is_masking_once_and_nothing_is_left_for_the_grader(gold, others, text):
    asked = problem(gold, *others)
    mixed = f"{text} {gold} {text} {' '.join(others)}"
    masked = mask_aliases(asked, mixed)
    assert mask_aliases(asked, masked.text).text == masked.text
    assert masked.leaks == ()
    assert not any(grade_text(asked, piece).is_correct for piece in masked.text.split(MASK))


@given(st.sampled_from(["It", "US", "The Who", "7", "one", "A", "Billy Wilder"]), st.text())
def test_masking_is_idempotent_on_any_text(gold, text):
    asked = problem(gold)
    once = mask_aliases(asked, text).text
    assert mask_aliases(asked, once).text == once


@given(name, st.text("xyzwh 0123456789.,;:!?()'\"-*\n", max_size=200))
def test_text_without_the_answer_is_not_touched(gold, text):
    masked = mask_aliases(problem(gold), text)
    assert masked.text == text
    assert masked.spans == ()


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece", ["a ", "7 ", "It ", "B-i-l-l-y ", '"a', "*a", "7. a\n", "a.b", "(", "step 7 "]
)
def test_work_grows_with_the_length_of_feedback(piece):
    asked = problem("Billy Wilder", "7", "It")
    assert growth(mask_aliases, lambda size: (asked, repeated(piece, size)), 250) < LINEAR
