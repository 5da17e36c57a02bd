"""One number as the answer to a question of one's own: in digits, words or a sentence.

The exact reader of numbers comes first (``number``). Where it finds no statement, the reply is read
as mathematics states values: "There are 7 days in a week.", "twenty-five", "50/2 = 25". Only for
questions of one's own: a multiplication that was cut off amid its partial products is no answer.
"""

from __future__ import annotations

import re
from decimal import Decimal, Inexact, localcontext
from fractions import Fraction

from feedback_friction.grading.expression import repeats
from feedback_friction.grading.number import canonical, grade_number
from feedback_friction.grading.verdict import Verdict
from feedback_friction.problem import Problem
from feedback_friction.reading.mathematics.answer import Kind
from feedback_friction.reading.mathematics.read import context_of, read
from feedback_friction.reading.mathematics.statement import last_statement
from feedback_friction.reading.standing import retractions

_MOST_BITS = 2000
_MOST_DIGITS = 660  # as many as so many bits have, and 60 decimals


def grade_quantity(problem: Problem, response: str) -> Verdict:
    """The verdict on a reply to a question whose answer is a number in base 10.

    Args:
        problem: ``gold`` is the number, in any form that ``number.canonical`` reads.
        response: the reply as the model wrote it.
    """
    response = with_points(response)
    verdict = grade_number(problem.gold, response, 10)
    stated = verdict.prediction is not None and not _FRACTION.search(response)
    if stated and not retractions(response):
        return verdict
    gold, context = context_of(problem.gold, problem.question)
    statement = last_statement(response, context)
    if stated and not (statement and statement.rule == "revised"):
        return verdict
    answer = read(statement.text, context) if statement else None
    in_ten = answer and (answer.kind is not Kind.BASE or answer.key.endswith("_10"))
    value = answer.value.rational if answer and answer.value and in_ten else None
    if statement is None or value is None or value.numerator.bit_length() > _MOST_BITS:
        return verdict
    if answer and repeats(problem, gold, answer):
        return Verdict.none("repeats the question")
    digits = _decimal(value)
    return Verdict.of(digits == canonical(problem.gold, 10), digits, statement.rule)


# "2½" and "2 1/2" are more than the 2 that stands in them.
_FRACTION = re.compile(r"\d\s?[½¼¾⅓⅔⅛]|\d\s\d{1,3}/\d{1,3}(?!\d)")
# One comma that parts no thousands, or one after points that do.
_COMMA = re.compile(
    r"(?<![\w.,/])(?:(?P<whole>\d{1,12}),(?P<part>\d{1,2}|\d{4,12})"
    r"|(?P<grouped>\d{1,3}(?:\.\d{3}){1,4}),(?P<rest>\d{1,12}))(?![\w/]|[.,]\d)"
)


def with_points(text: str) -> str:
    """The text with a point for each decimal comma: "1,5", "1.234,5"; as "1,500" is a thousand."""
    if "," not in text:
        return text
    return _COMMA.sub(
        lambda found: (
            f"{found['whole'] or found['grouped'].replace('.', '')}"
            f".{found['part'] or found['rest']}"
        ),
        text,
    )


def _decimal(value: Fraction) -> str:
    """A number as ``canonical`` writes it; a fraction where it has no end of decimals."""
    with localcontext(prec=_MOST_DIGITS) as context:
        context.traps[Inexact] = True
        try:
            return f"{(Decimal(value.numerator) / value.denominator).normalize():f}"
        except Inexact:
            return str(value)
