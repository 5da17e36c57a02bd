"""An attempt as lines of tokens, and what can be told of a line before it is calculated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from feedback_friction.reading.numerals import Base, numerals, plain
from feedback_friction.tasks.tutor.arithmetic import Token

LONGEST = 40_000  # characters of an attempt that are read; replies have a fifth of that
_MOST_LINES = 3_000

_LINE_END = "\ue000"  # stands at the end of each source line while LaTeX rows become lines
_GAP = re.compile(r"\\?[A-Za-z]+(?:'[a-z]+)?|…|\.{2,}|[^\s]")
_BRACKETS = re.compile(r"\(([^()]{0,200})\)")
_WORD = re.compile(r"[A-Za-z]{2,}")
_OPERATORS = {"times": "×", "plus": "+", "minus": "-", "÷": "/", "*": "×"}
_QUOTES = frozenset("'\"")

# An attempt that ends in a word, a number or an operator, and the last word of one.
_CUT = re.compile(r"(?:[^\s.!?)\]*$`|>:\"}]|\{,\})[ \t]*\Z")
_LAST_WORD = re.compile(r"\S+[ \t]*\Z")
_LONGEST_WORD = 200

_ITEM = re.compile(r"\s*(?:[•+-]\s|\(?\d{1,2}[.)]\s|#|>|\|)")
# Lines that do not assert what they say, or calculate with something other than equality.
_NOT_ASSERTED = re.compile(
    r"\b(?:not|wrong|incorrect\w*|mistakes?|errors?|instead|oops|wait|previous\w*|earlier|if"
    r"|suppose|would|could|should|might|maybe|hmm|approx\w*|about|roughly|estimat\w*|nearly|around"
    r"|mod|modulo|digit sums?|digital roots?|casting|feedback|attempts?|told|claimed|thought"
    r"|check\w*)\b"
    r"|n't\b|≠|≡|≈|frac|sqrt|\?",
    re.I,
)
_SHIFT_WORDS = re.compile(
    r"shift|place|position|tens|hundreds|thousands|zeros?\b|zeroes|append|column|<<|left|align",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an attempt.

    Attributes:
        number: line of the source, from 1.
        text: the line as plain text, without what stands in brackets as a remark.
        tokens: its tokens.
        asserted: False where the line denies, doubts, estimates or supposes something.
        shifts: whether it speaks of shifting, places or zeros.
        item: whether it begins as an item of a list or a row of a table.
        cut: whether the attempt breaks off in it; its last word is left out then.
    """

    number: int
    text: str
    tokens: tuple[Token, ...]
    asserted: bool
    shifts: bool
    item: bool
    cut: bool = False


def read_lines(attempt: str, base: Base) -> list[Line]:
    """The lines of an attempt that have something in them."""
    attempt = attempt[:LONGEST]
    if cut := _CUT.search(attempt[-_LONGEST_WORD:]) is not None:
        attempt = attempt[:-_LONGEST_WORD] + _LAST_WORD.sub("", attempt[-_LONGEST_WORD:])
    lines: list[Line] = []
    number = 1
    for text in plain(attempt.replace("\n", _LINE_END + "\n")).split("\n"):
        ends = text.endswith(_LINE_END)
        text = text.removesuffix(_LINE_END)
        if text.strip():
            lines.append(_line(text, number, base))
        number += ends
        if len(lines) >= _MOST_LINES:
            break
    if cut and lines:
        lines[-1] = replace(lines[-1], cut=True)
    return lines


def _line(raw: str, number: int, base: Base) -> Line:
    text = _without_remarks(_with_times(raw, base), base)
    return Line(
        number,
        text,
        tuple(_tokens(text, number, base)),
        _NOT_ASSERTED.search(raw) is None,
        _SHIFT_WORDS.search(raw) is not None,
        _ITEM.match(raw) is not None,
    )


def _with_times(text: str, base: Base) -> str:
    """The line with an "x" between numbers as a multiplication sign; "0x1F" stays."""
    text = re.sub(r"\b(?:multiplied by|× by)\b", "×", text)
    digit = "0-9" if base == 10 else "0-9A-F"
    return re.sub(
        rf"(?<=[{digit})›])(?:\s{{1,3}}[xX]\s{{1,3}}|(?<!\b0)[xX])(?=[0-9(])", " × ", text
    )


def _without_remarks(text: str, base: Base) -> str:
    """The line without brackets that hold words: "27 + 2 (carry) = 29"."""

    def kept(found: re.Match[str]) -> str:
        words = _WORD.findall(found[1])
        if base == 16:
            words = [word for word in words if not re.fullmatch("[A-F]+|[a-f]+", word)]
            lone = re.fullmatch(r"\s*[A-F]\s*", found[1]) is not None
        else:
            lone = re.fullmatch(r"\s*[A-Za-z]\s*", found[1]) is not None
        remark = lone or any(word not in ("times", "plus", "minus") for word in words)
        return " " * len(found[0]) if remark else found[0]

    return _BRACKETS.sub(kept, text)


def _tokens(text: str, number: int, base: Base) -> Iterator[Token]:
    at = 0
    for numeral in numerals(text, base):
        yield from _gap(text, at, numeral.start, number)
        yield Token(numeral.digits, number, numeral.start, numeral.end, numeral)
        at = numeral.end
    yield from _gap(text, at, len(text), number)


def _gap(text: str, start: int, end: int, number: int) -> Iterator[Token]:
    for found in _GAP.finditer(text, start, end):
        word = found[0].lower()
        if word not in _QUOTES:
            yield Token(_OPERATORS.get(word, word), number, found.start(), found.end())
