"""Numbers that were copied wrongly, in lines whose arithmetic is right."""

from __future__ import annotations

from collections.abc import Sequence

from feedback_friction.reading.mathematics.nodes import Sum
from feedback_friction.tasks.tutor.chains import Piece
from feedback_friction.tasks.tutor.finding import Finding, Kind, found_at
from feedback_friction.tasks.tutor.ledger import Leaf, Ledger
from feedback_friction.tasks.tutor.question import (
    Question,
    is_positional,
    is_slip,
    places,
    power_between,
)
from feedback_friction.tasks.tutor.verify import Pair, numbers_of_sum, products_in

_LONG = 3  # digits from which a number can be said to be misread
_MOST_TERMS = 60  # terms of a sum that are compared with earlier results


def misread(piece: Piece, ledger: Ledger) -> Finding | None:
    """A factor that is one of the question's, or an own part of one, but for a slip."""
    if isinstance(piece.expression, Sum) and any(
        subtracted for subtracted, _ in piece.expression.terms
    ):
        return None  # rounded up, and the rest taken away
    for pair in products_in(piece.expression):
        for one, other in (pair, pair[::-1]):
            digits = one.digits
            if len(digits) < _LONG or ledger.knows(digits) or not ledger.knows(other.digits):
                continue
            if digits.strip("0") == "1" or other.digits == "0":
                continue  # zeros that are appended, or nothing at all
            meant = _meant(digits, other.digits, ledger)
            if meant is not None:
                why = f"It works with {digits}. {meant}"
                return found_at(Kind.MISREAD, ledger.question, why, piece)
    return None


def _meant(digits: str, other: str, ledger: Ledger) -> str | None:
    """What a number that is accounted for by nothing was meant to be, as a sentence."""
    question = ledger.question
    for factor in question.factors:
        by = question.other(factor) or ""
        if is_slip(digits, factor) and (by == other or is_positional(other, by)):
            too_much = int(digits, question.base) - int(factor, question.base)
            if question.write(too_much * int(other, question.base)) in ledger.taken_away:
                return None  # rounded up, and the rest taken away later
            return f"The question's factor is {factor}."
    for factor, parts in ledger.parts.items():
        for part in parts:
            if len(part) >= _LONG and is_slip(digits, part) and part not in question.secrets:
                return f"Among the parts that you split {factor} into is {part}."
    return None


def split_of_a_misread(pair: Pair, ledger: Ledger) -> Finding | None:
    """A split "N = a + b", right in itself, of a number that was to be a factor of the question."""
    question = ledger.question
    number, terms = pair.left.number, numbers_of_sum(pair.right.expression)
    if number is None or terms is None or len(number.digits) < _LONG:
        return None
    digits = number.digits
    if digits in question.factors or digits in ledger.results or digits in question.secrets:
        return None
    meant = next((factor for factor in question.factors if is_slip(digits, factor)), None)
    if meant is None or not all(is_positional(term, digits) for term in terms):
        return None
    why = f"It splits {digits}. The question's factor is {meant}."
    return found_at(Kind.MISREAD, question, why, pair.left, pair.right)


def wrong_term(pair: Pair, ledger: Ledger) -> Finding | None:
    """A term of a sum that is an earlier result but for a slip, or stands in the wrong place."""
    terms = numbers_of_sum(pair.left.expression)
    if terms is None or pair.right.number is None or len(terms) > _MOST_TERMS:
        return None
    for term in terms:
        meant = ledger.slipped_from(term)
        if meant is not None and terms.count(meant) < ledger.times_found(meant):
            why = (
                f"It adds {term}, which your work has not found before. The result of line "
                f"{ledger.results[meant]} differs from it by one slip of copying."
            )
            return found_at(Kind.COPY, ledger.question, why, pair.left, pair.right)
    return _misplaced(terms, pair, ledger)


def _misplaced(terms: Sequence[str], pair: Pair, ledger: Ledger) -> Finding | None:
    """A row of long multiplication with the zeros of another digit, among terms that are right."""
    in_place = {term: row_in_place(term, ledger.question) for term in terms}
    strays = [term for term in terms if in_place[term] is False and not _is_meant(term, ledger)]
    others = [term for term in terms if term not in strays]
    if not strays or not others:
        return None
    if not all(in_place[term] or term in ledger.results for term in others):
        return None
    told = [leaf for leaf in ledger.leaves if leaf.result == strays[0]]
    if told:
        return _no_part(told[0], ledger.question)
    why = (
        f"The term {strays[0]} has the digits of a partial product, but too many or too few zeros "
        "at its end for the place of the digit that it belongs to."
    )
    return found_at(Kind.SHIFT, ledger.question, why, pair.left, pair.right)


def _no_part(leaf: Leaf, question: Question) -> Finding | None:
    """A product of a factor and a number that is no part of the other."""
    for factor, part in (leaf.factors, leaf.factors[::-1]):
        other = question.other(factor)
        if other is not None and not is_positional(part, other):
            why = f"It multiplies by {part}, which is no part of {other}."
            return Finding(Kind.SPLIT, why, leaf.line)
    return None


def _is_meant(term: str, ledger: Ledger) -> bool:
    """Whether a term is a sum, or the product of parts that the attempt itself accounts for."""
    return (
        term in ledger.question.factors
        or ledger.is_total(term)
        or any(
            leaf.result == term and all(ledger.knows(factor) for factor in leaf.factors)
            for leaf in ledger.leaves
        )
    )


def row_in_place(term: str, question: Question) -> bool | None:
    """Whether a number is a row of long multiplication in its place; None if it is no row at all.

    A row is one factor times a digit of the other, with as many zeros as the digit has places to
    its right.
    """
    value = int(term, question.base)
    answers: set[bool] = set()
    for factor, worth in zip(question.factors, reversed(question.values), strict=True):
        for digit in set(factor) - {"0"}:
            place = power_between(worth * int(digit, question.base), value, question.base)
            if place is not None and place >= 0:
                answers.add(place in places(digit, factor))
    return True in answers if answers else None
