"""What is the same for all trials of a condition: the plan, and where its randomness comes from."""

from __future__ import annotations

import random
from dataclasses import dataclass

from feedback_friction.modes import TRANSCRIPT, History, Mode, Sampling
from feedback_friction.problem import Problem


@dataclass(frozen=True, slots=True)
class Plan:
    """How a trial goes; the defaults are the paper's (section 3 and the reference code).

    Attributes:
        mode: the feedback mode.
        sampling: how an attempt is drawn.
        iterations: attempts at most, the first one included.
        history: how earlier attempts are shown.
        seed: the run's seed.
        temperature: the solver's base temperature.
        top_p: the solver's nucleus sampling; None leaves the server's default.
        max_tokens: limit on an answer.
        feedback_temperature: the feedback writer's temperature.
        feedback_max_tokens: limit on feedback.
        logprobs: ask for the log-probabilities of answers.
        shuffle: permute the choices anew at every iteration after the first.
        binary_hint: tell which choices were tried and which are left.
    """

    mode: Mode
    sampling: Sampling
    iterations: int = 10
    history: History = TRANSCRIPT
    seed: int = 0
    temperature: float = 0.0
    top_p: float | None = None
    max_tokens: int = 2000
    feedback_temperature: float = 0.0
    feedback_max_tokens: int = 5000
    logprobs: bool = False
    shuffle: bool = False
    binary_hint: bool = False


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
