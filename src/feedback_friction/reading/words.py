"""Words of a text, normalised as TriviaQA's own evaluation normalises answers.

That script (Joshi et al. 2017, evaluation/triviaqa_evaluation.py) lowers the case, turns
underscores and punctuation into spaces, and drops the articles. So does this module, word by word
with offsets, and beyond it

- accents are folded ("Beyoncé" = "Beyonce") and "&" reads "and";
- initials are one word: "J. R. R. Tolkien" = "JRR Tolkien", "U.S." = "US";
- thousands separators are dropped ("1,234" = "1234"), and a decimal point stays;
- "St." before a name is "Saint", "Mt." Mount and "Ft." Fort; Roman numerals after a name and the
  days of a date are numbers ("Henry VIII" = "Henry 8", "July 20th" = "July 20");
- within a date, words that only link its parts are none ("the 20th day of July in the year 1969");
- a final "A" is no article: "Vitamin A" is not "vitamin".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from feedback_friction.reading.number_words import (
    NUMBER_WORDS,
    ORDINALS,
    SMALL_NUMBERS,
    TENS,
    number_words,
    roman,
)

ARTICLES = frozenset({"a", "an", "the"})

_WORD = re.compile(
    r"\d{1,3}(?:,\d{3}){1,6}(?![\d,]\d)(?:\.\d+)?"  # 1,234,567.8
    r"|(?<!\d\.)\d+\.\d+(?![.\d])"
    r"|[\u3040-\u30ff\u4e00-\u9fff]+"  # no spaces there: a name in Latin letters is a word
    r"|(?:(?![\u3040-\u30ff\u4e00-\u9fff])[^\W_][\u0300-\u036f]*)+"
    r"|&"
)
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
_MOST_WORDS = 8  # of an answer in which numbers are looked for
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


@lru_cache(maxsize=8192)
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
            _drop_era(found)
        else:
            numbers = found and not (len(raw) == 1 and _SPELLED_ON.match(text, end))
            norm = _plain_number(raw, found) if numbers else fold(raw)
            if not norm:  # marks alone, such as the voicing of a Japanese letter that is not there
                continue
            found.append(Word(norm, start, end, raw[0].isupper() or raw[0].isdigit()))
            _spell_out(found, text)
        initials_end = end if initial else -1
    return found


_SHORT = {"st": "saint", "mt": "mount", "ft": "fort"}
_ROMAN = {roman(value): str(value) for value in range(2, 90)}
_NUMERALS = {value: roman.lower() for roman, value in _ROMAN.items()}
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
    if raw in _ROMAN and before[-1].capital and len(before[-1].norm) > 1:
        return _ROMAN[raw]
    if raw in _ERAS and before[-1].is_number:
        return _ERAS[raw]
    if raw[0].isupper() and before[-1].norm == "the" and len(before) > 1 and before[-2].capital:
        return str(_ORDINALS.get(raw.lower(), fold(raw)))  # Henry the Eighth
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


def is_named(said: Sequence[str], name: tuple[str, ...]) -> bool:
    """Whether words are a name, with initials for given names or the names for initials.

    No given name may be left out: "George Bush" is not "George W. Bush".
    """
    if len(said) < 2 or said[-1] != name[-1]:
        return False
    given = [*said[:-1]]
    if len(given) == 1 and len(given[0]) == len(name) - 1 > 1:  # "JRR", "J.F."
        given = [*given[0]]
    return len(given) == len(name) - 1 and all(
        one == two or (min(len(one), len(two)) == 1 and one[0] == two[0])
        for one, two in zip(given, name, strict=False)
    )


# Between the day and the month of a date, and between either and its year.
_DAY_LINKS = frozenset({"day", "of", "the", "month"})
_YEAR_LINKS = frozenset({"in", "of", "on", "the", "year"})
_CLOSED = re.compile(r"[.!?;\n]")


def named_at(found: Sequence[Word], at: int, names: Iterable[tuple[str, ...]]) -> int:
    """Where the words end that are, from a place on, one of the names; 0 for none."""
    for name in names if found[at].capital else ():
        for end in range(at + 2, min(at + len(name), len(found)) + 1):
            if is_named([word.norm for word in found[at:end]], name):
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
    if len(found) < 2 or found[-2].norm not in _ORDINALS:
        return
    word, value = found[-2], _ORDINALS[found[-2].norm]
    start = word.start
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


def _day(answer: tuple[str, ...]) -> tuple[str, int, int] | None:
    """The year ("" for none), month and day that an answer is: "July 20 1969", "1969-07-20"."""
    if len(answer) not in (2, 3) or not all(w.isdigit() or w in MONTHS for w in answer):
        return None
    named = [word for word in answer if word in MONTHS]
    if len(named) == 1 and answer.index(named[0]) < 2:
        first, *rest = [word for word in answer if word != named[0]]
        if len(first) == 4 and rest:
            first, *rest = (*rest, first)
        month, day, year = MONTHS.index(named[0]) + 1, first, "".join(rest)
    elif len(answer) == 3 and not named and len(answer[0]) == 4:
        year, month, day = answer[0], int(answer[1]), answer[2]
    elif len(answer) == 3 and not named and len(answer[2]) == 4:
        one, two, year = answer
        if not (int(one) > 12 or int(two) > 12 or int(one) == int(two)):
            return None  # the third of April or the fourth of March
        month, day = (int(two), one) if int(one) > 12 else (int(one), two)
    else:
        return None
    is_day = len(day) < 3 and day.isdigit() and 0 < int(day) < 32
    return (year, month, int(day)) if is_day and 0 < month < 13 else None


def _dates(answer: tuple[str, ...]) -> set[tuple[str, ...]]:
    """A date in other orders: day first, month first, or all in digits as ISO 8601 has it.

    In digits only a day after the twelfth, or one of the month's own number, is told apart.
    """
    found = _day(answer)
    if found is None:
        return set()
    year, at, day = found
    name, number, tail = MONTHS[at - 1], str(day), (year,) if year else ()
    forms = {(name, number, *tail), (number, name, *tail)}
    forms |= {(*tail, name, number), (*tail, number, name)}
    if not year:
        return forms
    pairs = [(f"{at}", number), (f"{at:02}", f"{day:02}")]
    forms |= {(year, *pair) for pair in pairs}
    if day > 12 or day == at:
        forms |= {each for one, two in pairs for each in ((one, two, year), (two, one, year))}
    return forms


def _numbers(answer: tuple[str, ...]) -> set[tuple[str, ...]]:
    """An answer with the numbers in it in digits, in words and in Roman numerals."""
    if len(answer) > _MOST_WORDS:
        return set()
    forms: set[tuple[str, ...]] = set()
    for start, end, value in _number_runs(answer):
        written: set[tuple[str, ...]] = {(str(value),)}
        if value < 100:
            written.add(_spoken(value))
        elif 1100 <= value < 2100 and value % 100 > 9:  # a year
            written.add(_spoken(value // 100) + _spoken(value % 100))
        if (numeral := _NUMERALS.get(str(value), "i" if value == 1 else "")) and end == len(answer):
            written.add((numeral,))
        forms |= {(*answer[:start], *each, *answer[end:]) for each in written}
    return forms


def _spoken(value: int) -> tuple[str, ...]:
    """The words of a number below a hundred."""
    tens, ones = divmod(value, 10)
    if value < 20:
        return (SMALL_NUMBERS[value],)
    return (TENS[tens - 2], *((SMALL_NUMBERS[ones],) if ones else ()))


def _number_runs(answer: tuple[str, ...]) -> Iterator[tuple[int, int, int]]:
    """Where an answer has a number, as a range of words, and its value."""
    at = 0
    while at < len(answer):
        if answer[at].isdigit() and len(answer[at]) < 9 and answer[at][0] != "0":
            yield at, at + 1, int(answer[at])
        elif answer[at] in NUMBER_WORDS:
            for end in range(len(answer), at, -1):
                run = " ".join(answer[at:end])
                value = number_words(run)
                if value is not None and value.denominator == 1 and answer[end - 1] != "and":
                    yield at, end, int(value)
                    at = end - 1
                    break
        elif at == len(answer) - 1 and at and answer[at] == "i":  # World War I
            yield at, at + 1, 1
        elif len(answer) == 1 and answer[0].upper() in _ROMAN:
            yield 0, 1, int(_ROMAN[answer[0].upper()])
        at += 1


# Other names of the same, at the end of an answer; after a name "II" is "Jr.".
_SAME = (
    (
        r"\b",
        "world war 1|world war i|world war one|ww1|wwi|ww 1|ww i|first world war|1st world war",
    ),
    (
        r"\b",
        "world war 2|world war ii|world war two|ww2|wwii|ww 2|ww ii|second world war|2nd world war",
    ),
    (r"(?<=\w )", "jr|junior|2"),
    (r"(?<=\w )", "sr|senior|1|i"),
)


def _other_names(answer: tuple[str, ...]) -> set[tuple[str, ...]]:
    """An answer with another name of the same in it: "Second World War", "Johann Strauss Jr."."""
    text = " ".join(answer)
    return {
        tuple(re.sub(rf"{before}(?:{names})$", name, text).split())
        for before, names in _SAME
        for name in names.split("|")
    }


@lru_cache(maxsize=4096)
def keys(gold: str, aliases: tuple[str, ...]) -> frozenset[tuple[str, ...]]:
    """The keys of all accepted answers, without those that have no word at all.

    An alias that is nothing but articles ("A", "The The") keeps them.
    """
    found = set()
    for answer in (gold, *aliases):
        own = key(answer) or tuple(word.norm for word in words(answer))
        for each in (own, *_dates(own)):
            found |= {each, *_numbers(each), *_other_names(each)}
        if answer.translate(_UMLAUTS) != answer:
            found.add(key(answer.translate(_UMLAUTS)))
    found.discard(())
    return frozenset(found)
