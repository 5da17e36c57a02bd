"""How places and numbers are named in feedback, and what is left out of a quotation."""

from __future__ import annotations

from feedback_friction.reading.mathematics.nodes import Node, Number, Power, Product, Sum
from feedback_friction.reading.number_words import ORDINALS
from feedback_friction.reading.numerals import Base, numerals
from feedback_friction.tasks.tutor.chains import Piece
from feedback_friction.tasks.tutor.finding import Finding, Kind
from feedback_friction.tasks.tutor.question import Question

_LONGEST_QUOTE = 160
_LEFT_OUT = "…"
_PLACE_NAMES = (
    "units tens hundreds thousands ten-thousands hundred-thousands millions ten-millions "
    "hundred-millions billions ten-billions hundred-billions"
)
_DECIMAL_PLACES = tuple(_PLACE_NAMES.split())
_PLACES = ORDINALS[:12]


def found_at(kind: Kind, question: Question, why: str, *pieces: Piece) -> Finding:
    """A finding about what stands where the last of the pieces begins."""
    token = pieces[-1].tokens[0]
    return Finding(kind, why, token.line, quoted(question, *pieces), token.start)


def quoted(question: Question, *pieces: Piece) -> str:
    """What the pieces say, without the numbers that feedback must not show."""
    return shortened(" = ".join(_shown(question, piece) for piece in pieces))


def written(question: Question, expression: Node) -> str:
    """An expression without the numbers that feedback must not show."""
    if isinstance(expression, Number):
        return _LEFT_OUT if expression.digits in question.secrets else expression.digits
    if isinstance(expression, Sum):
        terms = [(less, written(question, term)) for less, term in expression.terms]
        return " ".join(f"{'-' if less else '+'} {term}" for less, term in terms).removeprefix("+ ")
    if isinstance(expression, Product):
        parts = [(under, _bracketed(question, part)) for under, part in expression.factors]
        return "".join(f" {'/' if under else '×'} {part}" for under, part in parts)[3:]
    assert isinstance(expression, Power)  # nothing else stands between numerals and signs
    return "^".join(_bracketed(question, side) for side in (expression.base, expression.exponent))


def _bracketed(question: Question, expression: Node) -> str:
    text = written(question, expression)
    return f"({text})" if isinstance(expression, Sum) else text


def _shown(question: Question, piece: Piece) -> str:
    """A piece with single spaces around its signs."""
    text = ""
    for token in piece.tokens:
        shown = _LEFT_OUT if token.text in question.secrets else token.text
        spaced = token.text in "+-×/"
        text += f" {shown} " if spaced else shown
    return text.strip()


def shortened(text: str) -> str:
    """At most so much of a text as fits a quotation."""
    return text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 2] + " …"


def censored(question: Question, text: str) -> str:
    """A stretch of plain text without the numbers that feedback must not show."""
    for numeral in reversed(numerals(text, question.base)):
        if numeral.digits in question.secrets:
            text = text[: numeral.start] + _LEFT_OUT + text[numeral.end :]
    return shortened(" ".join(text.split()))


def first_wrong_place(wrong: int, right: int, base: Base) -> str:
    """In which place, from the right, a number first has a wrong digit."""
    place = 0
    while wrong % base == right % base:
        wrong, right, place = wrong // base, right // base, place + 1
    if base == 10 and place < len(_DECIMAL_PLACES):
        return f"Counting from the right, its first wrong digit is in the {_DECIMAL_PLACES[place]}."
    if place < len(_PLACES):
        return f"Counting from the right, its {_PLACES[place]} digit is the first wrong one."
    return "Its last digits are right, those before them are not."
