"""Attempts at a multiplication in many styles, right or with one error that is carried on.

A style writes line by line and asks ``Work`` for every number that a solver could get wrong there.
``Work`` gives the right number, except once: then a slip of the kind that fits the place, and the
style goes on calculating with it, as a solver would.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from feedback_friction.tasks.tutor import Kind


@dataclass
class Work:
    """An attempt in the making.

    Attributes:
        base: 10 or 16.
        factors: the question's factors as written.
        rng: for the slip.
        wrong_at: which of the numbers asked for is to be wrong; None for none.
        lines: the lines so far.
        asked: how many numbers have been asked for.
        slip: kind and line of the error, once it is made.
    """

    base: int
    factors: tuple[str, str]
    rng: Random
    wrong_at: int | None = None
    lines: list[str] = field(default_factory=list)
    asked: int = 0
    slip: tuple[Kind, int] | None = None

    def add(self, *lines: str) -> None:
        """Write lines."""
        self.lines += lines

    def value(self, text: str) -> int:
        """What a number is worth in the base of the attempt."""
        return int(text, self.base)

    def write(self, value: int) -> str:
        """A number in the base of the attempt."""
        return f"{value:d}" if self.base == 10 else f"{value:X}"

    def number(self, kind: Kind, right: int, later: int = 0) -> int:
        """A number of the next line (or one ``later``), wrong if its turn has come."""
        if not self._is_turn():
            return right
        self.slip = (kind, len(self.lines) + 1 + later)
        return self._slipped(right, kind)

    def _is_turn(self) -> bool:
        self.asked += 1
        return self.slip is None and self.asked - 1 == self.wrong_at

    def _slipped(self, right: int, kind: Kind) -> int:
        if kind is Kind.SHIFT:
            return right * self.base
        digits = list(self.write(right))
        places = range(1, len(digits)) if len(digits) > 3 else range(len(digits))
        place = self.rng.choice(list(places))
        others = "123456789" if self.base == 10 else "123456789ABCDEF"
        if kind in (Kind.MISREAD, Kind.SPLIT):
            others = "123456789"
        digits[place] = self.rng.choice([other for other in others if other != digits[place]])
        return self.value("".join(digits))

    def misread(self, factor: str) -> str:
        """A factor copied from the question, with its zeros in front."""
        if len(factor.lstrip("0")) < 4 or not self._is_turn():
            return factor
        self.slip = (Kind.MISREAD, len(self.lines) + 1)
        while True:
            wrong = self.write(self._slipped(self.value(factor), Kind.MISREAD))
            if len(wrong) == len(factor.lstrip("0")) and not self._is_part(wrong):
                return wrong

    def _is_part(self, number: str) -> bool:
        """Whether a number could pass for one that has the digits of a factor in their places."""
        return any(
            all(mine in ("0", own) for mine, own in zip(number[::-1], factor[::-1], strict=False))
            for factor in self.factors
        )

    def text(self) -> str:
        """The attempt."""
        return "\n".join(self.lines)


Style = Callable[[Work], None]
Number = Callable[[int], str]


def _places(work: Work, factor: str) -> list[int]:
    """The places of a factor, each with its digit's value, zeros left out, from the left."""
    top = len(factor) - 1
    parts = [work.value(digit) * work.base ** (top - at) for at, digit in enumerate(factor)]
    return [part for part in parts if part]


