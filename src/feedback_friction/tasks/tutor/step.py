"""The first wrong step as numbers: what it works out, what it gives, and what it should."""

from __future__ import annotations

from feedback_friction.problem import Problem
from feedback_friction.protocol.task import Step
from feedback_friction.reading.numerals import Base
from feedback_friction.tasks.tutor.chains import read_chains
from feedback_friction.tasks.tutor.finder import find_error
from feedback_friction.tasks.tutor.lines import read_lines
from feedback_friction.tasks.tutor.question import Question
from feedback_friction.tasks.tutor.verify import Pair, judged


def wrong_step(problem: Problem, attempt: str) -> Step | None:
    """The equation that the tutor's feedback on an attempt is about.

    None where it is about something else (a missing part, a sum without its terms), and where the
    left side has no single value. Errors as ``find_error``.
    """
    finding = find_error(problem, attempt)
    base = Question.of(problem).base
    for chain in read_chains(read_lines(attempt, base)):
        for pair in judged(chain, base):
            first = pair.right.tokens[0]
            if pair.holds is False and (first.line, first.start) == (finding.line, finding.column):
                return _step(pair, base)
    return None


def _step(pair: Pair, base: Base) -> Step | None:
    wrong, worth = pair.right.number, pair.values.get(base, frozenset())
    if wrong is None or len(worth) != 1:
        return None
    (value,) = worth
    right = f"{value:X}" if base == 16 else str(value)
    return Step(tuple(token.text for token in pair.left.tokens), wrong.digits, right)
