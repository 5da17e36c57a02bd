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
from feedback_friction.protocol.state import answers_of


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
    answers = set(answers_of(attempts))
    tried: list[str] = []
    left: list[str] = []
    for letter, text in zip(problem.letters, problem.choices, strict=True):
        (tried if text in answers else left).append(f"({letter})")
    if not tried:
        return ""
    return prompts.render(prompts.TRIED_AND_LEFT, tried=", ".join(tried), left=", ".join(left))
