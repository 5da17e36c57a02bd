"""Finds a number written in English words, or its digits spelled one by one.

"five billion, seven hundred and eighty-one million, seven hundred nine thousand, four hundred ten",
"5 billion 781 million 709 thousand 410", "sixteen hundred ninety-two", "five seven eight one seven
zero nine four one zero", and in base 16 "D C B two zero nine six C A". Other languages are out of
scope.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache

from feedback_friction.protocol.masking.digits import Flat
from feedback_friction.protocol.masking.gate import Match
from feedback_friction.reading.number_words import SCALES, SMALL_NUMBERS, TENS

_SCALES = ("", *SCALES, "quadrillion")

_SMALL = f"(?:{'|'.join((*SMALL_NUMBERS, *TENS))}|[0-9]{{1,3}})"
_LARGE = f"(?:{'|'.join(('hundred', *_SCALES[1:]))})"
# Between the words of one number. "and" may be blanked out already: see ``digits.flattened``.
_GLUE = r"[\s,-]{0,12}(?:and[\s,-]{1,8})?"
_LOOSE = r"[^\w+=^/×÷]{0,40}"
_TENS_BEFORE = re.compile(rf"\b(?:{'|'.join(TENS)})[\s-]{{0,4}}\Z")
_DIGIT_BEFORE = re.compile(r"[0-9][., ]\Z")
_DIGIT_AFTER = re.compile(r"[., ][0-9]")
_SCALE_AFTER = re.compile(rf"[\s-]{{1,8}}{_LARGE}(?![a-z])")
# "five" after "four hundred" or "twenty", but no "five hundred".
_SMALL_AFTER = re.compile(rf"[\s-]{{1,8}}(?:and\s{{1,4}})?{_SMALL}(?![a-z0-9]|[\s-]hundred)")
# A number, perhaps with its scale, after one that ends with a scale.
_NUMBER_AFTER = re.compile(
    rf"(?P<comma>,)?[\s-]{{1,8}}(?:and\s{{1,4}})?(?:(?:{_SMALL}|hundred)[\s-]{{1,8}}){{0,5}}"
    rf"(?:{_SMALL}|hundred)(?![a-z0-9])(?:[\s-]{{1,8}}(?P<scale>{'|'.join(_SCALES[1:])}))?"
)
_WORD = re.compile("[a-z]{2}")

# Groups of digits, highest first: the ways to write each (in words, in digits), and its scale.
_Groups = tuple[tuple[tuple[tuple[str, ...], ...], str], ...]
_LONGEST_BEFORE = 24
_MOST_DIGITS = 3 * len(_SCALES)


def find_words(flat: Flat, targets: Iterable[str]) -> Iterator[Match]:
    """Where one of the numbers stands in words, or in groups of digits with words between them.

    Args:
        flat: the text.
        targets: decimal digits without leading zeros.

    Yields:
        ``(start, end, "words")``.
    """
    lower = flat.lower
    scales = {scale for scale in (*_SCALES, "hundred") if scale in lower}
    for target in targets:
        for groups in _groupings(target):
            if not _may_be_worded(lower, scales, groups):
                continue
            for match in _wording(groups).finditer(lower):
                if _stands_alone(lower, match.start(), match.end(), target):
                    yield match.start(), match.end(), "words"


def _may_be_worded(lower: str, scales: Collection[str], groups: _Groups) -> bool:
    """Whether all words or digits that the number needs are in the text: quicker than looking."""
    return all(
        scale in scales and any(_holds_all(lower, way) for way in ways) for ways, scale in groups
    )


def _holds_all(lower: str, words: Iterable[str]) -> bool:
    return all(word in lower for word in words if word != "one")  # "a hundred" has none


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


def small_words(number: int) -> tuple[str, ...]:
    """The words of a number from 0 to 999, without "and"."""
    hundreds, rest = divmod(number, 100)
    words = [SMALL_NUMBERS[hundreds], "hundred"] if hundreds else []
    if rest >= 20:
        words.append(TENS[rest // 10 - 2])
        rest %= 10
    if rest or not words:
        words.append(SMALL_NUMBERS[rest])
    return tuple(words)


@lru_cache(maxsize=1024)
def _groupings(target: str) -> tuple[_Groups, ...]:
    """The ways to say a number: by thousands, and one of four digits by hundreds as well."""
    if len(target) > _MOST_DIGITS:
        return ()
    if len(target) <= 3:
        return ((((small_words(int(target)),), ""),),)
    padded = target.zfill(-(-len(target) // 3) * 3)
    numbers = [int(padded[at : at + 3]) for at in range(0, len(padded), 3)]
    by_thousands = _named(zip(numbers, reversed(_SCALES[: len(numbers)]), strict=True))
    if len(target) > 4 or target[1] == "0":
        return (by_thousands,)
    return by_thousands, _named(((int(target[:2]), "hundred"), (int(target[2:]), "")))


def _named(numbers: Iterable[tuple[int, str]]) -> _Groups:
    """Numbers below 1,000, each with its scale, in words and in digits; without those of 0."""
    return tuple(
        ((small_words(number), (str(number),)), scale) for number, scale in numbers if number
    )


@lru_cache(maxsize=256)
def _wording(groups: _Groups) -> re.Pattern[str]:
    parts = []
    for ways, scale in groups:
        spoken = "|".join(
            _GLUE.join(_word(word, at) for at, word in enumerate(way)) for way in ways
        )
        parts.append(f"(?:{spoken})" + (f"{_GLUE}{scale}s?" if scale else ""))
    return re.compile(_GLUE.join(parts) + "(?![a-z0-9])")


def _word(word: str, at: int) -> str:
    """A word as a pattern: "a hundred" is "one hundred"."""
    return "(?:one|a)" if word == "one" and at == 0 else word


@lru_cache(maxsize=256)
def _spelling(target: str) -> re.Pattern[str]:
    names = [
        f"(?:{digit}|{_name(digit)}{'|oh' if digit == '0' else ''})(?![a-z0-9])" for digit in target
    ]
    return re.compile(_LOOSE.join(names))


@lru_cache(maxsize=256)
def _larger_before(target: str) -> re.Pattern[str]:
    """What makes the number's words the end of a larger number: "hundred" before "five billion"."""
    groups = -(-len(target) // 3)
    scales = [f"{scale}s?[\\s,-]{{0,8}}" for scale in _SCALES[groups:]]
    if len(target) % 3:
        scales.append(r"hundred[\s-]{0,8}")
    return re.compile(rf"\b(?:{'|'.join(scales)})(?:and\s{{1,4}})?\Z")


def _stands_alone(lower: str, start: int, end: int, target: str) -> bool:
    """Whether nothing around the match makes it part of a longer word or a larger number."""
    before = lower[max(0, start - _LONGEST_BEFORE) : start]
    return not (
        before[-1:].isalnum()
        or _TENS_BEFORE.search(before)
        or _larger_before(target).search(before)
        or (lower[start].isdigit() and _DIGIT_BEFORE.search(before))
        or (lower[end - 1].isdigit() and _DIGIT_AFTER.match(lower, end))
        or _goes_on(lower, end, target)
    )


def _goes_on(lower: str, end: int, target: str) -> bool:
    """Whether the words after the number make it a larger one."""
    if _SCALE_AFTER.match(lower, end):
        return True
    zeros = len(target) - len(target.rstrip("0"))
    if zeros < 3:
        open_end = zeros > 0 and target[-2:] != "10"
        return open_end and _SMALL_AFTER.match(lower, end) is not None
    following = _NUMBER_AFTER.match(lower, end)
    if following is None or (following["comma"] and not following["scale"]):
        return False
    return _SCALES.index(following["scale"] or "") < zeros // 3
