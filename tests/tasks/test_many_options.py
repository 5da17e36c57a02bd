"""More than ten options: letters to Z, through the prompt, the grader, the mask and a shuffle."""

from __future__ import annotations

import random

import pytest

from feedback_friction.grading.choice import grade_choice
from feedback_friction.problem import LETTERS, Problem
from feedback_friction.protocol.masking.letters import audit_letters, mask_letters
from feedback_friction.tasks.custom import PAGE, to_problem
from feedback_friction.tasks.page import RowError

METALS = [
    "iron",
    "copper",
    "zinc",
    "tin",
    "lead",
    "gold",
    "silver",
    "nickel",
    "cobalt",
    "chrome",
    "mercury",
    "platinum",
    "titanium",
    "tungsten",
    "lithium",
    "sodium",
    "calcium",
    "barium",
    "radium",
    "cesium",
    "gallium",
    "indium",
    "bismuth",
    "cadmium",
    "vanadium",
    "yttrium",
]


def problem(count: int, answer: str) -> Problem:
    return to_problem(
        {"question": "Which metal is meant?", "choices": METALS[:count], "answer": answer}
    )


@pytest.mark.parametrize(("count", "gold"), [(11, "K"), (15, "N"), (26, "Q"), (26, "Z")])
def test_letters_beyond_j_are_asked_read_and_hidden(count: int, gold: str) -> None:
    asked = problem(count, METALS[LETTERS.index(gold)])
    assert asked.gold == gold
    assert f"({gold}) {asked.gold_text}" in PAGE.task.ask(asked)
    for reply in (f"The answer is ({gold}).", f"Not (B).\nAnswer: {gold}", f"\\boxed{{{gold}}}"):
        assert grade_choice(asked, reply).is_correct
    assert grade_choice(asked, "The answer is (C).").prediction == "C"
    told = f"The right answer is ({gold}), not (B): {asked.gold_text}."
    masked = mask_letters(asked, told).text
    assert masked == "The right answer is [masked], not (B): [masked]."
    assert not audit_letters(asked, masked)
    mixed = asked.shuffled(random.Random(1))
    assert mixed.gold_text == asked.gold_text


def test_a_letter_of_no_option_is_no_answer_of_the_problem() -> None:
    four = problem(4, "B")
    assert not grade_choice(four, "The answer is (K).").is_correct
    assert grade_choice(four, "Let X = 5 and N = 3. The answer is (B).").is_correct


def test_more_than_26_options_are_refused() -> None:
    row = {"question": "Which?", "choices": [*METALS, "osmium"], "answer": "B"}
    with pytest.raises(RowError, match="2 to 26 options, not 27"):
        to_problem(row)


def test_columns_of_letters_are_options_as_far_as_they_go() -> None:
    row = {"question": "Which?", "A": "iron", "B": "zinc", "C": "tin", "N": "5", "answer": "B"}
    assert to_problem(row).choices == ("iron", "zinc", "tin")
