"""The tutor on factors of 2 to 4 digits, where numbers that are different things often coincide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import pytest
from attempts import STYLES, attempt
from hypothesis import given
from hypothesis import strategies as st

from feedback_friction.problem import Problem
from feedback_friction.tasks.catalog import get_page
from feedback_friction.tasks.multiplication import KINDS
from feedback_friction.tasks.tutor import Kind, find_error, tutor

KIND = KINDS["decimal"]
PAGE = get_page(KIND.task)


def _problem(first: int, second: int) -> Problem:
    factors = (str(first), str(second))
    return PAGE.to_problem({"question": KIND.question.format(*factors), "answer": first * second})


@dataclass
class Work:
    """Partial products in the places of the second factor, then one sum or one after the other.

    Attributes:
        first, second: the factors.
        chained: whether the sums follow each other.
        wrong: which of its numbers, counted from 0, are slips.
        lines: what is written.
        slips: lines with a slip, from 1.
    """

    first: int
    second: int
    chained: bool
    wrong: frozenset[int]
    rng: Random
    lines: list[str] = field(default_factory=list)
    slips: list[int] = field(default_factory=list)
    asked: int = 0
    answer: int = 0

    def number(self, right: int) -> int:
        self.asked += 1
        if self.asked - 1 not in self.wrong:
            return right
        self.slips.append(len(self.lines) + 1)
        return _slipped(right, self.rng)

    def write(self) -> Work:
        digits = str(self.second)
        products = []
        for place, digit in enumerate(digits, 1):
            part = int(digit) * 10 ** (len(digits) - place)
            products.append(self.number(self.first * part))
            self.lines.append(f"{self.first} * {part} = {products[-1]}")
        total = self._chain(products) if self.chained else self._sum(products)
        self.answer = self.number(total)
        self.lines.append(f"\\boxed{{{self.answer}}}")
        return self

    def _sum(self, products: list[int]) -> int:
        terms = [self.number(product) for product in products]
        total = self.number(sum(terms))
        self.lines.append(f"{' + '.join(map(str, terms))} = {total}")
        return total

    def _chain(self, products: list[int]) -> int:
        total = products[0]
        for product in products[1:]:
            one, other = self.number(total), self.number(product)
            total = self.number(one + other)
            self.lines.append(f"{one} + {other} = {total}")
        return total


def _slipped(right: int, rng: Random) -> int:
    """One digit changed, a carry lost or one too many, a zero too many or too few, or reversed."""
    digits = str(right)
    place = rng.randrange(len(digits))
    change = digits[:place] + rng.choice("123456789") + digits[place + 1 :]
    wrong = rng.choice(
        [
            int(change),
            abs(right + rng.choice([-100, -10, -1, 1, 10, 100])),
            right * 10,
            right // 10 if right % 10 == 0 else right + 2,
            int(digits[::-1]),
        ]
    )
    return wrong if wrong != right else right + 1


def _drawn(digits: int, rng: Random, slips: int) -> Work:
    low, high = 10 ** (digits - 1), 10**digits - 1
    first, second = rng.randint(low, high), rng.randint(low, high)
    if rng.random() < 0.2:  # zeros, repeated digits, the same number twice
        second = rng.choice([second // 10 * 10, first, low, int("1" * digits)])
    chained = rng.random() < 0.5
    asked = Work(first, second, chained, frozenset(), rng).write().asked
    return Work(first, second, chained, frozenset(rng.sample(range(asked), slips)), rng).write()


def _hides(problem: Problem, text: str) -> bool:
    masked = PAGE.task.mask(problem, text)
    return not masked.spans and not masked.leaks and not PAGE.task.grade(problem, text).is_correct


@pytest.mark.slow
@pytest.mark.parametrize("digits", [2, 3, 4])
def test_one_slip_is_named_by_its_line(digits: int) -> None:
    rng, lines = Random(digits), Counter[str]()
    for _ in range(300):
        work = _drawn(digits, rng, slips=1)
        problem = _problem(work.first, work.second)
        text = "\n".join(work.lines)
        found = find_error(problem, text)
        assert _hides(problem, tutor(problem, text))
        if work.answer == work.first * work.second:
            continue  # a slip without consequences
        lines["named" if found.line == work.slips[0] else "not named"] += 1
        assert found.line in (None, work.slips[0]), text
    assert lines["named"] > 200
    assert lines["not named"] <= 3  # where a slip looks like another one


@pytest.mark.slow
@pytest.mark.parametrize("digits", [2, 3])
def test_of_several_slips_a_wrong_line_is_named_and_never_a_right_one(digits: int) -> None:
    rng = Random(digits)
    for _ in range(300):
        work = _drawn(digits, rng, slips=2 + rng.randrange(2))
        text = "\n".join(work.lines)
        problem = _problem(work.first, work.second)
        found = find_error(problem, text)
        assert _hides(problem, tutor(problem, text))
        if work.answer != work.first * work.second:
            assert found.line is None or found.line in work.slips, text


@pytest.mark.slow
def test_right_work_on_every_pair_of_two_digits_is_never_found_wrong() -> None:
    rng = Random(0)
    for first in range(10, 100):
        for second in rng.sample(range(10, 100), 12):
            work = Work(first, second, False, frozenset(), rng).write()
            found = find_error(_problem(first, second), "\n".join(work.lines))
            assert found.kind is Kind.NONE, work.lines


@pytest.mark.slow
@given(
    digits=st.integers(2, 4),
    base=st.sampled_from([10, 16]),
    style=st.integers(0, 99),
    data=st.data(),
)
def test_right_work_in_any_style_is_never_found_wrong(
    digits: int, base: int, style: int, data: st.DataObject
) -> None:
    kind = KINDS["decimal" if base == 10 else "hex"]
    numbers = st.integers(10 ** (digits - 1) if base == 10 else 4, 10**digits - 1)
    first, second = (f"{data.draw(numbers):0{digits}d}" for _ in range(2))
    problem = get_page(kind.task).to_problem(
        {"question": kind.question.format(first, second), "answer": kind.product((first, second))}
    )
    write = STYLES[base][style % len(STYLES[base])]
    text = attempt(write, base, (first, second), None, 0).text()
    assert find_error(problem, text).kind is Kind.NONE, text
    assert find_error(problem, problem.solution or "").kind is Kind.NONE


# --- the set-up of the work, where no line is wrong -----------------------------------------------

Spoil = Callable[[list[tuple[int, int]], int], int | None]


def _misread_once(rows: list[tuple[int, int]], _: int) -> int | None:
    rows[-1] = (int(str(rows[-1][0])[::-1]), rows[-1][1])
    return len(rows)


def _misread_throughout(rows: list[tuple[int, int]], _: int) -> int | None:
    rows[:] = [(one + 10, part) for one, part in rows]
    return 1


def _wrong_part(rows: list[tuple[int, int]], second: int) -> int | None:
    unit = 10 ** (len(str(rows[0][1])) - 1)
    rows[0] = (rows[0][0], (rows[0][1] // unit % 9 + 1) * unit)
    return 1


def _part_left_out(rows: list[tuple[int, int]], _: int) -> int | None:
    del rows[0]
    return None


def _part_twice(rows: list[tuple[int, int]], _: int) -> int | None:
    rows.append(rows[-1])
    return None


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (_misread_once, Kind.MISREAD),
        (_misread_throughout, Kind.MISREAD),
        (_wrong_part, Kind.SPLIT),
        (_part_left_out, Kind.MISSING),
        (_part_twice, Kind.MISSING),
    ],
)
@pytest.mark.parametrize(("first", "second"), [(47, 36), (58, 23), (472, 628), (3904, 5172)])
def test_work_that_is_set_up_wrongly_is_told_how(
    first: int, second: int, spoil: Spoil, kind: Kind
) -> None:
    digits = str(second)
    parts = [int(digit) * 10 ** (len(digits) - at) for at, digit in enumerate(digits, 1)]
    rows = [(first, part) for part in parts]
    line = spoil(rows, second)
    products = [one * part for one, part in rows]
    lines = [f"{one} * {part} = {one * part}" for one, part in rows]
    lines.append(f"{' + '.join(map(str, products))} = {sum(products)}")
    problem, text = _problem(first, second), "\n".join([*lines, f"\\boxed{{{sum(products)}}}"])
    found = find_error(problem, text)
    assert (found.kind, found.line) == (kind, line), found
    assert _hides(problem, tutor(problem, text))


def test_an_answer_that_is_a_factor_or_an_earlier_result_is_not_the_last_result() -> None:
    lines = ["25 * 40 = 1000", "25 * 8 = 200", "1000 + 200 = 1200"]
    for answer in (1000, 25):
        found = find_error(_problem(25, 48), "\n".join([*lines, f"\\boxed{{{answer}}}"]))
        assert (found.kind, found.line) == (Kind.ANSWER, 4)
        assert "that of line 3" in found.why


def test_what_is_quoted_has_the_signs_of_arithmetic_and_no_secret() -> None:
    text = "473 * 600 = 283800\n473 * 20 = 9640\n473 * 8 = 3784\n283800 + 9640 = 293440\n"
    said = tutor(_problem(473, 628), text + "293440 + 3784 = 297224\n\\boxed{297224}")
    assert said == (
        'Look at "473 × 20 = 9640". The product is wrong. Counting from the right, its first wrong '
        "digit is in the tens. Multiply again digit by digit, with the carries, and redo every "
        "line that uses this result."
    )
    text = "40 * 30 = 1200\n40 * 6 = 240\n7 * 30 = 210\n7 * 6 = 42\n1200 + 240 + 210 + 42 = 1592\n"
    said = tutor(_problem(47, 36), text + "\\boxed{1592}")
    assert 'Look at "… + … + … + … = 1592".' in said
