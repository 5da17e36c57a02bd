"""Whether what a chain says is true, whatever is meant by it.

Two neighbours in a chain hold if some reading of one is worth what some reading of the other is, or
if the second goes on calculating with the first's value ("9 × 3 = 27 + 2 = 29", which nobody means
as 9 × 3 = 29). They fail if no reading makes them equal. Where something has no exact value, or the
text around it leaves open what is meant, nothing is known of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from feedback_friction.reading.mathematics.nodes import Node, Number, Power, Product, Sum
from feedback_friction.reading.numerals import Base, Numeral
from feedback_friction.tasks.tutor.arithmetic import (
    UnknownError,
    factors_of,
    parse,
    two_numbers,
    values,
)
from feedback_friction.tasks.tutor.chains import Chain, Piece

Values = dict[Base, frozenset[int]]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two neighbours in a chain.

    Attributes:
        left, right: the two pieces.
        holds: True, False, or None where nothing is known.
        values: what the left side is worth, by the base in which its long numbers are read.
        only_in_ten: it holds with everything read in base 10, and not with everything in base 16.
        in_sixteen: it holds with everything read in base 16.
    """

    left: Piece
    right: Piece
    holds: bool | None
    values: Values
    only_in_ten: bool = False
    in_sixteen: bool = False


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


def readings(expression: Node | None, task: Base) -> Values | None:
    """What an expression can be worth by the base of its long numbers; None if that is unknown."""
    if expression is None:
        return None
    bases: Sequence[Base] = (10,) if task == 10 else (16, 10)
    try:
        found = {base: values(expression, base, task) for base in bases}
    except UnknownError:
        return None
    return found if any(found.values()) else None


def _all(known: Values | None) -> frozenset[int] | None:
    return None if known is None else frozenset().union(*known.values())


def _goes_on(expression: Node | None, meant: frozenset[int], task: Base) -> bool:
    """Whether a calculation begins with a number that is what stands before it."""
    known = readings(leading_number(expression), task)
    return known is not None and bool(meant & (_all(known) or frozenset()))


def leading_number(expression: Node | None) -> Number | None:
    """The number that a calculation begins with, None for a number alone."""
    first = expression
    while isinstance(first, Sum | Product):
        first = (first.terms if isinstance(first, Sum) else first.factors)[0][1]
    return first if isinstance(first, Number) and first is not expression else None


def numbers_in(expression: Node | None) -> Iterator[Numeral]:
    """Every number of an expression, exponents aside."""
    if isinstance(expression, Number) and expression.numeral:
        yield expression.numeral
    elif isinstance(expression, Sum | Product):
        for _, part in expression.terms if isinstance(expression, Sum) else expression.factors:
            yield from numbers_in(part)
    elif isinstance(expression, Power):
        yield from numbers_in(expression.base)


def products_in(expression: Node | None) -> Iterator[tuple[Number, Number]]:
    """Every product of exactly two numbers in an expression."""
    if pair := two_numbers(expression):
        yield pair
    parts = (
        [term for _, term in expression.terms]
        if isinstance(expression, Sum)
        else factors_of(expression) or ()
    )
    for part in parts:
        if not isinstance(part, Number):
            yield from products_in(part)


def numbers_of_sum(expression: Node | None) -> list[str] | None:
    """The digits of the terms of a sum of two or more numbers, None for anything else."""
    if not isinstance(expression, Sum) or len(expression.terms) < 2:
        return None
    digits = [term.digits for _, term in expression.terms if isinstance(term, Number)]
    plain = not any(subtracted for subtracted, _ in expression.terms)
    return digits if plain and len(digits) == len(expression.terms) else None


def exact(expression: Node, base: Base, task: Base) -> int | None:
    """The one value of an expression with its long numbers in a base; None if there are several."""
    known = readings(expression, task)
    found = known.get(base, frozenset()) if known else frozenset()
    return next(iter(found)) if len(found) == 1 else None


def may_be_equal(one: Node, other: Node, task: Base) -> bool:
    """Whether some reading makes two expressions equal, or nothing is known of one."""
    left, right = _all(readings(one, task)), _all(readings(other, task))
    return left is None or right is None or bool(left & right)


def is_by_places(expression: Node | None) -> bool:
    """Whether an expression is written by powers of sixteen, as a number taken apart by places."""
    if isinstance(expression, Power):
        return True
    if factors := factors_of(expression):
        return any(isinstance(factor, Power) for factor in factors)
    if isinstance(expression, Sum):
        return any(
            is_by_places(term) or bool(_PLACE_VALUES & set(_unmarked_factors(term)))
            for _, term in expression.terms
        )
    return False


def _unmarked_factors(term: Node) -> Iterator[str]:
    for factor in factors_of(term) or ():
        if isinstance(factor, Number) and factor.marked is None:
            yield factor.digits


_PLACE_VALUES = frozenset(str(16**power) for power in range(2, 9))
