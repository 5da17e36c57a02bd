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
from feedback_friction.tasks.tutor.finding import Finding, Kind, first_wrong_place
from feedback_friction.tasks.tutor.ledger import LONG, Ledger
from feedback_friction.tasks.tutor.lines import Line
from feedback_friction.tasks.tutor.question import Question, is_decimal_sum, is_slip, power_between

_RULE = re.compile(r"^[\s|+]*[-–_=]{3,}[\s|+-]*$")
_SIGNS = {"+": "+", "×": "×", "x": "×", "=": "="}
_REMARKS = frozenset("(←<#|,;→•") | {"…"}


@dataclass(frozen=True, slots=True)
class _Row:
    """One number of a column, with the sign before it and what it is worth."""

    sign: str
    numeral: Numeral
    line: int
    value: int

    @property
    def digits(self) -> str:
        return self.numeral.digits


_Part = Sequence[_Row]  # rows between two ruled lines


class Columns:
    """The columns of an attempt.

    Attributes:
        results: numbers that stand under a rule, with their lines.
        numbers: all their numbers.
    """

    def __init__(self, lines: Sequence[Line], ledger: Ledger):
        self.ledger, self.question = ledger, ledger.question
        self._blocks = [block for block in _blocks(lines, ledger.question) if len(block) > 1]
        self.numbers = {row.digits for block in self._blocks for part in block for row in part}
        self.results: dict[str, int] = {}
        for row in (row for block in self._blocks for part in block[1:] for row in part):
            self.results.setdefault(row.digits, row.line)

    def first_error(self) -> Finding | None:
        """The first number in a column that is wrong; the ledger has to be filled by then."""
        found = (self._check(*block) for block in self._blocks)
        return next((finding for finding in found if finding is not None), None)

    def _check(self, above: _Part, under: _Part, *more: _Part) -> Finding | None:
        if not under or not self._in_base(
            {row.digits for part in (above, under, *more) for row in part}
        ):
            return None
        signs = [row.sign for row in above]
        if signs[1:] == ["×"]:
            return self._multiplication(above[0], above[1], under, more[0] if more else ())
        if set(signs) <= {"", "+"} and ("+" in signs[1:] or len(above) > 2):
            return self._addition(above, under[0])
        return None

    def _in_base(self, digits: set[str]) -> bool:
        """Whether the numbers are surely in the base of the task.

        In base 16 a column of numbers without letters may be decimal work after a conversion.
        """
        if self.question.base == 10:
            return True
        letters = any(not text.isdigit() for text in digits)
        known = any(text in self.ledger.base_16 and len(text) >= LONG for text in digits)
        return (letters or known) and not digits & self.ledger.base_10

    def _found(self, kind: Kind, why: str, row: _Row, right: int | None = None) -> Finding:
        """A finding about a row; with its right value, where it is first wrong is said, too."""
        quote = "" if row.digits in self.question.secrets else row.digits
        if right is not None:
            why = f"{why} {first_wrong_place(row.value, right, self.question.base)}"
        return Finding(kind, why, row.line, quote, row.numeral.start)

    def _addition(self, terms: _Part, total: _Row) -> Finding | None:
        right = sum(row.value for row in terms)
        aligned = len({row.numeral.end for row in (*terms, total)}) == 1
        if total.value == right or not aligned:  # else one may be meant to be shifted
            return None
        if self.question.base == 16 and is_decimal_sum(*(row.digits for row in (*terms, total))):
            return self._found(Kind.BASE, "The column is added up as if it were decimal.", total)
        return self._found(Kind.SUM, "It is not the sum of the numbers above it.", total, right)

    def _multiplication(self, one: _Row, two: _Row, rows: _Part, under: _Part) -> Finding | None:
        for row, other in ((one, two), (two, one)):
            meant = self.question.other(other.digits)
            is_factor = row.digits in self.question.factors
            if meant is not None and not is_factor and is_slip(row.digits, meant):
                why = f"It multiplies {row.digits}. The question's factor is {meant}."
                return self._found(Kind.MISREAD, why, row)
        if len(rows) == 1:  # of a factor of several digits it is an answer, not a step
            is_step = len(two.digits.rstrip("0")) == 1
            return self._row(rows[0], one.value * two.value, None) if is_step else None
        expected = _expected(rows, one.value, two.digits, self.question)
        for row, (product, place) in zip(rows, expected, strict=False):
            if found := self._row(row, product, place):
                return found
        return self._total(one.value * two.value, rows, under[0]) if expected and under else None

    def _row(self, row: _Row, product: int, place: int | None) -> Finding | None:
        """What is wrong with a partial product, which may be written with its zeros or without.

        Args:
            place: the place of the digit that it belongs to; None where any will do.
        """
        base = self.question.base
        power = power_between(product, row.value, base)
        if power is None:  # compared with what it is nearer to
            shifted = product * base ** (place or 0)
            right = min(product, shifted, key=lambda meant: abs(meant - row.value))
            why = "This row is not the product that it should be."
            return self._found(Kind.PRODUCT, why, row, right)
        if place is None or power in (0, place):
            return None
        why = "This row stands in the wrong place for the digit that it belongs to."
        return self._found(Kind.SHIFT, why, row)

    def _total(self, right: int, rows: _Part, total: _Row) -> Finding | None:
        if total.value == right:
            return None
        if total.value == sum(row.value for row in rows):
            why = "The rows are added without being shifted to the places of their digits."
            return self._found(Kind.SHIFT, why, total)
        why = "It is not the sum of the rows above it, each shifted to its place."
        return self._found(Kind.SUM, why, total, right)


def _expected(rows: _Part, factor: int, digits: str, question: Question) -> list[tuple[int, int]]:
    """For each row the product that it should be and its place; empty if that is not plain."""
    by_place = [
        (factor * int(digit, question.base), place) for place, digit in enumerate(reversed(digits))
    ]
    without_zeros = [pair for pair in by_place if pair[0]]
    for pairs in (by_place, without_zeros, by_place[::-1], without_zeros[::-1]):
        powers = [
            power_between(product, row.value, question.base)
            for row, (product, _) in zip(rows, pairs, strict=False)
        ]
        if len(pairs) == len(rows) and 2 * powers.count(None) <= len(rows):
            return pairs
    return []


def _blocks(lines: Sequence[Line], question: Question) -> Iterator[list[list[_Row]]]:
    """Runs of rows in lines that follow each other, parted by ruled lines."""
    parts: list[list[_Row]] = [[]]
    last = 0
    for line in lines:
        row = None if line.cut else _row(line, question)
        ruled = _RULE.match(line.text) is not None
        apart = line.number > last + 1 and len(parts) > 1 and parts[-1]
        if apart or not (ruled or row):
            yield parts
            parts = [[]]
        last = line.number
        if ruled or (row and row.sign == "="):
            parts.append([])
        if row and not ruled:
            parts[-1].append(row)
    yield parts


def _row(line: Line, question: Question) -> _Row | None:
    """A line that is one number, with a sign before it and a remark after it at most."""
    tokens = [token for token in line.tokens if token.text != "|"]
    sign = _SIGNS.get(tokens[0].text, "") if tokens else ""
    tokens = tokens[bool(sign) :]
    numeral = tokens[0].numeral if tokens else None
    if numeral is None or not numeral.digits.isalnum() or not numeral.regular:
        return None
    remarked = len(tokens) == 1 or tokens[1].text in _REMARKS
    if numeral.marked not in (None, question.base) or not remarked:
        return None
    return _Row(sign, numeral, line.number, int(numeral.digits, question.base))
