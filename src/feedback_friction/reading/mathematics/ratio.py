"""Quotients of the sums of ``algebra``: the exact values of formulas."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from feedback_friction.reading.mathematics.algebra import (
    Poly,
    TooHardError,
    divide_exactly,
    inverse,
    power,
    root,
)

_ONE = Poly.number(1)
_HALF = Fraction(1, 2)


@dataclass(frozen=True)
class Ratio:
    """``top / bottom``; ``bottom`` is 1 wherever the division can be carried out."""

    top: Poly
    bottom: Poly = _ONE

    @classmethod
    def number(cls, value: Fraction | int) -> Ratio:
        """A rational constant."""
        return cls(Poly.number(value))

    @classmethod
    def generator(cls, name: str) -> Ratio:
        """A symbol, a named constant, or an opaque function written as its key."""
        return cls(Poly.generator(name))

    @property
    def rational(self) -> Fraction | None:
        """The value, where it is a rational number."""
        return self.top.rational if self.bottom is _ONE else None

    @property
    def generators(self) -> frozenset[str]:
        """Names of all generators in it."""
        return self.top.generators | self.bottom.generators

    @property
    def is_decided(self) -> bool:
        """Whether two such values that are not shown equal are different: no opaque functions."""
        return not any("(" in name for name in self.generators)

    @cached_property
    def key(self) -> str:
        """Equal for equal values, except for fractions that only a common factor would unite."""
        return self.top.key if self.bottom is _ONE else f"({self.top.key})/({self.bottom.key})"

    def __add__(self, other: Ratio) -> Ratio:
        if self.bottom is other.bottom:
            return _quotient(self.top + other.top, self.bottom)
        top = self.top * other.bottom + other.top * self.bottom
        return _quotient(top, self.bottom * other.bottom)

    def __neg__(self) -> Ratio:
        return Ratio(-self.top, self.bottom)

    def __sub__(self, other: Ratio) -> Ratio:
        return self + -other

    def __mul__(self, other: Ratio) -> Ratio:
        return _quotient(self.top * other.top, self.bottom * other.bottom)

    def __truediv__(self, other: Ratio) -> Ratio:
        return _quotient(self.top * other.bottom, self.bottom * other.top)

    def equals(self, other: Ratio) -> bool:
        """Whether both are the same value, by multiplying out."""
        if self.bottom is _ONE and other.bottom is _ONE:
            return self.top.terms == other.top.terms
        return not (self.top * other.bottom - other.top * self.bottom).terms

    def to(self, exponent: Fraction) -> Ratio:
        """A rational power.

        Raises:
            TooHardError: where the result is not a value of this kind.
        """
        if exponent < 0:
            return Ratio(_ONE) / self.to(-exponent)
        if exponent.denominator != 1:
            only = self.top.single()
            if self.bottom is not _ONE or only is None:
                raise TooHardError("root")
            if only[1] < 0 and exponent != _HALF:
                raise TooHardError("root of a negative number")
            return Ratio(root(self.top, exponent.denominator)).to(Fraction(exponent.numerator))
        whole = exponent.numerator
        return _quotient(power(self.top, whole), power(self.bottom, whole))


def _quotient(top: Poly, bottom: Poly) -> Ratio:
    """``top / bottom``, carried out where possible, else with a common form."""
    if bottom.rational == 1:
        return Ratio(top)
    if not bottom.terms:
        raise TooHardError("division by zero")
    top, bottom = _rationalised(top, bottom)
    if bottom.single() is not None:
        return Ratio(top * inverse(bottom))
    divided = divide_exactly(top, bottom)
    if divided is not None:
        return Ratio(divided)
    if top.terms and (upside_down := divide_exactly(bottom, top)) is not None:
        top, bottom = _ONE, upside_down
    scale = Poly.number(1 / bottom.terms[max(bottom.terms)])
    return Ratio(top * scale, bottom * scale)


def _rationalised(top: Poly, bottom: Poly) -> tuple[Poly, Poly]:
    """The same fraction with no square root and no i in a denominator of several terms."""
    if any(name != "i" and not name.isdigit() for name in bottom.generators):
        return top, bottom
    for name in sorted(bottom.generators):
        powers = {dict(monomial).get(name) for monomial in bottom.terms}
        if powers == {None} or not powers <= {None, _HALF, Fraction(1)}:
            continue  # gone with another root, or no square root
        conjugate = Poly({m: -c if name in dict(m) else c for m, c in bottom.terms.items()})
        top, bottom = top * conjugate, bottom * conjugate
    return top, bottom
