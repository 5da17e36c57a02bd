"""The oracle: many draws of a problem's first prompt, and whether any of them is right.

What a solver could reach without feedback, if it knew which of its answers is the right one: the
ceiling that feedback competes with (paper, section 5). Draws come in requests of several replies
that share their prefill; every request has a seed of its own.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

from feedback_friction.grading.verdict import Verdict
from feedback_friction.options import Options, option
from feedback_friction.problem import Problem
from feedback_friction.protocol.episode import Episode
from feedback_friction.protocol.history import solver_messages
from feedback_friction.protocol.judge import judged
from feedback_friction.protocol.records import (
    Completion,
    Effect,
    Occasion,
    Reply,
)
from feedback_friction.protocol.task import Task
from feedback_friction.settings import Plan
from feedback_friction.ways import TRANSCRIPT

TEMPERATURE = 0.3  # the reference code's


@dataclass(frozen=True, slots=True)
class OraclePlan(Options):
    """How an oracle draws; what its plan says of feedback is not used."""

    attempts: int = option(10, "Requests for each problem.", least=1)
    gens: int = option(10, "Replies in each request.", least=1)
    until_solved: bool = option(False, "Stop a problem once it is solved: coverage only.")
    sampled: Plan = Plan(temperature=TEMPERATURE)

    @property
    def draws(self) -> int:
        """Draws for each problem, unless it is solved before."""
        return self.attempts * self.gens


@dataclass(frozen=True, slots=True)
class Draw:
    """One reply and its verdict."""

    number: int  # among the problem's draws, from 0
    request: int  # number of the request that it came with, from 0
    reply: Reply
    verdict: Verdict
    # completion tokens of that request divided by its replies: servers count them together
    tokens: float


def oracle(
    problem: Problem, task: Task, plan: OraclePlan, request: int
) -> Generator[Effect, Any, tuple[Draw, ...]]:
    """The draws of one of a problem's requests.

    A reply that a model refused to write is no answer; its rule says why.

    Args:
        request: its number, from 0 to ``plan.attempts - 1``.
    """
    asks = Episode(problem, task, plan.sampled).solver_request(
        solver_messages(task, problem, (), TRANSCRIPT),
        problem,
        draw=request * plan.gens,
        n=plan.gens,
        purpose="oracle",
    )
    occasion = Occasion(problem, epoch=0, iteration=0, mode="oracle")
    completion: Completion = yield replace(asks, occasion=occasion, logprobs=plan.sampled.logprobs)
    tokens = completion.usage.completion_tokens / len(completion.replies)
    draws: list[Draw] = []
    for place, reply in enumerate(completion.replies):
        if reply.refusal:
            verdict = Verdict.none(reply.refusal)
        else:
            verdict = yield from judged(task, problem, reply)
        draws.append(Draw(request * plan.gens + place, request, reply, verdict, tokens))
    return tuple(draws)
