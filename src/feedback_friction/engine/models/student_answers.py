"""How a simulated student writes an answer, right or wrong, so that a grader can read it."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection

from feedback_friction.problem import Problem

State = Callable[[Problem, str], str]
_TRIES = 50


def wrong_answer(problem: Problem, tried: Collection[str | None], rng: random.Random) -> str:
    """An answer that is not gold and, where possible, was not tried before."""
    for _ in range(_TRIES):
        answer = _other(problem, rng)
        if answer not in tried and answer != problem.gold and answer not in problem.aliases:
            return answer
    return answer


def _other(problem: Problem, rng: random.Random) -> str:
    if problem.choices:
        return rng.choice([letter for letter in problem.letters if letter != problem.gold])
    if problem.operands:
        return _slipped_digit(problem.gold, rng)
    if problem.gold.isdecimal():
        return str(rng.randrange(10 ** len(problem.gold)))
    return f"guess {rng.randrange(1000)}"


def _slipped_digit(gold: str, rng: random.Random) -> str:
    """Gold with one digit wrong, as a slip in a carry leaves it; never a leading zero."""
    place = rng.randrange(len(gold))
    digits = "0123456789" if gold.isdecimal() else "0123456789ABCDEF"
    others = [digit for digit in digits if digit != gold[place] and (place or digit != "0")]
    return gold[:place] + rng.choice(others) + gold[place + 1 :]


def write_up(problem: Problem, answer: str, state: State, rng: random.Random) -> str:
    """A reply that ends by stating an answer, with an opening that differs from draw to draw."""
    openings = ("Let me work through this.", "Step by step:", "I will go through it carefully.")
    return f"{rng.choice(openings)}\n\n{state(problem, answer)}"
