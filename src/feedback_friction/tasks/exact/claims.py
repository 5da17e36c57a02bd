"""Which equations a text claims, line by line, and whether each of them holds.

A claim is two expressions with a sign of equality between them. Where a reader may take a stretch
for something else (a base, a bullet, a remainder, "tens"), nothing is claimed; where two sides are
equal in one way of reading them, the claim holds:

- a running chain, ``47 + 38 = 85 - 15 = 70``, in which a side goes on from the value before it;
- a whole division, ``23 / 5 = 4``, whose remainder stands elsewhere;
- a dash at the beginning of a line, which is a minus or a bullet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from feedback_friction.reading.mathematics.algebra import TooHardError
from feedback_friction.reading.mathematics.evaluate import exact
from feedback_friction.reading.mathematics.formula import parse_tokens
from feedback_friction.reading.numerals import Numeral

LONGEST = 40_000  # characters of an attempt that are read
_LINES, _WIDTH = 400, 400
_MOST_TOKENS = 60  # of an expression
TOKEN = re.compile(r"[0-9]+(?:\.[0-9]+)?|x|[-+*/^()=]")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_SIGNS = str.maketrans({"×": "*", "·": "*", "⋅": "*", "∙": "*", "÷": "/", "−": "-", "–": "-"})
_LATEX = (
    (re.compile(r"\\(?:times|cdot)(?![a-zA-Z])"), "*"),
    (re.compile(r"\\div(?![a-zA-Z])"), "/"),
    (re.compile(r"\\[dt]?frac\{([0-9x+\- ]{1,40})\}\{([0-9]{1,20})\}"), r"((\1)/(\2))"),
    (re.compile(r"\^\{([0-9]{1,3})\}"), r"^\1"),
    (re.compile(r"\\boxed\{([^{}\n]{1,80})\}"), r" \1 "),
    (re.compile(r"\\[()\[\],;! ]|\\left|\\right|\$"), " "),
)
_POWER = re.compile(r"(?<=[0-9)])\*\*(?=[0-9])")
_THOUSANDS = re.compile(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))")
_TIMES = re.compile(r"(?<=[0-9)])\s?[xX]\s?(?=[0-9(])")
_BULLET = re.compile(r"\s*(?:[0-9]{1,3}[.):]|[*•>#]+)\s+")
_OTHER = re.compile(r"[^-0-9x+*/^()=.\s]|(?<![0-9])\.|\.(?![0-9])")
_WORD = re.compile(r"([A-Za-z]+)[ :]*\Z")
_NEXT_WORD = re.compile(r"\s?([A-Za-z]+)")
# Before a number: it names something. After one: it is not the whole value.
_COUNTED = re.compile(
    r"base|step|line|row|number|digits?|columns?|words?|letters?|places?|positions?|part"
    r"|equation|terms?|no|attempt|problem|example|case",
    re.I,
)
_QUALIFIED = re.compile(
    r"r|rem|remainder|remaining|mod|modulo|tens?|hundreds?|thousands?|million|dozen|percent|less"
    r"|more|point|or|with|base",
    re.I,
)
_SUPPOSED = re.compile(
    r"\b(?:if|suppose|try|trying|let|assume|guess|say|test|would|could|when|unless|instead)\b", re.I
)
_GLUED = re.compile(r"[\w}\\%_]\Z")


@dataclass(frozen=True, slots=True)
class Claim:
    """An equation that a text claims.

    Attributes:
        line: its line in the text, from 1.
        column: where in the line it stands.
        left: tokens of its left side.
        right: tokens of its right side.
        value: of the left side, for the unknown that solves the question.
        stated: of the right side.
        holds: whether the two are equal in any way in which they may be meant.
    """

    line: int
    column: int
    left: tuple[str, ...]
    right: tuple[str, ...]
    value: Fraction
    stated: Fraction
    holds: bool

    @property
    def quote(self) -> str:
        """The equation as the tutor quotes it."""
        return f"{spaced(self.left)} = {spaced(self.right)}"

    @property
    def has_unknown(self) -> bool:
        """Whether it is about the unknown."""
        return "x" in self.left or "x" in self.right


@lru_cache(maxsize=4096)  # one attempt is read for its step, its words and its value
def worth(tokens: tuple[str, ...], unknown: Fraction | None = None) -> Fraction | None:
    """The value of an expression; None where it is none, or has an unknown of no value.

    The unknown counts as its value, since a statement about it is true if and only if it holds for
    the value that solves the question.
    """
    known = TOKEN.findall(f"({unknown})") if unknown is not None else ["x"]
    read = [each for token in tokens for each in (known if token == "x" else [token])]
    numerals = ((each, Numeral(0, 0, each) if each[0].isdigit() else None, False) for each in read)
    node = parse_tokens(numerals) if len(tokens) <= _MOST_TOKENS else None
    try:
        return exact(node).rational if node else None
    except TooHardError:
        return None


def spaced(tokens: Sequence[str]) -> str:
    """Tokens with spaces around signs between two values: ``"7x - 12"``."""
    text, before = "", ""
    for token in tokens:
        binary = token in "+-*/" and before not in ("", "(", *"+-*/^")
        text += f" {'×' if token == '*' else token} " if binary else token
        before = token
    return text.strip()


def lines_of(text: str) -> list[str]:
    """The lines of an attempt with its signs made alike; what is too long to be read is empty."""
    lines = text[:LONGEST].translate(_SIGNS).split("\n")[:_LINES]
    return [_plain(line) if len(line) <= _WIDTH else "" for line in lines]


def _plain(line: str) -> str:
    line = _THOUSANDS.sub("", _POWER.sub("^", line))
    for pattern, plain in _LATEX:
        line = pattern.sub(plain, line)
    return _TIMES.sub(" * ", line.replace("**", "").replace("`", " "))


def claims(text: str, unknown: Fraction | None = None) -> list[Claim]:
    """The equations of a text in their order.

    Args:
        unknown: the value of x that solves the question; None where it has no unknown.
    """
    return [
        claim
        for number, line in enumerate(lines_of(text), 1)
        for start, stretch in _stretches(line)
        for claim in _in_stretch(line, number, start, stretch, unknown)
        if not (claim.has_unknown and _SUPPOSED.search(line))
    ]


def _stretches(line: str) -> Iterator[tuple[int, str]]:
    """The parts of a line that may hold equations: where each begins, and its text."""
    bullet = _BULLET.match(line)
    start = bullet.end() if bullet else 0
    for other in [*_OTHER.finditer(line, start), None]:
        end = other.start() if other else len(line)
        if "=" in line[start:end]:
            yield start, line[start:end]
        start = other.end() if other else end


def _in_stretch(
    line: str, number: int, start: int, stretch: str, unknown: Fraction | None
) -> Iterator[Claim]:
    sides = [tuple(TOKEN.findall(side)) for side in stretch.split("=")]
    ends = [start + at for at, sign in enumerate(stretch) if sign == "="]
    last = len(sides) - 1
    for at in range(last):
        first_is_safe = at > 0 or _begins(line[:start], stretch, sides[0])
        last_is_safe = at + 1 < last or _ends(line[start + len(stretch) :], stretch)
        claim = _claim(number, ends[at], sides[at], sides[at + 1], unknown)
        if claim is not None and first_is_safe and last_is_safe:
            yield claim


def _begins(before: str, stretch: str, side: Sequence[str]) -> bool:
    """Whether a side at the beginning of a stretch is all that is meant to be equal."""
    if _GLUED.search(before) and not stretch[:1].isspace():
        return False
    word = _WORD.search(before)
    whole = len(side) > 1 or tuple(side) == ("x",)
    return word is None or (whole and not _COUNTED.fullmatch(word[1]))


def _ends(after: str, stretch: str) -> bool:
    if after[:1] and not stretch[-1:].isspace() and (after[0].isalnum() or after[0] in "_%'°\\"):
        return False
    word = _NEXT_WORD.match(after)
    return word is None or not _QUALIFIED.fullmatch(word[1])


def _claim(
    line: int,
    column: int,
    left: tuple[str, ...],
    right: tuple[str, ...],
    unknown: Fraction | None,
) -> Claim | None:
    if len(left) == 1 and len(right) == 1 and "x" not in (*left, *right):
        return None  # two bare numbers: a base, a label, a count
    if left[:1] and left[0] in "+*/":
        return None  # goes on from something else
    value, stated = worth(left, unknown), worth(right, unknown)
    if value is None or stated is None:
        return None
    return Claim(
        line, column, left, right, value, stated, _holds(left, right, value, stated, unknown)
    )


def _holds(
    left: tuple[str, ...],
    right: tuple[str, ...],
    value: Fraction,
    stated: Fraction,
    unknown: Fraction | None,
) -> bool:
    if value == stated:
        return True
    goes_on = len(right) > 1 and _NUMBER.fullmatch(right[0]) is not None
    if goes_on and Fraction(right[0]) == value:
        return True
    if "/" in left and stated.denominator == 1 and value // 1 == stated:
        return True
    return left[0] == "-" and worth(left[1:], unknown) == stated
