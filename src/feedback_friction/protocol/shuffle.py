"""Choices in another order, and the hint which of them were tried.

The order of choices belongs to the problem: a shuffle returns a new problem with gold moved along.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from feedback_friction.problem import LETTERS, Problem
from feedback_friction.protocol import prompts
from feedback_friction.protocol.records import Attempt


def shuffled(problem: Problem, rng: random.Random) -> Problem:
    """The problem with its choices in a uniformly random order; unchanged without choices."""
    if not problem.choices:
        return problem
    order = list(range(len(problem.choices)))
    rng.shuffle(order)
    return replace(
        problem,
        choices=tuple(problem.choices[index] for index in order),
        gold=LETTERS[order.index(LETTERS.index(problem.gold))],
    )


def binary_hint(problem: Problem, attempts: Sequence[Attempt]) -> str:
    """Which choices were tried and which are left, by the letters of ``problem``'s own order.

    Empty where there are no choices, or where no attempt gave an answer.
    """
    texts = {
        attempt.problem.choices[LETTERS.index(attempt.verdict.prediction)]
        for attempt in attempts
        if attempt.verdict.prediction and attempt.verdict.prediction in attempt.problem.letters
    }
    tried = [f"({letter})" for letter, text in _lettered(problem) if text in texts]
    left = [f"({letter})" for letter, text in _lettered(problem) if text not in texts]
    if not tried:
        return ""
    return prompts.render(prompts.TRIED_AND_LEFT, tried=", ".join(tried), left=", ".join(left))


def _lettered(problem: Problem) -> zip[tuple[str, str]]:
    return zip(problem.letters, problem.choices, strict=True)
