"""MMLU: multiple choice in 57 subjects.

Source: https://huggingface.co/datasets/cais/mmlu, configuration all, split test, 14,042 questions
(Hendrycks et al. 2021); the paper used 10%. Examples: the 5 of the same subject in split dev.
Licence: MIT.

A row (of our own making)::

    {"question": "Which gas do plants take in for photosynthesis?", "subject":
     "high_school_biology", "choices": ["oxygen", "carbon dioxide", "nitrogen", "helium"],
     "answer": 1}

Files that call the subject ``type`` load too. Rows have no id: theirs is a hash of their contents.
MMLU-Redux (Gema et al. 2024) finds 6.5% of the labels wrong, in Virology 57%: a wrong gold answer
looks like resistance to feedback.
"""

from __future__ import annotations

from dataclasses import replace

from feedback_friction.problem import LETTERS, Problem
from feedback_friction.tasks import fields
from feedback_friction.tasks.answers import CHOICE
from feedback_friction.tasks.hub_rows import Source, hub_examples, hub_page
from feedback_friction.tasks.page import Row

NAME = "mmlu"
SOURCE = Source(
    "cais/mmlu", "test", revision="c30699e8356da336a370243923dbaf21066bb9fe", config="all"
)
EXAMPLES = Source(SOURCE.id, "dev", SOURCE.revision, SOURCE.config)


def to_problem(row: Row) -> Problem:
    """A row as a problem; raises ``RowError``."""
    question = fields.text(row, "question")
    subject = fields.text(row, "subject" if row.get("subject") or "type" not in row else "type")
    choices = fields.choices(row, "choices")
    return Problem(
        id=fields.digest(subject, question, *choices),
        task=NAME,
        question=question,
        gold=LETTERS[fields.choice_index(row, "answer", len(choices))],
        choices=choices,
        subject=subject,
    )


PAGE = hub_page(
    replace(CHOICE, name=NAME),
    SOURCE,
    title="MMLU",
    licence="MIT",
    size=14_042,
    grader="choice",
    to_problem=to_problem,
    examples=hub_examples(EXAMPLES, by_subject=True),
)
