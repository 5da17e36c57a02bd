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
from feedback_friction.reading.standing import (
    DENIAL,
    DENIED_AFTER,
    NOT_BUT,
    is_given,
    is_past,
    is_withdrawn,
)

_SHORTEST_WORD = 5  # letters from which a number in base 16 without digits is no word

_NOTHING_ELSE = re.compile(
    r"(?:[^A-Za-z0-9]|\b(?:it's|it is|this is|that is|i (?:get|got))\b)*"
    r"(?:0x)?[0-9A-Fa-f][0-9A-Fa-f.,_' ]*h?"
    r"(?:[^A-Za-z0-9=]|\b(?:hex|hexadecimal|in|base|16|10|decimal|it is)\b|‹1[06]›)*$",
    re.I,
)
_DENIES = re.compile(rf"(?i){DENIAL}|[0-9A-F]\s?{DENIED_AFTER}")
_SUM = r"[0-9][0-9\s.,+×/()=-]{0,200}"
# "x = 14/2 = 7", "5x = 35, x = 7", "7 = x"
_UNKNOWN = re.compile(
    rf"\s*(?:[0-9a-z+= -]{{3,60}}(?:[,;]\s|→\s?))?(?:[a-z]\s?(?:=|is|equals|must"
    rf" be)\s?(?P<value>-?{_SUM})|(?P<first>-?[0-9][0-9.,]{{0,60}})\s?=\s?[a-z])[\s.!]*"
)
_PRODUCT = (
    r"(?:product|result|(?:grand|overall|final) (?:sum|total)|multiplication|produ(?:kt|it|to|cto)"
    r"|prodotto|ergebnis|resultado|résultat|risultato|hasil(?:nya|\skali)?)"
)
_CONCLUDES = re.compile(
    r"^\W*(?:therefore|thus|hence|so|finally|in conclusion|consequently|∴)\b.*(?:=|\bis|:|\bequals)"
    rf"|\b{_PRODUCT}\b.*(?:=|:|→|\b(?:is|equals|gives|comes|es|é|è|est|ist|lautet|beträgt"
    rf"|adalah)\b)"
    r"|\ba (?:product|total|result) of\b|^\W*(?:total|sum|product|result)\s?[*_]*\s?[|=:→]|(?:^"
    r"|[.!:;]\s)\W*the (?:new |correct"
    r" )?(?:sum|total) (?:is|comes to)\b|\b(?:summing|adding)\b.*\b(?:partial products|all"
    r"|everything|up|together)\b.*(?:\b(?:gives|yields|get)\b|:)",
    re.I,
)
# So does a reply of one line, if nothing is multiplied there.
_ALONE_CONCLUDES = re.compile(
    r"(?:\b(?:(?:we|i) (?:get|obtain|have|find|arrive at|end up with)|gives|yields|it is|it's"
    r"|that(?: i|['’])s|it (?:should|must) be)\W*)$",
    re.I,
)
_MULTIPLIES = re.compile(r"×|\b(?:multipl\w+|times|product of)\b", re.I)
# A reply that is one such sentence says all that it has to say, with a full stop or without.
_SAYS_ALL = re.compile(
    r"\W*(?:(?:so|therefore|thus|hence),?\s)?(?:the\s)?(?:(?:correct|final|exact|right|full"
    r"|overall)\s)*(?:product|result|total|sum)\W{0,3}?(?:\sis|=|:|→"
    r"|\sequals)\W{0,9}(?:0x)?[0-9A-F][0-9A-F,._ ']{0,60}(?:h|‹1[06]›)?\W*$",
    re.I,
)
_PARTWAY = re.compile(
    r"\b(?:partial(?! products\b)|intermediate|sub-?totals?|running|steps?|so far|digits?|shift\w*"
    r"|approx\w*|first|second(?! thought)|third|fourth|fifth|next|carry|place|about|roughly"
    r"|estimate\w*|(?:half|twice|double)(?= (?:of )?(?:the|this|that|our))|cumulative|mod(?:ulo)?"
    r"|remainders?)\b|≈|…|(?<!the )(?<!all )(?<!these )(?<!four )partial products",
    re.I,
)
# "After correcting the carry, ...", "redoing the first step, ...": what comes is the whole again.
_REDONE = re.compile(
    r"^\W*(?:after |by |on |with |when )?(?:correct|fix|redo|recheck|recomput|recalculat|repair)"
    r"ing\b[^,=]{0,60},\s",
    re.I,
)
# A sentence before the last one that speaks of mistakes is no work: "I forgot the carry."
_TALK = re.compile(
    r"[^.!?;]{0,200}\b(?:if|forg[eo]t\w*|mistake\w*|errors?|slips?|lost|dropped|missed|correct\w*"
    r"|fixed|wrong)\b[^.!?;]{0,200}[.!?;]\s",
    re.I,
)
# What, between a cue and its number, makes it speak of something else.
OTHER_MATTER = re.compile(
    r"\b(?:mod(?:ulo)?|digits?|remainders?|approx\w*|about|roughly|between|less|more|greater"
    r"|at least|order|estimate\w*|not|cannot|wrong|incorrect|verif\w+|ends?|starts?|begins?|was"
    r"|were|close|near\w*|almost)\b|n't|≈",
    re.I,
)
VERB = re.compile(
    r"\b(?:is|are|be|equals?|becomes|gives|yields)\b|\bcomes (?:out )?(?:to|as|at)\b|^ (?:as|of)\b"
    r"|[=:→>–]| - ",
    re.I,
)
# After a number: what it is not, or how it was found.
_REMARK = re.compile(
    r"(?<=[0-9A-Fa-f›)])(?:[\s,;–(]{1,3}(?:(?:and |but )?not|rather than|instead of|as opposed to"
    r"|because|since)\b|\s?[,;–(]\s?(?:which|as|before|earlier|previous\w*|whereas|while|unlike"
    r"|where|obtained|found|verified)\b|\s\((?=[^()]*[A-Za-z]{3})|,\s(?:that is|i\.e\."
    r"|or)\s[0-9,]+\s(?:in\s)?(?:decimal|base (?:10|ten)|‹10›)).*",
    re.I,
)
_CONTRAST = re.compile(
    r"[\s,;(]{1,3}(?:(?:and |but )?not(?! yet| count| includ)|rather|instead"
    r"|as opposed)\b"
)
_IS_IT = re.compile(
    r"\W*(?:(?:so|thus|hence"
    r"|therefore),?\s)?(?:0x)?(?=[0-9A-F])(?P<it>\S{1,60})\sis\s(?:correct|right|the\s(?:(?:correct"
    r"|final|exact|full)\s){0,2}(?:product|result|answer|sum|total))[\s.!]*(?!\s?\w)",
    re.I,
)
_OF_BASE = re.compile(r"\b[Bb]ase[- ]\Z")
_ASIDE = re.compile(r"\b(?:check\w*|verif\w*|confirm\w*|earlier|previous\w*|before)\b", re.I)
_OPERAND = re.compile(r"(?:[×/^]|[0-9A-Fa-f)›]\s?[+-])\s?$")
_OF_UNKNOWN = re.compile(r"(?:\d[a-z]\b|\b[a-z]\s?[-+])[^=]*=\s*$")  # "5x + 14 = 79"
_MINUS = re.compile(r"(?:-\s?|\b(?:minus|negative)\s)$", re.I)
_ROUNDED = re.compile(r"\s?(?:thousand|million|billion|trillion)\b")
_OR = re.compile(r"[\s,]{1,3}or(?: maybe| perhaps| possibly)?\s")
CLOSED = re.compile(r"(?:[.!)\]*$`|>\"\n]|\\end\{\w{1,20}\*?\})\s*\Z")
_JOINT = "\x1f"  # white space that marks where two lines of an equation were joined
_CONTINUED = re.compile(r"\s{0,40}\n\s{0,40}=|=[ \t]{0,40}\n\s{0,40}(?!\w{1,3}[.)]\s)")
_RULE = re.compile(r"^[\s|+]*[-–_=]{3,}[\s|+]*$")


