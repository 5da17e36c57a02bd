"""GPQA Diamond: questions in biology, physics and chemistry that a search engine does not answer.

Source: https://huggingface.co/datasets/Idavidrein/gpqa, configuration gpqa_diamond, split train,
198 questions (Rein et al. 2023). Gated: accept the terms on that page and log in with
``hf auth login``. The authors ask that the questions are not shown in public as plain text or
images; no message here quotes one, and the rows below are of our own making.
Licence: CC BY 4.0.

A row (of our own making)::

    {"Record ID": "own0", "Question": "Which particle carries the strong interaction?",
     "Correct Answer": "the gluon", "Incorrect Answer 1": "the photon", "Incorrect Answer 2":
     "the W boson", "Incorrect Answer 3": "the graviton", "Explanation": "Quarks exchange gluons.",
     "High-level domain": "Physics", "Subdomain": "High-energy particle physics"}

The order of the choices is drawn once, by the problem's id. Zero-shot, as in the paper.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from feedback_friction.problem import LETTERS, Problem
from feedback_friction.tasks import fields
from feedback_friction.tasks.answers import CHOICE
from feedback_friction.tasks.hub_rows import Source, hub_page
from feedback_friction.tasks.page import Row

NAME = "gpqa"
CORRECT = "Correct Answer"
INCORRECT = ("Incorrect Answer 1", "Incorrect Answer 2", "Incorrect Answer 3")
SOURCE = Source(
    "Idavidrein/gpqa",
    "train",
    revision="633f5ee89ab8ad4522a9f850766b73f62147ffdd",
    config="gpqa_diamond",
    columns=(
        "Record ID",
        "Question",
        CORRECT,
        *INCORRECT,
        "Explanation",
        "High-level domain",
        "Subdomain",
    ),
    gated=True,
)


def to_problem(row: Row) -> Problem:
    """A row as a problem; raises ``RowError``."""
    question = fields.text(row, "Question")
    answers = [fields.text(row, field) for field in (CORRECT, *INCORRECT)]
    name = fields.optional_text(row, "Record ID") or fields.digest(question, *answers)
    order = list(range(len(answers)))
    Random(f"{NAME}:{name}:choices").shuffle(order)
    return Problem(
        id=name,
        task=NAME,
        question=question,
        gold=LETTERS[order.index(0)],
        choices=tuple(answers[index] for index in order),
        solution=fields.optional_text(row, "Explanation"),
        subject=fields.optional_text(row, "High-level domain"),
    )


PAGE = hub_page(
    replace(CHOICE, name=NAME),
    SOURCE,
    title="GPQA Diamond",
    licence="CC BY 4.0, gated",
    size=198,
    grader="choice",
    to_problem=to_problem,
)
