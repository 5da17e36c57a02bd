"""MMLU-Pro: multiple choice with up to ten options, in 14 categories.

Source: https://huggingface.co/datasets/TIGER-Lab/MMLU-Pro, split test, 12,032 questions (Wang et
al. 2024); the paper used 10%. Examples: the 5 of the same category in split validation, with their
worked answers.
Licence: MIT (the authors' repository: Apache-2.0).

A row (of our own making)::

    {"question_id": 1, "question": "Which unit measures electric charge?", "options": ["volt",
     "ampere", "coulomb", "ohm", "farad"], "answer": "C", "answer_index": 2, "cot_content": "A: "
     "Let's think step by step. Charge is current times time, an ampere second, which is called a "
     "coulomb. The answer is (C).", "category": "physics", "src": "own"}
"""

from __future__ import annotations

from dataclasses import replace

from feedback_friction.problem import LETTERS, Problem
from feedback_friction.tasks import fields
from feedback_friction.tasks.answers import CHOICE
from feedback_friction.tasks.hub_rows import Source, hub_examples, hub_page
from feedback_friction.tasks.page import Row, RowError

NAME = "mmlu_pro"
SOURCE = Source("TIGER-Lab/MMLU-Pro", "test", revision="b189ec765aa7ed75c8acfea42df31fdae71f97be")
EXAMPLES = Source(SOURCE.id, "validation", SOURCE.revision)


def to_problem(row: Row) -> Problem:
    """A row as a problem; raises ``RowError``."""
    options = fields.choices(row, "options")
    gold = LETTERS[fields.integer(row, "answer_index", 0, len(options) - 1)]
    if fields.text(row, "answer") != gold:
        raise RowError("answer", f"is not {gold}, which answer_index names")
    return Problem(
        id=fields.text(row, "question_id"),
        task=NAME,
        question=fields.text(row, "question"),
        gold=gold,
        choices=options,
        solution=_worked(row),
        subject=fields.text(row, "category"),
    )


def _worked(row: Row) -> str | None:
    """The worked answer without its label; test rows have none."""
    worked = fields.optional_text(row, "cot_content")
    return worked.removeprefix("A:").strip() or None if worked else None


PAGE = hub_page(
    replace(CHOICE, name=NAME),
    SOURCE,
    title="MMLU-Pro",
    licence="MIT",
    size=12_032,
    grader="choice",
    to_problem=to_problem,
    examples=hub_examples(EXAMPLES, by_subject=True),
)
