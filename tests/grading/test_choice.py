"""Multiple choice: what counts as the statement of an option, and on real replies how often."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from effort import LINEAR, growth, repeated
from feedback_friction.grading.choice import grade_choice
from feedback_friction.grading.verdict import Outcome
from feedback_friction.problem import LETTERS, Problem

CASES = Path(__file__).parent.parent / "cases"
TABLE = json.loads((CASES / "choice_grading.json").read_text())
LABELS = json.loads((CASES / "choice_labels.json").read_text())
CELL = TABLE["sets"]["cell"]


def problem(choices: list[str], gold: str = "A") -> Problem:
    return Problem(id="1", task="mmlu", question="Which?", gold=gold, choices=tuple(choices))


def data(name: str) -> list[dict[str, Any]]:
    folder = os.environ.get("FRICTION_DATA")
    if not folder:
        pytest.skip("FRICTION_DATA is not set")
    return [json.loads(line) for line in (Path(folder) / name).read_text().splitlines()]


def real_problems() -> list[Problem]:
    pro = [problem(row["options"], row["answer"]) for row in data("mmlu_pro_350.jsonl")]
    stem = data("mmlu_stem_300.jsonl")
    return pro + [problem(row["choices"], LETTERS[row["answer"]]) for row in stem]


# --- tables ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["name"])
def test_a_reply_is_taken_to_answer(case: dict[str, str]) -> None:
    verdict = grade_choice(problem(TABLE["sets"][case["set"]]), case["reply"])
    assert (verdict.prediction or "-") == case["letter"]
    if "rule" in case:
        assert verdict.rule == case["rule"]


def test_an_answer_is_correct_when_it_is_gold_and_wrong_when_it_is_not() -> None:
    assert grade_choice(problem(CELL, "C"), "The answer is (C).").outcome is Outcome.CORRECT
    assert grade_choice(problem(CELL, "B"), "The answer is (C).").outcome is Outcome.WRONG
    assert grade_choice(problem(CELL, "B"), "No idea.").outcome is Outcome.NO_ANSWER


def test_a_problem_without_choices_has_no_answer() -> None:
    verdict = grade_choice(problem([]), "The answer is (A).")
    assert (verdict.outcome, verdict.rule) == (Outcome.NO_ANSWER, "no choices")


def test_labelled_real_replies_give_precision_and_recall_of_at_least_99_percent() -> None:
    given_letters = right = stated = found = 0
    for case in LABELS["labels"]:
        verdict = grade_choice(problem(case["choices"], case["gold"]), case["reply"])
        given_letters += verdict.prediction is not None
        stated += case["label"] is not None
        right += verdict.prediction is not None and verdict.prediction == case["label"]
    found = right
    assert stated >= 150
    assert len(LABELS["labels"]) - stated >= 80
    assert right / given_letters >= 0.99
    assert found / stated >= 0.99


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
    "The answer is {letter}. {text}",
    "Option {letter}",
    "The correct choice would be ({letter}).",
    "I'd go with {letter}.",
    "({letter}) is the correct answer.",
    "Option {letter} is the correct answer.",
    "The correct answer is **{letter}**.",
    "答案是{letter}。",
    "{text}",
    "The answer is: {text}",
    r"\boxed{{{text}}}",
)


@pytest.mark.slow
@pytest.mark.parametrize("statement", STATEMENTS)
def test_every_option_of_every_real_problem_is_found_in_every_form(statement: str) -> None:
    for real in real_problems():
        for letter, text in zip(real.letters, real.choices, strict=True):
            reply = statement.format(letter=letter, text=text.strip())
            verdict = grade_choice(real, reply)
            assert (verdict.prediction, verdict.is_correct) == (letter, letter == real.gold), reply


def test_real_replies_agree_with_the_benchmark_wherever_they_end_in_a_plain_statement() -> None:
    rows = {row["question_id"]: row for row in data("mmlu_pro_350.jsonl")}
    replies = data("mmlu_pro_responses.jsonl")
    agreed = 0
    for reply in replies:
        row = rows[reply["question_id"]]
        verdict = grade_choice(problem(row["options"], row["answer"]), reply["response"])
        agreed += verdict.prediction == reply["pred"]
        ends = reply["response"].strip()[-18:]
        if ends == f"The answer is ({reply['pred']})." and reply["response"].count("nswer is") == 1:
            assert verdict.prediction == reply["pred"], reply["response"]
    # The others are in choice_labels.json: the benchmark takes a reply's first statement, or else
    # its last capital letter.
    assert agreed >= 1990
    assert len(replies) == 2100


# --- properties -----------------------------------------------------------------------------------

letters = st.sampled_from("ABCD")
statements = st.sampled_from(
    [
        "The answer is ({}).",
        "The correct answer is {}.",
        "Answer: {}",
        "I would go with option {}.",
        "({}) is the correct answer.",
        "\\boxed{{{}}}",
        "The best choice would be ({}).",
    ]
)
emphasis = st.sampled_from(["{}", "**{}**", "*{}*", "__{}__", "_{}_", "`{}`", "***{}***"])
space = st.sampled_from(["", " ", "\n", "\n\n", "  \n ", "\t", "\r\n", "\u00a0"])
prose = st.lists(
    st.sampled_from(
        [
            "A cell has many parts.",
            "I read the question twice.",
            "ATP drives most processes.",
            "Vitamin C and B cells do not matter here.",
            "Let A be a set and f(B) a function.",
            "In step 2, we compare (a) and (b).",
            "E. coli has no nucleus.",
            "- **Note**: proteins are folded later.",
            "$A = \\pi r^2$",
        ]
    ),
    max_size=4,
).map(" ".join)


@given(letters, statements, emphasis, emphasis)
def test_emphasis_changes_no_answer(letter: str, form: str, inner: str, outer: str) -> None:
    reply = outer.format(form.format(inner.format(letter)))
    assert grade_choice(problem(CELL), reply).prediction == letter


@given(
    letters, statements, space, st.sampled_from([" ", "\n", "  ", "\t", " \n ", "\u00a0"]), space
)
def test_white_space_changes_no_answer(
    letter: str, form: str, before: str, between: str, after: str
) -> None:
    spaced = before + form.format(letter).replace(" ", between) + after
    assert grade_choice(problem(CELL), spaced).prediction == letter


@given(letters, statements, prose, prose)
def test_prose_around_a_statement_changes_no_answer(
    letter: str, form: str, before: str, after: str
) -> None:
    reply = f"{before}\n\n{form.format(letter)}\n\n{after}"
    assert grade_choice(problem(CELL), reply).prediction == letter


@given(prose)
def test_prose_without_a_statement_has_no_answer(text: str) -> None:
    assert grade_choice(problem(CELL), text).prediction is None


@given(letters, letters, statements, statements)
def test_the_later_of_two_statements_counts(
    first: str, last: str, form: str, later_form: str
) -> None:
    reply = f"{form.format(first)}\n\nWait, that is not it.\n\n{later_form.format(last)}"
    assert grade_choice(problem(CELL), reply).prediction == last


@given(st.text(max_size=300))
def test_no_text_raises_or_gives_a_letter_that_is_not_offered(text: str) -> None:
    assert grade_choice(problem(CELL), text).prediction in (None, *"ABCD")


# --- hostile replies ------------------------------------------------------------------------------

PIECES = (
    "Mitochondria make most of the ATP. ",
    "answer ",
    "the answer is ",
    "the answer is (",
    "the answer is A z ",
    "answer: ",
    "\\boxed{",
    "\\boxed{x}",
    "correct ",
    "is the best ",
    "if the answer is (B), ",
    "I choose z ",
    "answer is not x ",
    "answer is \\frac{1}{2} ",
    "<answer>",
    "İ answer is ",
    "A. x\n",
    "\n\tq",
    "A ",
    "*",
    "* ",
    "_a ",
    "\\",
    "$",
    ".",
    "{",
    "correct-",
    "（Ｃ）",
    "\x00",
)


@pytest.mark.slow
@pytest.mark.parametrize("piece", PIECES)
def test_work_grows_with_the_length_of_the_reply(piece: str) -> None:
    hostile = problem(["the nucleus", "x+11", "A and D", r"$\frac{1}{2}$", "2"])
    assert growth(grade_choice, lambda size: (hostile, repeated(piece, size)), 1000) < LINEAR


def test_ten_thousand_nested_braces_are_no_obstacle() -> None:
    def nested(size: int) -> tuple[Problem, str]:
        depth = size // 8
        return problem(CELL), "\\boxed{" * depth + "C" + "}" * depth

    assert grade_choice(*nested(80_000)).prediction == "C"
    assert growth(grade_choice, nested, 1000) < LINEAR
