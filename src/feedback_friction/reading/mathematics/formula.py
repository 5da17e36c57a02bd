"""From cleaned LaTeX or plain notation to a syntax tree: one formula without relations or lists.

The tree and its grammar are the only ones: ``parse`` reads text, ``parse_tokens`` what others cut
a text into (the tutor, whose numerals may be in either base).

The grammar is what people write: ``\\frac34``, ``3/4``, ``2\\sqrt3``, ``12\\frac{3}{5}`` (a mixed
number), ``4a-2``, ``\\log_2 x``, ``sqrt(2)``, ``10!``, ``|x|``. Division and multiplication,
written or not, bind alike from left to right. Whatever is not surely understood is a
``FormulaError``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from feedback_friction.reading.mathematics.nodes import (
    Call,
    Node,
    Number,
    Power,
    Product,
    Root,
    Sum,
    Symbol,
)
from feedback_friction.reading.numerals import Numeral

MAX_TOKENS = 400
MAX_DEPTH = 30


class FormulaError(ValueError):
    """Not a formula that this grammar reads."""


_FUNCTIONS = "sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh log ln exp"
_LETTERS = (
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi "
    "pi rho sigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi "
    "Psi Omega ell"
)
FUNCTIONS = frozenset(_FUNCTIONS.split())
GREEK = frozenset(_LETTERS.split())
_NAMES = {name: name for name in GREEK} | {"infty": "oo", "infinity": "oo", "oo": "oo", "inf": "oo"}
_TIMES = frozenset({"\\cdot", "\\times", "*", "\\ast", "×"})
_OVER = frozenset({"/", "\\div"})
_CLOSING = {"(": ")", "[": "]", "{": "}", "\\lfloor": "\\rfloor", "\\lceil": "\\rceil", "|": "|"}
_ENDS = frozenset(_CLOSING.values()) - {"|"}

_DEGREE = ((False, Symbol("pi")), (True, Number(Fraction(180))))

_TOKEN = re.compile(
    r"(?P<space>\s*)(?:(?P<number>\d*\.\d*\\(?:overline|bar)\{\d+\}|(?:\d+(?:\.\d+)?"
    r"|\.\d+)(?:[eE][+-]?\d{1,4}(?![A-Za-z\d]))?)|(?P<command>\\[A-Za-z]+)|(?P<word>[A-Za-z]+)"
    r"|(?P<sign>\*\*|\S))"
)


@dataclass(slots=True)
class _Token:
    text: str
    kind: str
    spaced: bool
    numeral: Numeral | None = None


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        spaced = bool(match["space"])
        if kind == "word":
            found += _word(match["word"], spaced)
        elif kind:
            found.append(_Token(match[kind], kind, spaced))
        if len(found) > MAX_TOKENS:
            raise FormulaError("too long")
    return found


def _word(word: str, spaced: bool) -> list[_Token]:
    """A function, a constant's name, or up to three letters that are multiplied."""
    if word in FUNCTIONS or word in ("sqrt", "pi") or word in _NAMES:
        return [_Token("\\" + word, "command", spaced)]
    if len(word) > 3:
        raise FormulaError("word")
    return [_Token(letter, "letter", spaced and k == 0) for k, letter in enumerate(word)]


def _numeral(text: str) -> Number:
    if "\\" in text:
        before, _, repeated = text.partition("\\")
        digits = repeated[repeated.index("{") + 1 : -1]
        whole, _, fixed = before.partition(".")
        ten = 10 ** len(fixed)
        tail = Fraction(int(digits), ten * (10 ** len(digits) - 1))
        return Number(Fraction(int(whole or 0)) + Fraction(int(fixed or 0), ten) + tail, None)
    mantissa, _, exponent = text.lower().partition("e")
    decimals = len(mantissa.partition(".")[2]) - int(exponent or 0)
    return Number(Fraction(text), max(decimals, 0))


def parse(text: str) -> Node:
    """The syntax tree of a formula.

    Raises:
        FormulaError: for anything that is not wholly understood, too long or too deeply nested.
    """
    try:
        return _whole(_Parser(_tokens(text)))
    except (ValueError, IndexError) as error:  # int() refuses numerals beyond 4,300 digits
        raise FormulaError(str(error)) from error


def parse_tokens(tokens: Iterable[tuple[str, Numeral | None, bool]]) -> Node | None:
    """The syntax tree of numerals, signs and brackets, None where they are no formula.

    Args:
        tokens: each with its text, its numeral if it is one, and whether space stands before it:
            a bracket multiplies only what it touches.
    """
    kinds = [
        _Token(text, "numeral" if numeral else "sign", spaced, numeral)
        for text, numeral, spaced in tokens
    ]
    try:
        return _whole(_Parser(kinds))
    except (ValueError, IndexError):
        return None


