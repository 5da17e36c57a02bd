"""What the tutor finds wrong, and how it says it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from feedback_friction.protocol.task import Told
from feedback_friction.reading.mathematics.nodes import Node, Number, Power, Product, Sum
from feedback_friction.reading.number_words import ORDINALS
from feedback_friction.reading.numerals import Base, numerals
from feedback_friction.tasks.tutor.chains import Piece
from feedback_friction.tasks.tutor.lines import spaced
from feedback_friction.tasks.tutor.question import Question

_LONGEST_QUOTE = 160
_LEFT_OUT = "…"
_PLACE_NAMES = (
    "units tens hundreds thousands ten-thousands hundred-thousands millions ten-millions "
    "hundred-millions billions ten-billions hundred-billions"
)
_DECIMAL_PLACES = tuple(_PLACE_NAMES.split())
_PLACES = ORDINALS[:12]


class Kind(StrEnum):
    """What is wrong with the first step that is wrong."""

    MISREAD = "misread"  # a factor of the question copied wrongly
    SPLIT = "split"  # the parts of a factor do not add up to it
    PRODUCT = "product"  # a product calculated wrongly
    SHIFT = "shift"  # the right digits with the wrong number of zeros
    CARRY = "carry"  # digit written down and carry do not make up the number
    SUM = "sum"  # a sum or difference calculated wrongly
    COPY = "copy"  # an own result carried over wrongly
    BASE = "base"  # decimal arithmetic in base 16, or an answer in the wrong base
    CONVERSION = "conversion"  # a number brought wrongly from one base to the other
    EQUATION = "equation"  # two expressions said to be equal that are not
    MISSING = "missing"  # a partial product left out, or counted twice
    ANSWER = "answer"  # the answer is not the result of the work
    RESULT = "result"  # no line is wrong by itself, but the result cannot be right
    NO_WORK = "no work"
    NO_ANSWER = "no answer"
    UNFINISHED = "unfinished"
    NONE = "none"  # nothing wrong was found, and the answer is right


@dataclass(frozen=True, slots=True)
class Finding:
    """The first thing that is wrong with an attempt."""

    kind: Kind  # what kind of error it is
    why: str  # what is wrong, in whole sentences, all of them true; never the answer
    line: int | None = None  # line of the attempt, from 1; None where it is not about one line
    quote: str = ""  # what the attempt says there, with numbers that give something away left out
    column: int = 0  # where in its line it stands, to tell the first of several


_NEXT: dict[Kind, str] = {
    Kind.MISREAD: "Copy the numbers from the question again and redo the work from there.",
    Kind.SPLIT: "Split the number again so that the parts add up to it, and redo the work from "
    "there.",
    Kind.PRODUCT: "Multiply again digit by digit, with the carries, and redo every line that uses "
    "this result.",
    Kind.SHIFT: "Count the places again, and redo every line that uses this number.",
    Kind.CARRY: "Redo this digit and the carries after it.",
    Kind.SUM: "Add again column by column from the right, with the carries, and redo every line "
    "that uses this result.",
    Kind.COPY: "Carry your own result over exactly, and redo the work from there.",
    Kind.BASE: "Work in base 16: a digit is worth up to fifteen, and a carry is worth sixteen.",
    Kind.CONVERSION: "Convert again, place by place, and redo the work from there.",
    Kind.EQUATION: "Work out both sides again, and redo the work from there.",
    Kind.MISSING: "Every part of one factor has to be multiplied by every part of the other, and "
    "each of these products is added exactly once.",
    Kind.ANSWER: "Check which of the two numbers you mean.",
    Kind.RESULT: "Work the product out again by another way and compare.",
    Kind.NO_WORK: "Write down every partial product and the sum, so that each step can be checked.",
    Kind.NO_ANSWER: "Finish by stating the result.",
    Kind.UNFINISHED: "Finish the work, with shorter steps if space is short, and state the result.",
    Kind.NONE: "",
}


_PLAINLY: dict[Kind, str] = {
    Kind.MISREAD: "One of the numbers that it works with is not the one in the question.",
    Kind.SPLIT: "The parts do not add up to the number that is split.",
    Kind.PRODUCT: "A product in it is wrong.",
    Kind.SHIFT: "A number in it has the wrong number of zeros at its end.",
    Kind.CARRY: "A digit written down and its carry do not fit together.",
    Kind.SUM: "A sum in it is wrong.",
    Kind.COPY: "One of your own results is copied wrongly in it.",
    Kind.BASE: "It is calculated or written in the wrong base.",
    Kind.CONVERSION: "A number is converted wrongly in it.",
    Kind.EQUATION: "Two sides that are said to be equal in it are not.",
    Kind.MISSING: "A product of two parts is missing from the sum, or stands in it twice.",
    Kind.ANSWER: "The answer that you state is not the result of your work.",
    Kind.RESULT: "No line is found wrong by itself, but the result is wrong.",
    Kind.NO_WORK: "There is no work that can be checked, and the result is wrong.",
    Kind.NO_ANSWER: "The work states no final answer.",
    Kind.UNFINISHED: "The work ends before it states an answer.",
    Kind.NONE: "The stated answer is right.",
}


def without_numbers(finding: Finding) -> Finding:
    """The same finding without a quotation or a number."""
    return Finding(finding.kind, _PLAINLY[finding.kind])


_ASK: dict[Kind, str] = {
    Kind.MISREAD: "Are the numbers that you work with those of the question?",
    Kind.SPLIT: "What do you get when you add the parts up again?",
    Kind.PRODUCT: "What do you get when you multiply this again, digit by digit?",
    Kind.SHIFT: "How many zeros belong at the end of this number, and why?",
    Kind.CARRY: "Which digit do you write down here, and which do you carry?",
    Kind.SUM: "What do you get when you add this again, column by column from the right?",
    Kind.COPY: "Is this the number that you found before?",
    Kind.BASE: "Which base is the question in, and when do you carry in it?",
    Kind.CONVERSION: "What is each place of this number worth?",
    Kind.EQUATION: "What is each of the two sides worth?",
    Kind.MISSING: "Which products of parts do you need, and does each stand in your sum once?",
    Kind.ANSWER: "Is the answer that you state the result of your work?",
    Kind.RESULT: "By which other way could you check the product?",
    Kind.NO_WORK: "Which partial products does this need?",
    Kind.NO_ANSWER: "What is the result of your work?",
    Kind.UNFINISHED: "Which steps are left?",
    Kind.NONE: "",
}


def told(finding: Finding) -> Told:
    """The finding in the parts that forms of feedback are made of."""
    where = ""
    if finding.quote:
        where = f'Look at "{finding.quote}".'
    elif finding.line is not None:
        where = f"Look at line {finding.line} of your work."
    return Told(finding.kind.value, where, finding.why, _NEXT[finding.kind], _ASK[finding.kind])


def render(finding: Finding) -> str:
    """The finding as the solver reads it."""
    return told(finding).text


# --- quotations and places -----------------------------------------------------------------------


def found_at(kind: Kind, question: Question, why: str, *pieces: Piece) -> Finding:
    """A finding about what stands where the last of the pieces begins."""
    token = pieces[-1].tokens[0]
    return Finding(kind, why, token.line, quoted(question, *pieces), token.start)


def quoted(question: Question, *pieces: Piece) -> str:
    """What the pieces say, without the numbers that feedback must not show."""
    sides = ([token.text for token in piece.tokens] for piece in pieces)
    shown = ((_LEFT_OUT if text in question.secrets else text for text in side) for side in sides)
    return shortened(" = ".join(map(spaced, shown)))


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
