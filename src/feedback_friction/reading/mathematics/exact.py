"""The exact value of a formula: a fraction where it is one, else what sympy makes of it.

A formula in a reply is hostile input, so everything is bounded before sympy sees it: bits of a
number, exponents, terms when multiplied out. What goes past a bound is ``TooHardError``, and left
to the worker process, which may be killed. sympy is imported when the first formula needs it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import cache, lru_cache, reduce
from operator import add, mul
from typing import Any

from feedback_friction.reading.mathematics.nodes import (
    Call,
    Node,
    Number,
    Power,
    Product,
    Root,
    Sum,
    Symbol,
    parts,
)

Expr = Any  # sympy has no types
Exact = Any  # Fraction or Expr

MAX_BITS = 4096  # of a number
_MAX_COEFFICIENT = 512  # bits of a number in an expression that is more than a number
_MAX_EXPONENT = 10_000
_MAX_TERMS = 30  # when multiplied out
_MAX_TERMS_OF_ROOTS = 12  # or of functions
_MAX_BELOW = 64  # terms of a common denominator
_MAX_DEGREE = 60  # of what is cancelled
_MAX_NESTING = 2
_MAX_ROOTS = 4
_MAX_SYMBOLS = 6
_LARGEST_FACTORIAL = 300


class TooHardError(ValueError):
    """Undefined, or too large for a quick comparison."""


@lru_cache(maxsize=8192)
def exact(node: Node) -> Exact:
    """The exact value in one form: a ``Fraction``, or an expression that is multiplied out.

    Raises:
        TooHardError: where the value is undefined, or goes past a bound.
    """
    try:
        _size(node)
        value = built(node, MAX_BITS)
        value = value if isinstance(value, Fraction) else simplified(value)
        return _bounded(value, MAX_BITS) if isinstance(value, Fraction) else value
    except TooHardError:
        raise
    except Exception as error:  # whatever a hostile formula brings the library to raise
        raise TooHardError(type(error).__name__) from error


def built(node: Node, most_bits: float = math.inf) -> Exact:
    """A formula as a ``Fraction``, where it has nothing but fractions, or an expression of sympy.

    Args:
        node: the formula.
        most_bits: of a number in it; the worker process has no such bound.
    """

    def build(node: Node) -> Exact:
        match node:
            case Number(value):
                return _bounded(value, most_bits)
            case Symbol(name):
                return _names()[name] if name in _names() else library().Symbol(name)
            case Sum(terms):
                return reduce(add, [-build(term) if less else build(term) for less, term in terms])
            case Product(factors):
                return reduce(mul, [1 / build(f) if under else build(f) for under, f in factors])
            case Power(base, exponent):
                return _power(build(base), build(exponent), most_bits)
            case Root(degree, radicand):
                return _root(build(radicand), degree)
            case Call(name, arguments):
                return _called(name, [build(argument) for argument in arguments], most_bits)

    return build(node)


def _bounded(value: Fraction, most_bits: float) -> Fraction:
    if value.numerator.bit_length() + value.denominator.bit_length() > most_bits:
        raise TooHardError("size")
    return value


def _power(base: Exact, exponent: Exact, most_bits: float) -> Exact:
    if exponent == 0 == base:
        raise TooHardError("0^0")
    if most_bits < math.inf:
        largest = max(map(abs, _numbers(exponent)), default=0)
        bits = sum((abs(n.numerator) * n.denominator).bit_length() - 1 for n in _numbers(base))
        if largest > _MAX_EXPONENT or bits * largest > 2 * most_bits:
            raise TooHardError("exponent")
    if isinstance(base, Fraction) and isinstance(exponent, Fraction) and exponent.denominator == 1:
        return base**exponent.numerator
    return _plain(library().sympify(base) ** exponent)


def _numbers(value: Exact) -> Iterable[Exact]:
    return [value] if isinstance(value, Fraction) else value.atoms(library().Rational)


def _root(radicand: Exact, degree: int) -> Exact:
    """The real root of a negative number, where there is one; else the principal root."""
    radicand = library().sympify(radicand)
    sign = -1 if degree % 2 and radicand.is_Rational and radicand < 0 else 1
    return _plain(sign * (sign * radicand) ** library().Rational(1, degree))


def _called(name: str, arguments: list[Exact], most_bits: float) -> Exact:
    if most_bits < math.inf:
        plain = all(isinstance(each, Fraction) for each in arguments)
        if name in ("floor", "ceil") and not plain:  # sympy would evaluate it to all its digits
            raise TooHardError(name)
        numbers = [number for each in arguments for number in _numbers(each)]
        if name in ("factorial", "binom") and not all(
            each.denominator == 1 and abs(each) <= _LARGEST_FACTORIAL for each in numbers
        ):
            raise TooHardError(name)
    return _plain(_functions()[name](*map(library().sympify, arguments)))


def _plain(value: Expr) -> Exact:
    return Fraction(int(value.p), int(value.q)) if value.is_Rational else value


def _size(node: Node) -> tuple[int, int, int]:
    """How many terms a formula has at most when it is multiplied out, how many its common
    denominator has, and how deep functions, roots and powers are nested in it, those of mere
    numbers left out.

    Raises:
        TooHardError: more than the library takes without delay.
    """
    sizes = [_size(part) for part in parts(node)]
    terms, below = 1, math.prod(under for _, under, _ in sizes)
    nesting = max((depth for _, _, depth in sizes), default=0)
    match node:
        case Sum():
            terms = sum(size for size, _, _ in sizes)
        case Product(factors):
            terms = math.prod(size for size, _, _ in sizes)
            divisors = zip(factors, sizes, strict=True)
            below *= math.prod(size for (under, _), (size, _, _) in divisors if under)
        case Power(_, Number(value)):
            of_one = sizes[0][0] - 1  # a power of a sum has as many terms as there are ways
            terms = math.comb(of_one + min(abs(int(value)), _MAX_EXPONENT), of_one)
            below = terms if value < 0 else below ** min(int(value), _MAX_BELOW)
        case Call() | Root() | Power() if not all(isinstance(p, Number) for p in parts(node)):
            nesting += 1
    too_many = terms > (_MAX_TERMS_OF_ROOTS if nesting else _MAX_TERMS) or below > _MAX_BELOW
    if nesting > _MAX_NESTING or too_many:
        raise TooHardError("terms")
    return terms, below, nesting


def simplified(value: Expr) -> Exact:
    """An expression multiplied out, over one denominator, which has no roots.

    Equal for most equal values; whether two others are equal shows their difference, simplified.
    """
    sympy = library()
    value = sympy.expand(_checked(value), power_exp=False)  # 3^(x + 10^9) is no product
    top, bottom = sympy.fraction(sympy.together(value))
    if bottom.free_symbols and len(value.free_symbols) <= _MAX_SYMBOLS:
        powers = [each.exp for each in value.atoms(sympy.Pow) if each.exp.is_Rational]
        if any(abs(each) > _MAX_DEGREE for each in powers):
            raise TooHardError("degree")
        value = sympy.cancel(top / bottom)
    elif not bottom.is_Rational and len(bottom.atoms(sympy.Pow)) <= _MAX_ROOTS:
        value = sympy.expand(sympy.radsimp(value, max_terms=_MAX_ROOTS))
    return _plain(_checked(value))


def _checked(value: Expr) -> Expr:
    if value.has(library().nan, library().zoo):
        raise TooHardError("undefined")
    numbers = () if value.is_Rational else value.atoms(library().Rational)
    if any(number.p.bit_length() > _MAX_COEFFICIENT for number in numbers):
        raise TooHardError("size")
    return value


def difference(left: Exact, right: Exact) -> Exact | None:
    """``left - right`` in one form; None where that is too hard."""
    try:
        found = left - right
        return found if isinstance(found, Fraction) else simplified(found)
    except Exception:  # as in ``exact``
        return None


def equal(left: Exact, right: Exact) -> bool | None:
    """Whether two exact values are the same; None where that would have to be proved."""
    found = difference(left, right)
    if found is None:
        return None
    if isinstance(found, Fraction) or found.has(library().oo):
        return bool(found == 0)
    roots = (power.base for power in found.atoms(library().Pow) if not power.exp.is_Integer)
    known = all(base.is_Rational for base in roots) and not found.atoms(library().Function)
    return False if known else None


def is_real(value: Exact) -> bool:
    """Whether a value is surely a real number, or an infinite one."""
    try:
        return isinstance(value, Fraction) or bool(value.is_extended_real)
    except Exception:  # as in ``exact``
        return False


def key(value: Exact) -> str:
    """A text that is equal for equal forms: ``"4*a-2"``, ``"sqrt(6)/2"``."""
    return str(value) if isinstance(value, Fraction) else _printed(value)


@lru_cache(maxsize=8192)
def _printed(value: Expr) -> str:
    text: str = _printer()(value)
    return text.replace("**", "^").replace(" ", "").replace("Abs(", "abs(")


@cache
def _printer() -> Callable[[Expr], str]:
    from sympy import default_sort_key  # type: ignore[import-untyped, unused-ignore]
    from sympy.printing.precedence import PRECEDENCE  # type: ignore[import-untyped, unused-ignore]
    from sympy.printing.str import StrPrinter  # type: ignore[import-untyped, unused-ignore]

    class Printer(StrPrinter):  # type: ignore[misc]
        def _print_ImaginaryUnit(self, _: Expr) -> str:  # noqa: N802 - sympy's name
            return "i"

        def _print_Exp1(self, _: Expr) -> str:  # noqa: N802
            return "e"

        def _print_exp(self, value: Expr) -> str:
            return f"e^{self.parenthesize(value.args[0], PRECEDENCE['Pow'])}"

        def _as_ordered_terms(self, value: Expr, order: str | None = None) -> list[Expr]:
            return sorted(value.args, key=lambda term: (-_degree(term), default_sort_key(term)))

    return Printer().doprint  # type: ignore[no-any-return]


def _degree(term: Expr) -> Expr:
    """The sum of its exponents, those of its rational factor left out."""
    powers = [(base, library().sympify(each)) for base, each in term.as_powers_dict().items()]
    return sum(
        each for base, each in powers
        if each.is_Rational and not (base.is_Rational and each.is_Integer)
    )  # fmt: skip


@cache
def library() -> Any:
    """The package sympy, which takes a second to import."""
    import sympy  # type: ignore[import-untyped, unused-ignore]

    return sympy


@cache
def _names() -> dict[str, Expr]:
    sympy = library()
    return {"pi": sympy.pi, "e": sympy.E, "i": sympy.I, "oo": sympy.oo}


@cache
def _functions() -> dict[str, Callable[..., Expr]]:
    sympy = library()
    own = {"arcsin": "asin", "arccos": "acos", "arctan": "atan", "ln": "log", "abs": "Abs"}
    own |= {"ceil": "ceiling", "binom": "binomial"}
    same = "sin cos tan cot sec csc sinh cosh tanh exp floor factorial"
    found = {name: getattr(sympy, own.get(name, name)) for name in [*own, *same.split()]}
    return found | {"log": lambda *arguments: sympy.log(*reversed(arguments))}
