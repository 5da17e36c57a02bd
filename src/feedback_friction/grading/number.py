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
- ``bare``: the reply is a number and nothing else;
- ``revised``: so is what it says after "wait, that's not right" or the like, whatever it stated.

A number that none of these covers is no answer. A reply that was cut off amid its partial products
has not answered, and the number that it happens to end with is not a wrong answer but none; without
the words of a conclusion nothing tells the two apart. A box that was never closed was cut off, too,
and so may be an equation or a column that the reply ends with without so much as a line end.

Numbers are read in every written form (see ``numerals``) and compared as canonical strings: no
separators, no leading zeros, capitals. In base 16 a number that is marked as decimal is an answer
in the wrong base: it is wrong whatever its value, and its prediction says "(base 10)".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from feedback_friction.grading.number_work import (
    CLOSED,
    OTHER_MATTER,
    VERB,
    bare,
    concluded,
    equation,
    is_alternative,
)
from feedback_friction.grading.verdict import Verdict
from feedback_friction.reading.number_values import (
    LONGEST_LINE,
    SENTENCE_END,
    alone,
    last_number,
    value,
)
from feedback_friction.reading.numerals import LONGEST, Base, plain
from feedback_friction.reading.reply import ANSWER, closing_brace, final_part, signed
from feedback_friction.reading.standing import (
    DENIED_AFTER,
    NOT_BUT,
    is_asserted,
    rechecks,
    retractions,
    sentence_start,
)

_TAIL = 100_000  # characters at the end of a reply that are read for statements without a box
_BOXES = 100  # boxes, from the last one, that are read
_LONGEST_BOX = 400  # characters
_VERBS = 6  # verbs after a cue that are tried

_BOX = re.compile(r"(?:\\(?:boxed|fbox|framebox)|\x08oxed|b(?<![A-Za-z\\]b)oxed)\s{0,5}\{")

_SIGN = re.compile(ANSWER)
_CUE = re.compile(
    r"(?<![A-Za-z/])(?:answer|solution|final (?:product|result|value|number|sum|total))"
    r"(?![A-Za-z])",
    re.I,
)
# What, right before a cue, makes it speak of something else.
_NOT_THE_ANSWER = re.compile(
    r"\b(?:if|whether|suppose|previous|earlier|first|initial|former|old|wrong|incorrect|partial"
    r"|approximate|estimated|rough|intermediate|your|last|long(?:er)?|of|in decimal)(?: (?:the|our"
    r"|my|this|that|final|correct|exact))*\W*$|(?:\bnot|n't)\W*(?:the|our|my)?\W*$",
    re.I,
)
# "I still believe that my previous answer 9 is correct" gives it again.
_KEPT = re.compile(
    r"(?:\s(?:of|is|was))?\W{1,5}(?=-?[0-9])(?P<kept>\S{1,60}),? (?:is|was|remains)(?: still|"
    r" indeed)? (?:correct|right)\b(?!\?)",
    re.I,
)
_DENIED = re.compile(rf"(?i)[0-9A-F]\s?{DENIED_AFTER}")
_UNSURE = re.compile(
    r"(?i)\b(?:not|false|untrue|wrong|nobody|no one|if|whether|doubt\w*|why|how|longer|you|was)\b"
    r"|n't"
)
# "The answer of 9 was off by one" speaks of an answer, and gives none.
_SPOKEN_OF = re.compile(r"\W{0,5}of\s\S{1,60}\s(?:was|is|were|has|had|must|should|cannot|can't)\b")


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


@lru_cache(maxsize=1024)
def canonical(number: str, base: Base) -> str:
    """A number in the form in which answers are compared, e.g. ``"DCB2096CA"``.

    Raises:
        ValueError: the text is not one number, or one of more than ``LONGEST`` digits, of which
            not all are read.
    """
    found = alone(plain(number), base)
    if found is None:
        raise ValueError(f"not a number in base {base}: {number[:80]!r}")
    if len(found) >= LONGEST or "e" in found.partition(" ")[0]:
        raise ValueError(f"a number of more than {LONGEST - 1} digits: {number[:80]!r}")
    return found


