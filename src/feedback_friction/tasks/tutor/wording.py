"""How places and numbers are named in feedback, and what is left out of a quotation."""

from __future__ import annotations

from feedback_friction.grading.mathematics.wordnumbers import ORDINALS
from feedback_friction.grading.numerals import Base, numerals
from feedback_friction.tasks.tutor.expressions import Expression, Number, Product, Quotient, Sum
from feedback_friction.tasks.tutor.finding import Finding, Kind
from feedback_friction.tasks.tutor.question import Question
from feedback_friction.tasks.tutor.statements import Piece

_LONGEST_QUOTE = 160
_LEFT_OUT = "…"
_DECIMAL_PLACES = (
    "units",
    "tens",
    "hundreds",
    "thousands",
    "ten-thousands",
    "hundred-thousands",
    "millions",
    "ten-millions",
    "hundred-millions",
    "billions",
    "ten-billions",
    "hundred-billions",
)
_PLACES = ORDINALS[:12]


def found_at(kind: Kind, question: Question, why: str, *pieces: Piece) -> Finding:
    """A finding about what stands where the last of the pieces begins."""
    token = pieces[-1].tokens[0]
    return Finding(kind, why, token.line, quoted(question, *pieces), token.start)


def quoted(question: Question, *pieces: Piece) -> str:
    """What the pieces say, without the numbers that feedback must not show."""
    return shortened(" = ".join(_shown(question, piece) for piece in pieces))


def written(question: Question, expression: Expression) -> str:
    """An expression without the numbers that feedback must not show."""
    if isinstance(expression, Number):
        return _LEFT_OUT if expression.digits in question.secrets else expression.digits
    if isinstance(expression, Sum):
        terms = [(sign, written(question, term)) for sign, term in expression.terms]
        text = " ".join(f"{'+' if sign > 0 else '-'} {term}" for sign, term in terms)
        return text.removeprefix("+ ")
    if isinstance(expression, Product):
        return " × ".join(_bracketed(question, factor) for factor in expression.factors)
    if isinstance(expression, Quotient):
        sides = (expression.dividend, expression.divisor)
        return " / ".join(_bracketed(question, side) for side in sides)
    return "^".join(_bracketed(question, side) for side in (expression.root, expression.exponent))


def _bracketed(question: Question, expression: Expression) -> str:
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