def bare(text: str, base: Base, factors: Sequence[str], closed: bool) -> str | None:
    """The number that is all of the text, unless it is a factor, or the cut-off beginning of one.

    Arguments as for ``equation``.
    """
    text = NOT_BUT.sub("", text) if len(text) <= LONGEST_LINE else text
    if len(text) > LONGEST_LINE or _DENIES.search(text):
        return None
    if unknown := _UNKNOWN.fullmatch(text):
        return value(unknown["value"] or unknown["first"], base)
    if not _NOTHING_ELSE.match(text):
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
    verb = re.match(
        r"[\s)\]]{0,4}(?:=|→|:|is|equals|gives|yields|makes|comes (?:out )?to(?: be)?"
        r"|,? ?(?:you|we|one|i)(?:'ll| will)? (?:gets?|obtains?|have))(?![A-Za-z])",
        rest,
    )
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
    closed = closed or (bool(lines) and _SAYS_ALL.match(lines[-1]) is not None)
    for index in range(len(lines) - 1, -1, -1):
        line = lines[index][-LONGEST_LINE:].rstrip(" .!|)")
        found = numerals(line, base)
        if not found or (index and is_past(line[: found[0].start])):
            continue
        if not closed and index == len(lines) - 1:
            return None
        if it := _IS_IT.fullmatch(lines[index]):
            return value(it["it"], base)
        if _sum_of_column(lines[:index], line, base):
            return alone(line, base)
        return _conclusion(line, base, only=len(lines) == 1)
    return None


