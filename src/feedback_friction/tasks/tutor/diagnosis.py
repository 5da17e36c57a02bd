"""The first equation of an attempt that is wrong, in itself or in the numbers that it takes up."""

from __future__ import annotations

from collections.abc import Sequence

from feedback_friction.reading.mathematics.nodes import Node, Number, Sum
from feedback_friction.reading.numerals import Base
from feedback_friction.tasks.tutor.chains import Chain, Piece
from feedback_friction.tasks.tutor.finding import (
    Finding,
    Kind,
    first_wrong_place,
    found_at,
    written,
)
from feedback_friction.tasks.tutor.ledger import LONG, Ledger
from feedback_friction.tasks.tutor.question import Question, places, power_between
from feedback_friction.tasks.tutor.slips import (
    misread,
    row_in_place,
    split_of_a_misread,
    wrong_term,
)
from feedback_friction.tasks.tutor.verify import (
    Pair,
    exact,
    factors_of,
    is_by_places,
    leading_number,
    may_be_equal,
    numbers_of_sum,
    readings,
    two_numbers,
)

_UNEQUAL = "The two sides are not equal."
_MOST_PRODUCTS = 200


def check(chain: Chain, pairs: Sequence[Pair], ledger: Ledger, taken_back: bool) -> Finding | None:
    """What is wrong with a chain; what is right of it is added to the ledger.

    Args:
        chain: one chain of the attempt.
        pairs: its neighbours, judged.
        ledger: what the attempt says before it.
        taken_back: the attempt works the same thing out again later, and rightly.
    """
    question = ledger.question
    found = misread(chain.pieces[0], ledger) if chain.asserted else None
    for pair in pairs:
        if found is None and chain.asserted:
            found = misread(pair.right, ledger)
        if found is None and pair.holds and chain.asserted:
            found = _wrong_base(pair, ledger)
            found = found or split_of_a_misread(pair, ledger) or wrong_term(pair, ledger)
        elif found is None and pair.holds is False and not taken_back:
            found = None if is_answer(pair, question) else Diagnosis(pair, chain, ledger).finding()
        if found is not None:
            return found
        if chain.asserted and not is_answer(pair, question):
            ledger.add(pair)
    return found


def _wrong_base(pair: Pair, ledger: Ledger) -> Finding | None:
    """Decimal arithmetic with a number that is in base 16."""
    if not pair.only_in_ten:
        return None
    for numeral in pair.numerals:
        digits = numeral.digits
        in_sixteen = digits in ledger.base_16 and digits not in ledger.base_10
        if numeral.marked is None and in_sixteen and len(digits) >= LONG:
            why = f"That is decimal arithmetic, and {digits} is a number in base 16."
            return found_at(Kind.BASE, ledger.question, why, pair.left, pair.right)
    return None


def is_answer(pair: Pair, question: Question) -> bool:
    """Whether a pair gives the question itself a value: that is an answer, not a step.

    With a factor of one digit it is both, and is taken for a step.
    """
    one_step = any(len(factor.rstrip("0")) == 1 for factor in question.factors)
    stated = pair.right.number is not None and is_question(pair.left.expression, question)
    return stated and not one_step


def is_question(expression: Node | None, question: Question) -> bool:
    """Whether an expression is the product of the question's two factors."""
    factors = factors_of(expression) or ()
    digits = [factor.digits for factor in factors if isinstance(factor, Number)]
    return len(digits) == len(factors) > 0 and sorted(digits) == sorted(question.factors)


