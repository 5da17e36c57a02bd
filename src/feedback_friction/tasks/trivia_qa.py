"""TriviaQA: questions by trivia enthusiasts, answered without context.

Source: https://huggingface.co/datasets/mandarjoshi/trivia_qa, configuration rc.wikipedia.nocontext,
split validation, 7,993 questions (Joshi et al. 2017); the paper used 10%. Examples: 5 from split
train, chosen by seed.
Licence: none declared on the hub; the authors hold none of the questions' copyright and offer
them for research, the code is Apache-2.0.

A row (of our own making)::

    {"question_id": "own_0", "question": "Which planet has the largest mountain of the solar system,
     Olympus Mons?", "answer": {"value": "Mars", "aliases": ["Mars", "Planet Mars"],
     "normalized_aliases": ["mars", "planet mars"], "normalized_value": "mars"}}

A reply is right when it states an alias (``grading.text``).
"""

from __future__ import annotations

from dataclasses import replace

from feedback_friction.problem import Problem
from feedback_friction.reading.words import normalized
from feedback_friction.tasks import fields
from feedback_friction.tasks.answers import SHORT
from feedback_friction.tasks.hub_rows import Source, hub_examples, hub_page
from feedback_friction.tasks.page import Row, RowError

NAME = "trivia_qa"
SOURCE = Source(
    "mandarjoshi/trivia_qa",
    "validation",
    revision="0f7faf33a3908546c6fd5b73a660e0f8ff173c2f",
    config="rc.wikipedia.nocontext",
    columns=("question_id", "question", "answer"),
)
EXAMPLES = Source(SOURCE.id, "train", SOURCE.revision, SOURCE.config, SOURCE.columns)


def to_problem(row: Row) -> Problem:
    """A row as a problem; raises ``RowError``."""
    question = fields.text(row, "question")
    answer = fields.mapping(row, "answer")
    try:
        gold = fields.text(answer, "value")
        aliases = fields.texts(answer, "aliases")
        normal = (
            fields.texts(answer, "normalized_aliases") if "normalized_aliases" in answer else ()
        )
    except RowError as error:
        raise RowError(f"answer.{error.field}", error.problem) from error
    known = {normalized(alias) for alias in (gold, *aliases)}
    more = [alias for alias in normal if normalized(alias) not in known]
    return Problem(
        id=fields.optional_text(row, "question_id") or fields.digest(question),
        task=NAME,
        question=question,
        gold=gold,
        aliases=tuple(alias for alias in dict.fromkeys((*aliases, *more)) if alias != gold),
    )


PAGE = hub_page(
    replace(SHORT, name=NAME),
    SOURCE,
    title="TriviaQA",
    licence="research use",
    size=7993,
    grader="alias",
    to_problem=to_problem,
    examples=hub_examples(EXAMPLES),
)
