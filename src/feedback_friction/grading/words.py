"""Words of a text, normalised as TriviaQA's own evaluation normalises answers.

That script (Joshi et al. 2017, evaluation/triviaqa_evaluation.py) lowers the case, turns
underscores and punctuation into spaces, and drops the articles. So does this module, word by word
with offsets, and beyond it

- accents are folded ("Beyoncé" = "Beyonce") and "&" reads "and";
- initials are one word: "J. R. R. Tolkien" = "JRR Tolkien", "U.S." = "US";
- thousands separators are dropped ("1,234" = "1234"), and a decimal point stays;
- "St." before a name is "Saint", "Mt." Mount and "Ft." Fort; Roman numerals after a name and the
  days of a date are numbers ("Henry VIII" = "Henry 8", "July 20th" = "July 20");
- a final "A" is no article: "Vitamin A" is not "vitamin".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

ARTICLES = frozenset({"a", "an", "the"})

_WORD = re.compile(
    r"\d{1,3}(?:,\d{3}){1,6}(?![\d,]\d)(?:\.\d+)?"  # 1,234,567.8
    r"|\d+\.\d+(?![.\d])"
    r"|(?:[^\W_][\u0300-\u036f]*)+"
    r"|&"
)
# Letters that Unicode does not decompose into a plain letter and an accent.
_PLAIN = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word as it is compared, where it stands in the text, and whether it is capitalised."""

    norm: str
    start: int
    end: int
    capital: bool

    @property
    def is_number(self) -> bool:
        """Whether it is written with digits alone."""
        return self.norm.replace(".", "").isdigit()


@lru_cache(maxsize=65536)
def fold(word: str) -> str:
    """One word without case and accents; numbers without thousands separators."""
    if word.isascii():
        if word == "&":
            return "and"
        return (word.replace(",", "") if "," in word else word).lower()
    bare = "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
    return bare.casefold().translate(_PLAIN)


def words(text: str) -> list[Word]:
    """All words of a text in order, articles included, initials joined to one word."""
    found: list[Word] = []
    initials_end = -1
    for match in _WORD.finditer(text):
        raw, start, end = match[0], match.start(), match.end()
        initial = len(raw) == 1 and raw.isupper()
        if initial and 0 <= start - initials_end <= 2 and _joins(text[initials_end:start]):
            last = found[-1]
            found[-1] = Word(last.norm + fold(raw), last.start, end, True)
        else:
            norm = _plain_number(raw, found) if found else fold(raw)
            found.append(Word(norm, start, end, raw[0].isupper() or raw[0].isdigit()))
            _spell_out(found, text)
        initials_end = end if initial else -1
    return found


_SHORT = {"st": "saint", "mt": "mount", "ft": "fort"}
_ROMAN = {
    roman: str(value)
    for value, roman in enumerate(
        [
            "II",
            "III",
            "IV",
            "V",
            "VI",
            "VII",
            "VIII",
            "IX",
            "X",
            "XI",
            "XII",
            "XIII",
            "XIV",
            "XV",
            "XVI",
            "XVII",
            "XVIII",
            "XIX",
            "XX",
        ],
        2,
    )
}
_MONTHS = frozenset(
    [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ]
)
_DAY = re.compile(r"([1-9]|[12]\d|3[01])(?:st|nd|rd|th)")


def _plain_number(raw: str, before: Sequence[Word]) -> str:
    """A word after others; as digits where it numbers a name or is the day of a date."""
    if raw in _ROMAN and before[-1].capital and len(before[-1].norm) > 1:
        return _ROMAN[raw]
    day = _DAY.fullmatch(raw)
    return day[1] if day and before[-1].norm in _MONTHS else fold(raw)


def _spell_out(found: list[Word], text: str) -> None:
    """Write the abbreviation before the last word out, where that word is a name."""
    if len(found) < 2 or not found[-1].capital or found[-1].is_number:
        return
    before = found[-2]
    if before.capital and before.norm in _SHORT and len(text[before.end : found[-1].start]) <= 2:
        found[-2] = Word(_SHORT[before.norm], before.start, before.end, True)


def _joins(between: str) -> bool:
    return between in (".", ". ")


def without_articles(found: Sequence[Word]) -> list[Word]:
    """The words without articles; a capital "A" at the very end stays, for it is a name."""
    last = len(found) - 1
    return [
        word
        for index, word in enumerate(found)
        if word.norm not in ARTICLES or (index == last and word.norm == "a" and word.capital)
    ]


def key(text: str) -> tuple[str, ...]:
    """What an answer is compared by: its words, normalised, without articles."""
    return tuple(word.norm for word in without_articles(words(text)))


def normalized(text: str) -> str:
    """The words of ``key`` with spaces between; texts that mean the same alias are equal."""
    return " ".join(key(text))


def _dates(answer: tuple[str, ...]) -> set[tuple[str, ...]]:
    """A date, day or month first, in the other order."""
    if len(answer) not in (2, 3):
        return set()
    first, second, *year = answer
    if first in _MONTHS and second.isdigit():
        return {(second, first, *year), (second, "of", first, *year)}
    return {(second, first, *year)} if second in _MONTHS and first.isdigit() else set()


@lru_cache(maxsize=4096)
def keys(gold: str, aliases: tuple[str, ...]) -> frozenset[tuple[str, ...]]:
    """The keys of all accepted answers, without those that have no word at all.

    An alias that is nothing but articles ("A", "The The") keeps them.
    """
    found = set()
    for answer in (gold, *aliases):
        own = key(answer) or tuple(word.norm for word in words(answer))
        found |= {own, *_dates(own)}
    found.discard(())
    return frozenset(found)
