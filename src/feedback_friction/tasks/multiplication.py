"""What the two multiplication tasks share: making, working out and reading their problems.

The rows follow the reference schema (JHU-CLSP/Feedback-Friction)::

    {"question": "Calculate the following question: 40817 * 49026.", "answer": 2001094242,
     "range": "[40000, 49999]", "Explanation": "..."}
    {"question": "Calculate the following question, where each number is represented in base 16: "
     "30491 * 07264.", "answer": "159365AA4", "range": "[30491, 07264]", "Explanation": "...",
     "Verification": true}

As the study made them (Jiang et al. 2025, section 3): decimal factors both lie in the range of one
leading digit, and the nine leading digits occur equally often; hexadecimal factors are strings of
random digits 0-9, leading zeros included, that are read in base 16.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from feedback_friction.errors import UsageError
from feedback_friction.grading.number import canonical, grade_number
from feedback_friction.grading.verdict import Verdict
from feedback_friction.problem import Problem
from feedback_friction.protocol.masking.numbers import split, split_place
from feedback_friction.reading.numerals import Base, numerals, plain
from feedback_friction.tasks.fields import text
from feedback_friction.tasks.page import Row, RowError

DIGITS = (2, 3, 4, 5, 6)  # the study has 5 and 6; fewer are for small models
_LONGEST_FACTOR = 50  # digits
_PLACES = {10: "tens", 100: "hundreds", 1000: "thousands"}
_THE_HEX_QUESTION = (
    "Calculate the following question, where each number is represented in base 16: {} * {}."
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the two tasks: its name for ``generate``, the task's name, its base, how it asks."""

    name: str
    task: str
    base: Base
    question: str

    def write(self, number: int) -> str:
        """A number in the task's base, e.g. ``"DCB2096CA"``."""
        return f"{number:d}" if self.base == 10 else f"{number:X}"

    def product(self, factors: tuple[str, str]) -> str:
        """The product of two numbers written in the task's base."""
        return self.write(int(factors[0], self.base) * int(factors[1], self.base))


DECIMAL = Kind(
    "decimal", "decimal_multiplication", 10, "Calculate the following question: {} * {}."
)
HEX = Kind("hex", "hex_multiplication", 16, _THE_HEX_QUESTION)
KINDS = {kind.name: kind for kind in (DECIMAL, HEX)}


# --- making problems -----------------------------------------------------------------------------


def generate(kind: str, digits: int, count: int, seed: int) -> list[Row]:
    """Rows in the reference schema, all different; a row does not depend on how many follow it.

    Args:
        kind: ``"decimal"`` or ``"hex"``.
        digits: digits of each factor, 2 to 6.
        count: number of rows, at least 1 and at most as many as there are.
        seed: the same seed gives the same rows.

    Raises:
        UsageError: an argument is none of these.
    """
    if kind not in KINDS:
        raise UsageError(f"unknown kind of multiplication '{kind}'; allowed: {', '.join(KINDS)}")
    if digits not in DIGITS:
        allowed = ", ".join(map(str, DIGITS))
        raise UsageError(f"cannot generate factors of {digits} digits; allowed: {allowed}")
    if count < 1:
        raise UsageError(f"cannot generate {count} problems; at least 1 is needed")
    _check_that_there_are(kind, digits, count)
    draw = _draw_decimal if kind == "decimal" else _draw_hex
    seen: set[tuple[str, str]] = set()
    rows: list[Row] = []
    for index in range(count):
        rng = Random(f"{seed}:{kind}:{digits}:{index}")
        factors = draw(rng, digits, index)
        while factors in seen:
            factors = draw(rng, digits, index)
        seen.add(factors)
        rows.append(_row(KINDS[kind], factors))
    return rows


def existing(kind: str, digits: int) -> int:
    """How many different problems of a kind and a number of digits can be made.

    Decimal rows go through the leading digits in turn: as many of each, whatever the order.
    """
    if kind == "decimal":
        return 9 * _of_each_leading_digit(digits)
    too_small = sum(one * other < 16 for one in range(2, 8) for other in range(2, 8))
    return int((10**digits - 2) ** 2) - too_small


def _of_each_leading_digit(digits: int) -> int:
    return int(100 ** (digits - 1))


def _check_that_there_are(kind: str, digits: int, count: int) -> None:
    """Refuse more different problems than exist, for which ``generate`` would draw for ever."""
    most = existing(kind, digits)
    if count > most:
        each = f", {_of_each_leading_digit(digits)} for each leading digit"
        raise UsageError(
            f"cannot generate {count} different {kind} problems of {digits} digits; "
            f"there are {most}{each if kind == 'decimal' else ''}"
        )


def _draw_decimal(rng: Random, digits: int, index: int) -> tuple[str, str]:
    first, last = _decade(1 + index % 9, digits)
    return str(rng.randint(first, last)), str(rng.randint(first, last))


def _draw_hex(rng: Random, digits: int, index: int) -> tuple[str, str]:
    """Two strings of digits, neither of them zero or one, with a product of two digits or more."""
    while True:
        one, other = (f"{rng.randrange(10**digits):0{digits}d}" for _ in range(2))
        if min(int(one), int(other)) > 1 and int(one, 16) * int(other, 16) > 15:
            return one, other


def _decade(leading: int, digits: int) -> tuple[int, int]:
    """The smallest and the largest number of so many digits with this leading digit."""
    return leading * 10 ** (digits - 1), (leading + 1) * 10 ** (digits - 1) - 1


