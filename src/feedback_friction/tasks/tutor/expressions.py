"""Arithmetic expressions as written: read from tokens, and what they may be worth.

In base 10 an expression has one value. In base 16 what a solver writes without letters may be meant
in base 16 or, after a conversion, in base 10; "16" and its powers are written in base 10 by nearly
everyone. ``values`` gives every value that a writing can have with its long numbers in one base; a
claim that an equation is wrong is made only when no reading of it is right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce

from feedback_friction.grading.numerals import Base, Numeral

_DEEPEST = 20  # nested brackets, and divisions
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


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it is written."""

    numeral: Numeral

    @property
    def digits(self) -> str:
        """The number without separators or leading zeros."""
        return self.numeral.digits


@dataclass(frozen=True, slots=True)
class Sum:
    """Terms, each with its sign, 1 or -1."""

    terms: tuple[tuple[int, Expression], ...]


@dataclass(frozen=True, slots=True)
class Product:
    """Two or more factors."""

    factors: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Quotient:
    """One expression divided by another."""

    dividend: Expression
    divisor: Expression


@dataclass(frozen=True, slots=True)
class Power:
    """An expression raised to one; exponents are read in base 10."""

    root: Expression
    exponent: Expression


Expression = Number | Sum | Product | Quotient | Power


class _NoExpressionError(Exception):
    """The tokens are no expression."""


def parse(tokens: Sequence[Token]) -> Expression | None:
    """The expression that all of the tokens make up, or None."""
    try:
        parser = _Parser(tokens)
        found = parser.sum(0)
    except _NoExpressionError:
        return None
    return found if parser.at == len(tokens) else None


class _Parser:
    """Recursive descent: a sum of products of powers of numbers and brackets."""

    def __init__(self, tokens: Sequence[Token]):
        self.tokens = tokens
        self.at = 0
        self.quotients = 0

    def peek(self) -> str:
        return self.tokens[self.at].text if self.at < len(self.tokens) else ""

    def sum(self, depth: int) -> Expression:
        if depth > _DEEPEST:
            raise _NoExpressionError
        terms = [(self.sign(), self.product(depth))]
        while self.peek() in ("+", "-"):
            terms.append((self.sign(), self.product(depth)))
        return terms[0][1] if terms[0][0] == 1 and len(terms) == 1 else Sum(tuple(terms))

    def sign(self) -> int:
        if self.peek() in ("+", "-"):
            self.at += 1
            return 1 if self.tokens[self.at - 1].text == "+" else -1
        return 1

    def product(self, depth: int) -> Expression:
        factors = [self.power(depth)]
        while self.peek() in ("×", "/") or self._brackets_touch():
            if self.peek() == "/":
                self.at += 1
                self.quotients += 1
                if self.quotients > _DEEPEST:
                    raise _NoExpressionError
                factors = [Quotient(_product(factors), self.power(depth))]
            else:
                self.at += self.peek() == "×"
                factors.append(self.power(depth))
        return _product(factors)

    def _brackets_touch(self) -> bool:
        """Whether a bracket opens right after another closed, or right after a number."""
        if self.peek() != "(" or self.at == 0:
            return False
        before, here = self.tokens[self.at - 1], self.tokens[self.at]
        return before.text == ")" or before.end == here.start

    def power(self, depth: int) -> Expression:
        root = self.atom(depth)
        if self.peek() == "^":
            self.at += 1
            return Power(root, self.atom(depth))
        return root

    def atom(self, depth: int) -> Expression:
        if self.at >= len(self.tokens):
            raise _NoExpressionError
        token = self.tokens[self.at]
        self.at += 1
        if token.numeral is not None:
            return Number(token.numeral)
        if token.text != "(":
            raise _NoExpressionError
        inner = self.sum(depth + 1)
        if self.peek() != ")":
            raise _NoExpressionError
        self.at += 1
        return inner


def _product(factors: Sequence[Expression]) -> Expression:
    return factors[0] if len(factors) == 1 else Product(tuple(factors))


# --- what they are worth -------------------------------------------------------------------------


class UnknownError(Exception):
    """A value that cannot be told exactly: a fraction, a rounding, a size beyond reason."""


def values(expression: Expression, base: Base, task: Base) -> frozenset[int]:
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
        return _number_values(expression.numeral, base, task, _is_short(expression))
    if isinstance(expression, Sum):
        return _sum_values(expression, base, task)
    if isinstance(expression, Product):
        factors = [values(factor, base, task) for factor in expression.factors]
        return _combined(factors, lambda one, other: one * other)
    if isinstance(expression, Quotient):
        sides = [values(expression.dividend, base, task), values(expression.divisor, base, task)]
        return _combined(sides, _exact_quotient)
    return _power_values(expression, base, task)


def _is_short(number: Number) -> bool:
    return len(number.digits) <= _SHORT or number.digits in _RADIX_POWERS


def _sum_values(expression: Sum, base: Base, task: Base) -> frozenset[int]:
    """A sum's values; a short number that is added to long ones is in the base that they are in."""
    together = any(isinstance(t, Number) and not _is_short(t) for _, t in expression.terms)
    terms = []
    for sign, term in expression.terms:
        if together and isinstance(term, Number):
            worth = _number_values(term.numeral, base, task, in_either=False)
        else:
            worth = values(term, base, task)
        terms.append(frozenset(sign * value for value in worth))
    return _combined(terms, lambda one, other: one + other)


def _number_values(numeral: Numeral, base: Base, task: Base, in_either: bool) -> frozenset[int]:
    """A number's values; ``in_either``: in base 16 and, without letters, in base 10."""
    digits = numeral.digits
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
    return frozenset(_bounded(root**raised) for root in values(power.root, base, task))


def _exact_quotient(dividend: int, divisor: int) -> int:
    if divisor == 0 or dividend % divisor:
        raise UnknownError
    return dividend // divisor


def _combined(
    sides: Iterable[frozenset[int]], operation: Callable[[int, int], int]
) -> frozenset[int]:
    """What the operation can make of the values of all sides, taken from the left."""

    def both(one: frozenset[int], other: frozenset[int]) -> frozenset[int]:
        if len(one) * len(other) > _MOST_READINGS:
            raise UnknownError
        return frozenset(_bounded(operation(left, right)) for left in one for right in other)

    return reduce(both, sides)


def _bounded(value: int) -> int:
    if value.bit_length() > _MOST_BITS:
        raise UnknownError
    return value
