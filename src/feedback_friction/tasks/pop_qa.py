"""PopQA: questions about entities of known popularity, from Wikidata.

Source: https://huggingface.co/datasets/akariasai/PopQA, split test, 14,267 questions (Mallen et al.
2023); the paper used 10%, and samples by popularity too (``--stratify s_pop``).
Licence: none declared on the hub; the authors' repository is MIT.

A row (of our own making)::

    {"id": 1, "subj": "Ada Lovelace", "prop": "occupation", "obj": "mathematician",
     "s_pop": 90000, "o_pop": 40000, "question": "What is Ada Lovelace's occupation?",
     "possible_answers": "[\\"mathematician\\", \\"computer scientist\\"]"}

The data set has this one split: 5 rows, chosen by seed, are set apart as examples and never asked.
It has few aliases, so the paper lets a model judge (``--judge-model``, ``protocol.judge``); without
one, an alias decides, and the results say so.
"""

from __future__ import annotations

import json
from functools import partial

from feedback_friction.grading.text import grade_text
from feedback_friction.problem import Problem
from feedback_friction.protocol.judge import with_judge
from feedback_friction.protocol.masking.aliases import mask_aliases
from feedback_friction.protocol.task import Task
from feedback_friction.settings import Selection
from feedback_friction.tasks import fields
from feedback_friction.tasks.hub_rows import Source, is_cached, load_rows
from feedback_friction.tasks.page import Examples, Page, Row
from feedback_friction.tasks.selection import rank
from feedback_friction.tasks.short_answer import SYSTEM, ask, state_answer, state_gold

NAME = "pop_qa"
SOURCE = Source("akariasai/PopQA", "test", revision="098765c79ea10a2cb19c828324e33281b8336ec0")
SET_APART = 5


def to_problem(row: Row) -> Problem:
    """A row as a problem; raises ``RowError``."""
    question = fields.text(row, "question")
    answers = fields.texts(row, "possible_answers", least=1)
    gold = fields.optional_text(row, "obj") or answers[0]
    return Problem(
        id=fields.optional_text(row, "id") or fields.digest(question, *answers),
        task=NAME,
        question=question,
        gold=gold,
        aliases=tuple(answer for answer in dict.fromkeys(answers) if answer != gold),
        subject=fields.optional_text(row, "prop"),
        s_pop=fields.optional_integer(row, "s_pop", 0),
        o_pop=fields.optional_integer(row, "o_pop", 0),
    )


def rows(selection: Selection) -> list[Row]:
    """All rows but those set apart as examples for this seed."""
    every = load_rows(SOURCE)
    apart = {id(row) for row in _lowest(every, selection.seed)}
    return [row for row in every if id(row) not in apart]


def examples(selection: Selection) -> list[Row]:
    """The rows set apart."""
    return _lowest(load_rows(SOURCE), selection.seed)


def _lowest(every: list[Row], seed: int) -> list[Row]:
    return sorted(every, key=lambda row: rank(f"{seed}:{NAME}:example:{row.get('id')}"))[:SET_APART]


def _row(
    number: int, subj: str, prop: str, question: str, s_pop: int, o_pop: int, *answers: str
) -> Row:
    return {
        "id": number,
        "subj": subj,
        "prop": prop,
        "obj": answers[0],
        "s_pop": s_pop,
        "o_pop": o_pop,
        "question": question,
        "possible_answers": json.dumps(answers),
    }


FIXTURE: tuple[Row, ...] = (
    _row(
        1,
        "Ada Lovelace",
        "occupation",
        "What is Ada Lovelace's occupation?",
        90_000,
        40_000,
        "mathematician",
        "computer scientist",
    ),
    _row(
        2,
        "Reykjavík",
        "country",
        "In what country is Reykjavík?",
        60_000,
        300_000,
        "Iceland",
        "Republic of Iceland",
        "IS",
    ),
    _row(
        3,
        "The Starry Night",
        "creator",
        "Who is the author of The Starry Night?",
        50_000,
        200_000,
        "Vincent van Gogh",
        "van Gogh",
        "Vincent Willem van Gogh",
    ),
    _row(
        4,
        "Northfield High",
        "sport",
        "What sport does Northfield High play?",
        150,
        110_000,
        "basketball",
        "hoops",
    ),
    _row(5, "Quellen", "genre", "What genre is Quellen?", 120, 9_000, "jazz", "jazz music"),
    _row(
        6,
        "Lima",
        "capital of",
        "What is Lima the capital of?",
        70_000,
        250_000,
        "Peru",
        "PE",
        "PER",
    ),
)

PAGE = Page(
    task=with_judge(
        Task(
            name=NAME,
            system=SYSTEM,
            ask=ask,
            grade=grade_text,
            mask=mask_aliases,
            state_answer=state_answer,
            slow=True,
        )
    ),
    title="PopQA",
    source=str(SOURCE),
    licence="MIT (authors' repository)",
    size=14_267 - SET_APART,
    grader="alias",
    to_problem=to_problem,
    rows=rows,
    fixture=FIXTURE,
    cached=partial(is_cached, SOURCE),
    examples=Examples(str(SOURCE), examples, state_gold),
)
