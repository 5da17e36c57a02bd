"""What an attempt says beside equations: labelled numbers, digits and carries, remainders.

"Multiply 18222 by '1' → Partial product: 18222, Shifted: 182220, Intermediate Sum: 1FACCA": the
partial product is the product, the shifted one has the zeros of its digit's place, and each running
sum is the one before it plus the shifted product. The labels may head the columns of a table.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product

from feedback_friction.reading.mathematics.nodes import Number
from feedback_friction.reading.numerals import Numeral, numerals
from feedback_friction.tasks.tutor.chains import Chain
from feedback_friction.tasks.tutor.finding import Finding, Kind, censored, first_wrong_place
from feedback_friction.tasks.tutor.lines import Line
from feedback_friction.tasks.tutor.question import Question, is_decimal_sum, places, power_between
from feedback_friction.tasks.tutor.verify import products_in

# --- labelled numbers -----------------------------------------------------------------------------

_LABEL = re.compile(
    r"(?P<running>\b(?:(?:intermediate|running|cumulative|new) (?:sum|total)|accumulated"
    r"(?: sum| total)?|(?:sum|total) so far)\b)"
    r"|(?P<shifted>\bshifted\b(?: (?:left|product|value|result))*(?: by [0-9]{1,2})?\b)"
    r"|(?P<product>\bpartial product\b)",
    re.I,
)
_SAYS = re.compile(r"\s{0,3}(?:is|=|:|→)\s{0,3}", re.I)
_GOES_ON = re.compile(r"\s{0,3}[×+=]\s{0,3}")


@dataclass
class _Step:
    """One factor times a digit of the other."""

    value: int  # what the partial product is worth
    decimal: int  # the product of the same digits read in base 10
    # all places of the digit in the other factor, from the right. Which of them is meant the order
    # of the steps might tell, but solvers repeat and skip steps.
    places: tuple[int, ...]
    addend: int | None = None  # the shifted product, once it is known


@dataclass
class Steps:
    """Reads labelled steps line by line."""

    question: Question  # the question
    # numbers that were labelled, with their lines
    results: dict[str, int] = field(default_factory=dict)
    _step: _Step | None = None
    _running: str = ""  # digits of the last running sum
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def first_error(self, lines: Sequence[Line], chains: Sequence[Chain]) -> Finding | None:
        """The first labelled number that is wrong."""
        columns: dict[int, str] = {}
        products: defaultdict[int, list[tuple[Number, Number]]] = defaultdict(list)
        for chain in chains:
            products[chain.line] += products_in(chain.pieces[0].expression)
        for line in lines:
            for one, two in products[line.number]:
                self._begin(one.digits, two.digits)
            header = _header(line)
            columns = header or (columns if "|" in line.text else {})
            cells = () if header else _cells(line, columns, self.question)
            for label, numeral in (*_labelled(line, self.question), *cells):
                self.results.setdefault(numeral.digits, line.number)
                found = self._check(label, numeral) if line.asserted and not line.cut else None
                if found is not None:
                    kind, why = found
                    quote = censored(self.question, line.text)
                    return Finding(kind, why, line.number, quote, numeral.start)
        return None

    def _begin(self, one: str, two: str) -> None:
        """A step, if one number is a factor and the other a digit of the other factor.

        Any other product of more than two digits ends the step before it.
        """
        if len(one) == len(two) == 1 and not {one, two} & set(self.question.factors):
            return
        self._step = None
        for factor, digit in ((one, two), (two, one)):
            other = self.question.other(factor)
            if other is not None and len(digit) == 1:
                value = int(factor, self.question.base) * int(digit, self.question.base)
                decimal = int(factor) * int(digit) if (factor + digit).isdigit() else -1
                self._step = _Step(value, decimal, tuple(places(digit, other)))
                self._seen.add((factor, digit))
                return

    def _check(self, label: str, numeral: Numeral) -> tuple[Kind, str] | None:
        base, digits, step = self.question.base, numeral.digits, self._step
        if numeral.marked not in (None, base) or not digits.isalnum():
            return None
        value = int(digits, base)
        if label == "running":
            before, self._running, self._step = self._running, digits, None
            return self._running_sum(step, before, digits)
        if step is None:
            return None
        power = power_between(step.value, value, base)
        in_place = power in step.places
        if label == "shifted":
            step.addend = value
            if value == step.value == 0 or in_place or not step.places:
                return None
            return Kind.SHIFT, _SHIFTED[power is None]
        if power == 0 or in_place:
            step.addend = value if in_place else None
            return None
        if digits == str(step.decimal):
            return Kind.BASE, "The partial product is calculated as if the numbers were decimal."
        if power is not None:
            return Kind.SHIFT, "The partial product has the wrong number of zeros at its end."
        where = first_wrong_place(value, step.value, base)
        return Kind.PRODUCT, f"The partial product is wrong. {where}"

    def _running_sum(self, step: _Step | None, before: str, digits: str) -> tuple[Kind, str] | None:
        unlabelled = not before and len(self._seen) > 1  # the sums before it
        if step is None or step.addend is None or unlabelled:
            return None
        base = self.question.base
        value, right = int(digits, base), int(before or "0", base) + step.addend
        if value == right:
            return None
        if base == 16 and is_decimal_sum(before or "0", self.question.write(step.addend), digits):
            return Kind.BASE, "The running sum is added up as if the numbers were decimal."
        return Kind.SUM, f"The running sum is wrong. {first_wrong_place(value, right, base)}"


_SHIFTED = (
    "The partial product is shifted to the wrong place for its digit.",
    "The shifted number is not the partial product with zeros after it.",
)


def _labelled(line: Line, question: Question) -> Iterator[tuple[str, Numeral]]:
    """The labels of a line with the numbers that follow them."""
    labels = list(_LABEL.finditer(line.text))
    found = numerals(line.text, question.base) if labels else ()
    for label in labels:
        says = _SAYS.match(line.text, label.end())
        if says and (numeral := _value_at(line.text, says.end(), found)):
            yield label.lastgroup or "", numeral


def _value_at(text: str, start: int, found: Sequence[Numeral]) -> Numeral | None:
    """The number at the end of "N" or "a × b = N" that begins at a place; None for "a × b"."""
    value: Numeral | None = None
    sign = "="
    for numeral in found:
        if numeral.start < start:
            continue
        if value is None and text[start : numeral.start].strip(" '\""):
            return None
        if value is not None:
            joint = _GOES_ON.fullmatch(text[value.end : numeral.start])
            if joint is None:
                break
            sign = joint[0].strip()
        value = numeral
    return value if sign == "=" else None


def _header(line: Line) -> dict[int, str]:
    """The labels of a table's columns, for the line that names them."""
    if "|" not in line.text or any(token.numeral for token in line.tokens):
        return {}
    cells = line.text.strip().strip("|").split("|")
    found = ((index, _LABEL.search(cell)) for index, cell in enumerate(cells))
    return {index: label.lastgroup or "" for index, label in found if label}