def _row(kind: Kind, factors: tuple[str, str]) -> Row:
    """A row with its fields in the order of the reference files."""
    question, product = kind.question.format(*factors), kind.product(factors)
    explanation = {"Explanation": solution(kind, factors)}
    if kind.base == 10:
        low, high = _decade(int(factors[0][0]), len(factors[0]))
        fields = {"question": question, "answer": int(product), "range": f"[{low}, {high}]"}
        return fields | explanation
    fields = {"question": question, "answer": product, "range": f"[{factors[0]}, {factors[1]}]"}
    return fields | explanation | {"Verification": True}


# --- working them out ----------------------------------------------------------------------------


def solution(kind: Kind, factors: tuple[str, str]) -> str:
    """The worked solution by the study's decomposition.

    Decimal: both factors split at one place (at the thousands for 5 and 6 digits, see
    ``split_place``), four partial products, one sum. A running sum would give away what masking
    the partial products hides. Hexadecimal: the first factor times
    each digit of the second, from the right, shifted, and a running sum.
    """
    lines = _by_parts(*factors) if kind.base == 10 else _by_digits(*factors)
    return "\n".join([*lines, f"Final product = {kind.product(factors)}"])


def _by_parts(first: str, second: str) -> Iterator[str]:
    place = _PLACES[split_place(int(first), int(second))]
    yield f"Split both numbers at the {place} and multiply part by part: {first} * {second}"
    parts = split(int(first), int(second))
    for factor, (high, low) in zip((first, second), parts, strict=True):
        yield f"{factor} = {high} + {low}"
    products = [(one, other) for one in parts[0] for other in parts[1]]
    for step, (one, other) in enumerate(products, 1):
        yield f"Step {step}: {one} * {other} = {one * other}"
    terms = " + ".join(str(one * other) for one, other in products)
    yield f"Step 5: {terms} = {sum(one * other for one, other in products)}"


def _by_digits(first: str, second: str) -> Iterator[str]:
    yield f"In base 16, multiply {first} by each digit of {second}, from the right"
    rows = zip(reversed(second), _rows(first, second), strict=True)
    for place, (digit, (product, shifted, total)) in enumerate(rows):
        yield (
            f"Step {place + 1}: {first} * {digit} = {product:X}; "
            f"shifted by {place}: {product:X} * 1{'0' * place} = {shifted:X}; "
            f"running sum: {total - shifted:X} + {shifted:X} = {total:X}"
        )


def _rows(first: str, second: str) -> Iterator[tuple[int, int, int]]:
    """In base 16, each digit's partial product, the same shifted, and the running sum."""
    total = 0
    for place, digit in enumerate(reversed(second)):
        product = int(first, 16) * int(digit, 16)
        total += product << 4 * place
        yield product, product << 4 * place, total


# --- grading -------------------------------------------------------------------------------------


def grade(kind: Kind, problem: Problem, response: str) -> Verdict:
    """Whether the last answer in a reply is exactly the product."""
    return grade_number(problem.gold, response, kind.base, problem.operands)


# --- reading them --------------------------------------------------------------------------------


def factors_of(kind: Kind, question: str) -> tuple[str, str] | None:
    """The two factors of a question as they are written in it, or None.

    None, too, when the question has several products, or a factor of more than 50 digits.
    """
    digit = "0-9" if kind.base == 10 else "0-9A-Fa-f"
    times = r"\s?(?:\*|×|\\times|(?<=\s)x(?=\s))\s?"
    found = re.findall(rf"(?<!\w)([{digit}]+){times}([{digit}]+)(?!\w)", question)
    if len(found) != 1 or max(map(len, found[0])) > _LONGEST_FACTOR:
        return None
    first, second = found[0]
    return first, second


def to_problem(kind: Kind, row: Row) -> Problem:
    """A row of the reference schema as a problem.

    The answer is checked against the product. A supplied ``Explanation`` becomes the solution if
    each number of the worked solution stands in it, in order; else the solution is ours.

    Raises:
        RowError: a field is missing or wrong.
    """
    question = text(row, "question")
    factors = factors_of(kind, question)
    if factors is None:
        raise RowError("question", f"has no single product of two numbers in base {kind.base}")
    gold = _gold(kind, row)
    product = kind.product(factors)
    if gold != product:
        wrong = f"is {gold}, but {factors[0]} * {factors[1]} in base {kind.base} is {product}"
        raise RowError("answer", wrong)
    return Problem(
        id=f"{factors[0]}x{factors[1]}",
        task=kind.task,
        question=question,
        gold=gold,
        solution=_solution(kind, factors, row.get("Explanation")),
        level=f"{max(map(len, factors))} digits",
        operands=factors,
    )


def _gold(kind: Kind, row: Row) -> str:
    answer = row.get("answer")
    if answer is None:
        raise RowError("answer", "is missing")
    if isinstance(answer, bool) or not isinstance(answer, (int, str)):
        raise RowError("answer", "is neither a whole number nor a text")
    try:
        return canonical(str(answer), kind.base)
    except ValueError as error:
        raise RowError("answer", str(error)) from error


def _solution(kind: Kind, factors: tuple[str, str], supplied: object) -> str:
    if isinstance(supplied, str) and _is_consistent(kind, factors, supplied):
        return supplied
    return solution(kind, factors)


def _is_consistent(kind: Kind, factors: tuple[str, str], written: str) -> bool:
    """Whether the numbers of the worked solution stand in a text, in its order."""
    found = iter(numeral.digits for numeral in numerals(plain(written), kind.base))
    return all(any(number == digits for digits in found) for number in _milestones(kind, factors))


def _milestones(kind: Kind, factors: tuple[str, str]) -> Iterator[str]:
    """Partial products, shifted ones and running sums in the order of the worked solution."""
    if kind.base == 10:
        firsts, seconds = split(*map(int, factors))
        yield from (str(one * other) for one in firsts for other in seconds)
    else:
        yield from (f"{number:X}" for row in _rows(*factors) for number in row)
    yield kind.product(factors)
