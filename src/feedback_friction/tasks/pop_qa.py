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

from dataclasses import replace

from feedback_friction.problem import Problem
from feedback_friction.protocol.judge import judge
from feedback_friction.settings import Selection
from feedback_friction.tasks import fields
from feedback_friction.tasks.answers import SHORT
from feedback_friction.tasks.hub_rows import Source, hub_page, load_rows
from feedback_friction.tasks.page import Examples, Row
from feedback_friction.tasks.selection import rank

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


PAGE = hub_page(
    replace(SHORT, name=NAME, judge=judge),
    SOURCE,
    title="PopQA",
    licence="MIT (authors' repository)",
    size=14_267 - SET_APART,
    grader="alias",
    to_problem=to_problem,
    rows=rows,
    examples=Examples(str(SOURCE), examples),
)
