"""Numbers in words and Roman numerals: "twenty-five", "three quarters", "one and a half", XIV."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache

_TEENS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
)
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ORDINAL_WORDS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
    "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth"
)
ORDINALS = (*_ORDINAL_WORDS.split(), "twentieth")
SMALL_NUMBERS = tuple(_TEENS.split())  # by value, from zero
SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
SCALES |= {"quadrillion": 10**15}
_SMALL = {word: value for value, word in enumerate(SMALL_NUMBERS)}
_TENS = {word: 10 * value for value, word in enumerate(TENS, 2)} | {"fourty": 40}
_PARTS = {word: value for value, word in enumerate(ORDINALS[2:], 3)} | {
    "half": 2, "quarter": 4, "hundredth": 100, "thousandth": 1000,
}  # fmt: skip
_PARTS |= {f"{word}s": value for word, value in _PARTS.items()} | {"halves": 2}

NUMBER_WORDS = frozenset({*_SMALL, *_TENS, *SCALES, *_PARTS, "hundred", "dozen"})
_SIGNS = frozenset({"negative", "minus"})
_SPLIT = re.compile(r"[\s-]+")
_SCALE_COMMA = re.compile(r"(?<=thousand|.million|.billion|trillion),(?=\s)", re.I)
_MIXED = re.compile(r"(\d{1,9}) and (\d{1,4})/(\d{1,4})")
MAX_WORDS = 24


def number_words(text: str) -> Fraction | None:
    """The number that the whole text spells, or None.

    "a half" and "one half" are numbers, "half", "a" and "hundreds" are not.
    """
    if len(text) > 20 * MAX_WORDS:
        return None
    plain = _SCALE_COMMA.sub("", " " + text.strip().lower().rstrip("."))
    words = [word for word in _SPLIT.split(plain) if word]
    if not words or len(words) > MAX_WORDS:
        return None
    for joint in (["out", "of"], ["in"]):
        at = words.index(joint[0]) if joint[0] in words else 0
        if at and words[at : at + len(joint)] == joint:  # one in four, three out of four
            part, of = _whole(words[:at]), _whole(words[at + len(joint) :])
            return part / of if part is not None and of and part <= of else None
    if mixed := _MIXED.fullmatch(plain.strip()):
        ones, above, below = map(int, mixed.groups())
        return ones + Fraction(above, below) if above < below else None
    if words[0] in _SIGNS:
        value = _unsigned(words[1:])
        return None if value is None else -value
    return _unsigned(words)


def _unsigned(words: list[str]) -> Fraction | None:
    if not words:
        return None
    if words[-1] == "dozen":
        before = " ".join(words[:-1])
        count = {"": Fraction(1), "a": Fraction(1), "half a": Fraction(1, 2)}.get(before)
        count = count or _whole(words[:-1])
        return None if count is None or count > 99 else 12 * count
    scaled = ["a", "half"] if words[:-1] == ["half", "a"] else words[:-1]
    if words[-1] in SCALES and scaled and scaled[-1] in _PARTS:  # one and a half million
        value = _unsigned(scaled)
        return None if value is None else value * SCALES[words[-1]]
    if words[-1] in _PARTS:
        value = _fraction(words[:-1], _PARTS[words[-1]])
        # "twenty third" is an ordinal: only one third, quarter, ... is written in the singular.
        plural = words[-1].endswith(("s", "halves"))
        return (
            value if value is None or plural or value.numerator % value.denominator == 1 else None
        )
    if "point" in words:
        return _decimal(words)
    whole = _whole(words)
    return _year(words) if whole is None else whole


def _year(words: list[str]) -> Fraction | None:
    """A year as it is spoken: "nineteen eighty four", "nineteen oh five"."""
    century = _whole(words[:1]) if words[0] in NUMBER_WORDS else None
    oh = words[1:2] in (["oh"], ["o'"], ["o"])
    rest = _whole(words[2:] if oh else words[1:])
    if century is None or rest is None or not 10 <= century <= 20:
        return None
    return 100 * century + rest if (rest < 10 if oh else 10 <= rest < 100) else None


def _fraction(before: list[str], part: int) -> Fraction | None:
    """``before`` counts parts, perhaps after a whole number and "and"."""
    whole = Fraction(0)
    if "and" in before[1:]:
        cut = len(before) - 1 - before[::-1].index("and")
        digits = len(before[:cut]) == 1 and before[0].isdecimal() and len(before[0]) < 10
        above = Fraction(before[0]) if digits else _whole(before[:cut])
        if above is None:
            return None
        whole, before = above, before[cut + 1 :]
    count = Fraction(1) if before in (["a"], ["an"]) else _whole(before)
    return None if count is None else whole + count / part


def _decimal(words: list[str]) -> Fraction | None:
    at = words.index("point")
    whole = _whole(words[:at]) if at else Fraction(0)
    digits = [_SMALL.get(word, 10) for word in words[at + 1 :]]
    if whole is None or not digits or max(digits) > 9:
        return None
    return whole + Fraction(int("".join(map(str, digits))), 10 ** len(digits))


def _whole(words: list[str]) -> Fraction | None:
    """Cardinals: groups under a thousand, each with its scale, in falling order."""
    total, group = 0, 0
    room = 1000  # what may still be added to the group must be smaller than this
    scale_room = 10**18
    for at, word in enumerate(words):
        if word == "and" and 0 < at < len(words) - 1 and words[at - 1] in ("hundred", *SCALES):
            continue
        if word == "a" and at == 0 and len(words) > 1 and words[1] in ("hundred", *SCALES):
            group, room = 1, 1
        elif word in _SMALL and _SMALL[word] < room and (_SMALL[word] or len(words) == 1):
            group, room = group + _SMALL[word], 1
        elif word.isdecimal() and 0 < int(word) < room and not group:  # 5 billion 781 million
            group, room = int(word), 1
        elif word in _TENS and room >= 100:
            group, room = group + _TENS[word], 10
        elif word == "hundred" and 0 < group < 100 and group % 100 == group and room < 1000:
            group, room = group * 100, 100
        elif word in SCALES and group and SCALES[word] < scale_room:
            total, group, room, scale_room = total + group * SCALES[word], 0, 1000, SCALES[word]
        else:
            return None
    return Fraction(total + group) if words else None


_TOKEN = re.compile(r"[a-z]+|(?:(?<![\d.,])|(?<=[a-z],))\d{1,3}(?![\d.,]*\d)", re.I)
_GLUE = re.compile(r"[\s,-]{1,12}")
_JOINING = frozenset(("and", "a", "an", "point", "negative", "minus", "then", "oh"))


@lru_cache(maxsize=8)  # every matcher of a mask looks at the same text
def spelled_numbers(text: str) -> tuple[tuple[int, int, Fraction], ...]:
    """Numbers in words, each the longest that its words spell: start, end and value.

    Groups of digits count as words beside such words: "5 billion 781 million".
    """
    found: list[tuple[int, int, Fraction]] = []
    run: list[re.Match[str]] = []
    for token in _TOKEN.finditer(text):
        word = _singular(token[0].lower())
        if run and _GLUE.fullmatch(text, run[-1].end(), token.start()) is None:
            found += _spelled_in(run)
            run = []
        if word in NUMBER_WORDS or word in _JOINING or word.isdigit():
            run.append(token)
        elif run:
            found += _spelled_in(run)
            run = []
    return (*found, *_spelled_in(run))


def _spelled_in(run: list[re.Match[str]]) -> Iterator[tuple[int, int, Fraction]]:
    at = 0
    while at < len(run):
        step = 1
        for size in range(min(len(run) - at, MAX_WORDS), 0, -1):
            words = [token[0].lower() for token in run[at : at + size]]
            after = run[at + size][0].lower() if at + size < len(run) else ""
            if after == "hundred" or _singular(after) in SCALES:
                continue  # the last word counts what comes next
            if all(word.isdigit() or word in _JOINING for word in words):
                break
            value = number_words(" ".join(_singular(word) for word in words if word != "then"))
            if value is not None:
                yield run[at].start(), run[at + size - 1].end(), value
                step = size
                break
        at += step


def _singular(word: str) -> str:
    return word[:-1] if word[:-1] in SCALES else word


_ROMAN = (
    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"),
    (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
)  # fmt: skip


def roman(number: int) -> str:
    """A number in Roman numerals; "" for what has none."""
    text = ""
    for value, letters in _ROMAN if 0 < number < 4000 else ():
        times, number = divmod(number, value)
        text += letters * times
    return text


_NUMERAL = re.compile(r"M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})")
_DIGITS = dict(zip("IVXLCDM", (1, 5, 10, 50, 100, 500, 1000), strict=True))


def numeral_value(text: str) -> int:
    """The whole number that a text is as an ordinal, or in two Roman numerals or more; else 0."""
    if text.lower() in ORDINALS:
        return ORDINALS.index(text.lower()) + 1
    if not 1 < len(text) < 16 or _NUMERAL.fullmatch(text) is None:
        return 0
    values = [_DIGITS[letter] for letter in text]
    return sum(-a if a < b else a for a, b in zip(values, [*values[1:], 0], strict=True))
