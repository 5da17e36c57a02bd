"""Frozen items: a problem, attempts at it, and the masked feedback on the last; one call asks on.

An item is a row of JSON, so that a benchmark of uptake needs no teacher: the solver is shown what
the loop would show it, and answers once. What is not the usual value of a field is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

from feedback_friction.grading.verdict import Outcome, Verdict
from feedback_friction.problem import Problem
from feedback_friction.protocol.records import Aside, Attempt, Feedback, Reply

RULE = "frozen"


class ItemError(Exception):
    """A row is no item; says which field."""


@dataclass(frozen=True, slots=True)
class Item:
    """What a solver is asked to go on from: one attempt or more, each with masked feedback."""

    mode: str
    problem: Problem
    attempts: tuple[Attempt, ...]


def to_row(item: Item) -> dict[str, Any]:
    """An item as a row of JSON."""
    problem = {
        each.name: _plain(value)
        for each in fields(Problem)
        if (value := getattr(item.problem, each.name)) != each.default
    }
    return {"mode": item.mode, "problem": problem, "attempts": [*map(_attempt, item.attempts)]}


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _attempt(attempt: Attempt) -> dict[str, Any]:
    assert attempt.feedback is not None  # an item is made of attempts that got some
    suggested = attempt.aside("suggested")
    row = {
        "text": attempt.reply.text,
        "verdict": attempt.verdict.outcome.value,
        "answer": attempt.verdict.prediction,
        "feedback": attempt.feedback.text,
        "suggested": suggested.text if suggested else None,
    }
    return {name: value for name, value in row.items() if value is not None}


def from_row(row: Mapping[str, Any]) -> Item:
    """The item of a row; raises ``ItemError`` that names a wrong field."""
    problem = _problem(row.get("problem"))
    attempts = row.get("attempts")
    if not isinstance(attempts, list) or not attempts:
        raise ItemError("'attempts' must be a list of one attempt or more")
    made = tuple(_read(problem, number, each) for number, each in enumerate(attempts))
    return Item(_text(row, "mode"), problem, made)


def _problem(given: object) -> Problem:
    if not isinstance(given, Mapping):
        raise ItemError("'problem' must be an object")
    known = {each.name: each for each in fields(Problem)}
    if strange := {*given} - {*known}:
        raise ItemError(f"'problem' has no field '{min(map(str, strange))}'")
    for name, field in known.items():
        value = given.get(name, field.default)
        wanted = (list,) if field.default == () else (int,) if "_pop" in name else (str,)
        if value is MISSING or (value != field.default and not isinstance(value, wanted)):
            raise ItemError(f"'problem' must have '{name}' as a {wanted[0].__name__}")
        if isinstance(value, list) and not all(isinstance(each, str) for each in value):
            raise ItemError(f"'{name}' must be a list of texts")
    made: dict[str, Any] = {
        str(name): tuple(each) if isinstance(each, list) else each for name, each in given.items()
    }
    return Problem(**made)


def _read(problem: Problem, number: int, row: object) -> Attempt:
    if not isinstance(row, Mapping):
        raise ItemError("'attempts' must hold objects")
    said = _text(row, "verdict")
    if said not in {each.value for each in Outcome}:
        raise ItemError(f"'verdict' is '{said}'; allowed: {', '.join(Outcome)}")
    answer = _text(row, "answer") if row.get("answer") is not None else None
    asides = (Aside("suggested", _text(row, "suggested")),) if "suggested" in row else ()
    told = _text(row, "feedback")
    return Attempt(
        iteration=number,
        problem=problem,
        reply=Reply(_text(row, "text")),
        verdict=Verdict(Outcome(said), answer, RULE),
        temperature=None,
        feedback=Feedback("", told, told),
        asides=asides,
    )


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str):
        raise ItemError(f"'{name}' {'is missing' if value is None else 'is not a text'}")
    return value
