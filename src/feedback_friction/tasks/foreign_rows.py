"""Problems from rows that are not in a data set's schema: question, gold, and what else there is.

This is how ``friction mask`` and ``friction grade`` read logs from elsewhere.
"""

from __future__ import annotations

from dataclasses import replace

from feedback_friction.problem import LETTERS, Problem
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
    question = _text(row, "question")
    if page.operands is not None:
        operands = page.operands(question)
        if operands is None:
            raise RowError("question", f"has no multiplication as {page.name} asks it")
    else:
        operands = ()
    choices = _texts(row, "choices")
    if page.grader == "choice" and not choices:
        raise RowError("choices", f"is missing; {page.name} needs it")
    gold = _text(row, "gold")
    problem = Problem(
        id=str(row.get("id", question)),
        task=page.name,
        question=question,
        gold=_letter(gold, choices) if choices else gold.strip(),
        aliases=_texts(row, "aliases"),
        choices=choices,
        solution=_text(row, "solution") if row.get("solution") is not None else None,
        operands=operands,
        grader=str(row["grader"]) if row.get("grader") is not None else None,
    )
    try:
        page.check(problem)
    except RowError as error:  # which names the fields of the task's own rows
        raise RowError({"answer": "gold"}.get(error.field, error.field), error.problem) from error
    return _numeric(page, problem) if page.grader == "number" else problem


def _numeric(page: Page, problem: Problem) -> Problem:
    """The problem with its gold as the grader writes numbers, which is how its mask reads it."""
    try:
        read = page.task.grade(problem, problem.gold).prediction
    except ValueError:
        read = None
    if read is None or not read.isalnum():  # all these answers are whole
        raise RowError("gold", f"is not a number as {page.name} has it: '{problem.gold[:40]}'")
    return replace(problem, gold=read)


def _text(row: Row, field: str) -> str:
    value = row.get(field)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value.strip():
        raise RowError(field, "must be a text that is not empty")
    return value


def _texts(row: Row, field: str) -> tuple[str, ...]:
    values = row.get(field)
    if values is None:
        return ()
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise RowError(field, "must be a list of texts")
    return tuple(values)


def _letter(gold: str, choices: tuple[str, ...]) -> str:
    if not 2 <= len(choices) <= len(LETTERS):
        raise RowError("choices", f"must be 2 to {len(LETTERS)} texts, not {len(choices)}")
    letters = LETTERS[: len(choices)]
    bare = gold.strip().strip("()").upper()
    if len(bare) == 1 and bare in letters:
        return bare
    if choices.count(gold) == 1:
        return letters[choices.index(gold)]
    raise RowError("gold", f"must be a letter from A to {letters[-1]}, not '{gold}'")
