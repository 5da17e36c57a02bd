"""Misleading feedback in the tutor's words: a right line called wrong, with a wrong value."""

from __future__ import annotations

import random

from feedback_friction.problem import Problem
from feedback_friction.protocol.mislead import slipped
from feedback_friction.protocol.task import Misled
from feedback_friction.tasks.tutor.arithmetic import factors_of
from feedback_friction.tasks.tutor.chains import read_chains
from feedback_friction.tasks.tutor.finding import Finding, Kind, render
from feedback_friction.tasks.tutor.lines import read_lines
from feedback_friction.tasks.tutor.question import Question
from feedback_friction.tasks.tutor.verify import Pair, judged
from feedback_friction.tasks.tutor.wording import quoted, written

_TRIES = 20


def mislead(problem: Problem, attempt: str, rng: random.Random) -> Misled | None:
    """A right line of an attempt at a multiplication, called wrong, with a wrong value for it.

    The value is neither the product nor a right partial product, and what the task's mask would
    hide is left out. None where no line is right, or none can be named without such a number.

    Raises:
        ValueError: the problem's gold is not the product of its operands.
    """
    question = Question.of(problem)
    chains = read_chains(read_lines(attempt, question.base))
    pairs = [pair for chain in chains for pair in judged(chain, question.base) if _is_right(pair)]
    rng.shuffle(pairs)
    products = [pair for pair in pairs if factors_of(pair.left.expression)]
    for pair in products + [pair for pair in pairs if pair not in products]:
        value = _wrong_value(question, pair, rng)
        if value is not None and pair.left.expression is not None:
            kind, what = (Kind.PRODUCT, "product") if pair in products else (Kind.SUM, "sum")
            why = f"The {what} is wrong. {written(question, pair.left.expression)} is {value}."
            text = render(Finding(kind, why, quote=quoted(question, pair.left, pair.right)))
            return Misled(text, value)
    return None


def _is_right(pair: Pair) -> bool:
    return pair.holds is True and pair.left.number is None and pair.right.number is not None


def _wrong_value(question: Question, pair: Pair, rng: random.Random) -> str | None:
    """The line's value with one digit changed; None where every try gives something away."""
    assert pair.right.number is not None  # held by _is_right
    for _ in range(_TRIES):
        value = slipped(pair.right.number.digits, rng)
        if value not in question.secrets:
            return value
    return None
