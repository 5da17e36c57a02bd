"""The value in a short text: "N", "x = N", "a × b = N", "N in base 16 = M in base 10"."""

from __future__ import annotations

import re
from collections.abc import Iterable

from feedback_friction.reading.numerals import Base, Numeral, numerals, read

LONGEST_LINE = 400  # characters of a line that are read after its cue

SENTENCE_END = re.compile(r"(?<!\bi\.e)(?<!\be\.g)[.!?;]\s")
_FILLER = re.compile(
    r"(?:[\s:\"'(\[<>•#–,]|‹1[06]›|\b(?:hexadecimal|hex|in|base[- ](?:16|10|sixteen|ten)|the"
    r"|number|value|integer|therefore|thus|hence|then|exactly|simply|indeed|now|still|actually"
    r"|equal|to|is)(?![A-Za-z0-9])){0,12}",
    re.I,
)
_MINUS = re.compile(r"\b(?:minus|negative)\s(?=[0-9])", re.I)
# What, right after a number, says that the number is not the value.
_GOES_ON = re.compile(
    r"[\s)\]]{0,4}(?:[×/+^…%]|[xX](?=\s?[0-9(])|-\s?[0-9(]|\.{3}|(?:digits?|zeros?|places?|off"
    r"|short|too|squared|cubed)\b)"
)
_EXPRESSION = re.compile(r"[\s0-9A-F×/+^().,_‹›-]*")
BASE_NOTE = re.compile(
    r"[\s,()\]\"']{0,6}(?:(?:in )?(?P<base>base[- ]?(?:16|10|sixteen|ten)|hexadecimal|hex|decimal)"
    r"(?![A-Za-z0-9]))?[\s,()\]\"']{0,6}",
    re.I,
)


def last_number(text: str, base: Base) -> str | None:
    """The number that stands alone after the last "=" of a short text."""
    found = []
    for part in reversed(re.split("[=≈→]", text)):
        number = alone(part, base)
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


def alone(text: str, base: Base) -> str | None:
    """The one number of a text that has, apart from it, at most words."""
    text = re.sub(r"(?<=[0-9]), (?=[0-9]{3}(?![0-9]))", ",", text.strip())
    if base == 16 and re.fullmatch(r"(?:0[xX])?[0-9A-Fa-f]{1,4}(?: [0-9A-Fa-f]{3,4})+\W*", text):
        text = text.replace(" ", "")
    found = numerals(text, base)
    if len(found) != 1:
        return None
    before, after = text[: found[0].start].rstrip(), text[found[0].end :]
    sign = before[-1:] if before[-1:] in ("+", "-") else ""
    if re.search(r"[0-9×/+^<>…%≠½¼¾⅓⅔⅛]", before.removesuffix(sign) + after) or "-" in after:
        return None
    return _named(found[0], after, base, negative=sign == "-")


def _named(number: Numeral, after: str, base: Base, *, negative: bool) -> str:
    """The signed digits, with the base where it is marked as another one; -0 is 0."""
    marked = number.marked
    note = BASE_NOTE.match(after)
    if base == 16 and marked is None and note and note["base"]:
        marked = 16 if note["base"].lower().startswith(("h", "base 16", "base-16")) else 10
    digits = "-" * (negative and number.digits != "0") + number.digits
    return digits if marked in (None, base) else f"{digits} (base {marked})"


def value(text: str, base: Base) -> str | None:
    """The value in "N", "N = ...", "a × b = N": what follows a verb; the last of a chain."""
    found: list[str] = []
    for part in re.split("[=→]", _MINUS.sub("-", text)):
        start = _FILLER.match(part)
        at = start.end() if start else 0
        negative = part.startswith("-", at)
        number = read(part, base, at + negative)
        # One letter is more likely the article "A" or a choice than a number in base 16.
        letter = number and number.marked is None and re.fullmatch("[A-F]", number.digits)
        if number and not letter and not _GOES_ON.match(part, number.end):
            found.append(_named(number, part[number.end :], base, negative=negative))
            note = BASE_NOTE.match(part, number.end)
            if note and note.end() < len(part):
                break
        elif not _EXPRESSION.fullmatch(part):
            break
    return _in_own_base(reversed(found))
