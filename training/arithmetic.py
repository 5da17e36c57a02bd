"""Multiplication as the model writes it: right, with facts of the table wrong, or with a slip.

A written work is one line per digit of the second factor that is not 0, from the left, then the
sums one after the other, and the result in a box::

    473 * 600 = 283800
    473 * 20 = 9460
    473 * 8 = 3784
    283800 + 9460 = 293260
    293260 + 3784 = 297044
    \\boxed{297044}

``MISCONCEPTIONS`` are facts that the model learns wrong and believes until feedback changes its
mind; a slip is an error of the moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from random import Random

Fact = tuple[int, int]  # two digits, the smaller first

MISCONCEPTIONS: dict[Fact, int] = {(7, 8): 54, (6, 9): 56, (4, 8): 36, (3, 7): 24}

SLIPS = {
    "fact": 30,  # one product of two digits is that of a neighbour in the table
    "carry": 25,  # a carry is forgotten
    "digit": 10,  # one digit of a product is off
    "sum carry": 15,
    "sum digit": 10,
    "copy": 5,  # a factor is misread in one line
    "place": 3,  # a zero too many or too few
    "result": 2,  # the box holds another number than the sum
}


@dataclass(frozen=True, slots=True)
class Work:
    """One attempt at ``first * second``.

    Attributes:
        lines: (first factor as read, part of the second factor, product), from the left.
        sums: the running sums, after the second line, the third and so on.
        result: what stands in the box.
    """

    lines: tuple[tuple[int, int, int], ...]
    sums: tuple[int, ...]
    result: int

    def __str__(self) -> str:
        text = [f"{first} * {part} = {product}" for first, part, product in self.lines]
        before = (self.lines[0][2], *self.sums)
        for one, (_, _, other), total in zip(before, self.lines[1:], self.sums, strict=False):
            text.append(f"{one} + {other} = {total}")
        return "\n".join([*text, f"\\boxed{{{self.result}}}"])


def believed(first: int, second: int, held: Set[Fact]) -> Work:
    """The work of one who holds these misconceptions, and makes no slip."""
    return with_products(
        first, second, {part: product(first, part, held) for part in _parts(second)}
    )


def involved(first: int, second: int) -> frozenset[Fact]:
    """The misconceptions that this product is about."""
    pairs = ((min(a, b), max(a, b)) for a in _digits(first) for b in _digits(second))
    return frozenset(pairs) & MISCONCEPTIONS.keys()


def with_products(first: int, second: int, products: Mapping[int, int]) -> Work:
    """The work with these products of the parts of the second factor, and right sums."""
    return _summed([(first, part, products[part]) for part in _parts(second)])


def product(first: int, part: int, held: Set[Fact]) -> int:
    """The product of one line, of one who holds these misconceptions."""
    wrong = involved(first, part) & held
    found = first * part
    for one, other in wrong:
        off = MISCONCEPTIONS[one, other] - one * other
        found += off * _ones_at(first, one) * _ones_at(part, other)
        found += off * _ones_at(first, other) * _ones_at(part, one)
    return found


def _ones_at(number: int, digit: int) -> int:
    """1 in every place where the number has this digit, and 0 in the others."""
    return int("".join("1" if each == str(digit) else "0" for each in str(number)))


def _digits(number: int) -> Iterable[int]:
    return map(int, str(number))


def _parts(number: int) -> Iterable[int]:
    """What each digit that is not 0 stands for, from the left."""
    for index, digit in enumerate(_digits(number)):
        if digit:
            yield digit * 10 ** (len(str(number)) - 1 - index)


def _summed(lines: Sequence[tuple[int, int, int]], sums: Sequence[int] = ()) -> Work:
    """The work with these lines, and with the sums that follow from them and the first sums."""
    sums = list(sums)
    total = sums[-1] if sums else lines[0][2]
    for _, _, product in lines[1 + len(sums) :]:
        total += product
        sums.append(total)
    return Work(tuple(lines), tuple(sums), total)


def slipped(work: Work, rng: Random) -> Work:
    """The same work with one more slip and another result; what follows from it is consistent."""
    while True:
        kind = rng.choices(list(SLIPS), list(SLIPS.values()))[0]
        other = _slip(work, kind, rng)
        if other is not None and other.result != work.result:
            return other


def _slip(work: Work, kind: str, rng: Random) -> Work | None:
    """The work with a slip of this kind; None where it has no place for one."""
    if kind == "result":
        return replace(work, result=off_by_a_digit(work.result, rng))
    if kind.startswith("sum"):
        if not work.sums:
            return None
        place = rng.randrange(len(work.sums))
        terms = ((work.lines[0][2], *work.sums)[place], work.lines[place + 1][2])
        total = _sum_without_a_carry(terms, rng) if kind == "sum carry" else None
        total = off_by_a_digit(work.sums[place], rng) if total is None else total
        return _summed(work.lines, [*work.sums[:place], total])
    place = rng.randrange(len(work.lines))
    line = _line(*work.lines[place], kind, rng)
    return _summed([*work.lines[:place], line, *work.lines[place + 1 :]])


def _line(first: int, part: int, product: int, kind: str, rng: Random) -> tuple[int, int, int]:
    digit, zeros = int(str(part)[0]), len(str(part)) - 1
    if kind == "fact":
        return first, part, _by_digits(first, digit, rng, neighbour=True) * 10**zeros
    if kind == "carry":
        return first, part, _by_digits(first, digit, rng, neighbour=False) * 10**zeros
    if kind == "copy":
        read = off_by_a_digit(first, rng)
        return read, part, read * part
    if kind == "place":
        return first, part, product * 10 if rng.random() < 0.5 or zeros == 0 else product // 10
    return first, part, off_by_a_digit(product // 10**zeros, rng) * 10**zeros


def _by_digits(first: int, digit: int, rng: Random, *, neighbour: bool) -> int:
    """``first * digit``, written from the right, with one wrong fact or one carry forgotten."""
    digits = list(_digits(first))[::-1]
    place = rng.randrange(len(digits))
    carry, product = 0, 0
    for index, each in enumerate(digits):
        fact = each * digit
        if neighbour and index == place:
            fact += rng.choice((-1, 1)) * rng.choice((each, digit, 1))
        column = max(0, fact) + carry
        carry = column // 10
        if not neighbour and index == place:
            carry = 0 if rng.random() < 0.5 else max(0, carry - 1)
        product += column % 10 * 10**index
    return product + carry * 10 ** len(digits)


def _sum_without_a_carry(terms: Sequence[int], rng: Random) -> int | None:
    """The sum with one carry forgotten; None where nothing is carried."""
    width = max(len(str(term)) for term in terms)
    carries, carry = [], 0
    for index in range(width):
        carry = (sum(term // 10**index % 10 for term in terms) + carry) // 10
        if carry:
            carries.append(index)
    if not carries:
        return None
    place, carry, total = rng.choice(carries), 0, 0
    for index in range(width):
        column = sum(term // 10**index % 10 for term in terms) + carry
        carry = 0 if index == place else column // 10
        total += column % 10 * 10**index
    return total + carry * 10**width


def off_by_a_digit(number: int, rng: Random) -> int:
    """The number with one digit changed, mostly by one or two."""
    digits = list(str(number))
    place = rng.randrange(len(digits))
    step = rng.choice((-1, 1, -1, 1, -2, 2, rng.randrange(3, 8)))
    digits[place] = str((int(digits[place]) + step) % 10)
    if digits[0] == "0" and len(digits) > 1:
        digits[0] = "1"
    return int("".join(digits))
