"""Sums and long multiplications that are set out in columns, one number to a line.

::

      18069            77460
    x 12947        +  580950
    -------        ---------
     126483           658410
     ...
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from feedback_friction.reading.numerals import Numeral
from feedback_friction.tasks.tutor.finding import Finding, Kind
from feedback_friction.tasks.tutor.ledger import LONG, Ledger
from feedback_friction.tasks.tutor.lines import Line
from feedback_friction.tasks.tutor.question import Question, is_decimal_sum, is_slip, power_between
from feedback_friction.tasks.tutor.wording import first_wrong_place

_RULE = re.compile(r"^[\s|+]*[-–_=]{3,}[\s|+-]*$")
_SIGNS = {"+": "+", "×": "×", "x": "×", "=": "="}
_REMARKS = frozenset("(←<#|,;→•") | {"…"}


@dataclass(frozen=True, slots=True)
class Row:
    """One number of a column, with the sign before it and the offset at which it ends."""

    sign: str
    numeral: Numeral
    line: Line

    def value(self, question: Question) -> int:
        """What it is worth."""
        return int(self.numeral.digits, question.base)


@dataclass(frozen=True, slots=True)
class Block:
    """Rows parted by ruled lines: ``parts[0]`` stands above the first rule."""

    parts: tuple[tuple[Row, ...], ...]


class Columns:
    """The columns of an attempt.

    Attributes:
        results: numbers that stand under a rule, with their lines.
        numbers: all their numbers.
    """

    def __init__(self, lines: Sequence[Line], ledger: Ledger):
        self.ledger, self.question = ledger, ledger.question
        self._blocks = [block for block in _blocks(lines, ledger.question) if len(block.parts) > 1]
        self.results: dict[str, int] = {}
        self.numbers: set[str] = set()
        for block in self._blocks:
            self.numbers |= {row.numeral.digits for part in block.parts for row in part}
            for row in (row for part in block.parts[1:] for row in part):
                self.results.setdefault(row.numeral.digits, row.line.number)

    def first_error(self) -> Finding | None:
        """The first number in a column that is wrong; the ledger has to be filled by then."""
        found = (self._check(block) for block in self._blocks)
        return next((finding for finding in found if finding is not None), None)

    def _check(self, block: Block) -> Finding | None:
        above = block.parts[0]
        if len(block.parts) < 2 or not block.parts[1] or not self._in_base(block):
            return None
        if len(above) == 2 and above[1].sign == "×":
            return self._multiplication(above[0], above[1], block.parts[1:])
        signs = [row.sign for row in above]
        if set(signs) <= {"", "+"} and ("+" in signs[1:] or len(above) > 2):
            return self._addition(above, block.parts[1][0])
        return None

    def _in_base(self, block: Block) -> bool:
        """Whether the numbers are surely in the base of the task.

        In base 16 a column of numbers without letters may be decimal work after a conversion.
        """
        digits = {row.numeral.digits for part in block.parts for row in part}
        if self.question.base == 10:
            return True
        letters = any(not text.isdigit() for text in digits)
        known = any(text in self.ledger.base_16 and len(text) >= LONG for text in digits)
        return (letters or known) and not digits & self.ledger.base_10

    def _found(self, kind: Kind, why: str, row: Row) -> Finding:
        secret = row.numeral.digits in self.question.secrets
        quote = "" if secret else row.numeral.digits
        return Finding(kind, why, row.line.number, quote, row.numeral.start)

    # Addition.

    def _addition(self, terms: Sequence[Row], total: Row) -> Finding | None:
        right = sum(row.value(self.question) for row in terms)
        stated = total.value(self.question)
        if stated == right or not _aligned([*terms, total]):
            return None
        digits = (row.numeral.digits for row in (*terms, total))
        if self.question.base == 16 and is_decimal_sum(*digits):
            return self._found(Kind.BASE, "The column is added up as if it were decimal.", total)
        where = first_wrong_place(stated, right, self.question.base)
        return self._found(Kind.SUM, f"It is not the sum of the numbers above it. {where}", total)

    # Multiplication.

    def _multiplication(
        self, one: Row, two: Row, parts: Sequence[tuple[Row, ...]]
    ) -> Finding | None:
        misread = self._misread(one, two)
        if misread is not None:
            return misread
        rows = parts[0]
        if len(rows) == 1 and len(two.numeral.digits.rstrip("0")) == 1:
            return self._product(one, two, rows[0])
        digits = two.numeral.digits
        if len(rows) == 1:
            return None  # the whole multiplication in one: an answer, not a step
        expected = _expected(rows, one.value(self.question), digits, self.question)
        if expected is None:
            return None
        for row, (product, place) in zip(rows, expected, strict=True):
            power = power_between(product, row.value(self.question), self.question.base)
            if power in (0, place):
                continue
            if power is not None:
                why = "This row stands in the wrong place for the digit that it belongs to."
                return self._found(Kind.SHIFT, why, row)
            return self._wrong_row(row, product, place)
        total = parts[1][0] if len(parts) > 1 and parts[1] else None
        return None if total is None else self._total(one, two, rows, total)

    def _misread(self, one: Row, two: Row) -> Finding | None:
        factors = self.question.factors
        for row, other in ((one, two), (two, one)):
            digits = row.numeral.digits
            meant = self.question.other(other.numeral.digits)
            if meant is not None and digits not in factors and is_slip(digits, meant):
                why = f"It multiplies {digits}. The question's factor is {meant}."
                return self._found(Kind.MISREAD, why, row)
        return None

    def _product(self, one: Row, two: Row, result: Row) -> Finding | None:
        product = one.value(self.question) * two.value(self.question)
        power = power_between(product, result.value(self.question), self.question.base)
        if power is not None:
            return None  # a row may be written with its zeros or without
        return self._wrong_row(result, product, 0)

    def _wrong_row(self, row: Row, product: int, place: int) -> Finding:
        """A row with wrong digits, compared with what it is nearer to: shifted or not."""
        base, value = self.question.base, row.value(self.question)
        right = min(product, product * base**place, key=lambda meant: abs(meant - value))
        where = first_wrong_place(value, right, base)
        return self._found(
            Kind.PRODUCT, f"This row is not the product that it should be. {where}", row
        )

    def _total(self, one: Row, two: Row, rows: Sequence[Row], total: Row) -> Finding | None:
        right = one.value(self.question) * two.value(self.question)
        stated = total.value(self.question)
        if stated == right:
            return None
        if stated == sum(row.value(self.question) for row in rows):
            why = "The rows are added without being shifted to the places of their digits."
            return self._found(Kind.SHIFT, why, total)
        where = first_wrong_place(stated, right, self.question.base)
        why = f"It is not the sum of the rows above it, each shifted to its place. {where}"
        return self._found(Kind.SUM, why, total)


def _expected(
    rows: Sequence[Row], factor: int, digits: str, question: Question
) -> list[tuple[int, int]] | None:
    """For each row the product that it should be and its place; None if that is not plain."""
    by_place = [
        (factor * int(digit, question.base), place) for place, digit in enumerate(reversed(digits))
    ]
    without_zeros = [pair for pair in by_place if pair[0]]
    for pairs in (by_place, without_zeros, by_place[::-1], without_zeros[::-1]):
        if len(pairs) != len(rows):
            continue
        right = sum(
            power_between(product, row.value(question), question.base) is not None
            for row, (product, _) in zip(rows, pairs, strict=True)
        )
        if 2 * right >= len(rows):
            return pairs
    return None


def _aligned(rows: Sequence[Row]) -> bool:
    """Whether all numbers end in the same column, so that none is meant to be shifted."""
    return len({row.numeral.end for row in rows}) == 1


def _blocks(lines: Sequence[Line], question: Question) -> Iterator[Block]:
    """Runs of rows and rules in lines that follow each other."""
    parts: list[list[Row]] = [[]]
    last = 0
    for line in lines:
        row = None if line.cut else _row(line, question)
        if line.number > last + 1 and len(parts) > 1 and parts[-1]:
            yield Block(tuple(tuple(part) for part in parts))
            parts = [[]]
        last = line.number
        if _RULE.match(line.text):
            parts.append([])
        elif row is not None:
            if row.sign == "=":
                parts.append([])
            parts[-1].append(row)
        else:
            yield Block(tuple(tuple(part) for part in parts))
            parts = [[]]
    yield Block(tuple(tuple(part) for part in parts))


def _row(line: Line, question: Question) -> Row | None:
    """A line that is one number, with a sign before it and a remark after it at most."""
    tokens = [token for token in line.tokens if token.text != "|"]
    sign = ""
    if tokens and tokens[0].text in _SIGNS:
        sign, tokens = _SIGNS[tokens[0].text], tokens[1:]
    if not tokens or tokens[0].numeral is None or not tokens[0].text.isalnum():
        return None
    if len(tokens) > 1 and tokens[1].text not in _REMARKS:
        return None
    numeral = tokens[0].numeral
    if numeral.marked not in (None, question.base) or not numeral.regular:
        return None
    return Row(sign, numeral, line)
