"""Arithmetic as a solver writes it: its tokens, and what an expression may be worth.

In base 10 an expression has one value. In base 16 what a solver writes without letters may be meant
in base 16 or, after a conversion, in base 10; "16" and its powers are written in base 10 by nearly
everyone. ``values`` gives every value that a writing can have with its long numbers in one base; a
claim that an equation is wrong is made only when no reading of it is right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from feedback_friction.reading.mathematics.formula import parse_tokens
from feedback_friction.reading.mathematics.nodes import Node, Number, Power, Product, Sum
from feedback_friction.reading.numerals import Base, Numeral

_MOST_READINGS = 32
_MOST_BITS = 4096
_LARGEST_EXPONENT = 64
_SHORT = 2  # digits up to which a number may be in either base, whatever stands around it
_RADIX_POWERS = frozenset(str(16**power) for power in range(9))


@dataclass(frozen=True, slots=True)
class Token:
    """A number, a sign, a word or another character of a line of plain text.

    Attributes:
        text: ``"("``, ``")"``, ``"+"``, ``"-"``, ``"×"``, ``"/"``, ``"^"``, ``"="`` (also "is" and
            arrows, where they stand for it), a word in lower case, or the character itself.
        line: index of the source line.
        start, end: offsets in the line of plain text.
        numeral: the number, for a number.
    """

    text: str
    line: int
    start: int
    end: int
    numeral: Numeral | None = None


def parse(tokens: Sequence[Token]) -> Node | None:
    """The expression that all of the tokens make up, or None."""
    ends = [-1, *(token.end for token in tokens)]
    return parse_tokens(
        (token.text, token.numeral, token.start != end)
        for token, end in zip(tokens, ends, strict=False)
    )


def factors_of(expression: Node | None) -> tuple[Node, ...] | None:
    """The factors of a product in which nothing is divided by; None of anything else."""
    if not isinstance(expression, Product) or any(inverse for inverse, _ in expression.factors):
        return None
    return tuple(factor for _, factor in expression.factors)


def two_numbers(expression: Node | None) -> tuple[Number, Number] | None:
    """The factors of a product of two numbers; None of anything else."""
    match factors_of(expression):
        case (Number() as one, Number() as other):
            return one, other
    return None


# --- what they are worth -------------------------------------------------------------------------


class UnknownError(Exception):
    """A value that cannot be told exactly: a fraction, a rounding, a size beyond reason."""


def values(expression: Node, base: Base, task: Base) -> frozenset[int]:
    """The values of an expression with its long numbers read in ``base``.

    Args:
        expression: as parsed.
        base: how to read a number that is neither marked nor short.
        task: the base of the task; in base 10 there is only one reading.

    Returns:
        No value at all where a long number has letters and is to be read in base 10.

    Raises:
        UnknownError: it has no exact value that could be told.
    """
    if isinstance(expression, Number):
        return _number_values(expression, base, task, _is_short(expression))
    if isinstance(expression, Sum):
        return _sum_values(expression, base, task)
    if isinstance(expression, Product):
        found = frozenset({1})
        for inverse, factor in expression.factors:
            operation = _exact_quotient if inverse else int.__mul__
            found = _combined(found, values(factor, base, task), operation)
        return found
    if isinstance(expression, Power):
        return _power_values(expression, base, task)
    raise UnknownError


def _is_short(number: Number) -> bool:
    return len(number.digits) <= _SHORT or number.digits in _RADIX_POWERS


def _sum_values(expression: Sum, base: Base, task: Base) -> frozenset[int]:
    """A sum's values; a short number that is added to long ones is in the base that they are in."""
    together = any(isinstance(t, Number) and not _is_short(t) for _, t in expression.terms)
    found = frozenset({0})
    for subtracted, term in expression.terms:
        if together and isinstance(term, Number):
            worth = _number_values(term, base, task, in_either=False)
        else:
            worth = values(term, base, task)
        found = _combined(found, worth, int.__sub__ if subtracted else int.__add__)
    return found


def _number_values(number: Number, base: Base, task: Base, in_either: bool) -> frozenset[int]:
    """A number's values; ``in_either``: in base 16 and, without letters, in base 10."""
    numeral, digits = number.numeral, number.digits
    assert numeral is not None
    if not numeral.regular or not digits.isalnum():
        raise UnknownError
    if numeral.marked is not None:
        if numeral.marked == 10 and not digits.isdigit():
            raise UnknownError
        return frozenset({int(digits, numeral.marked)})
    if task == 10:
        return frozenset({int(digits)})
    if not digits.isdigit():
        readable = base == 16 or len(digits) <= _SHORT
        return frozenset({int(digits, 16)} if readable else ())
    return frozenset({int(digits, 16), int(digits)} if in_either else {int(digits, base)})


def _power_values(power: Power, base: Base, task: Base) -> frozenset[int]:
    exponent = power.exponent
    if not isinstance(exponent, Number) or not exponent.digits.isdigit():
        raise UnknownError
    if len(exponent.digits) > 2 or int(exponent.digits) > _LARGEST_EXPONENT:
        raise UnknownError
    raised = int(exponent.digits)
    return frozenset(root**raised for root in values(power.base, base, task))


def _exact_quotient(dividend: int, divisor: int) -> int:
    if divisor == 0 or dividend % divisor:
        raise UnknownError
    return dividend // divisor


def _combined(
    one: frozenset[int], other: frozenset[int], operation: Callable[[int, int], int]
) -> frozenset[int]:
    """What the operation can make of any value of one and any of the other."""
    if len(one) * len(other) > _MOST_READINGS:
        raise UnknownError
    found = frozenset(operation(left, right) for left in one for right in other)
    if any(value.bit_length() > _MOST_BITS for value in found):
        raise UnknownError
    return found
