"""Exact arithmetic on quotients of polynomials, with roots of integers, pi and i as generators.

It exists so that nearly all answers are compared exactly, in microseconds and without a computer
algebra system. A monomial holds generators with rational exponents: a prime ``"3"`` with exponent
1/2 is the square root of 3, ``"i"`` squares to -1, every other name is free. Products of fractional
powers of different primes are linearly independent over the rationals (A. S. Besicovitch, "On the
linear independence of fractional powers of integers", J. London Math. Soc. 15, 1940), so two sums
without functions are equal exactly when their terms are.

Sizes are limited; what goes past a limit raises ``TooHardError`` and is left to others.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import isqrt

Monomial = tuple[tuple[str, Fraction], ...]

MAX_TERMS = 60
MAX_BITS = 4096
MAX_EXPONENT = 10_000
_LARGEST_DIVISOR = 3000
_UNIT: Monomial = ()
_HALF = Fraction(1, 2)


class TooHardError(ValueError):
    """Not a value that this arithmetic holds: too large, undefined, or without a closed form."""


def _monomial(powers: dict[str, Fraction]) -> tuple[Monomial, Fraction]:
    """The monomial in normal form, and the rational factor that leaves it on the way."""
    factor = Fraction(1)
    kept: list[tuple[str, Fraction]] = []
    for name in sorted(powers):
        exponent = powers[name]
        if abs(exponent) > MAX_EXPONENT:
            raise TooHardError("exponent")
        if name == "i":
            exponent %= 4
            if exponent >= 2:
                factor, exponent = -factor, exponent - 2
        elif name.isdigit():
            whole = exponent.numerator // exponent.denominator
            if whole:
                factor *= Fraction(int(name)) ** whole
                exponent -= whole
        if exponent:
            kept.append((name, exponent))
    return tuple(kept), factor


def _sized(number: Fraction) -> Fraction:
    if number.numerator.bit_length() + number.denominator.bit_length() > MAX_BITS:
        raise TooHardError("size")
    return number


@dataclass(frozen=True)
class Poly:
    """A sum of rational multiples of monomials; ``terms`` is never changed and has no zeros."""

    terms: dict[Monomial, Fraction]

    @classmethod
    def number(cls, value: Fraction | int) -> Poly:
        """A rational constant."""
        return cls({_UNIT: _sized(Fraction(value))} if value else {})

    @classmethod
    def generator(cls, name: str) -> Poly:
        """A symbol, a named constant, or an opaque function written as its key."""
        return cls({((name, Fraction(1)),): Fraction(1)})

    @property
    def rational(self) -> Fraction | None:
        """The value, where it is a rational number."""
        if not self.terms:
            return Fraction(0)
        return self.terms.get(_UNIT) if len(self.terms) == 1 else None

    @cached_property
    def generators(self) -> frozenset[str]:
        """Names of all generators in it."""
        return frozenset(name for monomial in self.terms for name, _ in monomial)

    def __add__(self, other: Poly) -> Poly:
        terms = dict(self.terms)
        for monomial, coefficient in other.terms.items():
            total = terms.get(monomial, Fraction(0)) + coefficient
            if total:
                terms[monomial] = _sized(total)
            else:
                terms.pop(monomial, None)
        return _limited(terms)

    def __neg__(self) -> Poly:
        return Poly({monomial: -coefficient for monomial, coefficient in self.terms.items()})

    def __sub__(self, other: Poly) -> Poly:
        return self + -other

    def __mul__(self, other: Poly) -> Poly:
        if len(self.terms) * len(other.terms) > MAX_TERMS * 4:
            raise TooHardError("terms")
        terms: dict[Monomial, Fraction] = {}
        for left, a in self.terms.items():
            for right, b in other.terms.items():
                monomial, factor = _times(left, right)
                terms[monomial] = _sized(terms.get(monomial, Fraction(0)) + _sized(a * b * factor))
        return _limited({monomial: value for monomial, value in terms.items() if value})

    def single(self) -> tuple[Monomial, Fraction] | None:
        """The only term, if there is exactly one."""
        return next(iter(self.terms.items())) if len(self.terms) == 1 else None

    @cached_property
    def key(self) -> str:
        """A text that is equal exactly for equal sums, e.g. ``"4*a-2"``, ``"sqrt(6)/2"``."""
        if not self.terms:
            return "0"
        order = sorted(self.terms, key=lambda m: (-sum(e for _, e in m), m))
        return "".join(_term(m, self.terms[m]) for m in order).removeprefix("+")


def _limited(terms: dict[Monomial, Fraction]) -> Poly:
    if len(terms) > MAX_TERMS:
        raise TooHardError("terms")
    return Poly(terms)


def _times(left: Monomial, right: Monomial) -> tuple[Monomial, Fraction]:
    if not left or not right:
        return left or right, Fraction(1)
    powers = dict(left)
    for name, exponent in right:
        powers[name] = powers.get(name, Fraction(0)) + exponent
    return _monomial(powers)


def _term(monomial: Monomial, coefficient: Fraction) -> str:
    sign = "-" if coefficient < 0 else "+"
    top, bottom = abs(coefficient.numerator), coefficient.denominator
    under_root = 1
    factors: list[str] = []
    for name, exponent in monomial:
        if name.isdigit() and exponent == _HALF:
            under_root *= int(name)
        elif exponent == 1:
            factors.append(name)
        else:
            factors.append(f"{name}^{exponent}" if exponent > 0 else f"{name}^({exponent})")
    if under_root > 1:
        factors.insert(0, f"sqrt({under_root})")
    if top != 1 or not factors:
        factors.insert(0, str(top))
    return sign + "*".join(factors) + (f"/{bottom}" if bottom != 1 else "")


def power(base: Poly, exponent: int) -> Poly:
    """``base`` to a whole power of at least 0."""
    only = base.single()
    if only is not None:
        monomial, coefficient = only
        bits = coefficient.numerator.bit_length() + coefficient.denominator.bit_length()
        if abs(coefficient) != 1 and bits * exponent > 2 * MAX_BITS:
            raise TooHardError("size")
        raised, factor = _monomial({name: e * exponent for name, e in monomial})
        return Poly({raised: _sized(coefficient**exponent * factor)})
    if exponent > MAX_TERMS:
        raise TooHardError("exponent")
    result = Poly.number(1)
    while exponent:
        if exponent & 1:
            result = result * base
        exponent >>= 1
        if exponent:
            base = base * base
    return result


def inverse(value: Poly) -> Poly:
    """One over a value of one term."""
    only = value.single()
    if only is None:
        raise TooHardError("inverse")
    reduced, factor = _monomial({name: -exponent for name, exponent in only[0]})
    return Poly({reduced: _sized(factor / only[1])})


def _prime_powers(number: int) -> dict[str, int]:
    """Prime factors of a positive integer, as generator names with their exponents."""
    found: dict[str, int] = {}
    divisor = 2
    while divisor * divisor <= number and divisor <= _LARGEST_DIVISOR:
        while number % divisor == 0:
            found[str(divisor)] = found.get(str(divisor), 0) + 1
            number //= divisor
        divisor += 1 if divisor == 2 else 2
    if number >= _LARGEST_DIVISOR**2:
        whole = isqrt(number)
        if whole * whole != number or whole >= _LARGEST_DIVISOR**2:
            raise TooHardError("factors")
        return found | {str(whole): 2}
    return found | {str(number): 1} if number > 1 else found


def root(value: Poly, degree: int) -> Poly:
    """The principal root of a one-term value; the real one of a negative number for odd degrees.

    Raises:
        TooHardError: for sums, for symbols to a power (the root of x^2 is not x), for huge numbers.
    """
    if not value.terms:
        return value
    only = value.single()
    if only is None or not 2 <= degree <= 12:
        raise TooHardError("root")
    monomial, coefficient = only
    powers: dict[str, Fraction] = {}
    if coefficient < 0:
        if degree % 2:
            return -root(-value, degree)
        if degree != 2:
            raise TooHardError("root")
        powers["i"] = Fraction(1)
    for name, exponent in monomial:
        if name == "i" or "(" in name or not (name.isdigit() or name in ("pi", "e")):
            raise TooHardError("root")
        powers[name] = exponent / degree
    for part, sign in ((abs(coefficient.numerator), 1), (coefficient.denominator, -1)):
        for name, count in _prime_powers(part).items():
            powers[name] = powers.get(name, Fraction(0)) + Fraction(sign * count, degree)
    reduced, factor = _monomial(powers)
    return Poly({reduced: _sized(factor)})


def divide_exactly(top: Poly, bottom: Poly) -> Poly | None:
    """The quotient where ``bottom`` divides ``top`` without remainder (leading-term division)."""
    names = sorted(top.generators | bottom.generators)

    def leading(poly: Poly) -> Monomial:
        return max(poly.terms, key=lambda m: [dict(m).get(name, Fraction(0)) for name in names])

    lead = leading(bottom)
    quotient = Poly({})
    for _ in range(MAX_TERMS):
        if not top.terms:
            return quotient
        monomial = leading(top)
        powers = dict(monomial)
        for name, exponent in lead:
            powers[name] = powers.get(name, Fraction(0)) - exponent
        if any(exponent < 0 for exponent in powers.values()):
            return None
        reduced, factor = _monomial(powers)
        step = Poly({reduced: _sized(top.terms[monomial] / bottom.terms[lead] * factor)})
        quotient, top = quotient + step, top - step * bottom
        if monomial in top.terms:
            return None
    return None
