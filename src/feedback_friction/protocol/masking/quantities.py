"""The gate for questions of one's own whose answer is one number, of any size, sign and form.

A whole number is masked as a product is (``numbers``). A negative number or one with decimals is
masked as mathematics is (``expressions``: 3.5 is also ``7/2``, "three and a half", ``350\\%``), and
besides wherever the number grader itself reads it ("-1'234.5", "1_234.50").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from feedback_friction.grading.number import canonical, grade_number
from feedback_friction.problem import Problem
from feedback_friction.protocol.masking.expression_target import Target
from feedback_friction.protocol.masking.expressions import matchers
from feedback_friction.protocol.masking.gate import Match, Matcher, mask
from feedback_friction.protocol.masking.numbers import decimal_matcher, number_leaks
from feedback_friction.protocol.records import Masked

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
    masked = mask(text, [matcher for number in numbers for matcher in _matchers(number)])
    leaks = (leak for number in numbers for leak in number_leaks(number, masked.text, 10))
    return replace(masked, leaks=tuple(dict.fromkeys(leaks)))


@lru_cache(maxsize=1024)
def _matchers(number: str) -> tuple[Matcher, ...]:
    if number.isdecimal():
        return (decimal_matcher(number),)

    def find(text: str) -> Iterator[Match]:
        for written in _WRITTEN.finditer(text):
            end = written.end() - (len(written[0]) - len(written[0].rstrip(",._'")))
            if grade_number(number, text[written.start() : end], 10).is_correct:
                yield written.start(), end, "number"

    return (*matchers(Target.of(number)), find)
