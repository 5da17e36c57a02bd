"""Whether two expressions are equal, shown by computer algebra: what runs in a worker process.

Two values are refuted before anything is proved: their difference is evaluated at several points
with as many digits as it takes to tell it from zero, up to ``DIGITS``. What no point refutes must
then be shown to be zero symbolically. Digits that agree are never proof, and rounding is none
either: where nothing refutes and nothing proves, the comparison stays open.

Everything that is no value (sets, relations, matrices, and what only math-verify reads) is
math-verify's to compare, with its rounding of floats taken out of play.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from typing import Any

import sympy  # type: ignore[import-untyped, import-not-found, unused-ignore]
from math_verify import LatexExtractionConfig, parse, verify  # type: ignore[import-untyped, import-not-found, unused-ignore]
from sympy.core.random import seed  # type: ignore[import-untyped, import-not-found, unused-ignore]

from feedback_friction.reading.mathematics.answer import TREE
from feedback_friction.reading.mathematics.exact import built

DIGITS = 600  # of the longest evaluation of a difference
_FEW = 60  # digits that refute nearly all that can be refuted
_POSITIVE = ((7, 10), (31, 17), (9, 13), (57, 23))  # points, spread over the variables
_WHOLE = (3, 5, 8, 14)
_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29)

Expr = Any  # sympy has no types


def compare(gold: str, answer: str) -> str:
    """``"equal"``, ``"different"`` or ``"open"``; both are trees (``TREE``) or LaTeX."""
    seed(0)  # sympy tries numbers at random: the same question is answered in the same way
    if gold.startswith(TREE) and answer.startswith(TREE):
        trees = (pickle.loads(bytes.fromhex(each.removeprefix(TREE))) for each in (gold, answer))
        return values(*(sympy.sympify(built(each)) for each in trees))
    left, right = _parsed(gold), _parsed(answer)
    if not left or not right:
        return "different"
    one, other = left[0], right[0]
    if isinstance(one, sympy.Expr) and isinstance(other, sympy.Expr):
        found = values(one, other)
        if found != "open":
            return found
    equal = verify(left, right, float_rounding=DIGITS, numeric_precision=60, timeout_seconds=None)
    return "equal" if equal else "different"


def _parsed(text: str) -> list[Any]:
    """What math-verify reads: the whole expression, no part of one, no text for text."""
    return list(
        parse(
            "$" + text.replace("\n", " ") + "$",
            extraction_config=[LatexExtractionConfig()],
            fallback_mode="no_fallback",
            extraction_mode="first_match",
            parsing_timeout=None,
        )
    )


# --- values ---------------------------------------------------------------------------------------


def values(left: Expr, right: Expr) -> str:
    """Compare two sympy expressions: refuted first, then proved, else open."""
    if left == right:
        return "equal"
    difference = left - right
    if difference.is_Rational:
        return "different" if difference else "equal"
    if difference.has(sympy.nan, sympy.zoo, sympy.oo):
        return "different"
    if any(_is_apart(left, right, difference, point) for point in _points(difference)):
        return "different"
    return "equal" if any(_vanishes(step, difference) for step in _STEPS) else "open"


def _points(difference: Expr) -> Iterator[dict[Expr, Expr]]:
    """Where to evaluate: nowhere in particular for a constant, else at positive points and
    their negatives."""
    names = sorted(difference.free_symbols, key=str)
    if not names:
        yield {}
        return
    if difference.has(sympy.factorial, sympy.binomial, sympy.gamma):
        for first in _WHOLE:  # where they are whole numbers, in no time
            yield {name: sympy.Integer(first + 2 * at) for at, name in enumerate(reversed(names))}
        return
    for sign in (1, -1):
        for top, bottom in _POSITIVE:
            yield {
                name: sympy.Rational(sign * (top + 3 * at), bottom + _PRIMES[at % len(_PRIMES)])
                for at, name in enumerate(names)
            }


def _is_apart(left: Expr, right: Expr, difference: Expr, point: dict[Expr, Expr]) -> bool:
    """Whether the values surely differ at a point.

    At negative points only real values count: on the two sides of a branch cut, writings of one
    function such as sqrt(1/n) and 1/sqrt(n) part ways.
    """
    negative = any(value < 0 for value in point.values())
    if negative and not all(_value(side, point, 15).is_real for side in (left, right)):
        return False
    size = abs(_value(left, point, 15))
    for digits in (_FEW, DIGITS):
        found = _value(difference, point, digits)
        if _is_beyond(found, size, digits):
            return True
    return False


def _is_beyond(found: Expr, size: Expr, digits: int) -> bool:
    """Whether a difference of values of that size, to so many digits, is surely not zero."""
    if not (found.is_number and size.is_number) or sympy.nan in (found, size):
        return False
    if not (found.is_finite and size.is_finite):
        return False
    zero = sympy.Rational(1, 10 ** (digits // 2))
    return bool(abs(found) > zero * (size if size > 0 else 1))


def _value(expression: Expr, point: dict[Expr, Expr], digits: int) -> Expr:
    return expression.subs(point).evalf(15, maxn=digits)


def _vanishes(step: Callable[[Expr], Expr], difference: Expr) -> bool:
    try:
        return bool(step(difference) == 0)
    except (NotImplementedError, ValueError, TypeError, AttributeError):
        return False  # a method that does not know this kind of expression


def _algebraic(difference: Expr) -> Expr:
    """Zero where the minimal polynomial of a constant is x."""
    if difference.free_symbols or not difference.is_algebraic:
        return difference
    x = sympy.Symbol("x")
    return sympy.Integer(0) if sympy.minimal_polynomial(difference, x) == x else difference


def _as_positive(difference: Expr) -> Expr:
    """As in most answers, variables stand for positive numbers; negative ones were tried before."""
    return difference.subs(
        {name: sympy.Symbol(str(name), positive=True) for name in difference.free_symbols}
    )


_STEPS: tuple[Callable[[Expr], Expr], ...] = (
    sympy.expand,
    lambda d: sympy.simplify(sympy.combsimp(d)) if d.has(sympy.factorial) else d,
    lambda d: sympy.simplify(sympy.powsimp(sympy.expand(_as_positive(d)))),
    _algebraic,
    lambda d: sympy.simplify(sympy.expand_log(sympy.expand_trig(_as_positive(d)), force=True)),
    lambda d: sympy.simplify(sympy.expand(_as_positive(d), func=True, complex=False)),
    lambda d: sympy.simplify(sympy.expand_complex(d)),
    lambda d: sympy.simplify(d.rewrite(sympy.exp)),
    lambda d: sympy.Integer(0) if d.equals(0) is True else d,
)
