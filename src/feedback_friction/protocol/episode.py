"""A trial under way, as one value, and where its randomness comes from."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from feedback_friction.modes import Mode
from feedback_friction.problem import Problem
from feedback_friction.protocol.records import (
    Aside,
    Attempt,
    Completion,
    Effect,
    Feedback,
    Generate,
    Message,
    Occasion,
)
from feedback_friction.protocol.task import Task
from feedback_friction.settings import Plan
from feedback_friction.ways import Thought


@dataclass(frozen=True, slots=True)
class Episode:
    """What the next step of a trial is a function of: feedback, or another attempt."""

    problem: Problem  # as loaded
    task: Task
    plan: Plan
    epoch: int = 0
    # those so far, each with its feedback; the last is the one that feedback is written on
    attempts: tuple[Attempt, ...] = ()
    # the task's problems, from which donors, worked examples and wrong answers are taken
    others: Sequence[Problem] = ()

    @property
    def mode(self) -> Mode:
        """The feedback mode."""
        return self.plan.mode

    @property
    def latest(self) -> Attempt:
        """The last attempt; there is one wherever feedback is written."""
        return self.attempts[-1]

    @property
    def iteration(self) -> int:
        """Number of the attempt that comes next."""
        return len(self.attempts)

    def under(self, mode: Mode) -> Episode:
        """The same with feedback of another mode."""
        return replace(self, plan=replace(self.plan, mode=mode))

    def of(self, problem: Problem) -> Episode:
        """Another problem's under the same plan, with nothing attempted yet."""
        return replace(self, problem=problem, attempts=())

    def with_attempt(self, attempt: Attempt) -> Episode:
        """The same after one more attempt."""
        return self._after((*self.attempts, attempt))

    def told(self, feedback: Feedback | None, asides: tuple[Aside, ...]) -> Episode:
        """The same with what was told on the latest attempt, and what is kept beside it."""
        latest = self.latest
        latest = replace(latest, feedback=feedback, asides=(*latest.asides, *asides))
        return self._after((*self.attempts[:-1], latest))

    def _after(self, attempts: tuple[Attempt, ...]) -> Episode:
        return Episode(self.problem, self.task, self.plan, self.epoch, attempts, self.others)

    def rng(self, purpose: str, iteration: int = 0) -> random.Random:
        """What draws for a purpose at an iteration; each time it draws the same."""
        return rng_for(self.plan.seed, self.problem, self.epoch, iteration, 0, purpose)

    def request_seed(self, iteration: int, draw: int = 0, purpose: str = "solver") -> int:
        """The seed that goes with a request, in [0, 2**31)."""
        rng = rng_for(self.plan.seed, self.problem, self.epoch, iteration, draw, purpose)
        return rng.getrandbits(31)

    def solver_request(
        self,
        messages: tuple[Message, ...],
        seen: Problem,
        *,
        shown: tuple[Attempt, ...] | None = None,
        draw: int = 0,
        n: int = 1,
        temperature: float | None = None,
        purpose: str = "solver",
        thought: Thought = "",
    ) -> Generate:
        """What the solver is asked about the attempt that comes next.

        Args:
            seen: the problem as it sees it.
            shown: the attempts that it is shown; None for all.
            draw: number of the first reply among those drawn for the attempt.
            temperature: None for that of the plan.
            purpose: of the draw; other purposes draw other replies.
            thought: the kind of text that it writes to itself; "" for an answer.
        """
        plan, iteration = self.plan, self.iteration
        if temperature is None:
            temperature = plan.sampling.temperature(plan.solver_temperature, iteration)
        shown = self.attempts if shown is None else shown
        return Generate(
            role="solver",
            speaker="solver",
            messages=messages,
            temperature=temperature,
            max_tokens=plan.max_tokens,
            seed=self.request_seed(iteration, draw, purpose),
            occasion=Occasion(seen, self.epoch, iteration, self.mode.name, shown, thought=thought),
            n=n,
            decoding=plan.decoding,
            logprobs=plan.asks_logprobs,
        )

    def writer_request(self, messages: tuple[Message, ...], purpose: str = "feedback") -> Generate:
        """What the model is asked that writes feedback on the last attempt."""
        about = self.latest
        return Generate(
            role="feedback",
            speaker=self.mode.speaker,
            messages=messages,
            temperature=self.plan.writer_temperature,
            max_tokens=self.plan.feedback_max_tokens,
            seed=self.request_seed(about.iteration, purpose=purpose),
            occasion=Occasion(
                about.problem, self.epoch, about.iteration, self.mode.name, self.attempts
            ),
        )


class Refused(Exception):  # noqa: N818 - a signal within the loop, not an error that users meet
    """A reply that a trial cannot do without was refused, which ends it as ``stopped``."""


def asked(request: Generate) -> Generator[Effect, Any, Completion]:
    """One reply of a model.

    Raises:
        Refused: the model refuses for good (context length, content filter).
    """
    completion: Completion = yield request
    if reason := completion.replies[0].refusal:
        raise Refused(f"{request.role}: {reason}")
    return completion


def rng_for(
    seed: int, problem: Problem, epoch: int, iteration: int, draw: int, purpose: str = "solver"
) -> random.Random:
    """The only source of randomness: a function of what is drawn, never of when or in which order.

    The condition is not part of it, so that conditions which ask the same thing share the reply.
    """
    key = f"{seed}:{problem.task}:{problem.id}:{epoch}:{iteration}:{draw}"
    return random.Random(key if purpose == "solver" else f"{key}:{purpose}")


def text_seed(*texts: str) -> int:
    """The seed of a call that depends on what is asked alone, wherever in a run, in [0, 2**31)."""
    digest = hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4], "big") >> 1