def _split(work: Work, factor: str, places: int) -> list[int]:
    unit = work.base**places
    value = work.value(factor)
    return [value // unit * unit, value % unit]


def _wrong_part(work: Work, parts: list[int]) -> list[int]:
    return [work.number(Kind.SPLIT, part) if part >= work.base else part for part in parts]


def thousands(work: Work, times: str = "*", shown: Number | None = None, box: str = "{}") -> None:
    """Both factors split at the thousands, four partial products, one sum."""
    show = shown or work.write
    first, second = (work.misread(factor) for factor in work.factors)
    work.add(f"We need {show(work.value(first))} {times} {show(work.value(second))}.", "")
    parts = []
    for name in (first, second):
        split = _wrong_part(work, _split(work, name, 3))
        work.add(box.format(f"{show(work.value(name))} = {show(split[0])} + {show(split[1])}"))
        parts.append(split)
    products = []
    for one in parts[0]:
        for other in parts[1]:
            products.append(work.number(Kind.PRODUCT, one * other))
            work.add(box.format(f"{show(one)} {times} {show(other)} = {show(products[-1])}"))
    _add_up(work, products, show, box)


def _add_up(work: Work, terms: list[int], show: Number, box: str) -> None:
    copied = [work.number(Kind.COPY, term) if term > 10**5 else term for term in terms]
    total = work.number(Kind.SUM, sum(copied))
    work.add("", "Adding them up:")
    if work.slip and work.slip[1] > len(work.lines) - 2:
        work.slip = (work.slip[0], len(work.lines) + 1)
    work.add(box.format(f"{' + '.join(map(show, copied))} = {show(total)}"), "")
    _state(work, total, show)


def _state(work: Work, total: int, show: Number) -> None:
    stated = work.number(Kind.ANSWER, total)
    work.add(f"The answer is $\\boxed{{{show(stated)}}}$.")


def thousands_latex(work: Work) -> None:
    """The same in LaTeX displays."""
    thousands(work, "\\times", _latex(work), "\\[ {} \\]")


def _latex(work: Work) -> Number:
    if work.base == 10:
        return lambda value: f"{value:,}".replace(",", "{,}")
    return lambda value: f"\\text{{{value:X}}}_{{16}}"


def places(work: Work) -> None:
    """The first factor times each place of the second, as a list with commas and bold type."""
    first, second = (work.misread(factor) for factor in work.factors)
    show: Number = (lambda value: f"{value:,}") if work.base == 10 else work.write
    parts = _places(work, second)
    work.add(f"**Step 1:** Multiply {first} by {second}, place by place.", "")
    split = [work.number(Kind.SPLIT, part) if len(parts) > 1 else part for part in parts]
    work.add(f"{second} = {' + '.join(map(show, split))}", "")
    products = []
    for part in split:
        products.append(work.number(Kind.PRODUCT, work.value(first) * part))
        work.add(f"- {first} × {show(part)} = **{show(products[-1])}**")
    _add_up(work, products, show, "{}")


def running(work: Work) -> None:
    """Partial products, then one addition after the other."""
    first, second = work.factors
    products = []
    for part in _places(work, second):
        products.append(work.number(Kind.PRODUCT, work.value(first) * part))
        work.add(f"{first} x {work.write(part)} = {work.write(products[-1])}")
    work.add("Now the sums.")
    total = products[0]
    for product in products[1:]:
        before, total = total, work.number(Kind.SUM, total + product)
        work.add(f"{work.write(before)} + {work.write(product)} = {work.write(total)}")
    _state(work, total, work.write)


def table(work: Work) -> None:
    """A table of partial products."""
    first, second = work.factors
    work.add("| Multiplication | Partial product |", "|---|---|")
    products = []
    for part in _places(work, second):
        products.append(work.number(Kind.PRODUCT, work.value(first) * part))
        work.add(f"| {first} × {work.write(part)} | {work.write(products[-1])} |")
    _add_up(work, products, work.write, "{}")


def labelled(work: Work) -> None:
    """Digit by digit with labels, as the reference solution of the hexadecimal task has them."""
    first, second = work.factors
    work.add(f"Multiplying {first} by {second} in base {work.base}:")
    total = 0
    for place, digit in enumerate(reversed(second)):
        product = work.number(Kind.PRODUCT, work.value(first) * work.value(digit))
        shifted = product * work.base**place
        if place and product and digit != second[::-1][(place + 1) % len(second)]:
            shifted = work.number(Kind.SHIFT, shifted)
        total = work.number(Kind.SUM, total + shifted)
        work.add(
            f"Step {place + 1}: Multiply {first} by '{digit}' → Partial product: "
            f"{work.write(product)}, Shifted: {work.write(shifted)}, "
            f"Intermediate Sum: {work.write(total)}"
        )
    stated = work.number(Kind.ANSWER, total)
    work.add(f"Final Product = {work.write(stated)}")


def labelled_lines(work: Work) -> None:
    """The same with each label in a line of its own."""
    first, second = work.factors
    total = 0
    for place, digit in enumerate(reversed(second)):
        work.add(f"### Digit {place + 1}", f"Multiply {first} by {digit}.")
        product = work.number(Kind.PRODUCT, work.value(first) * work.value(digit))
        work.add(f"- Partial product: {work.write(product)}")
        shifted = product * work.base**place
        if place and product and digit != second[::-1][(place + 1) % len(second)]:
            shifted = work.number(Kind.SHIFT, shifted)
        work.add(f"- Shifted product: {work.write(shifted)}")
        total = work.number(Kind.SUM, total + shifted)
        work.add(f"- Running total = {work.write(total)}", "")
    _state(work, total, work.write)


def columns(work: Work) -> None:
    """Long multiplication in columns, rows with their zeros."""
    first, second = work.factors
    work.add("```", f"{first:>16}", f"{'x ' + second:>16}", "-" * 16)
    rows = []
    for place, digit in enumerate(reversed(second)):
        product = work.value(first) * work.value(digit) * work.base**place
        if product:
            rows.append(work.number(Kind.PRODUCT, product))
            work.add(f"{work.write(rows[-1]):>16}")
    total = work.number(Kind.SUM, sum(rows), later=1) if len(rows) > 1 else rows[0]
    work.add("-" * 16, f"{work.write(total):>16}", "```")
    _state(work, total, work.write)


def chain(work: Work) -> None:
    """One equation over several lines."""
    first, second = work.factors
    parts = _split(work, second, 2)
    products = [work.value(first) * part for part in parts]
    split = [work.number(Kind.SPLIT, part, later=1) if part > 99 else part for part in parts]
    if work.slip:
        products = [work.value(first) * part for part in split]
    a, b = (work.write(part) for part in split)
    work.add(f"{first} × {second}", f"= {first} × ({a} + {b})", f"= {first} × {a} + {first} × {b}")
    products = [work.number(Kind.PRODUCT, p) if p else p for p in products]
    work.add(f"= {work.write(products[0])} + {work.write(products[1])}")
    total = work.number(Kind.SUM, sum(products))
    work.add(f"= {work.write(total)}", "")
    _state(work, total, work.write)


def words(work: Work) -> None:
    """In sentences."""
    first, second = work.factors
    products = []
    for part in _places(work, second):
        products.append(work.number(Kind.PRODUCT, work.value(first) * part))
        work.add(f"{first} times {work.write(part)} is {work.write(products[-1])}.")
    total = products[0]
    for product in products[1:]:
        before, total = total, work.number(Kind.SUM, total + product)
        work.add(
            f"Adding {work.write(before)} and {work.write(product)} gives {work.write(total)}."
        )
    _state(work, total, work.write)


def prefixed(work: Work) -> None:
    """Base 16 with 0x before every number."""
    first, second = (work.value(factor) for factor in work.factors)
    products = []
    for place, digit in enumerate(reversed(work.factors[1])):
        if digit != "0":
            products.append(work.number(Kind.PRODUCT, first * work.value(digit) << 4 * place))
            part = work.value(digit) << 4 * place
            work.add(f"0x{first:X} * 0x{part:X} = 0x{products[-1]:X}")
    total = work.number(Kind.SUM, sum(products))
    work.add(" + ".join(f"0x{product:X}" for product in products) + f" = 0x{total:X}")
    work.add(f"So 0x{first:X} * 0x{second:X} is what we want.")
    stated = work.number(Kind.ANSWER, total)
    work.add(f"**Answer:** 0x{stated:X}")


def by_decimal(work: Work) -> None:
    """Base 16 by way of base 10 and back."""
    values = []
    for factor in work.factors:
        digits = [work.value(digit) for digit in factor.lstrip("0")]
        places = [digit << 4 * at for at, digit in enumerate(reversed(digits))][::-1]
        powers = " + ".join(
            f"{digit} \\times 16^{{{len(digits) - 1 - at}}}" for at, digit in enumerate(digits)
        )
        value = work.number(Kind.CONVERSION, sum(places)) if sum(places) > 999 else sum(places)
        ten = f"{value}" if work.slip is None or value == sum(places) else f"{value:d}"
        work.add(f"$({factor})_{{16}} = {powers} = {ten}_{{10}}$")
        values.append(value)
    product = values[0] * values[1]
    work.add(f"{values[0]} × {values[1]} = {product}")
    digits_found = ""
    rest = product
    while rest:
        rest, digit = divmod(rest, 16)
        shown = f"{digit} ({digit:X})" if digit > 9 else str(digit)
        work.add(f"{rest * 16 + digit} ÷ 16 = {rest} remainder {shown}")
        digits_found = f"{digit:X}" + digits_found
    work.add(f"Reading upwards: $\\boxed{{{digits_found or '0'}}}$")


BOTH: tuple[Style, ...] = (
    thousands,
    thousands_latex,
    places,
    running,
    table,
    labelled,
    labelled_lines,
    columns,
    chain,
    words,
)
STYLES: dict[int, tuple[Style, ...]] = {10: BOTH, 16: (*BOTH, prefixed, by_decimal)}


def attempt(
    style: Style, base: int, factors: tuple[str, str], wrong_at: int | None, seed: int
) -> Work:
    """An attempt in a style, with the number ``wrong_at`` (counted modulo all) wrong, or right."""
    right = Work(base, factors, Random(seed))
    style(right)
    if wrong_at is None:
        return right
    wrong = Work(base, factors, Random(seed), wrong_at % right.asked)
    style(wrong)
    return wrong