def _whole(parser: _Parser) -> Node:
    node = parser.sum(0)
    if parser.at < len(parser.tokens):
        raise FormulaError("left over")
    return node


def _written(numeral: Numeral) -> Number:
    """A numeral in its plainest reading: with letters in base 16, else in base 10."""
    digits = numeral.digits
    if "e" in digits:  # a power of ten too far to be written out, as in "1 × 10^999999999"
        raise FormulaError("exponent")
    if digits.isalnum() and not digits.isdigit():
        return Number(Fraction(int(digits, 16)), 0, numeral)
    return Number(Fraction(digits), None, numeral)


def _is_proper(above: Node, below: Node) -> bool:
    if not (isinstance(above, Number) and isinstance(below, Number)):
        return False
    return above.decimals == below.decimals == 0 and above.value < below.value


class _Parser:
    def __init__(self, tokens: list[_Token]):
        self.tokens = tokens
        self.at = 0
        self.bars = 0
        self.is_plain = any(token.numeral for token in tokens)

    def peek(self, ahead: int = 0) -> str:
        index = self.at + ahead
        return self.tokens[index].text if index < len(self.tokens) else ""

    def kind(self, ahead: int = 0) -> str:
        index = self.at + ahead
        return self.tokens[index].kind if index < len(self.tokens) else ""

    def take(self, expected: str | None = None) -> str:
        text = self.peek()
        if not text or (expected is not None and text != expected):
            raise FormulaError(f"expected {expected}")
        self.at += 1
        return text

    def sum(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise FormulaError("too deep")
        terms = [(self.minus(), self.product(depth))]
        while self.peek() in ("+", "-"):
            terms.append((self.minus(), self.product(depth)))
        return terms[0][1] if terms == [(False, terms[0][1])] else Sum(tuple(terms))

    def minus(self) -> bool:
        """Take the signs that there are; whether they come to a minus."""
        negative = False
        while self.peek() in ("+", "-"):
            negative ^= self.take() == "-"
        return negative

    def product(self, depth: int) -> Node:
        factors: list[tuple[bool, Node]] = [(False, self.power(depth))]
        while True:
            sign = self.peek()
            if sign in _TIMES or sign in _OVER:
                self.take()
                factors.append((sign in _OVER, self.signed(depth)))
            elif self.starts_factor():
                mixed = self.mixed(factors[-1], depth)
                if mixed is not None:
                    factors[-1] = mixed
                else:
                    factors.append((False, self.power(depth)))
            else:
                break
        return factors[0][1] if len(factors) == 1 else Product(tuple(factors))

    def signed(self, depth: int) -> Node:
        """A factor that may carry a sign of its own: ``2 \\cdot -3``."""
        negative = self.minus()
        factor = self.power(depth)
        return Sum(((True, factor),)) if negative else factor

    def starts_factor(self) -> bool:
        """Whether the next token can stand right behind a factor, multiplied without a sign."""
        text = self.peek()
        if not text or text in _ENDS:
            return False
        if text == "|":
            return self.bars == 0
        if self.is_plain and text == "(":
            return self.peek(-1) == ")" or not self.tokens[self.at].spaced
        if self.kind() == "number":
            return self.kind(-1) == "number"
        return self.kind() in ("letter", "command") or text in _CLOSING

    def mixed(self, last: tuple[bool, Node], depth: int) -> tuple[bool, Node] | None:
        """``12\\frac{3}{5}`` or ``1 1/4``: the sum of a whole number and a proper fraction."""
        divides, whole = last
        is_whole = (
            not divides
            and self.kind(-1) == "number"
            and isinstance(whole, Number)
            and whole.decimals == 0
        )
        if self.kind() == "number":
            if not is_whole or not self.tokens[self.at].spaced or self.peek(1) not in _OVER:
                raise FormulaError("two numbers")
            above: Node = _numeral(self.take())
            self.take()
            below: Node = _numeral(self.take())
        elif is_whole and self.peek() == "\\frac":
            self.take()
            above, below = self.argument(depth), self.argument(depth)
        else:
            return None
        fraction = Product(((False, above), (True, below)))
        if _is_proper(above, below):
            return False, Sum(((False, whole), (False, fraction)))
        return False, Product(((False, whole), (False, fraction)))

    def power(self, depth: int) -> Node:
        node = self.atom(depth)
        while True:
            sign = self.peek()
            if sign in ("^", "**"):
                self.take()
                if self.degrees():
                    node = Product(((False, node), *_DEGREE))
                else:
                    node = Power(node, self.exponent(depth + 1))
            elif sign == "!":
                self.take()
                node = Call("factorial", (node,))
            else:
                return node

    def degrees(self) -> bool:
        """Take ``\\circ`` or ``{\\circ}``, if that is the exponent."""
        if self.peek() == "\\circ":
            self.at += 1
            return True
        braced = [self.peek(ahead) for ahead in range(3)] == ["{", "\\circ", "}"]
        self.at += 3 * braced
        return braced

    def exponent(self, depth: int) -> Node:
        negative = self.minus()
        node = self.atom(depth)
        if self.peek() in ("^", "**"):
            self.take()
            node = Power(node, self.exponent(depth + 1))
        return Sum(((True, node),)) if negative else node

    def atom(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise FormulaError("too deep")
        text, kind = self.peek(), self.kind()
        if kind == "number":
            return _numeral(self.take())
        if kind == "numeral":
            numeral = self.tokens[self.at].numeral
            self.take()
            assert numeral is not None
            return _written(numeral)
        if kind == "letter":
            return self.symbol(self.take())
        if text in _CLOSING and text not in _ENDS:
            return self.group(depth)
        if kind == "command":
            return self.command(self.take()[1:], depth)
        raise FormulaError(f"unexpected {text}")

    def group(self, depth: int) -> Node:
        opening = self.take()
        self.bars, outer = (1 if opening == "|" else 0), self.bars
        node = self.sum(depth + 1)
        self.bars = outer
        self.take(_CLOSING[opening])
        name = {"|": "abs", "\\lfloor": "floor", "\\lceil": "ceil"}.get(opening)
        return Call(name, (node,)) if name else node

    def symbol(self, name: str) -> Node:
        while self.peek() == "'":
            name += self.take()
        if self.peek() == "_":
            self.take()
            name += "_" + self.subscript()
        return Symbol(name)

    def subscript(self) -> str:
        if self.peek() != "{":
            return self.take()
        self.take()
        parts = []
        while self.peek() not in ("}", ""):
            parts.append(self.take())
        self.take("}")
        return "".join(parts)

    def argument(self, depth: int, whole_number: bool = False) -> Node:
        """A group in braces, or one token: ``\\frac34`` has the arguments 3 and 4."""
        if self.peek() in ("{", "("):
            return self.group(depth)
        token = self.tokens[self.at]
        if token.kind == "number" and not whole_number and token.text.isdigit():
            first, rest = token.text[0], token.text[1:]
            if rest:
                self.tokens[self.at] = _Token(rest, "number", False)
            else:
                self.at += 1
            return Number(Fraction(int(first)))
        return self.atom(depth + 1)

    def command(self, name: str, depth: int) -> Node:
        if name == "frac":
            top = self.argument(depth)
            return Product(((False, top), (True, self.argument(depth))))
        if name == "binom":
            return Call("binom", (self.argument(depth), self.argument(depth)))
        if name == "sqrt":
            return self.root(depth)
        if name in FUNCTIONS:
            return self.function(name, depth)
        if name in _NAMES:
            return self.symbol(_NAMES[name])
        raise FormulaError(f"unknown \\{name}")

    def root(self, depth: int) -> Node:
        degree = 2
        if self.peek() == "[":
            self.take()
            degree = int(self.take())
            self.take("]")
        if not 2 <= degree <= 100:
            raise FormulaError("degree")
        return Root(degree, self.argument(depth, whole_number=True))

    def function(self, name: str, depth: int) -> Node:
        """``\\sin^2 x``, ``\\log_2 8``, ``\\sin(2x)``, ``\\cos 2x``, ``\\exp{x}``."""
        base: Node | None = None
        exponent: Node | None = None
        while self.peek() in ("_", "^"):
            if self.take() == "_":
                base = self.argument(depth, whole_number=True)
            else:
                exponent = self.exponent(depth + 1)
        grouped = self.peek() in ("(", "{", "[")
        inner = self.group(depth) if grouped else self.juxtaposed(depth + 1)
        if base is not None and name != "log":
            raise FormulaError("base")
        node = Call(name, (inner,) if base is None else (base, inner))
        if exponent == Sum(((True, Number(Fraction(1))),)):
            raise FormulaError("inverse or reciprocal")
        return Power(node, exponent) if exponent is not None else node

    def juxtaposed(self, depth: int) -> Node:
        factors: list[tuple[bool, Node]] = [(False, self.power(depth))]
        while self.starts_factor() and self.peek()[1:] not in FUNCTIONS and self.peek() != "(":
            factors.append((False, self.power(depth)))
        return factors[0][1] if len(factors) == 1 else Product(tuple(factors))
