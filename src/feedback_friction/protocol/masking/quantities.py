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
from feedback_friction.grading.verdict import Verdict
from feedback_friction.problem import Problem
from feedback_friction.protocol.masking.expression_words import Target
from feedback_friction.protocol.masking.expressions import masked_by, matchers
from feedback_friction.protocol.masking.gate import Match, Matcher
from feedback_friction.protocol.masking.numbers import number_leaks, number_matcher
from feedback_friction.protocol.records import Masked

# A number as far as its separators reach; a minus after a number or a bracket subtracts.
_WRITTEN = re.compile(
    r"(?<![\w.,'])(?<!\d[/:])(?:(?<![0-9)\]}] )(?<![0-9)\]}])-\s?)?"
    r"(?:\d[\d,._']*|\.\d+)(?:[eE][+-]?\d{1,4})?(?!\w|[/:]\d)"
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
    first, *others = numbers
    asked = replace(problem, gold=first, aliases=tuple(others))
    masked = masked_by(asked, text, _matchers, _graded)
    leaks = (
        leak
        for number in numbers
        for leak in number_leaks(number, masked.text, 10)
        if not _names_a_step(masked.text, leak, Target.of(number, problem.question))
    )
    return replace(masked, leaks=tuple(dict.fromkeys((*masked.leaks, *leaks))))


def _graded(problem: Problem, text: str) -> Verdict:
    """The verdict by the accepted number by which it is best."""
    golds = (problem.gold, *problem.aliases)
    verdicts = (grade_quantity(replace(problem, gold=gold), text) for gold in golds)
    return max(verdicts, key=lambda verdict: verdict.is_correct)


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
def _matchers(target: Target) -> tuple[Matcher, ...]:
    number = target.gold.source
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
