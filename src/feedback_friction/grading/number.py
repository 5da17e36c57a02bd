"""Exact whole-number answers, in base 10 and base 16.

A reply answers with its LAST statement of an answer. What counts as one, best first:

- ``boxed``: the last ``\\boxed{...}`` that holds a number: alone, after a last "=", with a unit.
- ``stated``: "the answer is N", "final product: N", ``<answer>N</answer>``, "Answer" as a heading
  over N. After a box it takes the box's place: whoever goes on to name another answer has changed
  their mind.
- ``equation``: the question's two factors multiplied, "19365 × 12534 = ... = N", "the product of
  19365 and 12534 is N"; needs the factors.
- ``conclusion``: the last line with a number in it, if it concludes: "the product is N",
  "Therefore, ... = N", or N under the ruled line of a sum.
- ``bare``: the reply is a number and nothing else.

A number that none of these covers is no answer. A reply that was cut off amid its partial products
has not answered, and the number that it happens to end with is not a wrong answer but none; without
the words of a conclusion nothing tells the two apart. A box that was never closed was cut off, too.

Numbers are read in every written form (see ``numerals``) and compared as canonical strings: no
separators, no leading zeros, capitals. In base 16 a number that is marked as decimal is an answer
in the wrong base: it is wrong whatever its value, and its prediction says "(base 10)".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, pairwise

from feedback_friction.grading.numerals import Base, Numeral, numerals, plain, read
from feedback_friction.grading.verdict import Verdict

_TAIL = 100_000  # characters at the end of a reply that are read for statements without a box
_BOXES = 100  # boxes, from the last one, that are read
_LONGEST_BOX = 400  # characters
_LONGEST_LINE = 400  # characters of a line that are read after its cue
_VERBS = 6  # verbs after a cue that are tried

_BOX = re.compile(r"(?:\\(?:boxed|fbox|framebox)|\x08oxed|(?<![A-Za-z\\])boxed)\s{0,5}\{")
_BRACE = re.compile(r"\\.|[{}]", re.S)

_CUE = re.compile(
    r"(?<![A-Za-z/])(?:answer|solution|final (?:product|result|value|number|sum|total))"
    r"(?![A-Za-z])",
    re.I,
)
# What, right before a cue, makes it speak of something else.
_NOT_THE_ANSWER = re.compile(
    r"\b(?:if|whether|suppose|previous|earlier|first|initial|former|old|wrong|incorrect|partial"
    r"|approximate|estimated|rough|intermediate|your|last|of|in decimal)"
    r"(?: (?:the|our|my|this|that|final|correct|exact))*\W*$"
    r"|(?:\bnot|n't)\W*(?:the|our|my)?\W*$",
    re.I,
)
# What, between a cue and its number, does.
_OTHER_MATTER = re.compile(
    r"\b(?:mod(?:ulo)?|digits?|remainders?|approx\w*|about|roughly|between|less|more|greater"
    r"|at least|order|estimate\w*|not|wrong|incorrect|verif\w+|ends?|starts?|begins?|was|were)\b"
    r"|n't|≈",
    re.I,
)
_VERB = re.compile(
    r"\b(?:is|are|be|equals?|becomes|gives|yields)\b|\bcomes (?:out )?to\b|^ (?:as|of)\b"
    r"|[=:→>–]| - ",
    re.I,
)
_FILLER = re.compile(
    r"(?:[\s:\"'(\[<>•#–,]|‹1[06]›|\b(?:hexadecimal|hex|in|base[- ](?:16|10|sixteen|ten)|the"
    r"|number|value|integer|therefore|thus|hence|then|exactly|simply|indeed|now|still|actually"
    r"|equal|to|is)(?![A-Za-z0-9])){0,12}",
    re.I,
)
# What, right after a number, says that the number is not the value.
_GOES_ON = re.compile(
    r"[\s)\]]{0,4}(?:[×/+^…%]|[xX](?=\s?[0-9(])|-\s?[0-9(]|\.{3}|(?:digits?|zeros?|places?)\b)"
)
_EXPRESSION = re.compile(r"[\s0-9A-F×/+^().,_‹›-]*")
_BASE_NOTE = re.compile(
    r"[\s,()\]\"']{0,6}(?:(?:in )?(?P<base>base[- ]?(?:16|10|sixteen|ten)|hexadecimal|hex|decimal)"
    r"(?![A-Za-z0-9]))?[\s,()\]\"']{0,6}",
    re.I,
)
_SENTENCE_END = re.compile(r"[.!?;]\s")

_NOTHING_ELSE = re.compile(
    r"(?:[^A-Za-z0-9]|\b(?:it's|it is|this is|that is|i (?:get|got))\b)*"
    r"[0-9A-Fa-f][0-9A-Fa-fxXh.,_' ]*(?:[^A-Za-z0-9=]|\b(?:hex|hexadecimal|in|base|16|10|decimal)\b"
    r"|‹1[06]›)*$",
    re.I,
)
_CONCLUDES = re.compile(
    r"^\W*(?:therefore|thus|hence|so|finally|in conclusion|consequently|∴)\b.*(?:=|\bis|:|\bequals)"
    r"|\b(?:product|result|(?:grand|overall|final) (?:sum|total)|multiplication)\b.*"
    r"(?:=|\bis\b|:|\bequals|\bgives|→)",
    re.I,
)
_PARTWAY = re.compile(
    r"\b(?:partial|intermediate|sub-?totals?|running|steps?|so far|digits?|shift\w*|approx\w*|first"
    r"|second|third|fourth|fifth|next|carry|place|about|roughly|estimate\w*|cumulative)\b|≈|…",
    re.I,
)
_CLOSED = re.compile(r"(?:[.!)\]*$`|>\"]|\\[)\]])\s*$")
_CONTINUED = re.compile(r"\s{0,40}\n\s{0,40}=|=[ \t]{0,40}\n\s{0,40}(?!\w{1,3}[.)]\s)")
_RULE = re.compile(r"^[\s|+]*[-–_=]{3,}[\s|+]*$")


@dataclass(frozen=True, slots=True)
class Stated:
    """The answer that a reply states, canonical, and the rule that found it."""

    digits: str
    rule: str


def grade_number(gold: str, response: str, base: Base, operands: Sequence[str] = ()) -> Verdict:
    """Whether the last answer in a reply is exactly the gold number.

    Args:
        gold: the gold answer, written in ``base``.
        response: the reply as the model wrote it; any text at all.
        base: 10 or 16.
        operands: the factors of a multiplication, written in ``base``, for the rule "equation".
    """
    stated = extract(response, base, operands)
    if stated is None:
        return Verdict.none("no answer stated")
    return Verdict.of(stated.digits == canonical(gold, base), stated.digits, stated.rule)


@lru_cache(maxsize=4096)
def canonical(number: str, base: Base) -> str:
    """A number in the form in which answers are compared, e.g. ``"DCB2096CA"``.

    Raises:
        ValueError: the text is not one number.
    """
    found = _alone(plain(number), base)
    if found is None:
        raise ValueError(f"not a number in base {base}: {number[:80]!r}")
    return found


def extract(response: str, base: Base, operands: Sequence[str] = ()) -> Stated | None:
    """The last answer that a reply states (see the module's docstring), or None."""
    box = _boxed(response, base)
    if box is not None:
        boxed, end = box
        later = _stated(plain(response[end:][-_TAIL:]), base)
        return Stated(boxed, "boxed") if later is None else Stated(later, "stated")
    text = plain(response[-_TAIL:])
    if (digits := _stated(text, base)) is not None:
        return Stated(digits, "stated")
    if (digits := _bare(text, base)) is not None:
        return Stated(digits, "bare")
    if (digits := _equation(text, base, operands)) is not None:
        return Stated(digits, "equation")
    closed = _CLOSED.search(response[-20:]) is not None
    if (digits := _concluded(text, base, closed)) is not None:
        return Stated(digits, "conclusion")
    return None


# --- boxes ---------------------------------------------------------------------------------------


def _boxed(response: str, base: Base) -> tuple[str, int] | None:
    """The number in the last box that holds one, and where that box ends."""
    openings = [found.end() - 1 for found in _BOX.finditer(response)][-_BOXES:]
    if not openings:
        return None
    closing = _closing_braces(response, openings[0])
    for opening in reversed(openings):
        end = closing.get(opening)
        if end is not None and end - opening <= _LONGEST_BOX:
            inside = plain(response[opening + 1 : end])
            # A box holds a number and no word, so that letters alone are digits there.
            digits = _last_number(inside.upper() if base == 16 else inside, base)
            if digits is not None:
                return digits, end + 1
    return None


def _closing_braces(text: str, start: int) -> dict[int, int]:
    """For each opening brace from ``start`` on, its partner; one pass, escaped braces apart."""
    partner: dict[int, int] = {}
    stack: list[int] = []
    for brace in _BRACE.finditer(text, start):
        if brace[0] == "{":
            stack.append(brace.start())
        elif brace[0] == "}" and stack:
            partner[stack.pop()] = brace.start()
    return partner


def _last_number(text: str, base: Base) -> str | None:
    """The number that stands alone after the last "=" of a short text."""
    found = []
    for part in reversed(re.split("[=≈→]", text)):
        number = _alone(part, base)
        if number is not None:
            found.append(number)
        elif numerals(part, base):
            break
    return _in_own_base(found)


def _in_own_base(found: Iterable[str]) -> str | None:
    """The first of the numbers found that is not marked as being in another base, else the first.

    "DCB_{16} = 3531_{10}" answers with its first number, not with its last.
    """
    numbers = list(found)
    own = [number for number in numbers if not number.endswith(")")]
    return next(iter(own or numbers), None)


def _alone(text: str, base: Base) -> str | None:
    """The one number of a text that has, apart from it, at most words."""
    text = re.sub(r"(?<=[0-9]), (?=[0-9]{3}(?![0-9]))", ",", text.strip())
    if base == 16 and re.fullmatch(r"(?:0[xX])?[0-9A-Fa-f]{1,4}(?: [0-9A-Fa-f]{3,4})+\W*", text):
        text = text.replace(" ", "")
    found = numerals(text, base)
    if len(found) != 1:
        return None
    before, after = text[: found[0].start].rstrip(), text[found[0].end :]
    sign = before[-1:] if before[-1:] in ("+", "-") else ""
    if re.search(r"[0-9×/+^<>…%≠]", before.removesuffix(sign) + after) or "-" in after:
        return None
    return ("-" if sign == "-" else "") + _named(found[0], after, base)


def _named(number: Numeral, after: str, base: Base) -> str:
    """The digits, with the base where it is marked as another one."""
    marked = number.marked
    note = _BASE_NOTE.match(after)
    if base == 16 and marked is None and note and note["base"]:
        marked = 16 if note["base"].lower().startswith(("h", "base 16", "base-16")) else 10
    return number.digits if marked in (None, base) else f"{number.digits} (base {marked})"


# --- statements ----------------------------------------------------------------------------------


def _stated(text: str, base: Base) -> str | None:
    """The number of the last statement "the answer is N" of a plain text."""
    lines = text.split("\n")
    for index in range(len(lines) - 1, -1, -1):
        for cue in reversed(list(_CUE.finditer(lines[index]))[-5:]):
            before = lines[index][max(0, cue.start() - 60) : cue.start()]
            if _NOT_THE_ANSWER.search(before) or (
                base == 16 and re.search(r"\bdecimal\W*$", before, re.I)
            ):
                continue
            rest = lines[index][cue.end() : cue.end() + _LONGEST_LINE]
            found = _after_cue(rest, base) or _under_heading(rest, lines[index + 1 :][:3], base)
            if found is not None:
                return found
    return None


def _after_cue(rest: str, base: Base) -> str | None:
    end = _SENTENCE_END.search(rest)
    rest = rest[: end.start() + 1] if end else rest
    for verb in islice(_VERB.finditer(rest), _VERBS):
        between = rest[: verb.end()]
        if _OTHER_MATTER.search(between) or (base == 16 and "decimal" in _non_hex(between)):
            return None
        if (found := _value(rest[verb.end() :], base)) is not None:
            return found
    return None


def _non_hex(text: str) -> str:
    return text.lower().replace("hexadecimal", "")


def _under_heading(rest: str, following: Sequence[str], base: Base) -> str | None:
    """The number in the next line with text, for a cue with nothing but a verb after it."""
    if _VERB.sub("", rest).strip(" :.#>\"'"):
        return None
    line = next((line for line in following if line.strip()), "")
    return _last_number(line[:_LONGEST_LINE], base)


def _value(text: str, base: Base) -> str | None:
    """The value in "N", "N = ...", "a × b = N": what follows a verb; the last of a chain."""
    found: list[str] = []
    for part in re.split("[=→]", text):
        start = _FILLER.match(part)
        at = start.end() if start else 0
        negative = part.startswith("-", at)
        number = read(part, base, at + negative)
        if number is not None and not _is_letter(number) and not _GOES_ON.match(part, number.end):
            found.append(negative * "-" + _named(number, part[number.end :], base))
            note = _BASE_NOTE.match(part, number.end)
            if note and note.end() < len(part):
                break
        elif not _EXPRESSION.fullmatch(part):
            break
    return _in_own_base(reversed(found))


def _is_letter(number: Numeral) -> bool:
    """Whether it is more likely the article "A" or a choice than a number in base 16."""
    return number.marked is None and number.digits.isalpha() and len(number.digits) == 1


# --- without words -------------------------------------------------------------------------------


def _bare(text: str, base: Base) -> str | None:
    """The number that is all of the text."""
    if len(text) > _LONGEST_LINE or not _NOTHING_ELSE.match(text):
        return None
    return _alone(text, base)


def _equation(text: str, base: Base, operands: Sequence[str]) -> str | None:
    """The value that the reply gives to the product of the question's factors, the last time."""
    if len(operands) != 2:
        return None
    factors = sorted(canonical(operand, base) for operand in operands)
    for line in reversed(_CONTINUED.sub(" = ", text).split("\n")):
        for end in reversed(list(_products(line, factors, base))):
            found = _product_value(line[end : end + _LONGEST_LINE], base)
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


def _product_value(rest: str, base: Base) -> str | None:
    """What a product is said to be, right after it was named; None where the chain breaks off."""
    verb = re.match(r"[\s)\]]{0,4}(?:=|→|:|is|equals|gives|yields|makes)(?![A-Za-z])", rest)
    if verb is None:
        return None
    end = _SENTENCE_END.search(rest, verb.end())
    chain = rest[verb.end() : end.start() if end else len(rest)]
    last = re.split("[=→]", chain)[-1]
    return None if _value(last, base) is None else _value(chain, base)


def _concluded(text: str, base: Base, closed: bool) -> str | None:
    """The number at the end of the last line that has one, if that line concludes the reply.

    Args:
        text: the plain text.
        base: 10 or 16.
        closed: whether the last line was ended by a full stop, a bracket or the like; a later line
            without a number shows the same.
    """
    lines = [line for line in text.split("\n") if line.strip()]
    for index in range(len(lines) - 1, -1, -1):
        line = lines[index][-_LONGEST_LINE:].rstrip(" .!|)")
        found = numerals(line, base)
        if not found:
            continue
        last = found[-1]
        note = _BASE_NOTE.match(line, last.end)
        if note is None or note.end() < len(line):
            return None
        if _sum_of_column(lines[:index], line, base):
            return _alone(line, base)
        closed = closed or index < len(lines) - 1
        if closed and _CONCLUDES.search(line[: last.start]) and not _PARTWAY.search(line):
            return _value(line[last.start :], base)
        return None
    return None


def _sum_of_column(above: Sequence[str], line: str, base: Base) -> bool:
    """Whether a line with only a number stands under a ruled line that closes a column of sums."""
    if len(above) < 3 or not _RULE.match(above[-1]) or _alone(line, base) is None:
        return False
    return read(above[-2].lstrip(" +|"), base) is not None
