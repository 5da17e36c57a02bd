"""Digits written down and carried, and divisions with a remainder."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import product

from feedback_friction.tasks.tutor.finding import Finding, Kind
from feedback_friction.tasks.tutor.lines import Line
from feedback_friction.tasks.tutor.question import Question
from feedback_friction.tasks.tutor.wording import censored

_N = r"(?-i:[0-9A-F]{1,20})"
_CARRY = re.compile(
    rf"(?<![0-9A-Za-z.,])(?P<total>{_N})\s*[,;.:→–]*\s*(?:so\s+)?(?:i\s+|we\s+)?"
    rf"(?:write|put)\s+(?:down\s+)?(?:the\s+)?(?P<digit>{_N})\s*(?:down)?[,;]?\s*(?:and\s+)?"
    rf"(?:carry|carrying)\s+(?:over\s+)?(?:the\s+)?(?P<carry>{_N})(?![0-9A-Za-z])",
    re.I,
)
_REMAINDER = re.compile(
    rf"(?<![0-9A-Za-z.,×+/^(-])(?P<number>{_N})\s*/\s*(?P<divisor>{_N})\s*"
    rf"[=:→]\s*(?P<quotient>{_N})\s*,?\s*(?:with\s+|and\s+)?(?:a\s+)?"
    rf"(?:remainder|rem\.?|r)\s*(?:of\s+|[=:]\s*)?(?P<rest>{_N})(?![0-9A-Za-z])",
    re.I,
)


_Check = tuple[re.Pattern[str], Callable[..., bool], str]
_CHECKS: tuple[_Check, ...] = (
    (
        _CARRY,
        lambda base, total, digit, carry: total == carry * base + digit,
        "The digit written down and the carry do not make up the number before them.",
    ),
    (
        _REMAINDER,
        lambda base, number, divisor, quotient, rest: number == divisor * quotient + rest,
        "Quotient times divisor plus remainder is not the number that is divided.",
    ),
)


def first_error(lines: Sequence[Line], question: Question) -> Finding | None:
    """The first digit and carry, or quotient and remainder, that are wrong."""
    for line in lines:
        for check in _CHECKS if line.asserted and not line.cut else ():
            if found := _wrong(line, question, *check):
                return found
    return None


def _wrong(
    line: Line, question: Question, pattern: re.Pattern[str], holds: Callable[..., bool], why: str
) -> Finding | None:
    """The first place of a line where a pattern's numbers do not hold in any reading."""
    bases = (10,) if question.base == 10 else (16, 10)
    division = Kind.CONVERSION if question.base == 16 else Kind.EQUATION
    for found in pattern.finditer(line.text):
        if question.base == 10 and not all(map(str.isdigit, found.groups())):
            continue
        readings = product(bases, *(_readings(part, question) for part in found.groups()))
        if not any(holds(*reading) for reading in readings):
            kind = Kind.CARRY if pattern is _CARRY else division
            return Finding(kind, why, line.number, censored(question, found[0]), found.start())
    return None


def _readings(text: str, question: Question) -> set[int]:
    """What a number can be worth: in base 16 a number without letters may be decimal."""
    decimal = {int(text)} if text.isdigit() else set()
    return decimal if question.base == 10 else decimal | {int(text, 16)}
