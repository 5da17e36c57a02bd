"""An attempt as lines of tokens, and what can be told of a line before it is calculated.

Calculations in words are put into signs: "multiply 365 by 12" becomes "365 × 12".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from feedback_friction.reading.numerals import Base, Numeral, numerals, plain

UNKNOWN = "x"
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
class Token:
    """A number, a sign, a word or another character of a line of plain text."""

    # ``"("``, ``")"``, ``"+"``, ``"-"``, ``"×"``, ``"/"``, ``"^"``, ``"="`` (also "is" and arrows,
    # where they stand for it), a word in lower case, or the character itself
    text: str
    line: int  # index of the source line
    # offsets in the line of plain text
    start: int
    end: int
    # the number, for a number; for the unknown, the number that it stands for
    numeral: Numeral | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an attempt."""

    number: int  # line of the source, from 1
    text: str  # the line as plain text, without what stands in brackets as a remark
    tokens: tuple[Token, ...]  # its tokens
    asserted: bool  # False where the line denies, doubts, estimates or supposes something
    shifts: bool  # whether it speaks of shifting, places or zeros
    item: bool  # whether it begins as an item of a list or a row of a table
    cut: bool = False  # whether the attempt breaks off in it; its last word is left out then


def read_lines(attempt: str, base: Base, unknown: str = "") -> list[Line]:
    """The lines of an attempt that have something in them.

    Args:
        attempt: the solver's text.
        base: 10 or 16.
        unknown: digits of the number that "x" stands for in the question, if it does.
    """
    attempt = attempt[:LONGEST]
    if cut := _CUT.search(attempt[-_LONGEST_WORD:]) is not None:
        attempt = attempt[:-_LONGEST_WORD] + _LAST_WORD.sub("", attempt[-_LONGEST_WORD:])
    lines: list[Line] = []
    number = 1
    for text in plain(attempt.replace("\n", _LINE_END + "\n")).split("\n"):
        ends = text.endswith(_LINE_END)
        text = text.removesuffix(_LINE_END)
        if text.strip():
            lines.append(_line(text, number, base, unknown))
        number += ends
        if len(lines) >= _MOST_LINES:
            break
    if cut and lines:
        lines[-1] = replace(lines[-1], cut=True)
    return lines


def _line(raw: str, number: int, base: Base, unknown: str) -> Line:
    text = _with_times(raw, base)
    if unknown:
        text = re.sub(r"(?<=[0-9])x\b", " x", text)
    text = _without_remarks(text, base)
    return Line(
        number,
        text,
        tuple(_tokens(text, number, base, unknown)),
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


def _tokens(text: str, number: int, base: Base, unknown: str) -> Iterator[Token]:
    at = 0
    for numeral in numerals(text, base):
        yield from _gap(text, at, numeral.start, number, unknown)
        yield Token(numeral.digits, number, numeral.start, numeral.end, numeral)
        at = numeral.end
    yield from _gap(text, at, len(text), number, unknown)


def _gap(text: str, start: int, end: int, number: int, unknown: str) -> Iterator[Token]:
    for found in _GAP.finditer(text, start, end):
        word = found[0].lower()
        numeral = Numeral(*found.span(), unknown) if unknown and word == UNKNOWN else None
        if word not in _QUOTES:
            yield Token(_OPERATORS.get(word, word), number, *found.span(), numeral)


def spaced(tokens: Iterable[str]) -> str:
    """Tokens with spaces around signs between two values: ``"7x - 12"``."""
    text, before = "", ""
    for token in tokens:
        binary = token in "+-×/" and before not in ("", "(", *"+-×/^")
        text += f" {token} " if binary else token
        before = token
    return text.strip()


# --- calculations in words ------------------------------------------------------------------------

# Between a calculation and a number these say "=".
EQUAL_WORDS = frozenset(["is", "gives", "give", "yields", "equals", "makes", "get", "→", ":", "|"])

_MULTIPLY = ("multiply", "multiplying", "multiplied", "product")
_ADD = ("add", "adding", "sum")
_AS = ("into", "as")
_BY = ("by", "and", "with")
_LINKS = frozenset(["to", "we", "which", "this", "that", "you", "i", "it", "us", "and", ","])
_ARTICLES = frozenset(["the", "digit", "its", "of"])
_MOST_LINKS = 4


def in_signs(tokens: Sequence[Token]) -> list[Token]:
    """The tokens of a line with "×", "+" and an equal word where words said so.

    "multiply A by the digit d", "the product of A and B": ×. "add A, B and C", "the sum of A and
    B": +, if a value follows. ", which is", ", to get": the verb alone.
    """
    signed: list[Token] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        find = _PHRASES.get(token.text)
        found = find(tokens, at + 1) if find else None
        if found is not None:
            phrase, at = found
            signed += [token, *phrase]
        elif token.text in _AS and _splits(tokens, at):
            signed.append(replace(token, text="="))
            at += 1
        else:
            after_links = _verb_after(tokens, at) if token.text in _LINKS else at
            signed.append(tokens[after_links])
            at = after_links + 1
    return signed


def _splits(tokens: Sequence[Token], at: int) -> bool:
    """Whether "into" or "as" stands between a number and a sum."""
    if not 0 < at < len(tokens) - 2 or tokens[at - 1].numeral is None:
        return False
    return tokens[at + 1].numeral is not None and tokens[at + 2].text in ("+", "-")


def _pair(tokens: Sequence[Token], at: int) -> tuple[list[Token], int] | None:
    """ "A by B", "of A and B" from a place on, as "A × B", and where it ends."""
    at = _skip(tokens, at, _ARTICLES)
    if at + 1 >= len(tokens) or tokens[at].numeral is None or tokens[at + 1].text not in _BY:
        return None
    joint = at + 1
    second = _skip(tokens, joint + 1, _ARTICLES)
    if second >= len(tokens) or tokens[second].numeral is None:
        return None
    return [tokens[at], replace(tokens[joint], text="×"), tokens[second]], second + 1


def _list(tokens: Sequence[Token], at: int) -> tuple[list[Token], int] | None:
    """ "A, B and C" from a place on, as "A + B + C", where a value follows it."""
    at = _skip(tokens, at, _ARTICLES)
    phrase: list[Token] = []
    while at < len(tokens) and tokens[at].numeral is not None:
        phrase.append(tokens[at])
        joint = _skip(tokens, at + 1, frozenset({",", "and", "to", "with"}))
        if joint == at + 1 or joint >= len(tokens) or tokens[joint].numeral is None:
            at += 1
            break
        phrase.append(replace(tokens[at + 1], text="+"))
        at = joint
    verb = _verb_after(tokens, at)
    value_follows = verb < len(tokens) and (tokens[verb].text in EQUAL_WORDS | {"="})
    return (phrase, at) if len(phrase) > 2 and value_follows else None


def _verb_after(tokens: Sequence[Token], at: int) -> int:
    """The place of an equal word with a number after it, a few linking words on; else ``at``."""
    verb = _skip(tokens, at, _LINKS)
    if verb + 1 < len(tokens) and verb - at <= _MOST_LINKS:
        is_verb = tokens[verb].text in EQUAL_WORDS - {":", "|"}
        if is_verb and tokens[verb + 1].numeral is not None:
            return verb
    return at


def _skip(tokens: Sequence[Token], at: int, words: frozenset[str]) -> int:
    """The first place from ``at`` on without one of the words."""
    end = min(len(tokens), at + _MOST_LINKS + 1)
    while at < end and tokens[at].text in words:
        at += 1
    return at


_PHRASES = dict.fromkeys(_MULTIPLY, _pair) | dict.fromkeys(_ADD, _list)
