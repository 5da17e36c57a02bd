"""Problems from rows that are not in a data set's schema: question, gold, and what else there is.

This is how ``friction mask`` and ``friction grade`` read logs from elsewhere.
"""

from __future__ import annotations

from dataclasses import replace

from feedback_friction.problem import LETTERS, Problem
from feedback_friction.tasks import fields
from feedback_friction.tasks.page import Page, Row, RowError


def to_problem(page: Page, row: Row) -> Problem:
    """A problem of the page's task.

    Args:
        row: ``question`` and ``gold`` (a number is taken as its digits), and where the task has
            them ``choices``, ``aliases``, ``solution``. With choices, gold is the letter, or the
            text of exactly one of them.

    Raises:
        RowError: a field is missing or of the wrong kind.
    """
    question = fields.text(row, "question")
    operands = page.operands(question) if page.operands is not None else ()
    if operands is None:
        raise RowError("question", f"has no multiplication as {page.name} asks it")
    given = row.get("choices") not in (None, [])
    choices = fields.choices(row, "choices", len(LETTERS)) if given else ()
    if page.grader == "choice" and not choices:
        raise RowError("choices", f"is missing; {page.name} needs it")
    gold = fields.text(row, "gold")
    problem = Problem(
        id=str(row.get("id", question)),
        task=page.name,
        question=question,
        gold=_letter(gold, choices) if choices else gold,
        aliases=fields.optional_texts(row, "aliases"),
        choices=choices,
        solution=fields.optional_text(row, "solution"),
        operands=operands,
        grader=fields.optional_text(row, "grader"),
    )
    try:
        page.check(problem)
    except RowError as error:  # which names the fields of the task's own rows
        raise RowError({"answer": "gold"}.get(error.field, error.field), error.problem) from error
    return _numeric(page, problem) if page.grader == "number" else problem


def _numeric(page: Page, problem: Problem) -> Problem:
    """The problem with its gold as the grader writes numbers, which is how its mask reads it."""
    try:
        read = page.task.grade(problem, rf"\boxed{{{problem.gold}}}").prediction
    except ValueError:
        read = None
    if read is None or not read.removeprefix("-").isalnum():  # all these answers are whole
        raise RowError("gold", f"is not a number as {page.name} has it: '{problem.gold[:40]}'")
    return replace(problem, gold=read)


def _letter(gold: str, choices: tuple[str, ...]) -> str:
    letters = LETTERS[: len(choices)]
    bare = gold.strip("()").upper()
    if len(bare) == 1 and bare in letters:
        return bare
    if choices.count(gold) == 1:
        return letters[choices.index(gold)]
    raise RowError("gold", f"must be a letter from A to {letters[-1]}, not '{gold}'")
