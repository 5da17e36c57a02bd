"""MATH-500: 500 competition problems with worked solutions.

Source: https://huggingface.co/datasets/HuggingFaceH4/MATH-500, split test, 500 problems: the test
set of Lightman et al. 2023 (PRM800K), drawn from MATH, Hendrycks et al. 2021.
Licence: MIT (MATH and PRM800K; the hub page declares none).

A row (of our own making)::

    {"problem": "What is the sum of the solutions of $x^2 - 5x + 6 = 0$?", "solution": "The "
     "equation factors as $(x-2)(x-3) = 0$, so the sum is $2 + 3 = \\boxed{5}$.", "answer": "5",
     "subject": "Algebra", "level": 1, "unique_id": "test/algebra/0.json"}

Answers are expressions in LaTeX. Zero-shot, as in the paper.
"""

from __future__ import annotations

from dataclasses import replace

from feedback_friction.problem import Problem
from feedback_friction.tasks import fields
from feedback_friction.tasks.answers import MATHEMATICS
from feedback_friction.tasks.hub_rows import Source, hub_page
from feedback_friction.tasks.page import Row

NAME = "math_500"
SOURCE = Source(
    "HuggingFaceH4/MATH-500", "test", revision="6e4ed1a2a79af7d8630a6b768ec859cb5af4d3be"
)


def to_problem(row: Row) -> Problem:
    """A row as a problem; raises ``RowError``."""
    return Problem(
        id=fields.text(row, "unique_id"),
        task=NAME,
        question=fields.text(row, "problem"),
        gold=fields.text(row, "answer"),
        solution=fields.optional_text(row, "solution"),
        subject=fields.optional_text(row, "subject"),
        level=fields.optional_text(row, "level"),
    )


PAGE = hub_page(
    replace(MATHEMATICS, name=NAME),
    SOURCE,
    title="MATH-500",
    licence="MIT",
    size=500,
    grader="expression",
    to_problem=to_problem,
)