class Diagnosis:
    """A pair that fails, with what is known where it stands."""

    def __init__(self, pair: Pair, chain: Chain, ledger: Ledger):
        self.pair, self.chain, self.ledger = pair, chain, ledger
        self.question = ledger.question
        self.left, self.right = pair.left, pair.right

    def finding(self) -> Finding | None:
        """What is wrong; None where the writing may mean something else than an equation."""
        left, right = self.left.number, self.right.number
        first = self.left is self.chain.pieces[0]
        if left is not None and right is not None:
            return self._numbers(first)
        if left is not None and first:
            return self._named_number(left)
        if right is not None:
            return self._value(self.left, right)
        if left is not None:
            return self._value(self.right, left)
        return self._expressions()

    def _found(self, kind: Kind, why: str) -> Finding:
        return found_at(kind, self.question, why, self.left, self.right)

    # A number, and a number or an expression that it is said to be.

    def _numbers(self, first: bool) -> Finding | None:
        marks = {numeral.marked for numeral in self.pair.numerals}
        if self.question.base == 16 and len(marks) == 2:
            return self._found(Kind.CONVERSION, "These are not the same number in two bases.")
        if first and marks == {None}:
            return None
        return self._found(Kind.EQUATION, "These two numbers are not equal.")

    def _named_number(self, number: Number) -> Finding | None:
        """A chain that begins with a number speaks of it only if it is a factor, or marked."""
        is_factor = number.digits in self.question.factors
        if not is_factor and number.marked is None:
            return None
        if self.question.base == 16 and (is_by_places(self.right.expression) or not is_factor):
            return self._found(Kind.CONVERSION, f"The right side is not {number.digits}.")
        if isinstance(self.right.expression, Sum):
            return self._found(Kind.SPLIT, f"The parts do not add up to {number.digits}.")
        return None

    # An expression and the number that it is said to be worth.

    def _value(self, side: Piece, result: Number) -> Finding | None:
        expression = side.expression
        if self.question.base == 16 and is_by_places(expression):
            return self._found(Kind.CONVERSION, "The places do not add up to that.")
        if isinstance(expression, Sum):
            return self._sum(expression, result)
        if expression is not None and factors_of(expression):
            return self._product(expression, result)
        return self._found(Kind.EQUATION, _UNEQUAL)

    def _sum(self, expression: Sum, result: Number) -> Finding | None:
        terms = numbers_of_sum(expression)
        if terms is None:
            kind = Kind.SUM if _only_numbers(expression) else Kind.EQUATION
            return self._found(kind, f"{_UNEQUAL}{self._place(expression, result)}")
        if result.digits in self.question.factors and not self._are_results(terms):
            return self._found(Kind.SPLIT, f"The parts do not add up to {result.digits}.")
        if self.chain.shifts and any(row_in_place(t, self.question) is False for t in terms):
            return None  # rows that are shifted in the mind before they are added
        return self._found(Kind.SUM, f"The sum is wrong.{self._place(expression, result)}")

    def _are_results(self, terms: Sequence[str]) -> bool:
        return all(term in self.ledger.results for term in terms)

    def _product(self, expression: Node, result: Number) -> Finding | None:
        power = self._power(expression, result)
        if power is None:
            place = self._place(expression, result)
            return self._found(Kind.PRODUCT, f"The product is wrong.{place}")
        many = "many" if power > 0 else "few"
        found = self._found(Kind.SHIFT, f"The digits are right, but there are too {many} zeros.")
        row = _places_of_row(expression, self.question)
        if power > 0 and row is not None:
            if power in row:  # the row of this digit, in its place already
                stated = int(result.digits, self.question.base)
                too_much = stated - stated // self.question.base**power
                self.ledger.excused.append((too_much, found))
                return None
        elif self.chain.shifts:
            return None
        return found

    def _power(self, expression: Node, result: Number) -> int | None:
        """By how many places the result is shifted, if its digits are right."""
        task = self.question.base
        one, other = readings(expression, task), readings(result, task)
        bases: tuple[Base, ...] = (10,) if task == 10 else (16, 10)
        candidates = (
            power_between(value, stated, base)
            for base in bases
            for value in (one or {}).get(base, ())
            for stated in (other or {}).get(base, ())
        )
        return next((power for power in candidates if power is not None), None)

    def _place(self, expression: Node, result: Number) -> str:
        """Where the result first goes wrong, if it is plain which base this is in."""
        base = self.ledger.base_of(self.pair)
        if base is None:
            return ""
        right, wrong = (exact(side, base, self.question.base) for side in (expression, result))
        if right is None or wrong is None:
            return ""
        return f" {first_wrong_place(wrong, right, base)}"

    # Two expressions.

    def _expressions(self) -> Finding | None:
        left, right = self.left.expression, self.right.expression
        found = None
        factors, others = factors_of(left), factors_of(right)
        if factors and others:
            found = self._unequal_part(factors, others, Kind.SPLIT)
        elif left and factors and isinstance(right, Sum):
            found = self._expansion(left, right)
        elif isinstance(left, Sum) and isinstance(right, Sum):
            signs = [[sign for sign, _ in side.terms] for side in (left, right)]
            parts = [[term for _, term in side.terms] for side in (left, right)]
            if signs[0] == signs[1]:
                found = self._unequal_part(parts[0], parts[1], Kind.PRODUCT)
        if found is None and (begins := self._carried_on()) is not None:
            return self._value(self.left, begins)
        return found or self._found(Kind.EQUATION, _UNEQUAL)

    def _carried_on(self) -> Number | None:
        """The number that the left side was meant to be worth in "9 × 3 = 28 + 2 = 30".

        There the number alone is nearer to the left side than the sum that it begins; in
        "365 × 12 = 3650 + 731 = 4381" the sum is.
        """
        begins = leading_number(self.right.expression)
        if begins is None or self.right is self.chain.pieces[-1]:
            return None
        base = self.ledger.base_of(self.pair) or self.question.base
        left, right, number = (
            None if side is None else exact(side, base, self.question.base)
            for side in (self.left.expression, self.right.expression, begins)
        )
        if left is None or right is None or number is None:
            return None
        return begins if abs(left - number) < abs(left - right) else None

    def _unequal_part(
        self, left: Sequence[Node], right: Sequence[Node], kind: Kind
    ) -> Finding | None:
        """The first part of the left side that its counterpart on the right is not equal to."""
        if len(left) != len(right):
            return None
        task = self.question.base
        for one, other in zip(left, right, strict=True):
            if not may_be_equal(one, other, task):
                is_factor = isinstance(one, Number) and one.digits in self.question.factors
                sure = kind is Kind.PRODUCT and factors_of(one) is not None
                if not (is_factor if kind is Kind.SPLIT else sure):
                    return None
                shown = " = ".join(written(self.question, side) for side in (one, other))
                why = f"In it, {shown} is wrong."
                return self._found(kind, why)
        return None

    def _expansion(self, left: Node, right: Sum) -> Finding | None:
        """The question multiplied out: parts that do not add up, or products left out."""
        pairs = [two_numbers(term) for subtracted, term in right.terms if not subtracted]
        products = [(one.digits, other.digits) for one, other in filter(None, pairs)]
        if len(products) != len(right.terms) or not is_question(left, self.question):
            return None
        if wrong := _parts_that_do_not_add_up(products, self.question):
            return self._found(Kind.SPLIT, wrong)
        if missing := _left_out(products, self.question):
            return self._found(Kind.MISSING, missing)
        return None


