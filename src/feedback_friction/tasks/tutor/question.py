"""The question, and what of it may show up in a solver's work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from feedback_friction.grading.number import canonical
from feedback_friction.problem import Problem
from feedback_friction.protocol.masking.numbers import mask_decimal, mask_hex, partial_products
from feedback_friction.reading.numerals import Base
from feedback_friction.tasks.multiplication import KINDS


@dataclass(frozen=True)
class Question:
    """Two factors as digits without leading zeros, their base and their product."""

    problem: Problem  # the problem
    base: Base  # 10 or 16
    factors: tuple[str, str]  # the two factors, canonical

    @classmethod
    def of(cls, problem: Problem) -> Question:
        """The question of a multiplication problem.

        Its base is the task's; for a problem of another task, the one in which gold is right.

        Raises:
            ValueError: gold is not the product of the operands.
        """
        first, second = problem.operands
        bases: tuple[Base, ...] = tuple(
            kind.base for kind in KINDS.values() if kind.task == problem.task
        ) or (10, 16)
        for base in bases:
            if base == 10 and not (first + second + problem.gold).isdigit():
                continue
            if int(first, base) * int(second, base) == int(problem.gold, base):
                return cls(problem, base, (canonical(first, base), canonical(second, base)))
        raise ValueError(f"{problem.gold} is not {first} * {second}")

    @cached_property
    def values(self) -> tuple[int, int]:
        """The factors' values."""
        return int(self.factors[0], self.base), int(self.factors[1], self.base)

    @cached_property
    def product(self) -> int:
        """The gold answer's value."""
        return self.values[0] * self.values[1]

    def write(self, value: int) -> str:
        """A number in the question's base."""
        return f"{value:d}" if self.base == 10 else f"{value:X}"

    @cached_property
    def secrets(self) -> frozenset[str]:
        """Digits of the numbers that feedback must not show, in both bases where it matters."""
        hidden = {self.product}
        if self.base == 10:
            hidden |= set(partial_products(*self.values))
        return frozenset(text for value in hidden for text in (f"{value:d}", f"{value:X}"))

    def reveals(self, text: str) -> bool:
        """Whether the task's own mask would hide anything of a text."""
        mask = mask_decimal if self.base == 10 else mask_hex
        return bool(mask(self.problem, text).spans)

    def other(self, digits: str) -> str | None:
        """The other factor, for one of them."""
        if digits not in self.factors:
            return None
        return self.factors[1 - self.factors.index(digits)]

    def has_digits(self, text: str) -> bool:
        """Whether all of a text are digits of the question's base; letters are those of base 16."""
        return text.isdigit() if self.base == 10 else text.isalnum()

    def is_part(self, digits: str) -> bool:
        """Whether a number consists of digits of a factor in their places, or is a run of them."""
        return any(is_positional(digits, factor) or digits in factor for factor in self.factors)


def is_positional(digits: str, factor: str) -> bool:
    """Whether each digit is the factor's in the same place, or zero."""
    if len(digits) > len(factor):
        return False
    aligned = factor[len(factor) - len(digits) :]
    return all(digit in ("0", own) for digit, own in zip(digits, aligned, strict=True))


def is_decimal_sum(*digits: str) -> bool:
    """Whether the last number is the sum of those before it, all of them read in base 10."""
    return all(map(str.isdigit, digits)) and sum(map(int, digits[:-1])) == int(digits[-1])


def places(digit: str, factor: str) -> Iterator[int]:
    """The places of a digit in a factor, from the right, from 0."""
    return (place for place, own in enumerate(reversed(factor)) if own == digit)


def is_slip(digits: str, meant: str) -> bool:
    """Whether one number is another with one slip of copying.

    A digit changed, two neighbours swapped, one left out within the number, or one too many.
    """
    if digits == meant:
        return False
    if len(digits) == len(meant):
        wrong = [at for at in range(len(meant)) if digits[at] != meant[at]]
        if len(wrong) == 1:
            return True
        first, second = wrong[0], wrong[-1]
        swapped = digits[first] == meant[second] and digits[second] == meant[first]
        return len(wrong) == 2 and second == first + 1 and swapped
    shorter, longer = sorted((digits, meant), key=len)
    if len(longer) != len(shorter) + 1:
        return False
    return any(longer[:at] + longer[at + 1 :] == shorter for at in range(1, len(shorter)))


def power_between(one: int, other: int, base: int) -> int | None:
    """The k with ``other == one * base**k``, positive or negative; None if there is none."""
    small, large = sorted((abs(one), abs(other)))
    if small == 0 or (one < 0) != (other < 0) or large % small:
        return 0 if one == other else None
    power, ratio = 0, large // small
    while ratio % base == 0:
        power, ratio = power + 1, ratio // base
    if ratio != 1:
        return None
    return power if abs(one) == small else -power
