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

from functools import partial
from random import Random

from feedback_friction.grading.choice import grade_choice
from feedback_friction.problem import LETTERS, Problem
from feedback_friction.protocol.masking.letters import mask_letters
from feedback_friction.protocol.task import Task
from feedback_friction.tasks import fields
from feedback_friction.tasks.hub_rows import Source, is_cached, load_rows
from feedback_friction.tasks.multiple_choice import SYSTEM, ask, state_answer
from feedback_friction.tasks.page import Page, Row

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


def _row(
    number: int, domain: str, subdomain: str, question: str, explanation: str, *answers: str
) -> Row:
    return {
        "Record ID": f"own{number}",
        "Question": question,
        **dict(zip((CORRECT, *INCORRECT), answers, strict=True)),
        "Explanation": explanation,
        "High-level domain": domain,
        "Subdomain": subdomain,
    }


FIXTURE: tuple[Row, ...] = (
    _row(
        0,
        "Physics",
        "High-energy particle physics",
        "Which particle carries the strong interaction?",
        "Quarks exchange gluons, which carry colour charge themselves.",
        "the gluon",
        "the photon",
        "the W boson",
        "the graviton",
    ),
    _row(
        1,
        "Chemistry",
        "Organic Chemistry",
        "Which of these molecules is chiral?",
        "Only 2-butanol has a carbon with four different groups: H, OH, methyl and ethyl.",
        "2-butanol",
        "2-propanol",
        "1-butanol",
        "tert-butanol",
    ),
    _row(
        2,
        "Biology",
        "Genetics",
        "Two parents are carriers of a recessive trait. With which probability does a child show "
        "it?",
        "The child needs both recessive copies: (1/2)(1/2) = 1/4, that is 25%.",
        "25%",
        "50%",
        "75%",
        "100%",
    ),
    _row(
        3,
        "Physics",
        "Quantum Mechanics",
        "A harmonic oscillator is in its ground state. What is its energy in units of its quantum?",
        "E_n = (n + 1/2) in these units, so with n = 0 one half is left.",
        "1/2",
        "0",
        "1",
        "3/2",
    ),
    _row(
        4,
        "Chemistry",
        "Inorganic Chemistry",
        "Which geometry has a molecule with four bonding pairs and no lone pair on the central "
        "atom?",
        "Four pairs keep furthest apart at the corners of a tetrahedron.",
        "tetrahedral",
        "square planar",
        "trigonal pyramidal",
        "see-saw",
    ),
)

PAGE = Page(
    task=Task(
        name=NAME,
        system=SYSTEM,
        ask=ask,
        grade=grade_choice,
        mask=mask_letters,
        state_answer=state_answer,
        slow=True,
    ),
    title="GPQA Diamond",
    source=str(SOURCE),
    licence="CC BY 4.0, gated",
    size=198,
    grader="choice",
    to_problem=to_problem,
    rows=lambda _: load_rows(SOURCE),  # 198
    fixture=FIXTURE,
    cached=partial(is_cached, SOURCE),
    confidential=True,
)
