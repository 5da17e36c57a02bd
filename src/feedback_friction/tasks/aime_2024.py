"""AIME 2024: the American Invitational Mathematics Examination of 2024, I and II.

Source: https://huggingface.co/datasets/Maxwell-Jia/AIME_2024, split train, 30 problems with worked
solutions; several solutions of one problem stand one after the other. Problems by the Mathematical
Association of America.
Licence: MIT as declared on the hub.

A row (of our own making)::

    {"ID": "2024-I-0", "Problem": "Find the number of positive integers $n \\le 100$ that are "
     "divisible by $3$ but not by $6$.", "Solution": "There are $33$ multiples of $3$ ...",
     "Answer": 17}

Answers are whole numbers from 0 to 999. Zero-shot, as in the paper.
"""

from __future__ import annotations

from dataclasses import replace

from feedback_friction.problem import Problem
from feedback_friction.tasks import fields
from feedback_friction.tasks.answers import MATHEMATICS
from feedback_friction.tasks.hub_rows import Source, hub_page
from feedback_friction.tasks.page import Row

NAME = "aime_2024"
SOURCE = Source(
    "Maxwell-Jia/AIME_2024", "train", revision="8d88b2876a82a080e2f172cc9b25d0d9d2cb4792"
)


def to_problem(row: Row) -> Problem:
    """A row as a problem; raises ``RowError``."""
    return Problem(
        id=fields.text(row, "ID"),
        task=NAME,
        question=fields.text(row, "Problem"),
        gold=str(fields.integer(row, "Answer", 0, 999)),
        solution=fields.optional_text(row, "Solution"),
    )


PAGE = hub_page(
    replace(MATHEMATICS, name=NAME),
    SOURCE,
    title="AIME 2024",
    licence="MIT",
    size=30,
    grader="integer",
    to_problem=to_problem,
)
