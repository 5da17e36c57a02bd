"""What a formula is worth, as floating-point samples.

The samples are there to refute: two formulas that differ at a sample point are different. That
they agree proves nothing here; whether they are equal is then for a computer algebra system to say.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from fractions import Fraction
from zlib import crc32

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

POINTS = 2


def samples(node: Node) -> tuple[complex, ...] | None:
    """Values at ``POINTS`` fixed points, one coordinate per variable in (0.7, 2.3).

    None where a value is undefined, or cannot be computed with confidence.
    """
    try:
        found = tuple(_sample(node, point) for point in range(POINTS))
    except (ArithmeticError, ValueError):
        return None
    return None if any(cmath.isnan(value) for value in found) else found


def symbols(node: Node) -> frozenset[str]:
    """The names of the variables in a formula."""
    if isinstance(node, Symbol):
        return frozenset({node.name} - {*_CONSTANTS, "oo"})
    return frozenset().union(*map(symbols, parts(node)))


_CONSTANTS = {"pi": complex(math.pi), "e": complex(math.e), "i": 1j}


def _sample(node: Node, point: int) -> complex:
    match node:
        case Number(value):
            return complex(_float(value))
        case Symbol(name):
            if name == "oo":
                raise ValueError("infinity")
            at = 0.7 + crc32(f"{point}:{name}".encode()) / 2**32 * 1.6
            return _CONSTANTS.get(name, complex(at))
        case Sum(terms):
            return _total([(-1 if s else 1) * _sample(term, point) for s, term in terms])
        case Product(factors):
            product = complex(1)
            for inverse, factor in factors:
                sample = _sample(factor, point)
                product = _times(product, 1 / sample if inverse else sample)
            return product
        case Power(base, exponent):
            return _float_power(_sample(base, point), _sample(exponent, point))
        case Root(degree, radicand):
            sample = _sample(radicand, point)
            if degree % 2 and sample.imag == 0 and sample.real < 0:
                return -complex((-sample.real) ** (1 / degree))
            return _float_power(sample, complex(1 / degree))
        case Call(name, arguments):
            return _float_call(name, [_sample(argument, point) for argument in arguments])


def _float(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.copysign(math.inf, value)


def _total(values: list[complex]) -> complex:
    """The sum; undefined where so much cancels that few digits would be left."""
    total = sum(values)
    largest = max(abs(value) for value in values)
    if largest > 1 and 0 < abs(total) < 1e-6 * largest:
        raise ValueError("cancellation")
    return total


def _times(a: complex, b: complex) -> complex:
    # A complex product with an infinite factor is not a number, even where both are real.
    return complex(a.real * b.real) if a.imag == 0 == b.imag else a * b


def _float_power(base: complex, exponent: complex) -> complex:
    if base == 0 and exponent.real <= 0:
        raise ValueError("0^0")
    try:
        if base.imag == 0 == exponent.imag and base.real > 0:
            return complex(base.real**exponent.real)
        return complex(base**exponent)
    except OverflowError:
        return complex(math.inf)


def _real(function: Callable[[float], float]) -> Callable[[complex], complex]:
    def call(value: complex) -> complex:
        if value.imag:
            raise ValueError("complex argument")
        return complex(function(value.real))

    return call


_SAME = ("sin", "cos", "tan", "sinh", "cosh", "tanh", "exp")
_FLOAT_FUNCTIONS: dict[str, Callable[[complex], complex]] = {
    **{name: getattr(cmath, name) for name in _SAME},
    **{f"arc{name}": getattr(cmath, f"a{name}") for name in ("sin", "cos", "tan")},
    "cot": lambda value: 1 / cmath.tan(value),
    "sec": lambda value: 1 / cmath.cos(value),
    "csc": lambda value: 1 / cmath.sin(value),
    "ln": cmath.log,
    "abs": lambda value: complex(abs(value)),
    "floor": _real(math.floor),
    "ceil": _real(math.ceil),
}


def _factorial(value: float) -> float:
    if value > 170:
        return math.inf
    if value < 0 or value != math.floor(value):
        raise ValueError("factorial")
    return float(math.factorial(int(value)))


def _float_call(name: str, values: list[complex]) -> complex:
    if name == "log" and len(values) == 2:
        return cmath.log(values[1]) / cmath.log(values[0])
    if name == "factorial":
        return _real(_factorial)(values[0])
    function = _FLOAT_FUNCTIONS.get(name)
    if function is None or len(values) != 1 or abs(values[0]) > 1e6:
        # log without a base means different things; far from 0, sines lose their digits.
        raise ValueError(name)
    return function(values[0])


def differ(left: tuple[complex, ...], right: tuple[complex, ...]) -> bool:
    """Whether two formulas surely have different values at some sample point."""
    return any(_apart(a, b) for a, b in zip(left, right, strict=True))


def far(left: tuple[complex, ...], right: tuple[complex, ...]) -> bool:
    """Whether they differ by so much that no rounding, of samples or by a writer, explains it."""
    return any(_apart(a, b, 1e-2) for a, b in zip(left, right, strict=True))


def _apart(a: complex, b: complex, least: float = 1e-9) -> bool:
    if cmath.isinf(a) or cmath.isinf(b):
        return cmath.isinf(a) != cmath.isinf(b)
    return _size(a - b) > least * max(1.0, _size(a), _size(b))


def _size(value: complex) -> float:
    # abs() of a finite complex number may overflow; hypot is then infinite.
    return math.hypot(value.real, value.imag)
