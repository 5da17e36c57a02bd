"""Accepted answers as words, in all the writings in which they count as the same.

A date in any order, a number in digits, words or Roman numerals, "Jr." for "Junior", the world
wars, and umlauts with and without their dots.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from feedback_friction.reading.number_words import (
    NUMBER_WORDS,
    SMALL_NUMBERS,
    TENS,
    number_words,
)
from feedback_friction.reading.words import MONTHS, ROMAN, key, words

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
_MOST_WORDS = 8  # of an answer in which numbers are looked for
_NUMERALS = {value: roman.lower() for roman, value in ROMAN.items()}


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
        elif 1010 <= value < 2100 and value % 100 > 9:  # a year
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
        elif len(answer) == 1 and answer[0].upper() in ROMAN:
            yield 0, 1, int(ROMAN[answer[0].upper()])
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
        if own[:1] and own[0][0] == "-":
            found.add(("minus", own[0][1:], *own[1:]))
        if answer.translate(_UMLAUTS) != answer:
            found.add(key(answer.translate(_UMLAUTS)))
    found.discard(())
    return frozenset(found)
