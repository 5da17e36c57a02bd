"""Finds a number written in English words, or its digits spelled one by one.

"five billion, seven hundred and eighty-one million, seven hundred nine thousand, four hundred ten",
"5 billion 781 million 709 thousand 410", "sixteen hundred ninety-two", "five seven eight one seven
zero nine four one zero", and in base 16 "D C B two zero nine six C A". Other languages are out of
scope.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from feedback_friction.protocol.masking.digits import Flat
from feedback_friction.protocol.masking.gate import Match
from feedback_friction.reading.number_words import SMALL_NUMBERS, spelled_numbers

_LOOSE = r"[^\w+=^/×÷]{0,40}"
_WORD = re.compile("[a-z]{2}")


def find_words(flat: Flat, targets: Iterable[str]) -> Iterator[Match]:
    """Where one of the numbers stands in words, or in groups of digits with words between them.

    Args:
        flat: the text.
        targets: decimal digits without leading zeros.

    Yields:
        ``(start, end, "words")``.
    """
    wanted = {int(target) for target in targets}
    for start, end, value in spelled_numbers(flat.lower):
        if value in wanted and not flat.lower[end : end + 1].isdigit():
            yield start, end, "words"


def find_spelled(flat: Flat, targets: Iterable[str]) -> Iterator[Match]:
    """Where the digits of one of the numbers are spelled, at least one of them as a word.

    Args:
        flat: the text.
        targets: digits in upper case, of base 10 or 16.

    Yields:
        ``(start, end, "spelled")``.
    """
    lower = flat.lower
    unnamed = {digit for digit in "0123456789ABCDEF" if _name(digit) not in lower}
    for target in targets:
        if len(target) < 4 or not unnamed.isdisjoint(target):
            continue
        for match in _spelling(target).finditer(lower):
            whole = not lower[match.start() - 1 : match.start()].isalnum()
            if whole and _WORD.search(match[0]):
                yield match.start(), match.end(), "spelled"


def _name(digit: str) -> str:
    """What the digit is called: its word, for A to F the letter."""
    return SMALL_NUMBERS[int(digit)] if digit.isdigit() else digit.lower()


@lru_cache(maxsize=256)
def _spelling(target: str) -> re.Pattern[str]:
    names = [
        f"(?:{digit}|{_name(digit)}{'|oh' if digit == '0' else ''})(?![a-z0-9])" for digit in target
    ]
    return re.compile(_LOOSE.join(names))