def _conclusion(line: str, base: Base, *, only: bool) -> str | None:
    """The number that a line concludes with; ``only`` where it is all of the reply."""
    line = NOT_BUT.sub("", line)
    start, end = _main_sentence(line, base)
    clause, remark = _parted(line[start:end], base)
    found = [each for each in numerals(clause, base) if not _OF_BASE.search(clause, 0, each.start)]
    if not found:
        return None
    last = found[-1]
    before = _REDONE.sub("", clause[: last.start])
    note = BASE_NOTE.match(clause, last.end)
    work = _TALK.sub("", line[:start]) + before
    if note is None or note.end() < len(clause) or _PARTWAY.search(work + clause[last.end :]):
        return None
    if is_withdrawn(line, start + last.end) or line[start + last.end :].lstrip("*_`)")[:1] == "?":
        return None
    concludes = _CONCLUDES.search(line[:start] + before) or (
        only and _ALONE_CONCLUDES.search(before) and not _MULTIPLIES.search(before)
    )
    if not concludes or not is_given(
        before, "" if _CONTRAST.match(remark) or numerals(remark, base) else remark
    ):
        return None
    between = before[max((verb.end() for verb in VERB.finditer(before)), default=0) :]
    if base == 10 and _OF_UNKNOWN.search(before):
        return None
    if OTHER_MATTER.search(between) or _OPERAND.search(before) or is_alternative(clause, base):
        return None
    chained = len(found) > 1 and clause[found[-2].end : last.start].strip() in ("=", "→")
    sign = "-" if _MINUS.search(before) else ""
    return value(sign + clause[found[-2].start if chained else last.start :], base)


def _main_sentence(line: str, base: Base) -> tuple[int, int]:
    """The last sentence of a line with a number that is no remark on another."""
    marks = list(SENTENCE_END.finditer(line))
    starts = [0, *(mark.end() for mark in marks)]
    ends = [*(mark.start() for mark in marks), len(line)]
    for start, end in zip(reversed(starts), reversed(ends), strict=True):
        if numerals(line[start:end], base) and not _ASIDE.search(line[start:end]):
            return start, end
    return 0, len(line)


def _parted(sentence: str, base: Base) -> tuple[str, str]:
    """A sentence up to what it remarks on its number, and that remark."""
    remark = _REMARK.search(sentence)
    if remark is None or _CONCLUDES.search(remark[0]) or (base == 16 and "hex" in remark[0]):
        return sentence, ""
    return sentence[: remark.start()], remark[0]


def is_alternative(text: str, base: Base) -> bool:
    """Whether the last number of a text is one of two different ones: "5 or 6"."""
    *_, one, other = (None, None, *numerals(text, base))
    if one is None or other is None or one.digits == other.digits:
        return False
    rounded = _ROUNDED.match(text, other.end)
    return rounded is None and _OR.fullmatch(text, one.end, other.start) is not None


def _sum_of_column(above: Sequence[str], line: str, base: Base) -> bool:
    """Whether a line with only a number stands under a ruled line that closes a column of sums."""
    if len(above) < 3 or not _RULE.match(above[-1]) or alone(line, base) is None:
        return False
    return read(above[-2].lstrip(" +|"), base) is not None
