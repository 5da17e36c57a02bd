"""The one slip that accounts for a wrong answer, to the unit, when every line is right by itself.

Work such as "47 * 30 = 1410", "74 * 6 = 444", "1410 + 444 = 1854" has no false line, and its
numbers are too short to be told from others by their digits alone. Here a slip is named only where
the product comes out with it put right and all else as it stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from feedback_friction.tasks.tutor.finding import Finding, Kind, found_at
from feedback_friction.tasks.tutor.ledger import Leaf, Ledger
from feedback_friction.tasks.tutor.question import Question, is_positional
from feedback_friction.tasks.tutor.verify import Pair, numbers_of_sum

_MOST = 60  # partial products, and terms of sums, that are looked at
_MOST_PARTS = 200


def account_for(stated: int, ledger: Ledger) -> Finding | None:
    """What accounts for a wrong answer, by the work that led to it; the surest first."""
    excess = stated - ledger.question.product
    found = (slip(excess, ledger) for slip in _SLIPS)
    return next((finding for finding in found if finding is not None), None)


def _excused(excess: int, ledger: Ledger) -> Finding | None:
    """A line that is right only if it is not meant as it stands."""
    return next((finding for too_much, finding in ledger.excused if too_much == excess), None)


# A term of a sum that stands where the result of an earlier line is missing.


def _stray_term(excess: int, ledger: Ledger) -> Finding | None:
    question = ledger.question
    unused, extra = _left_over(ledger)
    for pair, term in extra[:_MOST]:
        for result, line in unused[:_MOST]:
            if int(term, question.base) - int(result, question.base) != excess:
                continue
            at = _first_if_out_of_turn(pair, term, line, ledger)
            if line < at.right.line:
                why = (
                    f"It adds {term} where the result of line {line} should stand, which is "
                    "added nowhere."
                )
                return found_at(Kind.COPY, question, why, at.left, at.right)
    return None


def _left_over(ledger: Ledger) -> tuple[list[tuple[str, int]], list[tuple[Pair, str]]]:
    """Results that are added nowhere, with their lines, and terms of sums that are no results."""
    question = ledger.question
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
class _Rows:
    """The partial products as one factor of the question times parts of the other."""

    question: Question
    # the question's factors
    factor: str
    other: str
    # each with what stands for the factor in it, and what for a part of the other
    leaves: tuple[tuple[Leaf, str, str], ...]

    def value(self, digits: str) -> int:
        """What digits are worth in the question's base."""
        return int(digits, self.question.base)

    def is_behind(self, excess: int) -> bool:
        """Whether the answer is the factor times numbers that do not add up to the other."""
        total = sum(self.value(part) for _, _, part in self.leaves) - self.value(self.other)
        all_of_factor = all(factor == self.factor for _, factor, _ in self.leaves)
        return all_of_factor and total != 0 and excess == total * self.value(self.factor)

    def misread(self, excess: int) -> Finding | None:
        """Rows of another number than the factor."""
        wrong = [row for row in self.leaves if row[1] != self.factor]
        if len({factor for _, factor, _ in wrong}) != 1 or any(map(self.is_right, wrong)):
            return None
        off = self.value(wrong[0][1]) - self.value(self.factor)
        if excess == 0 or excess != off * sum(self.value(part) for _, _, part in wrong):
            return None
        why = f"It works with {wrong[0][1]}. The question's factor is {self.factor}."
        return Finding(Kind.MISREAD, why, wrong[0][0].line)

    def is_right(self, row: tuple[Leaf, str, str]) -> bool:
        """Whether a row is a factor of the question times a part of the other, in any order."""
        return any(
            one == factor and is_positional(two, other)
            for one, two in (row[1:], row[:0:-1])
            for factor, other in ((self.factor, self.other), (self.other, self.factor))
        )

    def no_part(self, excess: int) -> Finding | None:
        """The one number that the factor is multiplied by and that is no part of the other."""
        strays = [row for row in self.leaves if not is_positional(row[2], self.other)]
        if len(strays) != 1 or not self.is_behind(excess):
            return None
        why = f"It multiplies by {strays[0][2]}, which is no part of {self.other}."
        return Finding(Kind.SPLIT, why, strays[0][0].line)


def _readings(ledger: Ledger) -> Iterator[_Rows]:
    """The partial products as rows of either factor, each turned so that it fits best."""
    question = ledger.question
    digits = "".join(leaf.factors[0] + leaf.factors[1] for leaf in ledger.leaves)
    too_many = len(ledger.leaves) > _MOST
    if ledger.taken_away or not ledger.leaves or too_many or not question.has_digits(digits):
        return
    for factor, other in (question.factors, question.factors[::-1]):
        rows = []
        for leaf in ledger.leaves:
            one, two = leaf.factors
            fits = one == factor or (two != factor and is_positional(two, other))
            rows.append((leaf, one, two) if fits else (leaf, two, one))
        yield _Rows(question, factor, other, tuple(rows))


def _stray_factor(excess: int, ledger: Ledger) -> Finding | None:
    found = (rows.misread(excess) or rows.no_part(excess) for rows in _readings(ledger))
    return next((finding for finding in found if finding is not None), None)


def _stray_parts(excess: int, ledger: Ledger) -> Finding | None:
    for rows in _readings(ledger):
        if rows.is_behind(excess):
            why = f"The numbers that {rows.factor} is multiplied by do not add up to {rows.other}."
            return Finding(Kind.MISSING, why)
    return None


# A partial product left out, or added twice.


def _missing_product(excess: int, ledger: Ledger) -> Finding | None:
    question = ledger.question
    for leaf in ledger.leaves[:_MOST_PARTS]:
        value = int(leaf.result, question.base) if question.has_digits(leaf.result) else None
        is_sum = ledger.summed or value != question.product + excess
        if value and value == -excess and is_sum and leaf.result not in ledger.summed:
            return _missing(f"the result of line {leaf.line} is missing from what is added up.")
        if value and value == excess:
            return _missing(f"the sum is too large by exactly the result of line {leaf.line}.")
    done = {frozenset(leaf.factors) for leaf in ledger.leaves}
    first, second = (ledger.parts.get(factor, (factor,)) for factor in question.factors)
    for one in first[:_MOST_PARTS]:
        for two in second[:_MOST_PARTS]:
            worth = int(one, question.base) * int(two, question.base)
            if worth and worth == -excess and frozenset((one, two)) not in done:
                return _missing(f"the product of the parts {one} and {two} is missing.")
    return None


def _missing(what: str) -> Finding:
    return Finding(Kind.MISSING, f"No line is found wrong by itself, but {what}")


_SLIPS = (_excused, _stray_term, _stray_factor, _missing_product, _stray_parts)
