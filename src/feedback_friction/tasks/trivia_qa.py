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

from functools import partial

from feedback_friction.grading.text import grade_text
from feedback_friction.problem import Problem
from feedback_friction.protocol.masking.aliases import mask_aliases
from feedback_friction.protocol.task import Task
from feedback_friction.reading.words import normalized
from feedback_friction.tasks import fields
from feedback_friction.tasks.hub_rows import Source, is_cached, load_rows
from feedback_friction.tasks.page import Examples, Page, Row, RowError
from feedback_friction.tasks.short_answer import SYSTEM, ask, state_answer, state_gold

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


def _row(number: int, question: str, value: str, *aliases: str) -> Row:
    every = [value, *aliases]
    return {
        "question_id": f"own_{number}",
        "question": question,
        "answer": {
            "value": value,
            "aliases": every,
            "normalized_aliases": list(dict.fromkeys(normalized(alias) for alias in every)),
            "normalized_value": normalized(value),
        },
    }


FIXTURE: tuple[Row, ...] = (
    _row(
        0,
        "Which planet has the largest mountain of the solar system, Olympus Mons?",
        "Mars",
        "Planet Mars",
        "Mars (planet)",
    ),
    _row(1, "Who painted The Starry Night in 1889?", "Vincent van Gogh", "Van Gogh"),
    _row(2, "How many strings does a standard violin have?", "4", "four"),
    _row(3, "Which vitamin does the skin make in sunlight?", "Vitamin D", "Vitamin D3"),
    _row(
        4,
        "Which two-word Latin phrase did Descartes make famous with 'I think, therefore I am'?",
        "Cogito ergo sum",
        "Cogito, ergo sum",
    ),
    _row(5, "In which 1986 Stephen King novel does a clown haunt the town of Derry?", "It"),
    _row(6, "Which country's flag shows a red maple leaf?", "Canada", "Dominion of Canada"),
    _row(
        7,
        "Which US state was bought from Russia in 1867?",
        "Alaska",
        "49th State",
        "The Last Frontier",
    ),
)

PAGE = Page(
    task=Task(
        name=NAME,
        system=SYSTEM,
        ask=ask,
        grade=grade_text,
        mask=mask_aliases,
        state_answer=state_answer,
        slow=True,
    ),
    title="TriviaQA",
    source=str(SOURCE),
    licence="research use",
    size=7993,
    grader="alias",
    to_problem=to_problem,
    rows=lambda _: load_rows(SOURCE),  # 7,993
    fixture=FIXTURE,
    cached=partial(is_cached, SOURCE),
    examples=Examples(str(EXAMPLES), lambda _: load_rows(EXAMPLES), state_gold),
)