def _cells(
    line: Line, columns: dict[int, str], question: Question
) -> Iterator[tuple[str, Numeral]]:
    """The numbers in the labelled columns of a row."""
    cells = line.text.strip().strip("|").split("|") if columns else ()
    for index, cell in enumerate(cells):
        found = numerals(cell, question.base) if index in columns else ()
        if found and (value := _value_at(cell, found[0].start, found)):
            yield columns[index], value


# --- digits written down and carried, and divisions with a remainder -----------------------------

_N = r"(?-i:[0-9A-F]{1,20})"
_CARRY = re.compile(
    rf"(?<![0-9A-Za-z.,])(?P<total>{_N})\s*[,;.:→–]*\s*(?:so\s+)?(?:i\s+|we\s+)?"
    rf"(?:write|put)\s+(?:down\s+)?(?:the\s+)?(?P<digit>{_N})\s*(?:down)?[,;]?\s*(?:and\s+)?"
    rf"(?:carry|carrying)\s+(?:over\s+)?(?:the\s+)?(?P<carry>{_N})(?![0-9A-Za-z])",
    re.I,
)
_REMAINDER = re.compile(
    rf"(?<![0-9A-Za-z.,×+/^(-])(?P<number>{_N})\s*/\s*(?P<divisor>{_N})\s*"
    rf"[=:→]\s*(?P<quotient>{_N})\s*,?\s*(?:with\s+|and\s+)?(?:a\s+)?"
    rf"(?:remainder|rem\.?|r)\s*(?:of\s+|[=:]\s*)?(?P<rest>{_N})(?![0-9A-Za-z])",
    re.I,
)
_Check = tuple[re.Pattern[str], Callable[..., bool], str]
_CHECKS: tuple[_Check, ...] = (
    (
        _CARRY,
        lambda base, total, digit, carry: total == carry * base + digit,
        "The digit written down and the carry do not make up the number before them.",
    ),
    (
        _REMAINDER,
        lambda base, number, divisor, quotient, rest: number == divisor * quotient + rest,
        "Quotient times divisor plus remainder is not the number that is divided.",
    ),
)


def wrong_digits(lines: Sequence[Line], question: Question) -> Finding | None:
    """The first digit and carry, or quotient and remainder, that are wrong."""
    for line in lines:
        for check in _CHECKS if line.asserted and not line.cut else ():
            if found := _wrong(line, question, *check):
                return found
    return None


def _wrong(
    line: Line, question: Question, pattern: re.Pattern[str], holds: Callable[..., bool], why: str
) -> Finding | None:
    """The first place of a line where a pattern's numbers do not hold in any reading."""
    bases = (10,) if question.base == 10 else (16, 10)
    division = Kind.CONVERSION if question.base == 16 else Kind.EQUATION
    for found in pattern.finditer(line.text):
        if question.base == 10 and not all(map(str.isdigit, found.groups())):
            continue
        readings = product(bases, *(_readings(part, question) for part in found.groups()))
        if not any(holds(*reading) for reading in readings):
            kind = Kind.CARRY if pattern is _CARRY else division
            return Finding(kind, why, line.number, censored(question, found[0]), found.start())
    return None


def _readings(text: str, question: Question) -> set[int]:
    """What a number can be worth: in base 16 a number without letters may be decimal."""
    decimal = {int(text)} if text.isdigit() else set()
    return decimal if question.base == 10 else decimal | {int(text, 16)}
