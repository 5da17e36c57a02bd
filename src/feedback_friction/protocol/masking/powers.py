"""Finds a number written as another number times a power of the base.

"5.78170941e9", "5.78170941 \\times 10^{9}", "10^9 * 5.78170941", "578170941 x 10",
"5781709.41 thousand", "5.78170941 billion"; in base 16, "A9A0325 x 100" and "A9A0325 * 16^2" for
A9A032500. Only what is exactly equal counts: "5.78 billion" stays.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from feedback_friction.protocol.masking.digits import RUN, Flat, Piece
from feedback_friction.protocol.masking.gate import Match
from feedback_friction.reading.numerals import Base

_SCALES = (
    {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}
    | {"k": 3, "m": 6, "mn": 6, "b": 9, "bn": 9}
    | {"lakh": 5, "crore": 7}
)

_CLOSE = r"[\s}\])$*`_~]{0,12}"
_OPEN = r"[\s{\[($*`_~]{0,12}"
_TIMES = rf"{_CLOSE}(?:[×x·⋅∙∗]|(?<!\*)\*(?!\*)){_OPEN}"
# 10^9 or a one with zeros, without its first digit.
_FACTOR = (
    r"(?:[06][\s}]{0,6}(?:\^|\*\*)\s{0,6}(?P<open>[{(])?\s{0,6}"
    r"(?P<power>\+?[0-9]{1,3})(?![0-9])(?(open)\s{0,6}[})])"
    r"|(?P<round>[0, '_{}]*0)(?![0-9A-Za-z]|,[0-9]{3}(?![0-9])))"
)
_EXPONENT = r"[eE](?P<exponent>[+-]?[0-9]{1,3})(?![0-9A-Za-z])"
_SCALE = (
    rf"{_CLOSE}-?[\s{{]{{0,12}}(?P<scale>(?i:{'|'.join(_SCALES)}))s?(?![A-Za-z])"
    # "2 billion 5 hundred thousand" goes on
    r"(?!,?[\s-]{1,8}(?:[0-9]{1,3}|[A-Za-z]{3,9})[\s-]{1,8}(?i:hundred|thousand|million))"
)
_GAP = r"[,.'_ {}~]"

# The last digit of a number and what it is multiplied by.
_AFTER: dict[Base, re.Pattern[str]] = {
    10: re.compile(rf"[0-9](?![0-9])(?:{_EXPONENT}|{_TIMES}1{_FACTOR}|{_SCALE})"),
    16: re.compile(rf"[0-9A-Fa-f](?![0-9A-Fa-f]){_TIMES}1{_FACTOR}"),
}
# What a number is multiplied by, up to the first digit of the number.
_BEFORE = re.compile(rf"1(?<![0-9A-Za-z.]1){_FACTOR}{_TIMES}(?=[0-9A-Fa-f])")
# One number, digits and what may group them; a class that reads the same in both directions.
_NUMBER: dict[Base, re.Pattern[str]] = {
    10: re.compile(rf"(?:[0-9]|{_GAP}(?={_GAP}{{0,5}}[0-9]))+"),
    16: re.compile(rf"(?:[0-9A-Fa-f]|{_GAP}(?={_GAP}{{0,5}}[0-9A-Fa-f]))+"),
}
_LONGEST_NUMBER = 80

Significant = tuple[str, int]  # digits without zeros at the ends, number of zeros at the end


def find_scaled(
    flat: Flat, targets: Iterable[str], base: Base, shown: Collection[str] = ()
) -> Iterator[Match]:
    """Where one of the numbers stands as another number times a power of the base.

    Args:
        flat: the text.
        targets: digits without leading zeros, in upper case.
        base: which characters are digits, and what "10" means.
        shown: digits of numbers whose products with each other stay: in "77970 * 10000" as in the
            question, nobody has multiplied anything yet.

    Yields:
        ``(start, end, "scaled")`` over number and factor.
    """
    wanted = {_significant(target) for target in targets if target != "0"}
    if base == 10:
        wanted = {number for number in wanted if number[0] in flat.digits}
    else:  # no fractions in base 16: only a number that ends in zeros is another one times "10"
        wanted = {number for number in wanted if number[1]}
    if wanted:
        search = _Search(flat.text, base, wanted, shown)
        yield from search.before_factor()
        yield from search.after_factor()


@dataclass(frozen=True, slots=True)
class _Search:
    """Looks through one text for the wanted numbers."""

    flat: str
    base: Base
    wanted: Collection[Significant]
    shown: Collection[str]

    def before_factor(self) -> Iterator[Match]:
        """Numbers with their factor after them."""
        for factor in _AFTER[self.base].finditer(self.flat):
            end = factor.start() + 1
            before = self.flat[max(0, end - _LONGEST_NUMBER) : end]
            number = _NUMBER[self.base].match(before[::-1])
            pieces = self._pieces(end - number.end(), end) if number else []
            for first in range(len(pieces)):
                if not _are_one(self.flat, pieces, first) and self._holds(pieces[first:], factor):
                    yield pieces[first][0], factor.end(), "scaled"
                    break

    def after_factor(self) -> Iterator[Match]:
        """Numbers with their factor before them."""
        for factor in _BEFORE.finditer(self.flat):
            start = factor.end()
            number = _NUMBER[self.base].match(self.flat, start, start + _LONGEST_NUMBER)
            pieces = self._pieces(*number.span()) if number else []
            for last in range(len(pieces), 0, -1):
                if not _are_one(self.flat, pieces, last) and self._holds(pieces[:last], factor):
                    yield factor.start(), pieces[last - 1][1], "scaled"
                    break

    def _pieces(self, start: int, end: int) -> list[Piece]:
        return [run.span() for run in RUN[self.base].finditer(self.flat, start, end)]

    def _holds(self, pieces: Sequence[Piece], factor: re.Match[str]) -> bool:
        """Whether the number that the pieces make, times the factor, is wanted.

        A single point is a decimal point. A comma before three digits groups; before more or fewer
        it may be a decimal comma.
        """
        exponent = _exponent(factor)
        written = "".join(self.flat[start:end] for start, end in pieces).upper().lstrip("0")
        if factor["round"] and written in self.shown and f"1{'0' * exponent}" in self.shown:
            return False
        digits, zeros = _significant(written)
        gaps = [self.flat[left[1] : right[0]] for left, right in pairwise(pieces)]
        last = pieces[-1][1] - pieces[-1][0]
        if gaps and gaps[-1] == "." and gaps.count(".") == 1:
            fractions = [last]
        elif gaps and gaps[-1] == "," and last != 3:
            fractions = [0, last]
        else:
            fractions = [0]
        return any((digits, zeros + exponent - fraction) in self.wanted for fraction in fractions)


def _are_one(flat: str, pieces: Sequence[Piece], at: int) -> bool:
    """Whether the pieces before and after a place belong to one number ("5,781", "3.5")."""
    if at in (0, len(pieces)):
        return False
    (start, end), (next_start, next_end) = pieces[at - 1], pieces[at]
    gap = flat[end:next_start]
    if (
        " " in gap
        or (start and flat[start - 1] in "eE^")
        or flat[max(0, start - 2) : start] == "^{"
    ):
        return False
    groups = len(gap.strip("{}")) == 1 and end - start <= 3 and next_end - next_start == 3
    return gap == "." or groups


def _significant(digits: str) -> Significant:
    """The digits without the zeros at either end, and the number of zeros cut off at the end."""
    cut = digits.rstrip("0")
    return cut.lstrip("0"), len(digits) - len(cut)


def _exponent(factor: re.Match[str]) -> int:
    """The k of the factor base**k."""
    groups = factor.groupdict()
    if groups["round"]:
        return groups["round"].count("0")
    if groups.get("scale"):
        return _SCALES[groups["scale"].lower()]
    return int(groups["power"] or groups["exponent"])
