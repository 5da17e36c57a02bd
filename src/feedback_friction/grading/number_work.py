"""Answers that work ends in without saying that they are the answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from feedback_friction.reading.number_values import (
    BASE_NOTE,
    LONGEST_LINE,
    SENTENCE_END,
    alone,
    value,
)
from feedback_friction.reading.numerals import Base, numerals, read

_SHORTEST_WORD = 5  # letters from which a number in base 16 without digits is no word

_NOTHING_ELSE = re.compile(
    r"(?:[^A-Za-z0-9]|\b(?:it's|it is|this is|that is|i (?:get|got))\b)*"
    r"(?:0x)?[0-9A-Fa-f][0-9A-Fa-f.,_' ]*h?"
    r"(?:[^A-Za-z0-9=]|\b(?:hex|hexadecimal|in|base|16|10|decimal)\b|‹1[06]›)*$",
    re.I,
)
_CONCLUDES = re.compile(
    r"^\W*(?:therefore|thus|hence|so|finally|in conclusion|consequently|∴)\b.*(?:=|\bis|:|\bequals)"
    r"|\b(?:product|result|(?:grand|overall|final) (?:sum|total)|multiplication)\b.*"
    r"(?:=|\bis\b|:|\bequals|\bgives|→)",
    re.I,
)
# A reply that is one such sentence says all that it has to say, with a full stop or without.
_SAYS_ALL = re.compile(
    r"\W*(?:(?:so|therefore|thus|hence),?\s)?the (?:(?:correct|final|exact|right|full|overall)\s)*"
    r"(?:product|result|total)\s?(?:is|=|:|equals)\s[^a-z]{0,60}$",
    re.I,
)
_PARTWAY = re.compile(
    r"\b(?:partial|intermediate|sub-?totals?|running|steps?|so far|digits?|shift\w*|approx\w*|first"
    r"|second|third|fourth|fifth|next|carry|place|about|roughly|estimate\w*|cumulative)\b|≈|…",
    re.I,
)
CLOSED = re.compile(r"(?:[.!)\]*$`|>\"\n]|\\end\{\w{1,20}\*?\})\s*\Z")
_JOINT = "\x1f"  # white space that marks where two lines of an equation were joined
_CONTINUED = re.compile(r"\s{0,40}\n\s{0,40}=|=[ \t]{0,40}\n\s{0,40}(?!\w{1,3}[.)]\s)")
_RULE = re.compile(r"^[\s|+]*[-–_=]{3,}[\s|+]*$")


def bare(text: str, base: Base, factors: Sequence[str], closed: bool) -> str | None:
    """The number that is all of the text, unless it is a factor, or the cut-off beginning of one.

    Arguments as for ``equation``.
    """
    if len(text) > LONGEST_LINE or not _NOTHING_ELSE.match(text):
        return None
    found = alone(text, base)
    if found is None or found in factors or (found.isalpha() and len(found) < _SHORTEST_WORD):
        return None
    return None if not closed and _begins_a_factor(found, factors) else found


def _begins_a_factor(digits: str, factors: Sequence[str]) -> bool:
    return any(factor.startswith(digits) for factor in factors)


def equation(text: str, base: Base, factors: Sequence[str], closed: bool) -> str | None:
    """The value that the reply gives to the product of the question's factors, the last time.

    Args:
        text: the plain text.
        base: 10 or 16.
        factors: the two factors, canonical and sorted.
        closed: whether a full stop, a bracket, a line end or the like ends the reply; if none does,
            it may have been cut off.
    """
    lines = _CONTINUED.sub(f" ={_JOINT} ", text).rstrip().split("\n")
    for index in range(len(lines) - 1, -1, -1):
        line = lines[index]
        may_be_cut = not closed and index == len(lines) - 1
        for end in reversed(list(_products(line, factors, base))):
            rest = line[end : end + LONGEST_LINE]
            found = _product_value(rest, base, factors if may_be_cut else ())
            if found is not None:
                return found
    return None


def _products(line: str, factors: Sequence[str], base: Base) -> Iterator[int]:
    """Where in a line the product of the two factors has just been named."""
    for one, other in pairwise(numerals(line, base)):
        if sorted((one.digits, other.digits)) != factors:
            continue
        between = line[one.end : other.start].strip().lower()
        named = re.search(r"\b(?:product of|multipl\w+)\W*$", line[: one.start][-40:], re.I)
        if between in ("×", "x", "times", "multiplied by") or (
            named and between in ("and", "by", "with")
        ):
            yield other.end


def _product_value(rest: str, base: Base, factors: Sequence[str]) -> str | None:
    """What a product is said to be, right after it was named; None where the chain breaks off.

    Args:
        rest: the text after the product, to the end of its line.
        base: 10 or 16.
        factors: not empty where the reply may be cut off at the end of ``rest``: a chain of several
            steps is then taken to be, and so is the beginning of a factor.
    """
    verb = re.match(r"[\s)\]]{0,4}(?:=|→|:|is|equals|gives|yields|makes)(?![A-Za-z])", rest)
    if verb is None:
        return None
    end = SENTENCE_END.search(rest, verb.end())
    chain = rest[verb.end() : end.start() if end else len(rest)]
    steps = re.split("[=→]", chain)
    if value(steps[-1], base) is None:
        return None
    found = value(chain, base)
    if factors and end is None and found is not None:
        in_steps = len(steps) > 1 or _JOINT in rest
        if in_steps or _begins_a_factor(found, factors):
            return None
    return found


def concluded(text: str, base: Base, closed: bool) -> str | None:
    """The number at the end of the last line that has one, if that line concludes the reply.

    Args:
        text: the plain text.
        base: 10 or 16.
        closed: as for ``equation``; a later line without a number shows the same.
    """
    lines = [line for line in text.split("\n") if line.strip()]
    closed = closed or (len(lines) == 1 and _SAYS_ALL.match(lines[0]) is not None)
    for index in range(len(lines) - 1, -1, -1):
        line = lines[index][-LONGEST_LINE:].rstrip(" .!|)")
        found = numerals(line, base)
        if not found:
            continue
        last = found[-1]
        note = BASE_NOTE.match(line, last.end)
        if note is None or note.end() < len(line):
            return None
        closed = closed or index < len(lines) - 1
        if closed and _sum_of_column(lines[:index], line, base):
            return alone(line, base)
        if closed and _CONCLUDES.search(line[: last.start]) and not _PARTWAY.search(line):
            return value(line[last.start :], base)
        return None
    return None


def _sum_of_column(above: Sequence[str], line: str, base: Base) -> bool:
    """Whether a line with only a number stands under a ruled line that closes a column of sums."""
    if len(above) < 3 or not _RULE.match(above[-1]) or alone(line, base) is None:
        return False
    return read(above[-2].lstrip(" +|"), base) is not None