def _only_numbers(expression: Sum) -> bool:
    return all(isinstance(term, Number) for _, term in expression.terms)


def _places_of_row(expression: Node, question: Question) -> list[int] | None:
    """Where a digit stands in a factor, for a product of the other factor and that digit."""
    pair = two_numbers(expression)
    for one, digit in (pair, pair[::-1]) if pair else ():
        factor = question.other(one.digits)
        if factor is not None and len(digit.digits) == 1:
            return list(places(digit.digits, factor))
    return None


def _parts_that_do_not_add_up(
    products: Sequence[tuple[str, str]], question: Question
) -> str | None:
    """What is wrong if one factor is multiplied by parts that are not the other factor."""
    for factor in question.factors:
        if not all(factor in pair for pair in products):
            continue
        parts = [pair[1] if pair[0] == factor else pair[0] for pair in products]
        other = question.other(factor)
        total = sum(int(part, question.base) for part in parts)
        if other is not None and total != int(other, question.base):
            return f"The numbers that {factor} is multiplied by do not add up to {other}."
    return None


def _left_out(products: Sequence[tuple[str, str]], question: Question) -> str | None:
    """Which product of parts is missing, if the parts are right and some product is not there."""
    pairs = dict.fromkeys(products[:_MOST_PRODUCTS])
    firsts = list(dict.fromkeys(first for first, _ in pairs))
    seconds = list(dict.fromkeys(second for _, second in pairs))
    sums = [sum(int(part, question.base) for part in parts) for parts in (firsts, seconds)]
    if sorted(sums) != sorted(question.values):
        return None
    missing = [(one, two) for one in firsts for two in seconds if (one, two) not in pairs]
    if not missing:
        return None
    one, two = missing[0]
    return f"The product of the parts {one} and {two} is left out."
