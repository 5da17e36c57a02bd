"""One list of forms in which replies state an answer, or state none, holds for all tasks.

``statements.json`` has both: ``{}`` is the answer, ``W`` a wrong one. A grader that knows a form
which another does not would make two tasks' numbers differ by their graders.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from effort import repeated, steps
from feedback_friction.problem import Problem
from feedback_friction.reading.last_words import last_words
from feedback_friction.tasks.catalog import get_page

FORMS = json.loads((Path(__file__).parent.parent / "cases" / "statements.json").read_text("utf-8"))
CELL = ("The nucleus", "Mitochondria", "The ribosome", "The Golgi apparatus")
# task, question, gold, operands or options; gold as a reply may write it, and a wrong one that way
ASKED = [
    ("math_500", "How many ways are there to sit?", "3250", (),
     {"3250": "3251", "3,250": "3,251", "$3250$": "$3251$", "\\(3250\\)": "\\(3251\\)",
      "**3250**": "**3251**"}),
    ("math_500", "Find the slope.", "\\frac{7}{3}", (),
     {"$\\frac{7}{3}$": "$\\frac{8}{3}$", "7/3": "8/3", "\\frac{7}{3}": "\\frac{8}{3}"}),
    ("math_500", "Factor the polynomial.", "(x-4)(x+9)", (),
     {"$(x-4)(x+9)$": "$(x-3)(x+9)$", "\\((x+9)(x-4)\\)": "\\((x-3)(x+9)\\)"}),
    ("aime_2024", "Find m+n.", "113", (), {"113": "117", "$113$": "$117$", "**113**": "**117**"}),
    ("decimal_multiplication", "Calculate 12345 * 67891.", "838114395", ("12345", "67891"),
     {"838114395": "838114495", "838,114,395": "838,114,495",
      "**838,114,395**": "**838,114,495**"}),
    ("hex_multiplication", "Calculate A1 * B2.", "6FF2", ("A1", "B2"),
     {"6FF2": "6FF3", "0x6FF2": "0x6FF3"}),
    ("mmlu", "Where are proteins made in a cell?", "C", CELL,
     {"C": "B", "(C)": "(B)", "**C**": "**B**"}),
    ("trivia_qa", "Who wrote Emma?", "Jane Austen", (),
     {"Jane Austen": "Emily Brontë", "**Jane Austen**": "**Emily Brontë**"}),
    ("pop_qa", "What is the capital of Peru?", "Lima", (), {"Lima": "Bogotá"}),
    ("trivia_qa", "In which year did the wall fall?", "1989", (), {"1989": "1991"}),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: f"{asked[0]} {asked[2]}")
def test_forms_state_an_answer_or_none_whatever_the_task(asked):
    problem, written = asked_of(asked)
    grade = get_page(problem.task).task.grade
    verdicts = [
        (kind, reply, grade(problem, reply))
        for right, wrong in written.items()
        for kind, forms in FORMS.items()
        for reply in replies(forms, right, wrong)
    ]
    assert [each for each in verdicts if each[2].is_correct != (each[0] == "state")] == []


@pytest.mark.slow
@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: f"{asked[0]} {asked[2]}")
def test_feedback_that_states_the_answer_in_these_forms_is_masked(asked):
    problem, written = asked_of(asked)
    mask = get_page(problem.task).task.mask
    right, wrong = next(iter(written.items()))
    shown = re.compile(rf"(?<![A-Za-z]){re.escape(right.strip('$'))}(?![A-Za-z])")
    masked = [mask(problem, feedback) for feedback in replies(FORMS["state"], right, wrong)]
    assert [each for each in masked if each.leaks or shown.search(each.text)] == []


@pytest.mark.parametrize("piece", ["_", "*", "!", "\n", "A ", "not a, ", "a is wrong, "])
def test_the_end_of_a_hostile_reply_is_read_in_few_steps(piece):
    hostile = f"So 5{repeated(piece, 24)}ard. It might be Cats."  # at 24 an exponential one ends
    assert steps(last_words, hostile) < 1_000_000


def asked_of(asked):
    """A problem, and its answer as replies write it, each with a wrong one."""
    task, question, gold, more, written = asked
    field = "choices" if task == "mmlu" else "operands"
    return Problem(id="x", task=task, question=question, gold=gold, **{field: more}), written


def replies(forms, right, wrong):
    """Each form with a right and a wrong answer put in."""
    boxes = [form for form in forms if form.startswith("\\boxed") and not right.isalnum()]
    return [
        re.sub(r"\bW\b", lambda _: wrong, form).replace("{}", right)
        for form in forms
        if form not in boxes
    ]
