"""Grading AIME answers: whole numbers from 000 to 999, often written with leading zeros.

Contest rules (Mathematical Association of America): "each answer is an integer from 000 to 999".
"025", "25", ``204\\text{ minutes}`` and ``\\frac{408}{2}`` are read as numbers; anything that is
not a whole number, or not in the range, is simply wrong.
"""

from __future__ import annotations

from feedback_friction.grading.expression import grade_expression
from feedback_friction.grading.verdict import Verdict
from feedback_friction.problem import Problem


def grade_integer(problem: Problem, response: str) -> Verdict:
    """The verdict on a reply to a problem whose answer is a whole number.

    Args:
        problem: ``gold`` is the number in digits, with or without leading zeros.
        response: the reply; any text, of any length.

    Returns:
        As ``grade_expression``; the prediction has no leading zeros.
    """
    return grade_expression(problem, response)
