"""The structures of an answer: matrices, residues, lists, sets, intervals, relations, numbers.

A ``Reader`` takes one answer apart from the outermost structure inwards.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from feedback_friction.reading.mathematics import latex, reals, scalar
from feedback_friction.reading.mathematics.answer import Answer, Context, Kind, Value, squeezed
from feedback_friction.reading.mathematics.evaluate import differ
from feedback_friction.reading.mathematics.exact import key as exact_key
from feedback_friction.reading.mathematics.relations import (
    ABOVE,
    BELOW,
    MIRROR,
    assignment,
    by_name,
    difference_of,
    is_interval,
    is_name,
    is_number,
    is_variable,
    lead,
    linear_bound,
    order_key,
)

_MAX_ITEMS = 60
_MAX_NESTING = 5
_MAX_BRACES = 16


_COMMA = re.compile(r"[,;]")
_SEMICOLON = re.compile(r";")
_UNION = re.compile(r"\\cup(?![A-Za-z])")
_RELATION = re.compile(r"\\(?:le|ge|ne|in|approx|equiv|sim|Rightarrow)(?![A-Za-z])|:=|[<>=]=?")
_MINUS_SET = re.compile(r"\\setminus(?![A-Za-z])|(?<=\\reals)\s*-(?=\s*\\\{)")
_SUCH_THAT = re.compile(r"\||:")
_MODULUS = re.compile(
    r"[ ,]*(?:\\pmod ?\{?|\\mod ?\{?|\\bmod ?\{?|\( ?\\?(?:text ?\{ ?)?mod(?: ?\})? ?|\\text ?\{["
    r" (]*mod(?:ulo)? ?\}? ?|(?<=[\d ])mod(?:ulo)? )\{?(\d{1,9}) ?[)}]{0,3}$"
)
_CONJUNCTION = re.compile(
    r"(?<=[\d)\]])(?:and|or)(?=[A-Z(\\\d])|\\text ?\{[\s,]*(?:and|or)\s*\}"
    r"|(?<![A-Za-z\\])(?:and|or)(?![A-Za-z])"
)
_AND = re.compile(r"(?<![A-Za-z])and(?![A-Za-z])")
_INEQUALITY = re.compile(r"\\[lg]e(?![A-Za-z])|[<>]")
_ENVIRONMENT = re.compile(
    r"\\begin ?\{([pbvBV]?matrix|array)\} ?(?:\{[clr| ]{0,20}\})?((?:(?!\\begin).)*)\\end ?\{\1\}",
    re.DOTALL,
)
_BASE = re.compile(r"([0-9A-Za-z]+) ?_ ?(?:\{ ?(?:\\text ?\{)? ?(\w{1,8}) ?\}?\}?|(\d))")
_DIGITS, _HEX = re.compile(r"\d"), re.compile("[0-9A-F]{2,}")
_ORDER = frozenset({"<", ">", "<=", ">=", "\\le", "\\ge"})
_BEFORE = " ,;:*_`\"'"  # a point may begin a number
_AFTER = _BEFORE + ".\\"


def stripped(text: str) -> str:
    """Without the punctuation and quotation marks around it."""
    text = text.lstrip(_BEFORE).rstrip(_AFTER)
    return text if text[:1] != "." or text[1:2].isdigit() else text.lstrip(_AFTER)


def words(text: str) -> Answer:
    """An answer in words."""
    return Answer(Kind.TEXT, scalar.wording(text), text)


def valued(value: Value, source: str) -> Answer:
    """An answer with a value."""
    return Answer(Kind.VALUE, "", source, value)


def _raw(text: str) -> Answer:
    return Answer(Kind.RAW, squeezed(text), text)


class Reader:
    """Reads one answer, from the outermost structure inwards."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def shape(self, text: str, depth: int) -> Answer:
        text = stripped(text)
        brackets = latex.enclosed(text)
        for _ in range(_MAX_BRACES):
            if brackets != ("{", "}"):
                break
            text = stripped(text[1:-1])
            brackets = latex.enclosed(text)
        if depth > _MAX_NESTING:
            return _raw(text)
        steps: list[Callable[[str, int], Answer | None]] = [
            self.matrix, self.residue, self.collection, self.union, self.difference, self.relation,
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
        return Answer(Kind.MATRIX, key, text, None, parts, bars)

    def residue(self, text: str, depth: int) -> Answer | None:
        """``x \\equiv 3 \\pmod 7``: a residue and its modulus."""
        modulus = _MODULUS.search(text) if "mod" in text else None
        if modulus is None or modulus.start() == 0:
            return None
        residue = self.shape(text[: modulus.start()], depth + 1)
        if residue.kind is not Kind.VALUE:
            return residue if residue.kind in (Kind.LIST, Kind.SET) else None
        of = self.scalar(modulus[1])
        key = f"{residue.key} mod {of.key}"
        return Answer(Kind.RESIDUE, key, text, residue.value, (residue, of))

    def collection(self, text: str, depth: int) -> Answer | None:
        """A list without brackets: ``1, 2``, ``x = 1 or x = 2``, ``x = 1, y = 2; x = 3, y = 4``."""
        joined = _CONJUNCTION.sub(",", text)
        pieces = [piece.strip() for _, piece in latex.split(joined, _SEMICOLON)]
        if len(pieces) == 1 or not all("," in piece for piece in pieces):
            pieces = [piece.strip() for _, piece in latex.split(joined, _COMMA)]
        if len(pieces) < 2 or len(pieces) > _MAX_ITEMS:
            return None
        if scalar.spelled(scalar.without_text(text)) is not None:
            return None  # "one hundred and one" is one number
        items = [self.shape(piece, depth + 1) for piece in pieces if piece]
        if len({item.key for item in items}) == 1:
            return items[0]
        assigned = [assignment(piece) for piece in pieces if piece]
        names = [name for name in assigned if name]
        if len(names) == len(items) and len(set(names)) == len(names):
            ordered = [item for _, item in sorted(zip(names, items, strict=True), key=by_name)]
            return self.tuple_of(ordered, "()", text)
        if joined != text and all(is_interval(item) for item in items):
            both = _AND.search(text) and all(_INEQUALITY.search(piece) for piece in pieces)
            common = reals.common(items) if both else None  # "x < 2 and x > 5" means one or other
            return self.reals(common, depth) or self.united(items, text)
        return self.set_of(items, text, Kind.LIST)

    def difference(self, text: str, depth: int) -> Answer | None:
        """Reals without some of them: ``\\mathbb{R} \\setminus \\{3\\}``."""
        pieces = latex.split(text, _MINUS_SET)
        if len(pieces) != 2:
            return None
        whole, gone = (self.shape(piece, depth + 1) for _, piece in pieces)
        if gone.kind is Kind.VALUE:
            gone = self.set_of([gone], gone.source, Kind.SET)
        return self.reals(reals.without(whole, gone), depth)

    def union(self, text: str, depth: int) -> Answer | None:
        pieces = latex.split(text, _UNION)
        if not 2 <= len(pieces) <= _MAX_ITEMS:
            return None
        return self.united([self.shape(piece, depth + 1) for _, piece in pieces], text)

    def united(self, items: list[Answer], text: str) -> Answer:
        parts = tuple(sorted(items, key=lambda item: item.key))
        return Answer(Kind.UNION, "U".join(p.key for p in parts), text, None, parts)

    def set_of(self, items: list[Answer], text: str, kind: Kind) -> Answer:
        if kind is Kind.SET or all(item.kind is Kind.TUPLE for item in items):
            items = list({item.key: item for item in items}.values())
        key = "{" + ",".join(sorted(item.key for item in items)) + "}"
        return Answer(kind, key, text, None, tuple(items))

    def tuple_of(self, items: list[Answer], brackets: str, text: str) -> Answer:
        key = brackets[0] + ",".join(item.key for item in items) + brackets[1]
        return Answer(Kind.TUPLE, key, text, None, tuple(items), brackets)

    def relation(self, text: str, depth: int) -> Answer | None:
        pieces = latex.split(text, _RELATION)
        if not 2 <= len(pieces) <= _MAX_ITEMS:
            return None
        signs = [sign for sign, _ in pieces[1:]]
        sides = [side.strip() for _, side in pieces]
        if "\\ne" in signs:
            return self.excluded(sides, text, depth) if signs == ["\\ne"] else None
        if _ORDER & set(signs):
            return self.inequality(sides, signs, text, depth)
        if "\\approx" in signs:
            sides = self.before_approximation(sides, signs.index("\\approx"), depth)
        if self.context.equation and len(sides) == 2:
            return self.equation(sides, text, depth)
        if signs == ["="] and is_name(sides[1]) and not is_name(sides[0]):
            return self.shape(sides[0], depth + 1)
        last = self.shape(sides[-1], depth + 1)
        chain = len(sides) > 2 and is_name(sides[0]) and self.context.number and is_number(last)
        if set(signs) <= {"=", ":=", "=="} and not chain:  # A = \pi r^2 = 8 says what A is
            for at, side in enumerate(sides[:-1]):
                if not self.is_said_of(side, last, depth):
                    return self.equation([side, sides[at + 1]], text, depth)
        return last

    def is_said_of(self, side: str, value: Answer, depth: int) -> bool:
        """Whether an equation says what a side is: an unknown, work without unknowns, or the same
        formula in another writing; a side that the question has is the unknown asked for."""
        if not side or self.is_unknown(side) or not self.context.asked:
            return True  # without the question, an equation is taken at its word
        left = self.shape(side, depth + 1)
        if left.value is None:
            return True
        if not left.value.symbols:
            return value.value is None or not value.value.symbols
        one, other = left.value.samples, value.value.samples if value.value else None
        return one is not None and other is not None and not differ(one, other)

    def excluded(self, sides: list[str], text: str, depth: int) -> Answer | None:
        """``x \\ne 3`` is all of the reals but 3."""
        left, right = (self.shape(side, depth + 1) for side in sides)
        if is_variable(right) and is_number(left):
            left, right = right, left
        if not (is_variable(left) and (is_number(right) or right.kind is Kind.LIST)):
            return None
        points = right.parts if right.kind is Kind.LIST else (right,)
        gone = self.set_of(list(points), text, Kind.SET)
        return self.reals(reals.without(self.shape(reals.EVERYTHING, depth + 1), gone), depth)

    def reals(self, written: str | None, depth: int) -> Answer | None:
        return None if written is None else self.shape(written, depth + 1)

    def before_approximation(self, sides: list[str], at: int, depth: int) -> list[str]:
        """``\\frac{22}{7} \\approx 3.14`` states the exact value; ``x \\approx 3.14`` the other."""
        exact = at > 0 or is_number(self.shape(sides[0], depth + 1))
        return sides[: at + 1] if exact else sides

    def equation(self, sides: list[str], text: str, depth: int) -> Answer:
        left, right = (self.shape(side, depth + 1) for side in sides)
        key = squeezed(text)
        difference = difference_of(left, right)
        if difference:
            key = f"{exact_key(difference / lead(difference))}=0"
        named = tuple(self.is_unknown(side) for side in sides)
        return Answer(Kind.EQUATION, key, text, None, (left, right), named=named)

    def is_unknown(self, side: str) -> bool:
        """Whether a side is what is asked for: a name, or what stands in the question."""
        squeezed, asked = "".join(side.split()), self.context.asked
        if is_name(side) or len(squeezed) < 2 or squeezed not in asked:
            return is_name(side)  # and not the x + 1 in 9x + 14
        return (
            re.search(rf"(?<![\d^*/+=-]){re.escape(squeezed)}(?!\.?\d|[\^*/+-]|=\d)", asked)
            is not None
        )

    def inequality(self, sides: list[str], signs: list[str], text: str, depth: int) -> Answer:
        """One variable between constants is an interval; others keep their sides."""
        if all(sign[0] == ">" or sign == "\\ge" for sign in signs):
            sides = sides[::-1]
            signs = [{">": "<"}.get(sign, "\\le") for sign in signs[::-1]]
        parts = [self.shape(side, depth + 1) for side in sides]
        signs = [sign.replace("<=", "\\le") for sign in signs]
        if not set(signs) <= set(BELOW):
            key = "".join(part.key + sign for part, sign in zip(parts, [*signs, ""], strict=True))
            return Answer(Kind.RAW, key, text)
        if len(parts) == 2:
            interval = self.half_line(parts[0], signs[0], parts[1], text)
            if interval is not None:
                return interval
        if len(parts) == 3 and is_variable(parts[1]):
            return self.between(parts, signs, text)
        key = "".join(part.key + sign for part, sign in zip(parts, [*signs, ""], strict=True))
        return Answer(Kind.RAW, order_key(parts, signs) or key, text)

    def half_line(self, small: Answer, sign: str, large: Answer, text: str) -> Answer | None:
        """``small < large`` with one variable, to the first power."""
        if is_variable(small) and is_number(large):
            return self.between([self.scalar("-oo"), small, large], [sign, sign], text)
        if is_variable(large) and is_number(small):
            return self.between([small, large, self.scalar("oo")], [sign, "<"], text)
        bound = linear_bound(small, large)
        if bound is None:
            return None
        value, rises = bound
        below, above = f"(-oo,{value}{ABOVE[sign]}", f"{BELOW[sign]}{value},oo)"
        return self.shape(below if rises else above, 0)

    def between(self, parts: list[Answer], signs: list[str], text: str) -> Answer:
        """A variable, or its absolute value, between two bounds."""
        low, variable, high = parts
        brackets = BELOW[signs[0]] + ABOVE[signs[1]]
        if low.key == "-oo":
            brackets = "(" + brackets[1]
        if not variable.key.startswith("abs("):
            return self.tuple_of([low, high], brackets, text)
        mirrored = [self.shape(f"-({part.source})", _MAX_NESTING) for part in (high, low)]
        if low.key == "-oo" or low.key.startswith("-"):
            return self.tuple_of([mirrored[0], high], MIRROR[brackets[1]] + brackets[1], text)
        left = self.tuple_of(mirrored, MIRROR[brackets[1]] + MIRROR[brackets[0]], text)
        return self.united([left, self.tuple_of([low, high], brackets, text)], text)

    def bracketed(self, text: str, brackets: tuple[str, str], depth: int) -> Answer:
        inner = text[len(brackets[0]) : len(text) - len(brackets[1])]
        pieces = [piece for _, piece in latex.split(inner, _COMMA)]
        if len(pieces) > _MAX_ITEMS:
            return _raw(text)
        if len(pieces) == 1 and brackets[0] == "\\{" and not inner.strip():
            return Answer(Kind.SET, "{}", text)
        if brackets[0] == "\\{" and (condition := self.builder(inner, depth)) is not None:
            return condition
        if brackets[0] == "\\langle":
            brackets = ("(", ")")
        if len(pieces) == 1 and brackets[0] + brackets[1] in ("()", "[]", "\\{\\}"):
            return self.shape(inner, depth + 1)
        items = [self.shape(piece, depth + 1) for piece in pieces]
        if brackets[0] == "\\{":
            return self.set_of(items, text, Kind.SET)
        return self.tuple_of(items, brackets[0] + brackets[1], text)

    def builder(self, inner: str, depth: int) -> Answer | None:
        """What ``\\{x \\mid x > 0\\}`` asks of x, where that is a set of reals."""
        pieces = latex.split(inner, _SUCH_THAT)
        if len(pieces) != 2 or not re.match(r" ?[A-Za-z](?: ?\\in .*)?$", pieces[0][1].strip()):
            return None
        found = self.shape(pieces[1][1], depth + 1)
        return found if reals.as_set(found) is not None else None

    def plus_minus(self, text: str, depth: int) -> Answer | None:
        if "\\pm" not in text or text.count("\\pm") != 1:
            return None
        upper = text.replace("\\pm", "+").replace("\\mp", "-")
        lower = text.replace("\\pm", "-").replace("\\mp", "+")
        return self.set_of([self.shape(t, depth + 1) for t in (upper, lower)], text, Kind.LIST)

    def scalar(self, text: str) -> Answer:
        match = _BASE.fullmatch(text)
        if match and (_DIGITS.match(match[1]) or (match[2] == "16" and _HEX.fullmatch(match[1]))):
            return self.based(match[1], match[2] or match[3], text)
        if text == "\\emptyset":
            return Answer(Kind.SET, "{}", text)
        if text.strip() == "\\reals":
            return self.shape(reals.EVERYTHING, 0)
        number = scalar.read_number(text, self.context.letters)
        if number is not None:
            value = Value(number.node)
            if not number.percent:
                return valued(value, text)
            key = f"{valued(value, text).key}%"
            return Answer(Kind.PERCENT, key, text, value)
        if scalar.is_wording(text):
            return words(text)
        return _raw(text)

    def based(self, digits: str, base: str, text: str) -> Answer:
        plain = self.shape(digits, _MAX_NESTING)
        return Answer(Kind.BASE, f"{digits.upper()}_{base}", text, plain.value, (plain,))
