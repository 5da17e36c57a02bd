"""Steps of long multiplication with labelled numbers, in lines or in the columns of a table.

"Multiply 18222 by '1' → Partial product: 18222, Shifted: 182220, Intermediate Sum: 1FACCA": the
partial product is the product, the shifted one has the zeros of its digit's place, and each running
sum is the one before it plus the shifted product.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from feedback_friction.reading.numerals import Numeral, numerals
from feedback_friction.tasks.tutor.chains import Chain
from feedback_friction.tasks.tutor.finding import Finding, Kind
from feedback_friction.tasks.tutor.lines import Line
from feedback_friction.tasks.tutor.question import Question, is_decimal_sum, places, power_between
from feedback_friction.tasks.tutor.verify import products_in
from feedback_friction.tasks.tutor.wording import censored, first_wrong_place

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
    """One factor times a digit of the other.

    Attributes:
        value: what the partial product is worth.
        decimal: the product of the same digits read in base 10.
        places: all places of the digit in the other factor, from the right. Which of them is meant
            the order of the steps might tell, but solvers repeat and skip steps.
        addend: the shifted product, once it is known.
    """

    value: int
    decimal: int
    places: tuple[int, ...]
    addend: int | None = None


@dataclass
class Steps:
    """Reads labelled steps line by line.

    Attributes:
        question: the question.
        results: numbers that were labelled, with their lines.
    """

    question: Question
    results: dict[str, int] = field(default_factory=dict)
    _step: _Step | None = None
    _running: Numeral | None = None
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def first_error(self, lines: Sequence[Line], chains: Sequence[Chain]) -> Finding | None:
        """The first labelled number that is wrong."""
        products = _products_by_line(chains)
        columns: dict[int, str] = {}
        for line in lines:
            for factors in products.get(line.number, ()):
                self._begin(*factors)
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
        if numeral.marked not in (None, self.question.base) or not numeral.digits.isalnum():
            return None
        value = int(numeral.digits, self.question.base)
        if label == "running":
            return self._check_running(numeral, value)
        if self._step is None:
            return None
        if label == "product":
            return self._check_product(self._step, numeral, value)
        return self._check_shifted(self._step, value)

    def _check_product(self, step: _Step, numeral: Numeral, value: int) -> tuple[Kind, str] | None:
        power = power_between(step.value, value, self.question.base)
        if power == 0 or power in step.places:
            step.addend = value if power in step.places else None
            return None
        if numeral.digits == str(step.decimal):
            return Kind.BASE, "The partial product is calculated as if the numbers were decimal."
        if power is not None:
            return Kind.SHIFT, "The partial product has the wrong number of zeros at its end."
        place = first_wrong_place(value, step.value, self.question.base)
        return Kind.PRODUCT, f"The partial product is wrong. {place}"

    def _check_shifted(self, step: _Step, value: int) -> tuple[Kind, str] | None:
        power = power_between(step.value, value, self.question.base)
        step.addend = value
        if value == step.value == 0 or power in step.places or not step.places:
            return None
        if power is None:
            return Kind.SHIFT, "The shifted number is not the partial product with zeros after it."
        return Kind.SHIFT, "The partial product is shifted to the wrong place for its digit."

    def _check_running(self, numeral: Numeral, value: int) -> tuple[Kind, str] | None:
        before, self._running = self._running, numeral
        step, self._step = self._step, None
        if step is None or step.addend is None:
            return None
        base = self.question.base
        if before is None and len(self._seen) > 1:
            return None  # the sums before it were not labelled
        sum_before = before.digits if before else "0"
        right = int(sum_before, base) + step.addend
        if value == right:
            return None
        addend = self.question.write(step.addend)
        if base == 16 and is_decimal_sum(sum_before, addend, numeral.digits):
            return Kind.BASE, "The running sum is added up as if the numbers were decimal."
        return Kind.SUM, f"The running sum is wrong. {first_wrong_place(value, right, base)}"


def _products_by_line(chains: Sequence[Chain]) -> dict[int, list[tuple[str, str]]]:
    """The products of two numbers that chains begin with, by line."""
    found: dict[int, list[tuple[str, str]]] = {}
    for chain in chains:
        for one, two in products_in(chain.pieces[0].expression):
            found.setdefault(chain.line, []).append((one.digits, two.digits))
    return found


def _labelled(line: Line, question: Question) -> Iterator[tuple[str, Numeral]]:
    """The labels of a line with the numbers that follow them."""
    if not (labels := list(_LABEL.finditer(line.text))):
        return
    found = numerals(line.text, question.base)
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
    if not columns:
        return
    for index, cell in enumerate(line.text.strip().strip("|").split("|")):
        found = numerals(cell, question.base)
        if index in columns and found:
            value = _value_at(cell, found[0].start, found)
            if value is not None:
                yield columns[index], value
