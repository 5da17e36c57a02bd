"""Whether what a chain says is true, whatever is meant by it.

In base 10 an expression has one value. In base 16 what a solver writes without letters may be meant
in base 16 or, after a conversion, in base 10; "16" and its powers are written in base 10 by nearly
everyone. ``values`` gives every value that a writing can have with its long numbers in one base.

Two neighbours in a chain hold if some reading of one is worth what some reading of the other is, or
if the second goes on calculating with the first's value ("9 × 3 = 27 + 2 = 29", which nobody means
as 9 × 3 = 29). They fail if no reading makes them equal. Where something has no exact value, or the
text around it leaves open what is meant, nothing is known of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from feedback_friction.reading.mathematics.nodes import Node, Number, Power, Product, Sum
from feedback_friction.reading.numerals import Base, Numeral
from feedback_friction.tasks.tutor.chains import Chain, Piece, parse

_MOST_READINGS = 32
_MOST_BITS = 4096
_LARGEST_EXPONENT = 64
_SHORT = 2  # digits up to which a number may be in either base, whatever stands around it
_RADIX_POWERS = frozenset(str(16**power) for power in range(9))

Values = dict[Base, frozenset[int]]


# --- what stands in an expression -----------------------------------------------------------------


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


def _parts(expression: Node | None) -> Iterator[Node]:
    """The terms of a sum, the factors of a product, the base of a power."""
    match expression:
        case Sum(pairs) | Product(pairs):
            yield from (part for _, part in pairs)
        case Power(base, _):
            yield base


def numbers_in(expression: Node | None) -> Iterator[Numeral]:
    """Every number of an expression, exponents aside."""
    if isinstance(expression, Number) and expression.numeral:
        yield expression.numeral
    for part in _parts(expression):
        yield from numbers_in(part)


def leading_number(expression: Node | None) -> Number | None:
    """The number that a calculation begins with, None for a number alone or one with a minus."""
    first = expression
    while isinstance(first, Sum | Product):
        negative, first = (first.terms if isinstance(first, Sum) else first.factors)[0]
        if negative:
            return None
    return first if isinstance(first, Number) and first is not expression else None


def products_in(expression: Node | None) -> Iterator[tuple[Number, Number]]:
    """Every product of exactly two numbers in an expression."""
    if pair := two_numbers(expression):
        yield pair
    for part in _parts(expression) if isinstance(expression, Sum) else factors_of(expression) or ():
        yield from products_in(part)


def numbers_of_sum(expression: Node | None) -> list[str] | None:
    """The digits of the terms of a sum of two or more numbers, None for anything else."""
    if not isinstance(expression, Sum) or len(expression.terms) < 2:
        return None
    added = [term for less, term in expression.terms if not less]
    digits = [term.digits for term in added if isinstance(term, Number)]
    return digits if len(digits) == len(expression.terms) else None


def is_by_places(expression: Node | None) -> bool:
    """Whether an expression is written by powers of sixteen, as a number taken apart by places."""
    if isinstance(expression, Sum):
        return any(is_by_places(term) or _has_place_value(term) for _, term in expression.terms)
    return any(isinstance(part, Power) for part in (expression, *(factors_of(expression) or ())))


def _has_place_value(term: Node) -> bool:
    return any(
        isinstance(factor, Number) and factor.marked is None and factor.digits in _PLACE_VALUES
        for factor in factors_of(term) or ()
    )


_PLACE_VALUES = frozenset(str(16**power) for power in range(2, 9))


# --- what an expression is worth ------------------------------------------------------------------


class _UnknownError(Exception):
    """A value that cannot be told exactly: a fraction, a rounding, a size beyond reason."""


def readings(expression: Node | None, task: Base) -> Values | None:
    """What an expression can be worth, by the base in which its long numbers are read.

    None where that is unknown. In base 10 there is only one reading; no value at all where a long
    number has letters and is to be read in base 10.
    """
    if expression is None:
        return None
    bases: tuple[Base, ...] = (10,) if task == 10 else (16, 10)
    try:
        found = {base: _values(expression, base, task) for base in bases}
    except _UnknownError:
        return None
    return found if any(found.values()) else None


def _all(known: Values | None) -> frozenset[int] | None:
    return None if known is None else frozenset().union(*known.values())


def exact(expression: Node | None, base: Base, task: Base) -> int | None:
    """The one value of an expression with its long numbers in a base; None if there are several."""
    known = readings(expression, task)
    found = known.get(base, frozenset()) if known else frozenset()
    return next(iter(found)) if len(found) == 1 else None


def may_be_equal(one: Node, other: Node, task: Base) -> bool:
    """Whether some reading makes two expressions equal, or nothing is known of one."""
    left, right = _all(readings(one, task)), _all(readings(other, task))
    return left is None or right is None or bool(left & right)


def _values(expression: Node, base: Base, task: Base, in_either: bool = True) -> frozenset[int]:
    """The values of an expression; ``in_either``: a short number may be in either base."""
    if isinstance(expression, Number):
        return _number_values(expression, base, task, in_either and _is_short(expression))
    if isinstance(expression, Sum):
        # A short number that is added to long ones is in the base that they are in.
        either = all(not isinstance(t, Number) or _is_short(t) for _, t in expression.terms)
        found = frozenset({0})
        for subtracted, term in expression.terms:
            worth = _values(term, base, task, either)
            found = _combined(found, worth, int.__sub__ if subtracted else int.__add__)
        return found
    if isinstance(expression, Product):
        found = frozenset({1})
        for inverse, factor in expression.factors:
            operation = _exact_quotient if inverse else int.__mul__
            found = _combined(found, _values(factor, base, task), operation)
        return found
    if isinstance(expression, Power):
        exponent = expression.exponent
        digits = exponent.digits if isinstance(exponent, Number) else ""
        if digits.isdigit() and len(digits) <= 2 and int(digits) <= _LARGEST_EXPONENT:
            return frozenset(root ** int(digits) for root in _values(expression.base, base, task))
    raise _UnknownError


def _is_short(number: Number) -> bool:
    return len(number.digits) <= _SHORT or number.digits in _RADIX_POWERS


def _number_values(number: Number, base: Base, task: Base, in_either: bool) -> frozenset[int]:
    """A number's values; ``in_either``: in base 16 and, without letters, in base 10."""
    numeral, digits = number.numeral, number.digits
    if numeral is None or not numeral.regular or not digits.isalnum():
        raise _UnknownError
    if numeral.marked == 10 and not digits.isdigit():
        raise _UnknownError
    if numeral.marked is not None:
        return frozenset({int(digits, numeral.marked)})
    if task == 10:
        return frozenset({int(digits)})
    if not digits.isdigit():
        readable = base == 16 or len(digits) <= _SHORT
        return frozenset({int(digits, 16)} if readable else ())
    return frozenset({int(digits, 16), int(digits)} if in_either else {int(digits, base)})


