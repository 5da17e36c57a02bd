"""Primer: 200 short questions of our own, each with three hints, for models of any size.

Source: ``primer.jsonl`` beside this page; five subjects (facts, sums, stories, letters, dates) of
40 questions each, at three levels. A model of 135 million weights solves about a third, large ones
nearly all: what the task is for is what becomes of a wrong answer after a hint that is right and
clear. Two examples come first, so that a small model answers in a sentence, too.
Licence: CC0.

A row::

    {"id": "facts/29", "subject": "facts", "level": 3, "question": "What is the capital of
     Australia?", "answers": ["Canberra"], "solution": "The capital of Australia is Canberra.",
     "hints": ["Look inland, between the country's two largest cities.", "The usual mistake is
     Sydney, which is the largest city, but not the seat of the government.", "Its name has eight
     letters, begins with C and ends with A."]}

The first of ``answers`` is gold, each of the others as good. Hints are graded: where to look, what
is wrong with the usual mistake, all but the answer. None of them contains the answer, and the mask
leaves each whole: ``friction validate primer`` says so for every row. A question has one answer:
where an answer could be written in many ways (a date, a time of day), another thing is asked. A
reply is right when it states one of the answers (``grading.text``), a number in digits or in words;
a reply that ends with an equation answers with its right side.
"""

from __future__ import annotations

import re
from dataclasses import replace
from importlib import resources

from feedback_friction.grading.text import grade_text
from feedback_friction.grading.verdict import Verdict
from feedback_friction.problem import Problem
from feedback_friction.settings import Selection
from feedback_friction.tasks import fields
from feedback_friction.tasks.answers import SHORT
from feedback_friction.tasks.files import rows_of
from feedback_friction.tasks.page import Examples, Page, Row, RowError

NAME = "primer"
SIZE = 200
SUBJECTS = ("facts", "sums", "stories", "letters", "dates")
LEVELS = (1, 2, 3)
HINTS = 3

SYSTEM = "Answer each question in one short sentence."

_ENDS_WITH_EQUATION = re.compile(r"=\s{0,3}(-?\d[\d,.]{0,30})\D{0,60}\Z")
_HEADING = re.compile(
    r"^[ \t]{0,8}#{1,6} (?:Attempt|Feedback|The problem once more)\b[^\n]{0,80}(?:\n|\Z)", re.M
)
_CONDITION = re.compile(r"\A\s*(?:if|when)\s([^,.!?\n]{1,150}),\s*(?:then\s+)?", re.I)
_WORD = re.compile(r"\w+")
_STATED = ("boxed", "answer is")  # rules of a statement that an equation does not take the place of


def to_problem(row: Row) -> Problem:
    """A row as a problem; raises ``RowError``."""
    gold, *aliases = fields.texts(row, "answers", least=1)
    subject = fields.text(row, "subject")
    if subject not in SUBJECTS:
        raise RowError("subject", f"must be one of {', '.join(SUBJECTS)}, not '{subject}'")
    hints = fields.texts(row, "hints")
    if len(set(hints)) != HINTS:
        raise RowError("hints", f"must be {HINTS} that differ")
    return Problem(
        id=fields.text(row, "id"),
        task=NAME,
        question=fields.text(row, "question"),
        gold=gold,
        aliases=tuple(aliases),
        solution=fields.text(row, "solution"),
        hints=hints,
        subject=subject,
        level=str(fields.integer(row, "level", min(LEVELS), max(LEVELS))),
    )


def rows(selection: Selection) -> list[Row]:
    """The 200 rows."""
    return _read("primer.jsonl")


def _read(name: str) -> list[Row]:
    lines = resources.files(__package__).joinpath(name).read_bytes().splitlines()
    return [row for _, row in rows_of(lines, name)]


def grade(problem: Problem, response: str) -> Verdict:
    """The verdict on a reply; never raises on any text.

    Lines that a small model copies from the prompt's headings ("### Attempt 2") state nothing. A
    condition that the question has set ("If today is Sunday, ...") makes no statement conditional.
    """
    said = _HEADING.sub("", response)
    condition = _CONDITION.match(said)
    if condition and _words(condition[1]) <= _words(problem.question):
        said = said[condition.end() :]
    verdict = grade_text(problem, said)
    equation = _ENDS_WITH_EQUATION.search(said[-200:])
    if equation is None or verdict.is_correct or verdict.rule in _STATED:
        return verdict
    return replace(grade_text(problem, equation[1].rstrip(".,")), rule="equation")


def _words(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text)}


def state_answer(problem: Problem, answer: str) -> str:
    """An answer stated in a short sentence."""
    return f"The answer is {answer}."


PAGE = Page(
    task=replace(SHORT, name=NAME, system=SYSTEM, grade=grade, state_answer=state_answer),
    title="Primer",
    source="the package",
    licence="CC0",
    size=SIZE,
    grader="alias",
    to_problem=to_problem,
    rows=rows,
    examples=Examples("the package", lambda _: _read("primer_examples.jsonl"), count=2),
    hints=True,
    own=True,
)
