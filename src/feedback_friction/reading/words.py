"""Words of a text, normalised as TriviaQA's own evaluation normalises answers.

That script (Joshi et al. 2017, evaluation/triviaqa_evaluation.py) lowers the case, turns
underscores and punctuation into spaces, and drops the articles. So does this module, word by word
with offsets, and beyond it

- accents are folded ("Beyoncé" = "Beyonce") and "&" reads "and";
- initials are one word: "J. R. R. Tolkien" = "JRR Tolkien", "U.S." = "US";
- thousands separators are dropped ("1,234" = "1234"), a decimal point and a minus sign stay;
- "St." before a name is "Saint", "Mt." Mount and "Ft." Fort; Roman numerals after a name and the
  days of a date are numbers ("Henry VIII" = "Henry 8", "July 20th" = "July 20");
- within a date, words that only link its parts are none ("the 20th day of July in the year 1969");
- a final "A" is no article: "Vitamin A" is not "vitamin".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from feedback_friction.reading.lexicon import SHARED, TITLES
from feedback_friction.reading.number_words import ORDINALS, roman

ARTICLES = frozenset({"a", "an", "the"})

_WORD = re.compile(
    r"(?<![^\s(\[=:$\"'])(?<!\d\s)[-−](?=\d)(?:\d{1,3}(?:,\d{3}){1,6}|\d+)(?:\.\d+)?(?!\w)"  # -4
    r"|\d{1,3}(?:,\d{3}){1,6}(?![\d,]\d)(?:\.\d+)?"  # 1,234,567.8
    r"|(?<!\d\.)\d+\.\d+(?![.\d])"
    r"|[\u3040-\u30ff\u4e00-\u9fff]+"  # no spaces there: a name in Latin letters is a word
    r"|(?:(?![\u3040-\u30ff\u4e00-\u9fff])[^\W_][\u0300-\u036f]*)+"
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
        return is_number(self.norm)


def is_number(norm: str) -> bool:
    """Whether a word as it is compared has nothing but digits, a sign and a point."""
    return norm.replace(".", "").removeprefix("-").isdigit()


@lru_cache(maxsize=8192)
def fold(word: str) -> str:
    """One word without case and accents; numbers without thousands separators."""
    if word.isascii():
        if word == "&":
            return "and"
        return (word.replace(",", "") if "," in word else word).lower()
    word = word.replace("−", "-")
    if word.isascii():
        return fold(word)
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
            _drop_era(found)
        else:
            numbers = found and not (len(raw) == 1 and _SPELLED_ON.match(text, end))
            norm = _plain_number(raw, found) if numbers else fold(raw)
            if not norm:  # marks alone, such as the voicing of a Japanese letter that is not there
                continue
            found.append(
                Word(norm, start, end, raw[0].isupper() or is_number(norm) or raw[0].isdigit())
            )
            _spell_out(found, text)
        initials_end = end if initial else -1
    return found


_SHORT = {"st": "saint", "mt": "mount", "ft": "fort"}
ROMAN = {roman(value): str(value) for value in range(2, 90)}
MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_SHORT_MONTHS = {month[:3]: month for month in MONTHS} | {"sept": "september"}
_DAY = re.compile(r"([1-9]|[12]\d|3[01])(?:st|nd|rd|th)")
_IS_DAY = re.compile(r"0?[1-9]|[12]\d|3[01]")
_IS_YEAR = re.compile(r"[1-9]\d{3}")
_ORDINALS = {word: value for value, word in enumerate(ORDINALS, 1)}
# What follows the first letter of a name that is spelt letter by letter: "L-i-m-a", "L i m a".
_SPELLED_ON = re.compile(r"[^\w\s]{1,3}[A-Za-z](?!\w)|\s[a-z]\s[a-z](?!\w)")
_ERAS = {"BCE": "bc", "CE": "ad"}


def _plain_number(raw: str, before: Sequence[Word]) -> str:
    """A word after others; as digits where it numbers a name or is the day of a date."""
    if raw in ROMAN and before[-1].capital and len(before[-1].norm) > 1:
        return ROMAN[raw]
    if raw in _ERAS and before[-1].is_number:
        return _ERAS[raw]
    if before[-1].norm == "the" and len(before) > 1 and before[-2].capital:
        if raw[0].isupper():
            return str(_ORDINALS.get(raw.lower(), fold(raw)))  # Henry the Eighth
        return _day_of(fold(raw), linked=False)  # Henry the 8th
    return fold(raw)


_SAME_NAME = 3  # letters of a surname at least that initials may stand before


def initials(answer: str) -> frozenset[tuple[str, ...]]:
    """The name of a person, surname last, if an answer is one whose given names may be initials."""
    found = words(answer)
    person = 2 <= len(found) <= 5 and all(w.capital and w.norm.isalpha() for w in found)
    if not person or found[0].norm in ARTICLES or len(found[-1].norm) < _SAME_NAME:
        return frozenset()
    joined = found[0].end - found[0].start > len(found[0].norm)  # "J. R. R." is one word
    first = tuple(found[0].norm) if joined else (found[0].norm,)
    return frozenset({(*first, *(word.norm for word in found[1:]))})


def is_named(said: Sequence[str], name: tuple[str, ...], person: bool = False) -> bool:
    """Whether words are a name, with initials for given names or the names for initials.

    A person's middle names may be left out or added: "Thomas Alva Edison"; but "George Bush" is
    not "George W. Bush".
    """
    if min(len(said), len(name)) < 2 or said[-1] != name[-1]:
        return False
    given = [*said[:-1]]
    if len(given) == 1 and len(given[0]) == len(name) - 1 > 1:  # "JRR", "J.F."
        given = [*given[0]]
    fewer, more = sorted((given, [*name[:-1]]), key=len)
    if person and len(fewer) < len(more) == len({*more} - {name[-1]}) and name[-1] not in SHARED:
        rest, first = iter(more), fewer[0]
        added = len(given) <= len(name) and first == more[0] and first not in TITLES
        return added and len(first) > 1 and all(word in rest for word in fewer)
    return len(given) == len(name) - 1 and all(
        one == two or (min(len(one), len(two)) == 1 and one[0] == two[0])
        for one, two in zip(given, name, strict=False)
    )


# Between the day and the month of a date, and between either and its year.
_DAY_LINKS = frozenset({"day", "of", "the", "month"})
_YEAR_LINKS = frozenset({"in", "of", "on", "the", "year"})
_CLOSED = re.compile(r"[.!?;\n]")


def named_at(
    found: Sequence[Word], at: int, names: Iterable[tuple[str, ...]], person: bool = False
) -> int:
    """Where the words end that are, from a place on, one of the names; 0 for none."""
    for name in names if found[at].capital else ():
        for end in range(at + 2, min(at + len(name) + person, len(found)) + 1):
            said = found[at:end]
            if all(w.capital for w in said) and is_named([w.norm for w in said], name, person):
                return end
    return 0


def _spell_out(found: list[Word], text: str) -> None:
    """Write what stands before the last word as that word asks for: "St." Louis, 4th of July."""
    _drop_era(found)
    if len(found) > 1 and not _SHORT_MONTHS.keys().isdisjoint((found[-1].norm, found[-2].norm)):
        _month_in_full(found)
    last = found[-1].norm
    if last == "century":
        _century(found)
    elif len(found) > 1 and (last in MONTHS or found[-1].norm[:1].isdigit() or last in _ORDINALS):
        _link_date(found, text)
    if len(found) < 2 or not found[-1].capital or found[-1].is_number:
        return
    before = found[-2]
    if before.capital and before.norm in _SHORT and len(text[before.end : found[-1].start]) <= 2:
        found[-2] = Word(_SHORT[before.norm], before.start, before.end, True)


def _drop_era(found: list[Word]) -> None:
    """Take "AD" out beside a year of four digits, which no other era has in a question."""
    for era, year in ((-2, -1), (-1, -2)):
        if len(found) > 1 and found[era].norm == "ad" and _IS_YEAR.fullmatch(found[year].norm):
            first, last = found[-2:]
            found[-2:] = [Word(found[year].norm, first.start, last.end, first.capital)]


def _month_in_full(found: list[Word]) -> None:
    """Write a month in full that stands beside a number: "Nov. 11", "11 Nov"."""
    for at, beside in ((-2, -1), (-1, -2)):
        if found[at].norm in _SHORT_MONTHS and found[beside].is_number:
            _write(found, at, _SHORT_MONTHS[found[at].norm])


def _write(found: list[Word], at: int, norm: str) -> None:
    word = found[at]
    found[at] = Word(norm, word.start, word.end, word.capital)


def _day_of(norm: str, linked: bool = True) -> str:
    """The day of a month that a word is, in digits; "twentieth" only where something links it."""
    day = _DAY.fullmatch(norm)
    if day:
        return day[1]
    return str(_ORDINALS[norm]) if linked and norm in _ORDINALS else norm


def _link_date(found: list[Word], text: str) -> None:
    """Take out what links the last word, a part of a date, to the parts before it."""
    last = len(found) - 1
    at = _before(found, last, _DAY_LINKS, text)
    month, day = (last, at) if found[last].norm in MONTHS else (at, last)
    if at >= 0 and found[month].norm in MONTHS:
        number = _day_of(found[day].norm, day == last or at < last - 1)
        if _IS_DAY.fullmatch(number):
            _write(found, day, number)
            del found[at + 1 : last]
            last = at
    first = _before(found, last, _YEAR_LINKS, text)
    if first < 0:
        return
    begins_date = found[last].norm in MONTHS or last == at
    is_first = begins_date and _IS_YEAR.fullmatch(found[first].norm)
    if is_first or (_IS_YEAR.fullmatch(found[last].norm) and _ends_date(found, first)):
        del found[first + 1 : last]


def _ends_date(found: Sequence[Word], at: int) -> bool:
    """Whether a month, or the day after one, stands at a place."""
    month = found[at].norm in MONTHS
    return month or (
        at > 0 and found[at - 1].norm in MONTHS and _IS_DAY.fullmatch(found[at].norm) is not None
    )


def _before(found: Sequence[Word], last: int, links: Collection[str], text: str) -> int:
    """The place of the nearest word before another that is no link; -1 across a sentence's end."""
    at = last - 1
    while at >= 0 and found[at].norm in links:
        at -= 1
    linked = at < last - 1
    return -1 if linked and _CLOSED.search(text, found[at].end, found[last].start) else at


def _century(found: list[Word]) -> None:
    """Write the ordinal before "century" with its ending."""
    if len(found) < 2:
        return
    word, start = found[-2], found[-2].start
    digits = word.norm.isdigit() and word.end - start > len(word.norm)  # "Answer: the 19th Century"
    value = int(word.norm) if digits else _ORDINALS.get(word.norm, 0)
    if not value:
        return
    if len(found) > 2 and found[-3].norm == "twenty" and value < 10:
        value, start = value + 20, found[-3].start
        del found[-3]
    ending = {1: "st", 2: "nd", 3: "rd"}.get(value % 20, "th")
    found[-2] = Word(f"{value}{ending}", start, word.end, word.capital)


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
