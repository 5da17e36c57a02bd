"""Formulas in prose: cut a text into sides, terms and factors, each with its place.

Words, punctuation and relation signs part *sides* ("so x + 2 = 5" has the sides ``x + 2`` and
``5``); signs outside brackets part a side into *terms*, written multiplication and division a term
into *factors*. What stands in brackets is a *region* of its own: a text with sides again, or an
argument (of a fraction, a root, a power, a function).

Delimiters of mathematics do not matter here: feedback writes "3/4" and "$\\frac{3}{4}$" alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from feedback_friction.protocol.masking.gate import MASK
from feedback_friction.reading.mathematics.formula import FUNCTIONS, GREEK


class Kind(Enum):
    """What a token does in a formula."""

    NUMBER = auto()
    SYMBOL = auto()
    ATOM = auto()  # commands that take part in a formula: \\frac, \\sqrt, \\sin, \\pi
    MASKED = auto()
    SIGN = auto()  # + - and what else parts terms
    TIMES = auto()  # written multiplication and division
    SCRIPT = auto()  # ^ and _
    AFTER = auto()  # ! % and primes: belong to what precedes them
    OPEN = auto()
    CLOSE = auto()
    RELATION = auto()
    LIST = auto()  # commas, "and", "or"
    EDGE = auto()  # delimiters of mathematics, ends of lines
    BREAK = auto()  # words and punctuation
    NOTHING = auto()  # spaces, \\left


@dataclass(frozen=True, slots=True)
class Token:
    """A stretch of the text and its kind."""

    kind: Kind
    text: str
    start: int
    end: int


_TOKEN = re.compile(
    rf"(?P<masked>{re.escape(MASK)})"
    r"|(?P<number>(?<![\d.])(?:"
    r"\d{1,3}(?:(?:,|\{,\}|, ?\\! ?|\\,|\\ |\\!,)\d{3})+(?:\.\d+)?(?!\d|[,.]\d)"
    r"|[1-9]\d{0,2}(?: \d{3})+(?![\d.,]*\d)"
    r"|\d*\.\d*\\(?:overline|bar)\{\d+\}"
    r"|\d+(?:\.\d+)?(?!\.\d)|\.\d+(?!\.\d)))"
    r"|(?P<letter>\\(?:math(?:rm|it|bf|sf)|text(?:it|rm)?|operatorname) ?\{[A-Za-z]\})"
    r"|(?P<command>\\(?:[A-Za-z]+\*?|.|\n))"
    r"|(?P<word>[A-Za-z]+(?:'[A-Za-z]+)?)"
    r"|(?P<jumble>\d[\d.,]*)"
    r"|(?P<sign>\S|\s+)"
)
# 42nd, and the parts of 5:30, are no numbers of their own.
_PART_OF_MORE = re.compile(r"(?:st|nd|rd|th)(?![A-Za-z])|:\d")


def _commands(names: str) -> str:
    return " ".join("\\" + name for name in names.split())


_STRUCTURE = _commands(
    "boxed fbox framebox text textbf textit textrm texttt mathrm mathbf mathit mathsf mbox hbox "
    "operatorname begin end item hline tag label emph underline boldsymbol therefore because bm bf "
    "rm it implies Rightarrow Longrightarrow rightarrow to iff Leftrightarrow leadsto mapsto ldots "
    "dots cdots"
)
_SKIPPED = _commands(
    "left right displaystyle textstyle big Big bigg Bigg bigl bigr Bigl Bigr limits quad qquad"
)
_RELATIONS = _commands("le leq leqslant ge geq geqslant ne neq lt gt approx equiv sim in cong")
_SIGNS = {
    Kind.NOTHING: rf"{_SKIPPED} \, \; \: \! \$ ~",
    Kind.EDGE: r"$ & \( \) \[ \] \&",
    Kind.BREAK: rf"{_STRUCTURE} \\",
    Kind.RELATION: f"{_RELATIONS} = < > ≤ ≥ ≠ ≈ ≡ ∈ ≅",
    Kind.TIMES: r"\cdot \times \div \ast * × · ⋅ ÷ / ∙",
    Kind.SIGN: r"+ - \pm \mp ± ∓ \cup ∪ \cap ∩",
    Kind.OPEN: r"( [ { \{",
    Kind.CLOSE: r") ] } \}",
    Kind.SCRIPT: "^ _",
    Kind.AFTER: r"! % \% ' ° percent million billion trillion thousand",
    Kind.LIST: ", ; and or",
    Kind.ATOM: f"√ π ∞ sqrt pi infinity frac theta {' '.join(FUNCTIONS)}",
}
_KIND_OF = {text: kind for kind, texts in _SIGNS.items() for text in texts.split()}
_KIND_OF["\\ "] = Kind.NOTHING
_OPENING = {"(": ")", "[": "]", "{": "}", "\\{": "\\}"}
_AND_NOT = re.compile(r"\s(?:no|non|não)\b")  # "42 y no 24"
_MATHS_AROUND = frozenset("=+-*/^_()[]{}$\\<>|!&0123456789")
_CALLED = FUNCTIONS | {"sqrt", "√"}
_BASES = ("base", "mod", "modulo")  # "1011 (base 2)"
_BEFORE_ARGUMENT = frozenset({"\\frac", "\\dfrac", "\\tfrac", "\\cfrac", "\\binom", "\\sqrt"})


def _kind(match: re.Match[str], before: Token | None) -> Kind:
    """What a token does, which follows another."""
    group, text = match.lastgroup, match[0]
    if group == "masked":
        return Kind.MASKED
    if group == "number":
        return _kind_of_number(match, before)
    if group == "letter":
        return Kind.SYMBOL
    if text in _KIND_OF:
        return _KIND_OF[text]
    if group == "word":
        return _kind_of_word(match.string, text, *match.span())
    if text.isspace():
        return {0: Kind.NOTHING, 1: Kind.EDGE}.get(text.count("\n"), Kind.BREAK)
    return Kind.ATOM if group == "command" else Kind.BREAK


def _kind_of_number(match: re.Match[str], before: Token | None) -> Kind:
    text, start = match.string, match.start()
    glued = before is not None and before.end == start and before.text[-1:].isalpha()
    named = glued and before is not None and before.text[0] != "\\" and before.text < "\u0e00"
    clock = text[max(0, start - 2) : start]
    in_more = _PART_OF_MORE.match(text, match.end()) or (clock[:1].isdigit() and clock[1:] == ":")
    return Kind.BREAK if named or in_more else Kind.NUMBER


def _kind_of_word(text: str, word: str, start: int, end: int) -> Kind:
    before, after = text[max(0, start - 1) : start], text[end : end + 1]
    if len(word) == 1:
        nearest = (text[max(0, start - 2) : start].rstrip()[-1:], text[end : end + 2].lstrip()[:1])
        in_formula = {before, after} & _MATHS_AROUND or set(nearest) & set("=+-*/^<>")
        if word in "yeo" and _AND_NOT.match(text, end):
            return Kind.BREAK
        return Kind.BREAK if word in "aAI" and not in_formula else Kind.SYMBOL
    # Letters right behind a number, a bracket or a sign are a product ("2ab") or a unit ("5cm").
    glued = len(word) <= 3 and (before.isdigit() or before in (")", "}", "^", "*", "+"))
    if len(word) == 2 and not set(word.lower()) & set("aeiou"):  # \\frac12 bh, 5 cm
        previous = text[max(0, start - 2) : start].rstrip()[-1:]
        glued = glued or previous.isdigit() or previous in (")", "}")
    return Kind.SYMBOL if glued else Kind.BREAK


def tokens_of(text: str) -> list[Token]:
    """All tokens of a text but those that do nothing."""
    found: list[Token] = []
    for match in _TOKEN.finditer(text):
        kind = _kind(match, found[-1] if found else None)
        if kind is not Kind.NOTHING:
            found.append(Token(kind, match[0], *match.span()))
    return found


@dataclass(frozen=True, slots=True)
class Side:
    """Tokens ``first`` up to ``last`` between two separators.

    ``argument`` where it stands inside a fraction, root, power, index or function call.
    """

    first: int
    last: int
    argument: bool


_NOT_LAST = frozenset({Kind.SIGN, Kind.TIMES, Kind.SCRIPT})
_SEPARATORS = frozenset({Kind.RELATION, Kind.LIST, Kind.EDGE, Kind.BREAK, Kind.OPEN, Kind.CLOSE})
_LONGEST_GROUP = 3000  # characters between two brackets that are read as a pair


class Formulas:
    """A text with its tokens, its bracket pairs, and its sides region by region."""

    def __init__(self, text: str):
        self.text = text
        self.tokens = tokens_of(text)
        self.partner = self._pairs()

    def _pairs(self) -> dict[int, int]:
        """Bracket pairs, both ways; ``(`` may be closed by ``]`` and the other way round."""
        pairs: dict[int, int] = {}
        stack: list[int] = []
        for index, token in enumerate(self.tokens):
            if token.kind is Kind.OPEN:
                stack.append(index)
            elif token.kind is Kind.CLOSE:
                while stack and not self._fits(stack[-1], index):
                    if token.text not in ("}", "\\}") or len(stack) == 1:
                        break
                    stack.pop()
                if stack and self._fits(stack[-1], index):
                    opening = stack.pop()
                    pairs[opening], pairs[index] = index, opening
            elif token.kind is Kind.BREAK and token.text.count("\n") > 1:
                stack.clear()
        return pairs

    def _fits(self, opening: int, closing: int) -> bool:
        first, last = self.tokens[opening], self.tokens[closing]
        loose = {")", "]"}
        expected = _OPENING[first.text]
        fits = expected == last.text or {expected, last.text} <= loose
        return fits and last.end - first.start <= _LONGEST_GROUP

    def regions(self) -> Iterator[list[Side]]:
        """The sides of each region, in order, from the text itself inwards."""
        yield self._sides(0, len(self.tokens), False)
        within = -1  # where the outermost argument ends
        for index, token in enumerate(self.tokens):
            if token.kind is not Kind.OPEN or index not in self.partner:
                continue
            if self._is_argument(index):
                within = max(within, self.partner[index])
            yield self._sides(index + 1, self.partner[index], index < within)

    def _is_argument(self, index: int) -> bool:
        if index == 0:
            return False
        token, before = self.tokens[index], self.tokens[index - 1]
        if before.kind is Kind.SCRIPT or before.text in _BEFORE_ARGUMENT:
            return True
        if token.text == "{":
            return self._ends_first_argument(index - 1)
        if token.text not in ("(", "["):
            return False
        if before.kind is Kind.ATOM:
            return before.text.lstrip("\\") in _CALLED
        return before.end == token.start and before.text[-1].isalpha()

    def _ends_first_argument(self, index: int) -> bool:
        """Whether a token ends the first of two arguments, or the degree of a root."""
        start = self.partner.get(index, index) if self.tokens[index].kind is Kind.CLOSE else index
        return start > 0 and self.tokens[start - 1].text in _BEFORE_ARGUMENT

    def _sides(self, first: int, last: int, argument: bool) -> list[Side]:
        found: list[Side] = []
        start = first
        for index, token in self._outer(first, last):
            closing = self.partner.get(index, index) if token.kind is Kind.OPEN else index
            if closing > index and not self._is_remark(index, closing):
                continue
            if token.kind in _SEPARATORS:
                found.append(Side(start, index, argument))
                start = closing + 1
            elif token.kind is Kind.NUMBER and index > start and self._parts(index):
                found.append(Side(start, index, argument))
                start = index
        found.append(Side(start, last, argument))
        return [side for side in map(self._trimmed, found) if side.first < side.last]

    def _is_remark(self, opening: int, closing: int) -> bool:
        """Whether brackets hold words about the formula before them: "x + 1 (correct)"."""
        if self.tokens[opening].text not in ("(", "[") or self._is_argument(opening):
            return False
        first = self.tokens[opening + 1]
        return first.kind is Kind.BREAK and first.text.isalpha() and first.text not in _BASES

    def _parts(self, index: int) -> bool:
        """Whether a number does not go on the formula before it: "5 6", but not "1 1/4"."""
        before = self.tokens[index - 1]
        if before.kind is Kind.NUMBER:
            if index > 1 and self.tokens[index - 2].kind is Kind.SCRIPT:
                return False  # \\log_2 3
            mixed = [token.text for token in self.tokens[index + 1 : index + 2]] == ["/"]
            return not (mixed and before.text.isdigit())
        spaced = before.end < self.tokens[index].start
        return spaced and before.kind in (Kind.SYMBOL, Kind.CLOSE, Kind.AFTER, Kind.MASKED)

    def _trimmed(self, side: Side) -> Side:
        """Without Markdown's marks and dashes around it, and without a last sign."""
        first, last = side.first, side.last
        while first < last and self.tokens[first].text in ("*", "_", "/", "\\cdot", "×"):
            first += 1
        while first < last and self.tokens[last - 1].kind in _NOT_LAST:
            last -= 1
        return Side(first, last, side.argument)

    def shown(self, first: int, last: int) -> str:
        """The text of a range of tokens."""
        return self.text[self.tokens[first].start : self.tokens[last - 1].end]

    def gap(self, before: Side, after: Side) -> frozenset[Kind]:
        """Kinds of what stands between two sides of one region."""
        return frozenset(token.kind for token in self.tokens[before.last : after.first])

    def group(self, side: Side) -> bool:
        """Whether a side is one pair of brackets."""
        return self.partner.get(side.first) == side.last - 1

    def terms(self, first: int, last: int) -> list[tuple[int, int]]:
        """Ranges of the terms, each with its sign before it, if it has one."""
        cuts = [first]
        for index, _ in self._outer(first, last):
            if index > first and self.tokens[index].kind is Kind.SIGN:
                joined = self.tokens[index - 1].kind
                if joined not in (Kind.SIGN, Kind.TIMES, Kind.SCRIPT):
                    cuts.append(index)
        return list(zip(cuts, [*cuts[1:], last], strict=True))

    def factors(self, first: int, last: int) -> list[tuple[int, int, str, str]]:
        """Ranges between written multiplications and divisions, with the signs at either side."""
        found: list[tuple[int, int, str, str]] = []
        start, before = first, ""
        for index, token in self._outer(first, last):
            if token.kind is Kind.TIMES:
                found.append((start, index, before, token.text))
                start, before = index + 1, token.text
        return [*found, (start, last, before, "")]

    def _outer(self, first: int, last: int) -> Iterator[tuple[int, Token]]:
        """Tokens outside the brackets within a range."""
        index = first
        while index < last:
            yield index, self.tokens[index]
            opens = self.tokens[index].kind is Kind.OPEN
            index = self.partner.get(index, index) + 1 if opens else index + 1

    def numerals(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Ranges of numbers and of \\frac with its arguments, outside brackets."""
        for index, token in self._outer(first, last):
            if token.kind is Kind.NUMBER:
                yield index, index + 1
            elif token.text in _BEFORE_ARGUMENT and token.text.endswith("frac"):
                end = index + 1
                for _ in range(2):
                    end = self.partner.get(end, end) + 1
                yield index, min(end, last)

    def is_symbolic(self, first: int, last: int) -> bool:
        """Whether a range has variables in it."""
        return any(
            token.kind is Kind.SYMBOL
            or (token.kind is Kind.ATOM and token.text[1:] in GREEK and token.text != "\\pi")
            for token in self.tokens[first:last]
        )
