"""Finds a number written with digits, however its digits are set apart from each other.

"5781709410" is also "5,781,709,410", "5.781.709.410", "5 781 709 410", "5'781'709'410",
"5_781_709_410", "5{,}781{,}709{,}410", "5\\,781\\,709\\,410", "57**8**1709410",
"5-7-8-1-7-0-9-4-1-0", "0005781709410", "5781709410.00"; in base 16 also "dcb2096ca",
"0xDCB2096CA", "DCB2096CAh", "DCB2_096CA". Six digits or more are looked for with any separators at
all: that they follow each other by chance is out of the question. Fewer are looked for as one word
or in regular groups only.

A number is never found inside a longer one: not "42" in "1420", "42,000", "4.2", "42.5", "42e3",
not "781,709,410" in "5,781,709,410", not "CAFE1" in "0xCAFE12". Fewer than six digits of base 16
are not found within a word either: not "CA" in "Calculate".
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise

from feedback_friction.protocol.masking.gate import Match
from feedback_friction.reading.numerals import Base

_MANY_DIGITS = 6
_LONGEST_GAP = 40
_LONGEST_WORD = 20
_MOST_ZERO_GROUPS = 12

RUN: dict[Base, re.Pattern[str]] = {10: re.compile("[0-9]+"), 16: re.compile("[0-9A-Fa-f]+")}

# Markup that may stand between two digits of one number, and the operators written as macros.
_MARKUP = re.compile(
    r"\\(?:(?:text)?color\{\w{1,20}\}|[hv]?phantom\{[^{}\n]{0,40}\})"
    r"|\\(?:[A-Za-z]+|[^A-Za-z0-9])"
    r"|</?[A-Za-z][^<>\n]{0,60}>"
    r"|&(?:[A-Za-z]{2,8}|#x?[0-9A-Fa-f]{2,6});"
)
_OPERATORS = {
    r"\times": "×",
    r"\cdot": "×",
    r"\ast": "×",
    r"\div": "÷",
    r"\frac": "÷",
    r"\to": "→",
    "<sup>": "^",
    "&times;": "×",
    "&lt;": "<",
    "&gt;": ">",
}
# Between digits of one number: anything but letters and what calculates or compares. An asterisk
# with spaces around it multiplies, any other is emphasis.
_SEPARATOR = re.compile(r"(?:[^\w+=^/×÷·⋅∙∗<>%≈≠→⇒*]|_|\*(?! )|(?<! )\*(?= ))++")
_GROUP_SEPARATOR = re.compile(r"\{?(?:[,'_]|[ ~]{1,2})\}?")
_ZERO_FRACTION = re.compile(r"\.0+(?![0-9])|,0{1,2}(?![0-9])")
_GROUP_AFTER = re.compile(r"\{?[,'_]\}?[0-9]{3}(?![0-9])")
_GROUP_BEFORE = re.compile(r"[0-9]\{?[,'_]\}?\Z")
_FRACTION = re.compile(r"\.[0-9]++(?![A-Za-z])")
_BASE_AFTER = re.compile(r"_1[06](?![0-9A-Za-z_])")
_EXPONENT = re.compile(r"[eE][+-]?0*[1-9]")
_ZERO_EXPONENT = re.compile(r"[eE][+-]?0+(?![0-9A-Za-z])")
_HEX_WORD = re.compile(r"[0-9A-Fa-f]{1,20}(?![0-9A-Za-z])")
_HEX_WORD_BEFORE = re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f]+\Z")
_HEX_PREFIX = re.compile(r"(?<![0-9A-Za-z])0[xX]\Z")
_HEX_SUFFIX = re.compile(r"[hH](?![0-9A-Za-z])")


@dataclass(frozen=True, slots=True)
class Flat:
    """A text ready to be searched for numbers, every offset as in the view that it came from.

    Attributes:
        text: macros, tags, entities and the words "and" and "then" are blanks; macros that
            calculate are one operator sign and blanks.
        lower: the same in lower case.
        digits: all digits of base 10 in order.
    """

    text: str
    lower: str
    digits: str


@lru_cache(maxsize=4)  # the gate's last repetition and the audit see the same text
def flattened(view: str) -> Flat:
    """The view of a text, ready to be searched for numbers."""
    marked_up = "\\" in view or "<" in view or "&" in view
    text = _MARKUP.sub(_blank, view) if marked_up else view
    text = text.replace(" and ", "     ").replace(" then ", "      ")
    lower = text.lower()
    if len(lower) != len(text):  # a letter such as "İ" has a longer lower case
        lower = "".join(char.lower() if char.isascii() else char for char in text)
    return Flat(text, lower, "".join(RUN[10].findall(text)))


def _blank(markup: re.Match[str]) -> str:
    return _OPERATORS.get(markup[0], " ").ljust(len(markup[0]))


def find_digits(flat: Flat, targets: Iterable[str], base: Base) -> Iterator[Match]:
    """Where one of the numbers stands, written in ``base`` with digits.

    Args:
        flat: the text.
        targets: digits without leading zeros, in upper case.
        base: which characters are digits.

    Yields:
        ``(start, end, form)``; form is "plain", "grouped" (regular groups) or "separated".
    """
    if base == 10:
        present = [target for target in targets if target in flat.digits]
    else:
        present = [target for target in targets if opening(target).search(flat.text)]
    if not present:
        return
    runs = _Runs(flat.text, base)
    for target in present:
        for pieces in runs.occurrences(target):
            found = _checked(flat.text, pieces, base, len(target))
            if found is not None:
                yield found


@lru_cache(maxsize=1024)
def opening(target: str) -> re.Pattern[str]:
    """Finds the first digits of a number in base 16: quicker than gathering all digits."""
    either_case = (f"[{digit}{digit.lower()}]" for digit in target[:4])
    return re.compile(rf"[^0-9A-Za-z]{{0,{_LONGEST_GAP}}}".join(either_case))


Piece = tuple[int, int]


class _Runs:
    """The runs of digits of a text, and all digits as one string with the way back."""

    def __init__(self, flat: str, base: Base):
        self.digits = "".join(RUN[base].findall(flat)).upper()
        self.pieces: list[Piece] = [run.span() for run in RUN[base].finditer(flat)]
        # for each run, the index of its first digit in ``digits``; then the number of digits
        self.firsts = [0, *accumulate(end - start for start, end in self.pieces)]

    def occurrences(self, target: str) -> Iterator[list[Piece]]:
        """The pieces of text that together hold the target, from the start of one run to the end
        of one run, leading zeros included."""
        at = self.digits.find(target)
        while at >= 0:
            first = bisect_right(self.firsts, at) - 1
            leading = self.digits[self.firsts[first] : at]
            if not leading.strip("0"):
                after = bisect_left(self.firsts, at + len(target))
                if self.firsts[after] == at + len(target):
                    yield self.pieces[first:after]
            at = self.digits.find(target, self.firsts[first + 1])


def _checked(flat: str, pieces: Sequence[Piece], base: Base, length: int) -> Match | None:
    """The match that the pieces make, or None where they are no number or part of a longer one."""
    start, end = pieces[0][0], pieces[-1][1]
    if len(pieces) == 1:
        form = "plain"
        partial = base == 10 and end - start <= 3 and _is_group(flat, start, end)
    else:
        gaps = [flat[left[1] : right[0]] for left, right in pairwise(pieces)]
        size = _group_size(pieces) if gaps.count(gaps[0]) == len(gaps) else 0
        if not _joins(gaps, size, length):
            return None
        form = "grouped" if size > 1 else "separated"
        partial = size > 0 and _goes_on(flat, pieces, gaps[0], size, base)
    if partial or not (_starts_number(flat, start, base) and _ends_number(flat, end, base)):
        return None
    if base == 16 and length < _MANY_DIGITS and _is_in_word(flat, start, end):
        return None
    return *_with_affixes(flat, start, end, base), form


def _joins(gaps: Sequence[str], size: int, length: int) -> bool:
    """Whether what stands between the pieces makes one number of them, in groups of ``size``."""
    if not all(len(gap) <= _LONGEST_GAP and _is_separator(gap) for gap in set(gaps)):
        return False
    if gaps[-1] == "." and gaps.count(".") == 1:  # "5781.709410" is a decimal fraction
        return False
    if length >= _MANY_DIGITS or set(gaps) == {"_"}:
        return True
    return size > 2 and _GROUP_SEPARATOR.fullmatch(gaps[0]) is not None


@lru_cache(maxsize=1024)
def _is_separator(gap: str) -> bool:
    return _SEPARATOR.fullmatch(gap) is not None


def _group_size(pieces: Sequence[Piece]) -> int:
    """The size of all groups but the first, which may be shorter; 0 where sizes differ."""
    first, *others = [end - start for start, end in pieces]
    size = others[0]
    return size if first <= size and others.count(size) == len(others) else 0


def _goes_on(flat: str, pieces: Sequence[Piece], gap: str, size: int, base: Base) -> bool:
    """Whether the same regular grouping goes on beyond the pieces: "15,781,709,410"."""
    start, end = pieces[0][0], pieces[-1][1]
    if flat.startswith(gap, end) and not _BASE_AFTER.match(flat, end):
        after = RUN[base].match(flat, end + len(gap), end + len(gap) + size + 1)
        if after and len(after[0]) == size and _is_number(flat, after.span(), gap):
            return True
    return pieces[0][1] - start == size and _goes_on_before(flat, start, gap, size, base)


def _goes_on_before(flat: str, start: int, gap: str, size: int, base: Base) -> bool:
    """Whether a group with a digit other than zero precedes, whatever groups of zeros between."""
    for _ in range(_MOST_ZERO_GROUPS):
        if not flat.endswith(gap, 0, start):
            return False
        stop = start - len(gap)
        start = stop
        while start > max(0, stop - size - 1) and RUN[base].match(flat, start - 1, start):
            start -= 1
        if not 0 < stop - start <= size or not _is_number(flat, (start, stop), gap):
            return False
        if flat[start:stop].strip("0"):
            return True
    return True


def _is_number(flat: str, piece: Piece, gap: str) -> bool:
    """Whether a group is one; "a", "be" and "add" after a space are words, not base 16."""
    start, end = piece
    whole = not flat[start - 1 : start].isalnum() and not flat[end : end + 1].isalnum()
    return whole and (gap.strip() != "" or any(char.isdigit() for char in flat[start:end]))


def _is_group(flat: str, start: int, end: int) -> bool:
    """Whether three digits or fewer are a group of a longer number: "42" in "42,000"."""
    if _GROUP_AFTER.match(flat, end):
        return True
    return end - start == 3 and _GROUP_BEFORE.search(flat[max(0, start - 8) : start]) is not None


def _starts_number(flat: str, start: int, base: Base) -> bool:
    """Whether nothing before ``start`` belongs to the number."""
    before = flat[start - 1 : start]
    if before == ".":  # a decimal point, if a digit stands before it
        return not (start > 1 and flat[start - 2].isdigit())
    if base == 10 and before.isalpha():
        return _HEX_WORD_BEFORE.search(flat[max(0, start - _LONGEST_WORD) : start]) is None
    return True


def _ends_number(flat: str, end: int, base: Base) -> bool:
    """Whether nothing from ``end`` on changes the number, as a fraction or an exponent does."""
    zeros = _ZERO_FRACTION.match(flat, end)
    if zeros:
        end = zeros.end()
    elif _FRACTION.match(flat, end):
        return False
    if base == 16 or _ZERO_EXPONENT.match(flat, end):
        return True
    return not (_EXPONENT.match(flat, end) or (not zeros and _HEX_WORD.match(flat, end)))


def _is_in_word(flat: str, start: int, end: int) -> bool:
    """Whether a letter that does not mark base 16 stands before or after."""
    begins = flat[start - 1 : start].isalpha() and not _HEX_PREFIX.search(flat[:start][-3:])
    return begins or (flat[end : end + 1].isalpha() and not _HEX_SUFFIX.match(flat, end))


def _with_affixes(flat: str, start: int, end: int, base: Base) -> Piece:
    """The stretch with its "0x", "h", ".00" and "e0"."""
    if _HEX_PREFIX.search(flat[max(0, start - 3) : start]):
        start -= 2
    zeros = _ZERO_FRACTION.match(flat, end)
    if zeros:
        end = zeros.end()
    exponent = _ZERO_EXPONENT.match(flat, end) if base == 10 else None
    if exponent:
        end = exponent.end()
    if base == 16 and _HEX_SUFFIX.match(flat, end):
        end += 1
    return start, end
