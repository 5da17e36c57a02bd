"""The gate for questions of one's own whose answer is one number, of any size, sign and form.

Masked as mathematics is (``expressions``: 3.5 is also ``7/2``, "three and a half", ``350\\%``), and
besides wherever the number grader itself reads it ("-1'234.5", "1_234.50"); a whole number of 100
or more also as a product is (``numbers``), a smaller one not where it names a step or a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from feedback_friction.grading.number import canonical, grade_number
from feedback_friction.grading.quantity import grade_quantity, with_points
from feedback_friction.problem import Problem
from feedback_friction.protocol.masking.expression_words import Target
from feedback_friction.protocol.masking.expressions import matchers, place_of
from feedback_friction.protocol.masking.gate import Match, Matcher, mask
from feedback_friction.protocol.masking.numbers import number_leaks, number_matcher
from feedback_friction.protocol.masking.quoted import quoted, unquoted
from feedback_friction.protocol.records import Masked
from feedback_friction.reading.mathematics.statement import last_statement

# A number as far as its separators reach; a minus after a number or a bracket subtracts.
_WRITTEN = re.compile(
    r"(?<![\w.,'])(?:(?<![0-9)\]}] )(?<![0-9)\]}])-\s?)?"
    r"(?:\d[\d,._']*|\.\d+)(?:[eE][+-]?\d{1,4})?(?!\w)"
)


def mask_number(problem: Problem, text: str) -> Masked:
    """Feedback on a question whose answer is a number, masked and audited.

    Args:
        problem: ``gold`` and ``aliases`` in base 10, in any form that the grader reads.
        text: the feedback.

    Raises:
        ValueError: one of them is not a number; on no text whatever.
    """
    numbers = dict.fromkeys(canonical(each, 10) for each in (problem.gold, *problem.aliases))
    question = quoted(problem.question, (problem.gold, *problem.aliases, *numbers))
    finders = [
        unquoted(each, question)
        for number in numbers
        for each in _matchers(number, problem.question)
    ]

    def find_statement(shown: str) -> Iterator[Match]:
        """What the grader still takes for an answer."""
        for each in numbers:
            if grade_quantity(replace(problem, gold=each), shown).is_correct:
                statement = last_statement(shown, Target.of(each, problem.question).context)
                yield from place_of(shown, statement) if statement else ()

    masked = mask(text, finders, [unquoted(find_statement, question)])
    leaks = dict.fromkeys(
        leak
        for number in numbers
        for leak in number_leaks(number, masked.text, 10)
        if not _names_a_step(masked.text, leak, Target.of(number, problem.question))
    )
    return replace(masked, leaks=tuple(leaks))


def _names_a_step(text: str, leak: str, target: Target) -> bool:
    """Whether every numeral in a leak but names something, as in "see line 7"."""
    places = re.finditer(rf"(?<!\d){re.escape(leak)}(?!\d)", text)
    numerals = [
        (place.start() + numeral.start(), place.start() + numeral.end())
        for place in places
        for numeral in re.finditer(r"\d+", leak)
    ]
    return bool(numerals) and all(target.is_label(text, *numeral) for numeral in numerals)


@lru_cache(maxsize=1024)
def _matchers(number: str, asked: str) -> tuple[Matcher, ...]:
    target = Target.of(number, asked)
    if number.isdecimal() and not target.is_common:
        return (*matchers(target), number_matcher(number, (), 10))

    def find(text: str) -> Iterator[Match]:
        for written in _WRITTEN.finditer(text):
            end = written.end() - (len(written[0]) - len(written[0].rstrip(",._'")))
            if target.is_label(text, written.start(), end):
                continue
            if grade_number(number, with_points(text[written.start() : end]), 10).is_correct:
                yield written.start(), end, "number"

    return (*matchers(target), find)
