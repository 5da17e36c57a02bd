"""What an expression is worth, exactly: numbers, the four operations, powers, an unknown x.

``parse`` reads tokens by precedence climbing; the unknown has a known value, since a statement
about it is true if and only if it holds for the value that solves the question.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

TOKEN = re.compile(r"[0-9]+(?:\.[0-9]+)?|x|[-+*/^()=]")
NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
MOST_TOKENS = 60  # of an expression
_MOST_DIGITS = 30
_MOST_EXPONENT = 64
_MOST_BITS = 4_000
_MOST_DEPTH = 20


class UnreadableError(Exception):
    """Tokens are no expression, or one that is too large."""


def worth(tokens: Sequence[str], unknown: Fraction | None = None) -> Fraction | None:
    """The value of an expression; None where it is none, or has an unknown of no value."""
    if not tokens or len(tokens) > MOST_TOKENS:
        return None
    try:
        reader = _Reader(tokens, unknown)
        value = reader.sum(0)
        return value if reader.at == len(tokens) else None
    except (UnreadableError, ZeroDivisionError):
        return None


class _Reader:
    def __init__(self, tokens: Sequence[str], unknown: Fraction | None) -> None:
        self.tokens, self.unknown, self.at = tokens, unknown, 0

    def _next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _takes(self, signs: str) -> str:
        sign = self._next()
        if sign and sign in signs:
            self.at += 1
            return sign
        return ""

    def sum(self, depth: int) -> Fraction:
        if depth > _MOST_DEPTH:
            raise UnreadableError
        value = self.product(depth)
        while sign := self._takes("+-"):
            term = self.product(depth)
            value = _kept(value + term if sign == "+" else value - term)
        return value

    def product(self, depth: int) -> Fraction:
        value = self.signed(depth)
        while True:
            sign = self._takes("*/")
            if not sign and self._next() not in ("x", "("):
                return value
            factor = self.signed(depth) if sign else self.power(depth)
            value = _kept(value / factor if sign == "/" else value * factor)

    def signed(self, depth: int) -> Fraction:
        signs = 0
        while sign := self._takes("+-"):
            signs += sign == "-"
        value = self.power(depth)
        return -value if signs % 2 else value

    def power(self, depth: int) -> Fraction:
        value = self.atom(depth)
        if not self._takes("^"):
            return value
        exponent = self.atom(depth)
        if exponent.denominator != 1 or not 0 <= exponent <= _MOST_EXPONENT:
            raise UnreadableError
        return _kept(value ** int(exponent))

    def atom(self, depth: int) -> Fraction:
        token = self._next()
        self.at += 1
        if token == "(":
            value = self.sum(depth + 1)
            if not self._takes(")"):
                raise UnreadableError
            return value
        if token == "x" and self.unknown is not None:
            return self.unknown
        if NUMBER.fullmatch(token) and len(token) <= _MOST_DIGITS:
            return Fraction(token)
        raise UnreadableError


def _kept(value: Fraction) -> Fraction:
    if value.numerator.bit_length() + value.denominator.bit_length() > _MOST_BITS:
        raise UnreadableError
    return value
