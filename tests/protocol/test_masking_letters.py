"""Masking the right option of a multiple-choice problem: what goes, what stays, what leaks."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from effort import LINEAR, growth, repeated
from feedback_friction.grading.choice import grade_choice
from feedback_friction.problem import LETTERS, Problem
from feedback_friction.protocol.masking.letters import audit_letters, mask_letters

TABLE = json.loads((Path(__file__).parent.parent / "cases" / "mask_letters.json").read_text())


def problem(name: str, gold: str) -> Problem:
    of = TABLE["sets"][name]
    return Problem(
        id=name, task="mmlu", question=of["question"], gold=gold, choices=tuple(of["choices"])
    )


def data(name: str) -> list[dict[str, Any]]:
    folder = os.environ.get("FRICTION_DATA")
    if not folder:
        pytest.skip("FRICTION_DATA is not set")
    return [json.loads(line) for line in (Path(folder) / name).read_text().splitlines()]


def real_problems() -> list[Problem]:
    pro = [(row["question"], row["options"], row["answer"]) for row in data("mmlu_pro_350.jsonl")]
    stem = [
        (row["question"], row["choices"], LETTERS[row["answer"]])
        for row in data("mmlu_stem_300.jsonl")
    ]
    return [
        Problem(id=str(at), task="mmlu", question=question, gold=gold, choices=tuple(choices))
        for at, (question, choices, gold) in enumerate(pro + stem)
    ]


# --- table ----------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["name"])
def test_feedback_is_masked_as_written_in_the_table(case: dict[str, str]) -> None:
    of = problem(case["set"], case["gold"])
    masked = mask_letters(of, case["text"])
    assert masked.text == case["masked"]
    assert masked.leaks == ()
    assert mask_letters(of, masked.text).text == masked.text


def test_spans_are_offsets_into_the_text_as_written() -> None:
    text = "Not (B): the answer is （C）, the ribosome."
    masked = mask_letters(problem("cell", "C"), text)
    assert [text[span.start : span.end] for span in masked.spans] == ["（C）", "the ribosome"]


def test_text_without_the_answer_comes_back_as_it_is() -> None:
    text = "A cell makes ATP in (B), I think; vitamin C is not involved."
    assert mask_letters(problem("cell", "D"), text).text is text


def test_the_audit_finds_what_is_not_masked() -> None:
    cell = problem("cell", "C")
    for leak in ("The answer is (C).", "(C)", "**C**", "The ribosome"):
        assert audit_letters(cell, f"Not quite.\n{leak}\nTry again.") != ()
    assert audit_letters(cell, "The answer is [masked], not (B). A cell has it.") == ()
    beside = audit_letters(cell, "Not [masked]; the answer is (C).")
    assert "Not [masked]; the answer is (C)." in beside


def test_a_problem_without_choices_has_nothing_to_mask() -> None:
    bare = Problem(id="1", task="custom", question="Why?", gold="C")
    assert mask_letters(bare, "The answer is (C).").spans == ()


# --- whole data sets ------------------------------------------------------------------------------

STATEMENTS = (
    "The answer is ({letter}).",
    "The answer is {letter}",
    "Answer: {letter}",
    "**{letter}**",
    "({letter})",
    "{letter}",
    r"$\boxed{{{letter}}}$",
    r"\boxed{{\text{{({letter})}}}}",
    "{letter}. {text}",
    "({letter}) {text}",
    "The answer is ({letter}) {text}.",
    "Option {letter}",
    "You should have chosen option {letter}, which is the one that fits.",
    "({letter}) is the correct answer.",
    "答案是{letter}。",
    "{text}",
    "The answer is: {text}",
    r"\boxed{{{text}}}",
)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(len(STATEMENTS)), ids=STATEMENTS)
def test_no_right_option_of_a_real_problem_survives_in_any_form(part: int) -> None:
    """Every statement over a third of the problems, every problem in a third of the statements."""
    statement = STATEMENTS[part]
    for real in real_problems()[part % 3 :: 3]:
        text = statement.format(letter=real.gold, text=real.gold_text.strip())
        masked = mask_letters(real, f"Not quite.\n\n{text}\n\nTry again.")
        assert masked.spans, text
        assert masked.leaks == (), text
        assert not grade_choice(real, masked.text).is_correct, text


@pytest.mark.slow
def test_real_replies_masked_leak_nothing_and_masking_twice_changes_nothing() -> None:
    problems = {
        row["question_id"]: Problem(
            id=str(row["question_id"]),
            task="mmlu_pro",
            question=row["question"],
            gold=row["answer"],
            choices=tuple(row["options"]),
        )
        for row in data("mmlu_pro_350.jsonl")
    }
    leaked_before = 0
    for reply in data("mmlu_pro_responses.jsonl")[::6]:
        of = problems[reply["question_id"]]
        leaked_before += bool(audit_letters(of, reply["response"]))
        masked = mask_letters(of, reply["response"])
        assert masked.leaks == (), reply["response"]
        assert not grade_choice(of, masked.text).is_correct, masked.text
        assert mask_letters(of, masked.text).text == masked.text
    assert leaked_before >= 125  # half of the models' replies are right and say so


@pytest.mark.slow
def test_letters_in_real_mathematics_stay() -> None:
    rows = data("math_100.jsonl") + data("aime_2024.jsonl")
    solutions = [row.get("solution") or row["Solution"] for row in rows]
    choices = tuple(f"none of the {number} shapes" for number in range(1, 5))
    changed = 0
    for at, solution in enumerate(solutions):
        of = Problem(id="1", task="mmlu", question="Which?", gold="ABCD"[at % 4], choices=choices)
        changed += mask_letters(of, solution).text != solution
    assert len(solutions) == 130
    assert changed <= 1  # one solution's answer is the graph A, in a box


# --- properties -----------------------------------------------------------------------------------

REVEALING = (
    "The answer is {}.",
    "The correct answer is ({}), not the one that you chose.",
    "You should have picked option {}.",
    "Compare options {} and {other}.",
    "**{}** is the right choice.",
    "({}) is the correct answer.",
    "Reconsider {}.",
    "- {}) read this one again",
    "Why did you rule out {}?",
    '"{}" fits the definition.',
    "Between {} and {other}, ask which one reads mRNA.",
    "So $\\boxed{{{}}}$.",
    "Choose {} instead of {other}.",
    "答案是{}。",
    "Answer: {}",
    "The right option is {text}.",
    "Think about {text} again.",
    "{text}",
)
INNOCENT = (
    "A common mistake is to stop here.",
    "I think that step 2 is wrong.",
    "Your conclusion does not follow from what you wrote.",
    "Vitamin C, B cells and E. coli do not matter.",
    "Let A be a set with P(A) = 0.5.",
    "The temperature is 5 C.",
    "## Where it went wrong",
    "1. Read the question again.",
    "**Hint:** think about energy.",
    "See figure D and phase I.",
    "Triangle (ABC) and () are fine.",
)


@st.composite
def feedback(draw: st.DrawFn) -> tuple[Problem, str]:
    of = problem("cell", draw(st.sampled_from("ABCD")))
    other = draw(st.sampled_from([letter for letter in "ABCD" if letter != of.gold]))
    lines = draw(st.lists(st.sampled_from(REVEALING + INNOCENT), min_size=1, max_size=6))
    text = of.gold_text
    return of, draw(st.sampled_from(["\n", " ", "\n\n"])).join(
        line.format(of.gold, other=other, text=text) for line in lines
    )


@given(feedback())
def test_masked_feedback_is_never_graded_correct_in_whole_or_in_part(
    case: tuple[Problem, str],
) -> None:
    of, text = case
    masked = mask_letters(of, text)
    assert masked.leaks == ()
    for part in (masked.text, *masked.text.splitlines(), *re.split(r"(?<=[.!?])\s", masked.text)):
        assert not grade_choice(of, part).is_correct, part


@given(feedback())
def test_masking_twice_changes_nothing(case: tuple[Problem, str]) -> None:
    of, text = case
    once = mask_letters(of, text).text
    assert mask_letters(of, once).text == once


@given(st.sampled_from("ABCD"), st.lists(st.sampled_from(INNOCENT), max_size=6))
def test_innocent_feedback_stays_as_it_is(gold: str, lines: list[str]) -> None:
    text = "\n".join(lines)
    assert mask_letters(problem("cell", gold), text).text == text


@given(st.sampled_from("ABCD"), st.text(max_size=200))
def test_no_text_raises_or_is_graded_correct_once_masked(gold: str, text: str) -> None:
    of = problem("cell", gold)
    masked = mask_letters(of, text)
    assert masked.leaks == ()
    assert not grade_choice(of, masked.text).is_correct


# --- hostile feedback -----------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece",
    [
        "The answer is (C). ",
        "(C) ",
        "C.\n",
        '"C" ',
        "**C** ",
        "x ",
        "(",
        "\\boxed{",
        "C, ",
        "（C）",
    ],
)
def test_work_grows_with_the_length_of_feedback(piece: str) -> None:
    cell = problem("cell", "C")
    assert growth(mask_letters, lambda size: (cell, repeated(piece, size)), 200) < LINEAR
