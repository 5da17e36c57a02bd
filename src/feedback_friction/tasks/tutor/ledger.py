"""What a solver's numbers are, as far as the attempt says: parts, results, and in which base."""

from __future__ import annotations

from dataclasses import dataclass, field

from feedback_friction.reading.numerals import Base
from feedback_friction.tasks.tutor.finding import Finding
from feedback_friction.tasks.tutor.question import Question, is_slip
from feedback_friction.tasks.tutor.verify import (
    Pair,
    factors_of,
    numbers_of_sum,
    products_in,
)

LONG = 4  # digits from which a number is taken to be the same one where it occurs again
_MOST = 400  # results that are compared with


@dataclass(frozen=True, slots=True)
class Leaf:
    """A product of two numbers that was calculated rightly, and where."""

    factors: tuple[str, str]
    result: str
    line: int


@dataclass
class Ledger:
    """Grows line by line, from pairs that hold.

    Attributes:
        question: the question.
        explained: numbers that the attempt itself accounts for anywhere: a result, or a term of a
            sum that is worth a factor or a part of one.
        taken_away: numbers that are subtracted anywhere in the attempt.
        results: results of calculations, with their lines.
        parts: for each factor, the parts that it was split into.
        leaves: partial products.
        summed: terms of sums.
        sums: sums of numbers that were calculated rightly.
        excused: what would be wrong if the line were not meant otherwise, each with the amount by
            which it would be too large.
        base_16: numbers without letters that are meant in base 16.
        base_10: numbers that are meant in base 10 in a base 16 task.
        checked: number of equations that hold, answers aside.
    """

    question: Question
    explained: set[str] = field(default_factory=set)
    taken_away: set[str] = field(default_factory=set)
    results: dict[str, int] = field(default_factory=dict)
    parts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    leaves: list[Leaf] = field(default_factory=list)
    summed: list[str] = field(default_factory=list)
    sums: list[Pair] = field(default_factory=list)
    excused: list[tuple[int, Finding]] = field(default_factory=list)
    base_16: set[str] = field(default_factory=set)
    base_10: set[str] = field(default_factory=set)
    checked: int = 0

    def __post_init__(self) -> None:
        self.base_16 |= set(self.question.factors)

    def knows(self, digits: str) -> bool:
        """Whether a number is a factor, a part of one, or accounted for by the attempt."""
        return (
            digits in self.question.factors
            or digits in self.explained
            or digits in self.results
            or any(digits in parts for parts in self.parts.values())
            or self.question.is_part(digits)
        )

    def add(self, pair: Pair) -> None:
        """Learn from a pair that nothing is wrong with."""
        line, result = pair.right.line, pair.right.number
        if not pair.holds:
            if result is not None:
                self.results.setdefault(result.digits, line)
            return
        self.checked += 1
        for side, other in ((pair.left, pair.right), (pair.right, pair.left)):
            terms = numbers_of_sum(side.expression)
            if terms is not None:
                self.summed += terms
                if other.number and other.number.digits in self.question.factors:
                    self.parts.setdefault(other.number.digits, tuple(terms))
            if other.number is not None and side.number is None:
                self.results.setdefault(other.number.digits, line)
        product = pair.left.expression
        if result is not None and numbers_of_sum(product) is not None:
            self.sums.append(pair)
        if result is not None and factors_of(product):
            for one, two in products_in(product):
                self.leaves.append(Leaf((one.digits, two.digits), result.digits, line))
        if self.question.base == 16:
            self._learn_bases(pair)

    def _learn_bases(self, pair: Pair) -> None:
        numerals = pair.numerals
        plain = {
            numeral.digits
            for numeral in numerals
            if numeral.marked is None and numeral.digits.isdigit() and len(numeral.digits) >= LONG
        }
        sixteen = any(
            not n.digits.isdigit() or n.marked == 16 or n.digits in self.base_16 for n in numerals
        )
        if pair.in_sixteen and sixteen:
            self.base_16 |= plain - self.base_10
        elif not pair.in_sixteen:
            self.base_10 |= plain - self.base_16
        self.base_10 |= {numeral.digits for numeral in numerals if numeral.marked == 10}

    def slipped_from(self, digits: str) -> str | None:
        """The own result that a number, itself accounted for by nothing, is but for one slip."""
        if len(digits) < LONG or self.knows(digits):
            return None
        candidates = list(self.results)[-_MOST:]
        return next((result for result in candidates if is_slip(digits, result)), None)

    def is_total(self, digits: str) -> bool:
        """Whether a number is the result of a sum."""
        return any(pair.right.number and pair.right.number.digits == digits for pair in self.sums)

    def times_found(self, result: str) -> int:
        """How many partial products have come to a result; at least one, for other calculations."""
        return max(1, sum(leaf.result == result for leaf in self.leaves))

    def base_of(self, pair: Pair) -> Base | None:
        """The base in which both sides of a pair are meant; None if that is not plain."""
        if self.question.base == 10:
            return 10
        numerals = pair.numerals
        marks = {numeral.marked for numeral in numerals}
        plain = {numeral.digits for numeral in numerals if numeral.marked is None}
        long = {digits for digits in plain & self.base_16 if len(digits) >= LONG}
        sixteen = bool(long) or 16 in marks or not all(map(str.isdigit, plain))
        ten = 10 in marks or bool(plain & self.base_10)
        return None if sixteen == ten else 16 if sixteen else 10
