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

from functools import partial

from feedback_friction.grading.choice import grade_choice
from feedback_friction.problem import LETTERS, Problem
from feedback_friction.protocol.masking.letters import mask_letters
from feedback_friction.protocol.task import Task
from feedback_friction.tasks import fields
from feedback_friction.tasks.hub_rows import Source, is_cached, load_rows
from feedback_friction.tasks.multiple_choice import SYSTEM, ask, state_answer, state_gold
from feedback_friction.tasks.page import Examples, Page, Row

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


def _row(subject: str, question: str, answer: int, *choices: str) -> Row:
    return {"question": question, "subject": subject, "choices": list(choices), "answer": answer}


FIXTURE: tuple[Row, ...] = (
    _row(
        "high_school_biology",
        "Which gas do plants take in for photosynthesis?",
        1,
        *("oxygen", "carbon dioxide", "nitrogen", "helium"),
    ),
    _row(
        "elementary_mathematics",
        "What is the remainder when 47 is divided by 6?",
        3,
        *("2", "3", "4", "5"),
    ),
    _row(
        "philosophy",
        "Statement 1 | Every triangle has three sides. Statement 2 | Some bachelors are married.",
        2,
        *("True, True", "False, False", "True, False", "False, True"),
    ),
    _row(
        "astronomy",
        "Which of these is or are true of the Moon?",
        3,
        "It always turns the same side to the Earth",
        "Its gravity raises tides",
        "It shines by its own light",
        "A and B",
    ),
    _row(
        "college_chemistry",
        "Which element has the symbol K?",
        0,
        *("potassium", "krypton", "calcium", "phosphorus"),
    ),
    _row(
        "us_foreign_policy",
        "In which city is the headquarters of the United Nations?",
        1,
        *("Geneva", "New York", "Vienna", "The Hague"),
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
    title="MMLU",
    source=str(SOURCE),
    licence="MIT",
    size=14_042,
    grader="choice",
    to_problem=to_problem,
    rows=lambda _: load_rows(SOURCE),  # 14,042
    fixture=FIXTURE,
    cached=partial(is_cached, SOURCE),
    examples=Examples(str(EXAMPLES), lambda _: load_rows(EXAMPLES), state_gold, by_subject=True),
)
