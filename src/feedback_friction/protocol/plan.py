"""Where a trial's randomness comes from."""

from __future__ import annotations

import random

from feedback_friction.problem import Problem


def rng_for(
    seed: int, problem: Problem, epoch: int, iteration: int, draw: int, purpose: str = "solver"
) -> random.Random:
    """The only source of randomness: a function of what is drawn, never of when or in which order.

    The condition is not part of it, so that conditions which ask the same thing share the reply.
    """
    key = f"{seed}:{problem.task}:{problem.id}:{epoch}:{iteration}:{draw}"
    return random.Random(key if purpose == "solver" else f"{key}:{purpose}")


def request_seed(
    seed: int, problem: Problem, epoch: int, iteration: int, draw: int, purpose: str = "solver"
) -> int:
    """The seed that goes with a request, in [0, 2**31)."""
    return rng_for(seed, problem, epoch, iteration, draw, purpose).getrandbits(31)
