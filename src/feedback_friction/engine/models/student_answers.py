"""How a simulated student writes an answer, right or wrong, so that a grader can read it."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection

from feedback_friction.problem import Problem
from feedback_friction.protocol.mislead import slipped

State = Callable[[Problem, str], str]
_TRIES = 50
SLIPS_IN_PARTIALS = 0.6  # the other slips are in the sum


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
        return slipped(problem.gold, rng)
    if problem.gold.isdecimal():
        return str(rng.randrange(10 ** len(problem.gold)))
    return f"guess {rng.randrange(1000)}"


def write_up(problem: Problem, answer: str, state: State, rng: random.Random) -> str:
    """A reply that ends by stating an answer, with an opening that differs from draw to draw.

    A multiplication is worked out, so that a tutor has work to read: a wrong answer comes from a
    slip in one partial product or in the sum.
    """
    openings = ("Let me work through this.", "Step by step:", "I will go through it carefully.")
    parts = [rng.choice(openings), *_work(problem, answer, rng), state(problem, answer)]
    return "\n\n".join(parts)


def _work(problem: Problem, answer: str, rng: random.Random) -> list[str]:
    """The partial products, digit by digit of the second factor, and their sum; or nothing."""
    if len(problem.operands) != 2:
        return []
    base = 10 if problem.task == "decimal_multiplication" else 16
    first, second = problem.operands
    places = [(digit, place) for place, digit in enumerate(reversed(second)) if int(digit, base)]
    partials = [int(first, base) * int(digit, base) * base**place for digit, place in places]
    slip = int(answer, base) - sum(partials)
    largest = partials.index(max(partials))
    if slip and partials[largest] + slip > 0 and rng.random() < SLIPS_IN_PARTIALS:
        partials[largest] += slip
    shown = [f"{partial:d}" if base == 10 else f"{partial:X}" for partial in partials]
    lines = [
        f"{first} * {digit}{'0' * place} = {partial}"
        for (digit, place), partial in zip(places, shown, strict=True)
    ]
    return ["\n".join([*lines, f"{' + '.join(shown)} = {answer}"])]
