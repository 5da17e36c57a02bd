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

from functools import partial

from feedback_friction.grading.expression import grade_expression
from feedback_friction.problem import Problem
from feedback_friction.protocol.masking.expressions import mask_expression
from feedback_friction.protocol.task import Task
from feedback_friction.tasks import fields
from feedback_friction.tasks.hub_rows import Source, is_cached, load_rows
from feedback_friction.tasks.mathematics import SYSTEM, ask, state_answer
from feedback_friction.tasks.page import Page, Row

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


def _row(number: int, subject: str, level: int, problem: str, solution: str, answer: str) -> Row:
    name = subject.lower().replace(" ", "_")
    return {
        "problem": problem,
        "solution": solution,
        "answer": answer,
        "subject": subject,
        "level": level,
        "unique_id": f"test/{name}/{number}.json",
    }


FIXTURE: tuple[Row, ...] = (
    _row(
        0,
        "Algebra",
        1,
        "What is the sum of the solutions of $x^2 - 5x + 6 = 0$?",
        "The equation factors as $(x-2)(x-3) = 0$, so the sum is $2 + 3 = \\boxed{5}$.",
        "5",
    ),
    _row(
        1,
        "Prealgebra",
        2,
        "Write $0.375$ as a common fraction in lowest terms.",
        "$0.375 = \\frac{375}{1000}$, and dividing both by $125$ gives $\\boxed{\\frac{3}{8}}$.",
        "\\frac{3}{8}",
    ),
    _row(
        2,
        "Intermediate Algebra",
        3,
        "Find all real $x$ with $x^2 < 4x - 3$. Give your answer in interval notation.",
        "The inequality says $(x-1)(x-3) < 0$, which holds between the roots: $\\boxed{(1,3)}$.",
        "(1,3)",
    ),
    _row(
        3,
        "Counting & Probability",
        4,
        "Two fair coins and a fair die are thrown. What is the probability of two heads and an "
        "even number?",
        "The coins show two heads with probability $\\frac14$, the die is even with probability "
        "$\\frac12$. Together: $\\boxed{\\frac{1}{8}}$.",
        "\\frac{1}{8}",
    ),
    _row(
        4,
        "Precalculus",
        2,
        "Simplify $\\sqrt{50} - \\sqrt{18}$.",
        "$\\sqrt{50} = 5\\sqrt2$ and $\\sqrt{18} = 3\\sqrt2$, so the difference is "
        "$\\boxed{2\\sqrt{2}}$.",
        "2\\sqrt{2}",
    ),
    _row(
        5,
        "Number Theory",
        1,
        "What is the value of $-7 \\bmod 5$ minus $9$, as an integer?",
        "As $-7 = -2 \\cdot 5 + 3$, the remainder is $3$, and $3 - 9 = \\boxed{-6}$.",
        "-6",
    ),
    _row(
        6,
        "Geometry",
        3,
        "An angle of a triangle is $48^\\circ$ and another is twice as large. How large is the "
        "third?",
        "The second is $96^\\circ$. The angles add up to $180^\\circ$, so the third is "
        "$\\boxed{36^\\circ}$.",
        "36^\\circ",
    ),
)

PAGE = Page(
    task=Task(
        name=NAME,
        system=SYSTEM,
        ask=ask,
        grade=grade_expression,
        mask=mask_expression,
        state_answer=state_answer,
        slow=True,
    ),
    title="MATH-500",
    source=str(SOURCE),
    licence="MIT",
    size=500,
    grader="expression",
    to_problem=to_problem,
    rows=lambda _: load_rows(SOURCE),  # 500
    fixture=FIXTURE,
    cached=partial(is_cached, SOURCE),
)
