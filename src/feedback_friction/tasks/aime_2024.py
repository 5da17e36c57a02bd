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

from functools import partial

from feedback_friction.grading.expression import grade_expression
from feedback_friction.problem import Problem
from feedback_friction.protocol.masking.expressions import mask_expression
from feedback_friction.protocol.task import Task
from feedback_friction.tasks import fields
from feedback_friction.tasks.hub_rows import Source, is_cached, load_rows
from feedback_friction.tasks.mathematics import SYSTEM, ask, state_answer
from feedback_friction.tasks.page import Page, Row

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


FIXTURE: tuple[Row, ...] = (
    {
        "ID": "2024-I-0",
        "Problem": (
            "Find the number of positive integers $n \\le 100$ that are divisible by $3$ but not "
            "by $6$."
        ),
        "Solution": (
            "There are $33$ multiples of $3$ up to $100$, and $16$ multiples of $6$, each of which "
            "is one of them. The difference is $33 - 16 = \\boxed{017}$."
        ),
        "Answer": 17,
    },
    {
        "ID": "2024-I-00",
        "Problem": (
            "A rectangle has sides of whole length and a perimeter of $114$. Find the largest area "
            "that it can have."
        ),
        "Solution": (
            "The sides add up to $57$, so they are as equal as whole numbers can be: $28$ and "
            "$29$. The area is $28 \\cdot 29 = \\boxed{812}$."
        ),
        "Answer": 812,
    },
    {
        "ID": "2024-II-0",
        "Problem": ("The positive integers $a$ and $b$ satisfy $a^2 - b^2 = 43$. Find $a + 10b$."),
        "Solution": (
            "Since $43$ is prime, $a - b = 1$ and $a + b = 43$, so $a = 22$ and $b = 21$. Then "
            "$a + 10b = 22 + 210 = \\framebox{232}$."
        ),
        "Answer": 232,
    },
    {
        "ID": "2024-II-00",
        "Problem": "How many subsets of $\\{1, 2, 3, 4, 5, 6, 7\\}$ contain neither $1$ nor $2$?",
        "Solution": "Each of the other $5$ elements is in or out: $2^5 = \\textbf{(032)}$.",
        "Answer": "032",
    },
    {
        "ID": "2024-II-000",
        "Problem": "Find the remainder when $7^{2024}$ is divided by $10$.",
        "Solution": (
            "The last digits of powers of $7$ go $7, 9, 3, 1$ in turn. As $2024$ is divisible by "
            "$4$, the last digit is $\\boxed{001}$."
        ),
        "Answer": 1,
    },
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
    title="AIME 2024",
    source=str(SOURCE),
    licence="MIT",
    size=30,
    grader="integer",
    to_problem=to_problem,
    rows=lambda _: load_rows(SOURCE),  # 30
    fixture=FIXTURE,
    cached=partial(is_cached, SOURCE),
)
