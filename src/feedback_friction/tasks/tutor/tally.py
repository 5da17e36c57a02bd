"""The one slip that a wrong answer comes from when every line is right by itself.

Work such as "47 * 30 = 1410", "74 * 6 = 444", "1410 + 444 = 1854" has no false line, and its
numbers are too short to be told from others by their digits alone. Here a slip is named only if it
accounts for the answer to the unit: with it put right and all else as it stands, the product comes
out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from feedback_friction.tasks.tutor.finding import Finding, Kind
from feedback_friction.tasks.tutor.ledger import Leaf, Ledger
from feedback_friction.tasks.tutor.question import Question, is_positional
from feedback_friction.tasks.tutor.verify import Pair, numbers_of_sum
from feedback_friction.tasks.tutor.wording import found_at

_MOST = 60  # partial products, and terms of sums, that are looked at


def slip_behind(stated: int, question: Question, ledger: Ledger) -> Finding | None:
    """What accounts for a wrong answer to a question, by the work that led to it.

    Args:
        stated: the answer.
        question: the question.
        ledger: all that the attempt says.
    """
    missing = question.product - stated
    for too_much, finding in ledger.excused:
        if too_much == -missing:
            return finding
    return _stray_term(missing, question, ledger) or _stray_factor(stated, question, ledger)


def parts_behind(stated: int, question: Question, ledger: Ledger) -> Finding | None:
    """The same for partial products of parts that do not add up; arguments as ``slip_behind``."""
    for rows, factor, other in _readings(question, ledger):
        if _are_parts_behind(stated, rows, factor, other, question):
            why = f"The numbers that {factor} is multiplied by do not add up to {other}."
            return Finding(Kind.MISSING, why)
    return None


# A term that is no result.

_Result = tuple[str, int]  # digits and line


def _stray_term(missing: int, question: Question, ledger: Ledger) -> Finding | None:
    """A term of a sum that stands where the result of an earlier line is missing."""
    unused, extra = _left_over(question, ledger)
    for pair, term in extra[:_MOST]:
        for result, line in unused[:_MOST]:
            if int(result, question.base) - int(term, question.base) != missing:
                continue
            at = _first_if_out_of_turn(pair, term, line, ledger)
            if line < at.right.line:
                why = (
                    f"It adds {term} where the result of line {line} should stand, which is "
                    "added nowhere."
                )
                return found_at(Kind.COPY, question, why, at.left, at.right)
    return None


def _left_over(question: Question, ledger: Ledger) -> tuple[list[_Result], list[tuple[Pair, str]]]:
    """Results of products and sums that are added nowhere, and terms that are no results."""
    results = [(leaf.result, leaf.line) for leaf in ledger.leaves]
    known = Counter(digits for digits, _ in results)
    extra: list[tuple[Pair, str]] = []
    for pair in ledger.sums:
        for term in numbers_of_sum(pair.left.expression) or ():
            if known[term]:
                known[term] -= 1
            elif question.has_digits(term):
                extra.append((pair, term))
        if pair.right.number is not None:
            results.append((pair.right.number.digits, pair.right.line))
            known[pair.right.number.digits] += 1
    unused = [result for result in results if known[result[0]] and question.has_digits(result[0])]
    return unused, extra


def _first_if_out_of_turn(pair: Pair, term: str, missing: int, ledger: Ledger) -> Pair:
    """Of the sums that add a term once too often, the one in which it is wrong.

    That is the first if the term's own turn comes after the line whose result is missing.
    """
    found = min((leaf.line for leaf in ledger.leaves if leaf.result == term), default=0)
    adding = [
        other for other in ledger.sums if term in (numbers_of_sum(other.left.expression) or ())
    ]
    return adding[0] if found > missing else pair


# A factor that is not the question's, or not a part of it.


@dataclass(frozen=True, slots=True)
class _Row:
    """A partial product as one factor of the question times a part of the other was meant."""

    leaf: Leaf
    factor: str
    part: str


def _stray_factor(stated: int, question: Question, ledger: Ledger) -> Finding | None:
    for rows, factor, other in _readings(question, ledger):
        found = _misread(stated, rows, factor, question)
        found = found or _no_part(stated, rows, factor, other, question)
        if found is not None:
            return found
    return None


def _readings(question: Question, ledger: Ledger) -> Iterator[tuple[list[_Row], str, str]]:
    """The partial products as rows of one factor times parts of the other, and both factors."""
    if ledger.taken_away or not 0 < len(ledger.leaves) <= _MOST:
        return
    for factor, other in (question.factors, question.factors[::-1]):
        for rows in _as_rows(ledger.leaves, factor, other, question):
            yield rows, factor, other


def _as_rows(
    leaves: list[Leaf], factor: str, other: str, question: Question
) -> Iterator[list[_Row]]:
    """The partial products with what stands for ``factor`` and what for parts of ``other``.

    As they are written, from the left and from the right, then with each turned so that it fits.
    """
    rows = [_Row(leaf, *leaf.factors) for leaf in leaves]
    if not all(question.has_digits(row.factor + row.part) for row in rows):
        return
    yield rows
    yield [_Row(row.leaf, row.part, row.factor) for row in rows]
    yield [_turned(row, factor, other) for row in rows]


def _turned(row: _Row, factor: str, other: str) -> _Row:
    fits = row.factor == factor or (row.part != factor and is_positional(row.part, other))
    return row if fits else _Row(row.leaf, row.part, row.factor)


def _misread(stated: int, rows: list[_Row], factor: str, question: Question) -> Finding | None:
    """Rows of another number than the factor, which account for the answer."""
    base, meant = question.base, int(factor, question.base)
    wrong = [row for row in rows if row.factor != factor]
    if len({row.factor for row in wrong}) != 1 or any(_is_right(row, question) for row in wrong):
        return None
    excess = sum((int(row.factor, base) - meant) * int(row.part, base) for row in wrong)
    if stated - question.product != excess or excess == 0:
        return None
    why = f"It works with {wrong[0].factor}. The question's factor is {factor}."
    return Finding(Kind.MISREAD, why, wrong[0].leaf.line)


def _is_right(row: _Row, question: Question) -> bool:
    """Whether a row is a factor of the question times a part of the other, whichever is which."""
    return any(
        one == factor and is_positional(two, other)
        for one, two in (row.leaf.factors, row.leaf.factors[::-1])
        for factor, other in (question.factors, question.factors[::-1])
    )


def _no_part(
    stated: int, rows: list[_Row], factor: str, other: str, question: Question
) -> Finding | None:
    """The one number that the factor is multiplied by and that is no part of the other."""
    strays = [row for row in rows if not is_positional(row.part, other)]
    if len(strays) != 1 or not _are_parts_behind(stated, rows, factor, other, question):
        return None
    why = f"It multiplies by {strays[0].part}, which is no part of {other}."
    return Finding(Kind.SPLIT, why, strays[0].leaf.line)


def _are_parts_behind(
    stated: int, rows: list[_Row], factor: str, other: str, question: Question
) -> bool:
    """Whether an answer is the factor times numbers that do not add up to the other."""
    base = question.base
    total = sum(int(row.part, base) for row in rows)
    return (
        all(row.factor == factor for row in rows)
        and stated == total * int(factor, base)
        and total != int(other, base)
    )
