"""Digits written down and carried, and divisions with a remainder."""

from __future__ import annotations

import re
from collections.abc import Sequence

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


def first_error(lines: Sequence[Line], question: Question) -> Finding | None:
    """The first digit and carry, or quotient and remainder, that are wrong."""
    for line in lines:
        if line.asserted and not line.cut:
            found = _wrong_carry(line, question) or _wrong_remainder(line, question)
            if found is not None:
                return found
    return None


def _readings(text: str, question: Question) -> set[int]:
    """What a number can be worth: in base 16 a number without letters may be decimal."""
    decimal = {int(text)} if text.isdigit() else set()
    return decimal if question.base == 10 else decimal | {int(text, 16)}


def _wrong_carry(line: Line, question: Question) -> Finding | None:
    for found in _CARRY.finditer(line.text):
        parts = [found["total"], found["digit"], found["carry"]]
        if question.base == 10 and not all(part.isdigit() for part in parts):
            continue
        total, digit, carry = (_readings(part, question) for part in parts)
        bases = (10,) if question.base == 10 else (16, 10)
        right = any(
            whole == over * base + own
            for base in bases
            for whole in total
            for own in digit
            for over in carry
        )
        if not right:
            why = "The digit written down and the carry do not make up the number before them."
            quote = censored(question, found[0])
            return Finding(Kind.CARRY, why, line.number, quote, found.start())
    return None


def _wrong_remainder(line: Line, question: Question) -> Finding | None:
    for found in _REMAINDER.finditer(line.text):
        parts = [found[name] for name in ("number", "divisor", "quotient", "rest")]
        if question.base == 10 and not all(part.isdigit() for part in parts):
            continue
        number, divisor, quotient, rest = (_readings(part, question) for part in parts)
        right = any(
            whole == by * times + left
            for whole in number
            for by in divisor
            for times in quotient
            for left in rest
        )
        if not right:
            kind = Kind.CONVERSION if question.base == 16 else Kind.EQUATION
            why = "Quotient times divisor plus remainder is not the number that is divided."
            return Finding(kind, why, line.number, censored(question, found[0]), found.start())
    return None