def extract(response: str, base: Base, operands: Sequence[str] = ()) -> Stated | None:
    """The last answer that a reply states (see the module's docstring), or None."""
    response = signed(final_part(response))
    if (digits := _instead(response, base)) is not None:
        return Stated(digits, "revised")
    box = _boxed(response, base)
    if box is not None:
        boxed, end = box
        later = _stated(plain(_without_open_box(response[end:][-_TAIL:])), base)
        return Stated(boxed, "boxed") if later is None else Stated(later, "stated")
    response = _without_open_box(response[-_TAIL:])
    text = plain(response)
    closed = CLOSED.search(response[-40:]) is not None
    factors = sorted(canonical(operand, base) for operand in operands)
    if (digits := _stated(text, base)) is not None:
        again = rechecks(text)[-1:] if factors else []
        for rest in (text[at:] for at in again):
            if not _stated(rest, base) and (redone := concluded(rest, base, closed)):
                return Stated(redone, "revised")
        return Stated(digits, "stated")
    if (digits := bare(text, base, factors, closed)) is not None:
        return Stated(digits, "bare")
    if len(factors) == 2 and (digits := equation(text, base, factors, closed)) is not None:
        return Stated(digits, "equation")
    if (digits := concluded(text, base, closed)) is not None:
        return Stated(digits, "conclusion")
    return None


def _instead(response: str, base: Base) -> str | None:
    """The number that is all that a reply says after it took something back."""
    end = response[-_LONGEST_BOX:]
    back = retractions(end) if CLOSED.search(end) else []
    return bare(plain(end[back[-1] :]), base, (), closed=True) if back else None


def _without_open_box(response: str) -> str:
    """The reply without a box at its end that it was cut off in."""
    start = max(len(response) - _LONGEST_BOX, 0)
    for box in _BOX.finditer(response, start):
        if closing_brace(response, box.end() - 1, _LONGEST_BOX + 1) < 0:
            return response[: box.start()]
    return response


# --- boxes ---------------------------------------------------------------------------------------


def _boxed(response: str, base: Base) -> tuple[str, int] | None:
    """The number in the last box that holds one, and where that box ends."""
    openings = [found.end() - 1 for found in _BOX.finditer(response)][-_BOXES:]
    for opening in reversed(openings):
        end = closing_brace(response, opening, _LONGEST_BOX + 1)
        if end >= 0 and is_asserted(response, opening, end, supposed=True):
            inside = plain(response[opening + 1 : end])
            # A box holds a number and no word, so that letters alone are digits there.
            digits = last_number(inside.upper() if base == 16 else inside, base)
            if digits is not None:
                return digits, end + 1
    return None


# --- statements ----------------------------------------------------------------------------------


def _stated(text: str, base: Base) -> str | None:
    """The number of the last statement "the answer is N" of a plain text."""
    lines = text.split("\n")
    for index in range(len(lines) - 1, -1, -1):
        for cue in reversed(_cues(lines[index])[-5:]):
            begin = max(cue.start() - 60, sentence_start(lines[index], cue.start()))
            before = lines[index][begin : cue.start()]
            kept = _KEPT.match(lines[index], cue.end())
            if kept and not _UNSURE.search(before):
                return value(kept["kept"], base)
            if _NOT_THE_ANSWER.search(before) or (
                base == 16 and re.search(r"\bdecimal\W*$", before, re.I)
            ):
                continue
            if not is_asserted(lines[index], *cue.span()):
                continue
            rest = lines[index][cue.end() : cue.end() + LONGEST_LINE]
            if cue[0] == ANSWER:  # stands for a cue with its verb
                rest = f" is {rest.strip()}"
            found = _after_cue(rest, base) or _under_heading(rest, lines[index + 1 :][:3], base)
            if found is not None:
                return found
    return None


def _cues(line: str) -> list[re.Match[str]]:
    signs = _SIGN.finditer(line) if ANSWER in line else ()
    return sorted([*_CUE.finditer(line), *signs], key=lambda cue: cue.start())


def _after_cue(rest: str, base: Base) -> str | None:
    end = SENTENCE_END.search(rest)
    rest = NOT_BUT.sub("", rest[: end.start() + 1] if end else rest)
    if _SPOKEN_OF.match(rest) or _DENIED.search(rest):
        return None
    for verb in islice(VERB.finditer(rest), _VERBS):
        between = rest[: verb.end()].lower().replace("hexadecimal", "")
        if OTHER_MATTER.search(between) or (base == 16 and "decimal" in between):
            return None
        if (found := value(rest[verb.end() :], base)) is not None:
            return None if is_alternative(rest, base) else found
    return None


def _under_heading(rest: str, following: Sequence[str], base: Base) -> str | None:
    """The number in the next line with text, for a cue with nothing but a verb after it."""
    if VERB.sub("", rest).strip(" :.#>\"'"):
        return None
    line = next((line for line in following if line.strip()), "")
    return last_number(line[:LONGEST_LINE], base)
