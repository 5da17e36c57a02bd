"""What a stated answer says: numbers, formulas, sets, intervals, matrices, equations, words.

``read`` turns the text of an answer into an ``Answer``, whose ``key`` is equal for texts that
cheaply prove to mean the same: ``\\frac12``, ``0.5`` and ``1/2`` all have the key ``"1/2"``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256

from feedback_friction.grading.mathematics import latex, scalar
from feedback_friction.grading.mathematics.algebra import Poly, TooHardError
from feedback_friction.grading.mathematics.answer import NO_CONTEXT, Answer, Context, Kind, Value

MAX_LENGTH = 2000
_MAX_KEY = 240
_MAX_ITEMS = 60
_MAX_NESTING = 5
_MAX_BRACES = 16


_COMMA = re.compile(r"[,;]")
_UNION = re.compile(r"\\cup(?![A-Za-z])")
_RELATION = re.compile(r"\\(?:le|ge|ne|in|approx|equiv|sim|Rightarrow)(?![A-Za-z])|:=|[<>=]=?")
_CONJUNCTION = re.compile(r"\\text ?\{[\s,]*(?:and|or)\s*\}|(?<![A-Za-z\\])(?:and|or)(?![A-Za-z])")
_ENVIRONMENT = re.compile(
    r"\\begin ?\{([pbvBV]?matrix|array)\} ?(?:\{[clr| ]{0,20}\})?(.*)\\end ?\{\1\}", re.DOTALL
)
_BASE = re.compile(r"([0-9A-Za-z]+) ?_ ?(?:\{ ?(?:\\text ?\{)? ?(\w{1,8}) ?\}?\}?|(\d))")
_ORDER = frozenset({"<", ">", "<=", ">=", "\\le", "\\ge"})
_BEFORE = " ,;:*_`\"'"  # a point may begin a number
_AFTER = _BEFORE + ".\\"


@lru_cache(maxsize=8192)
def read(text: str, context: Context = NO_CONTEXT) -> Answer:
    """Read the text of an answer; text that is not understood becomes words or a raw answer.

    Args:
        text: LaTeX, plain or mixed notation, as it was stated. Beyond ``MAX_LENGTH`` characters
            it is not read.
        context: what the gold answer tells about the others.
    """
    if len(text) > MAX_LENGTH:
        return Answer(Kind.RAW, _bounded(text), text[:MAX_LENGTH])
    cleaned = _stripped(latex.clean(text))
    if context.words:
        return _words(cleaned)
    return _Reader(context).shape(scalar.unwrapped(cleaned), 0)


def read_gold(text: str) -> Answer:
    """Read a gold answer: one that is a single text command says words, not symbols."""
    cleaned = latex.clean(text)
    inner = scalar.only_text(cleaned)
    if inner is not None and sum(char.isalpha() for char in inner) > 1:
        value = scalar.spelled(inner)
        return _words(cleaned) if value is None else _valued(Value(value), cleaned)
    return _read_equation(text)


def _read_equation(text: str) -> Answer:
    plain = read(text)
    if "=" not in text or plain.kind in (Kind.SET, Kind.LIST, Kind.TUPLE):
        return plain
    equation = read(text, Context(equation=True))
    return equation if equation.kind is Kind.EQUATION else plain


@lru_cache(maxsize=1024)
def context_of(gold: str) -> tuple[Answer, Context]:
    """The gold answer as read, and how to read other answers to the same problem."""
    answer = read_gold(gold)
    words = answer.kind is Kind.TEXT
    letters = frozenset() if words else scalar.symbol_letters(answer.source)
    return answer, Context(letters, words, answer.kind is Kind.EQUATION)


def _bounded(key: str) -> str:
    if len(key) <= _MAX_KEY:
        return key
    digest = sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{key[: _MAX_KEY // 2]}...{digest}"


def _stripped(text: str) -> str:
    text = text.lstrip(_BEFORE).rstrip(_AFTER)
    return text if text[:1] != "." or text[1:2].isdigit() else text.lstrip(_AFTER)


def _words(text: str) -> Answer:
    return Answer(Kind.TEXT, _bounded(scalar.wording(text)), text)


def _valued(value: Value, source: str) -> Answer:
    key = value.exact.key if value.exact is not None else _squeezed(source)
    return Answer(Kind.VALUE, _bounded(key), source, value)


def _raw(text: str) -> Answer:
    return Answer(Kind.RAW, _bounded(_squeezed(text)), text)


def _squeezed(text: str) -> str:
    plain = scalar.without_text(text).replace(" ", "")
    return plain if "\\" in plain else plain.casefold()


class _Reader:
    """Reads one answer, from the outermost structure inwards."""

    def __init__(self, context: Context):
        self.context = context

    def shape(self, text: str, depth: int) -> Answer:
        text = _stripped(text)
        brackets = latex.enclosed(text)
        for _ in range(_MAX_BRACES):
            if brackets != ("{", "}"):
                break
            text = _stripped(text[1:-1])
            brackets = latex.enclosed(text)
        if depth > _MAX_NESTING:
            return _raw(text)
        steps: list[Callable[[str, int], Answer | None]] = [
            self.matrix, self.collection, self.union, self.relation,
        ]  # fmt: skip
        for step in steps:
            found = step(text, depth)
            if found is not None:
                return found
        if brackets is not None:
            return self.bracketed(text, brackets, depth)
        return self.plus_minus(text, depth) or self.scalar(text)

    def matrix(self, text: str, depth: int) -> Answer | None:
        match = _ENVIRONMENT.fullmatch(text) if text.startswith("\\begin") else None
        if match is None:
            return None
        rows = [row for row in match[2].split("\\\\") if row.strip()]
        if len(rows) * len(match[2].split("&")) > _MAX_ITEMS**2:
            return None
        parts = tuple(
            self.tuple_of([self.shape(cell, depth + 1) for cell in row.split("&")], "()", row)
            for row in rows
        )
        bars = "|" if match[1][0] in "vV" else ""
        key = bars + "[" + ",".join(part.key for part in parts) + "]"
        return Answer(Kind.MATRIX, _bounded(key), text, None, parts, bars)

    def collection(self, text: str, depth: int) -> Answer | None:
        """A list without brackets: ``1, 2``, ``x = 1 or x = 2``."""
        joined = _CONJUNCTION.sub(",", text)
        pieces = [piece.strip() for _, piece in latex.split(joined, _COMMA)]
        if len(pieces) < 2 or len(pieces) > _MAX_ITEMS:
            return None
        items = [self.shape(piece, depth + 1) for piece in pieces if piece]
        if len({item.key for item in items}) == 1:
            return items[0]
        assigned = [_assignment(piece) for piece in pieces if piece]
        names = [name for name in assigned if name]
        if len(names) == len(items) and len(set(names)) == len(names):
            ordered = [item for _, item in sorted(zip(names, items, strict=True), key=_by_name)]
            return self.tuple_of(ordered, "()", text)
        if joined != text and all(_is_interval(item) for item in items):
            return self.united(items, text)
        return self.set_of(items, text, Kind.LIST)

    def union(self, text: str, depth: int) -> Answer | None:
        pieces = latex.split(text, _UNION)
        if not 2 <= len(pieces) <= _MAX_ITEMS:
            return None
        return self.united([self.shape(piece, depth + 1) for _, piece in pieces], text)

    def united(self, items: list[Answer], text: str) -> Answer:
        parts = tuple(sorted(items, key=lambda item: item.key))
        return Answer(Kind.UNION, _bounded("U".join(p.key for p in parts)), text, None, parts)

    def set_of(self, items: list[Answer], text: str, kind: Kind) -> Answer:
        key = "{" + ",".join(sorted(item.key for item in items)) + "}"
        return Answer(kind, _bounded(key), text, None, tuple(items))

    def tuple_of(self, items: list[Answer], brackets: str, text: str) -> Answer:
        key = brackets[0] + ",".join(item.key for item in items) + brackets[1]
        return Answer(Kind.TUPLE, _bounded(key), text, None, tuple(items), brackets)

    def relation(self, text: str, depth: int) -> Answer | None:
        pieces = latex.split(text, _RELATION)
        if not 2 <= len(pieces) <= _MAX_ITEMS:
            return None
        signs = [sign for sign, _ in pieces[1:]]
        sides = [side.strip() for _, side in pieces]
        if "\\ne" in signs:
            return None
        if _ORDER & set(signs):
            return self.inequality(sides, signs, text, depth)
        if "\\approx" in signs:
            sides = self.before_approximation(sides, signs.index("\\approx"), depth)
        if self.context.equation and len(sides) == 2:
            return self.equation(sides, text, depth)
        return self.shape(sides[-1], depth + 1)

    def before_approximation(self, sides: list[str], at: int, depth: int) -> list[str]:
        """``\\frac{22}{7} \\approx 3.14`` states the exact value; ``x \\approx 3.14`` the other."""
        exact = at > 0 or _is_number(self.shape(sides[0], depth + 1))
        return sides[: at + 1] if exact else sides

    def equation(self, sides: list[str], text: str, depth: int) -> Answer:
        left, right = (self.shape(side, depth + 1) for side in sides)
        key = _squeezed(text)
        if left.value and right.value and left.value.exact and right.value.exact:
            try:
                difference = (left.value.exact - right.value.exact).top
            except TooHardError:
                difference = Poly({})
            if difference.terms:
                lead = difference.terms[max(difference.terms)]
                key = f"{(difference * Poly.number(1 / lead)).key}=0"
        return Answer(Kind.EQUATION, _bounded(key), text, None, (left, right))

    def inequality(self, sides: list[str], signs: list[str], text: str, depth: int) -> Answer:
        """One variable between constants is an interval; others keep their sides."""
        if all(sign[0] == ">" or sign == "\\ge" for sign in signs):
            sides = sides[::-1]
            signs = [{">": "<"}.get(sign, "\\le") for sign in signs[::-1]]
        parts = [self.shape(side, depth + 1) for side in sides]
        signs = [sign.replace("<=", "\\le") for sign in signs]
        below = {"\\le": "[", "<": "("}
        above = {"\\le": "]", "<": ")"}
        if len(parts) == 2 and set(signs) <= set(below):
            infinity = self.shape("\\infty", depth + 1)
            if _is_variable(parts[0]) and _is_number(parts[1]):
                minus = self.shape("-\\infty", depth + 1)
                return self.tuple_of([minus, parts[1]], "(" + above[signs[0]], text)
            if _is_variable(parts[1]) and _is_number(parts[0]):
                return self.tuple_of([parts[0], infinity], below[signs[0]] + ")", text)
        if len(parts) == 3 and set(signs) <= set(below) and _is_variable(parts[1]):
            brackets = below[signs[0]] + above[signs[1]]
            return self.tuple_of([parts[0], parts[2]], brackets, text)
        key = "".join(part.key + sign for part, sign in zip(parts, [*signs, ""], strict=True))
        return Answer(Kind.RAW, _bounded(key), text)

    def bracketed(self, text: str, brackets: tuple[str, str], depth: int) -> Answer:
        inner = text[len(brackets[0]) : len(text) - len(brackets[1])]
        pieces = [piece for _, piece in latex.split(inner, _COMMA)]
        if len(pieces) > _MAX_ITEMS:
            return _raw(text)
        if len(pieces) == 1 and brackets[0] == "\\{" and not inner.strip():
            return Answer(Kind.SET, "{}", text)
        if len(pieces) == 1 and brackets[0] + brackets[1] in ("()", "[]", "\\{\\}"):
            return self.shape(inner, depth + 1)
        items = [self.shape(piece, depth + 1) for piece in pieces]
        if brackets[0] == "\\{":
            return self.set_of(items, text, Kind.SET)
        return self.tuple_of(items, brackets[0] + brackets[1], text)

    def plus_minus(self, text: str, depth: int) -> Answer | None:
        if "\\pm" not in text or text.count("\\pm") != 1:
            return None
        upper = text.replace("\\pm", "+").replace("\\mp", "-")
        lower = text.replace("\\pm", "-").replace("\\mp", "+")
        return self.set_of([self.shape(t, depth + 1) for t in (upper, lower)], text, Kind.LIST)

    def scalar(self, text: str) -> Answer:
        match = _BASE.fullmatch(text)
        if match and any(char.isdigit() for char in match[1]) and match[1][0].isdigit():
            return self.based(match[1], match[2] or match[3], text)
        if text == "\\emptyset":
            return Answer(Kind.SET, "{}", text)
        number = scalar.read_number(text, self.context.letters)
        if number is not None:
            value = Value(number.node)
            if not number.percent:
                return _valued(value, text)
            key = f"{_valued(value, text).key}%"
            return Answer(Kind.PERCENT, _bounded(key), text, value)
        if scalar.is_wording(text):
            return _words(text)
        return _raw(text)

    def based(self, digits: str, base: str, text: str) -> Answer:
        plain = self.shape(digits, _MAX_NESTING)
        return Answer(Kind.BASE, f"{digits.upper()}_{base}", text, plain.value, (plain,))


def _by_name(pair: tuple[str, Answer]) -> tuple[bool, str]:
    """Latin letters before Greek ones, as in (x, y), (m, n) and (r, theta)."""
    return pair[0].startswith("\\"), pair[0]


_ASSIGNED = re.compile(r" ?((?:\\?[A-Za-z]+)(?:_\{?\w{1,4}\}?)?) ?=(?!=)")


def _assignment(text: str) -> str | None:
    """The variable that ``x = 5`` assigns."""
    match = _ASSIGNED.match(text)
    return match[1] if match else None


def _is_variable(answer: Answer) -> bool:
    exact = answer.value.exact if answer.value else None
    return exact is not None and len(exact.key) <= 12 and not _is_number(answer)


def _is_number(answer: Answer) -> bool:
    exact = answer.value.exact if answer.value else None
    if exact is None:
        return answer.kind is Kind.VALUE and answer.value is not None and bool(answer.value.samples)
    return all(name.isdigit() or name in ("pi", "e", "oo") for name in exact.generators)


def _is_interval(answer: Answer) -> bool:
    return answer.kind is Kind.TUPLE and len(answer.parts) == 2