def _exact_quotient(dividend: int, divisor: int) -> int:
    if divisor == 0 or dividend % divisor:
        raise _UnknownError
    return dividend // divisor


def _combined(
    one: frozenset[int], other: frozenset[int], operation: Callable[[int, int], int]
) -> frozenset[int]:
    """What the operation can make of any value of one and any of the other."""
    if len(one) * len(other) > _MOST_READINGS:
        raise _UnknownError
    found = frozenset(operation(left, right) for left in one for right in other)
    if any(value.bit_length() > _MOST_BITS for value in found):
        raise _UnknownError
    return found


# --- whether two pieces are equal -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pair:
    """Two neighbours in a chain."""

    # the two pieces
    left: Piece
    right: Piece
    holds: bool | None  # True, False, or None where nothing is known
    values: Values  # what the left side is worth, by the base in which its long numbers are read
    # it holds with everything read in base 10, and not with everything in base 16
    only_in_ten: bool = False
    in_sixteen: bool = False  # it holds with everything read in base 16

    @property
    def numerals(self) -> list[Numeral]:
        """Every number on both sides."""
        return [*numbers_in(self.left.expression), *numbers_in(self.right.expression)]


def judged(chain: Chain, task: Base) -> list[Pair]:
    """The pairs of neighbours of a chain, each judged."""
    known = [readings(piece.expression, task) for piece in chain.pieces]
    pairs: list[Pair] = []
    meant = _all(known[0])
    for index in range(1, len(chain.pieces)):
        left, right = chain.pieces[index - 1], chain.pieces[index]
        one, other = known[index - 1], known[index]
        if one is None or other is None or meant is None:
            pairs.append(Pair(left, right, None, one or {}))
            meant = _all(other)
            continue
        equal = meant & (_all(other) or frozenset())
        calculated = index > 1 or left.number is None
        goes_on = not equal and calculated and _goes_on(right.expression, meant, task)
        holds: bool | None = bool(equal) or goes_on
        if not holds and not (chain.asserted and left.certain and right.certain):
            holds = None
        if not holds and index == len(chain.pieces) - 1 and _may_go_on(chain, meant, task):
            holds = None
        in_sixteen = task == 16 and bool(one[16] & other[16])
        in_ten = task == 16 and bool(one[10] & other[10])
        only_in_ten = bool(equal) and in_ten and not in_sixteen
        pairs.append(Pair(left, right, holds, one, only_in_ten, in_sixteen))
        meant = equal or _all(other)
    return pairs


def _may_go_on(chain: Chain, meant: frozenset[int], task: Base) -> bool:
    """Whether the last piece is cut off, or is worth what it should be with the lines after it."""
    tokens = chain.pieces[-1].tokens
    longer = (readings(parse((*tokens, *tail)), task) for tail in chain.tails)
    return chain.open or any(meant & (_all(known) or frozenset()) for known in longer)


def _goes_on(expression: Node | None, meant: frozenset[int], task: Base) -> bool:
    """Whether a calculation begins with a number that is what stands before it."""
    known = readings(leading_number(expression), task)
    return known is not None and bool(meant & (_all(known) or frozenset()))
