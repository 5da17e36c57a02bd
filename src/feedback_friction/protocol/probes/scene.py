"""Where a probe looks: one place of a finished trial, and how many draws are asked for there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from feedback_friction.grading.verdict import Verdict
from feedback_friction.problem import Problem
from feedback_friction.protocol.episode import Episode, request_seed
from feedback_friction.protocol.records import (
    Attempt,
    Completion,
    Effect,
    Feedback,
    Generate,
    Message,
    Occasion,
)
from feedback_friction.protocol.refusals import refusal
from feedback_friction.protocol.state import answer_key
from feedback_friction.protocol.task import Task
from feedback_friction.protocol.trial import decided
from feedback_friction.settings import Plan

MOST_DRAWS = 50  # in one request, which shares its prefill


@dataclass(frozen=True, slots=True)
class Scene:
    """One place of a finished trial.

    Attributes:
        task: the task's functions.
        plan: the plan of the trial.
        problem: the problem as loaded.
        epoch: number of the repetition.
        attempts: the whole trial.
        iteration: whose prompt (entropy), or whose feedback (the others), is looked at.
    """

    task: Task
    plan: Plan
    problem: Problem
    epoch: int
    attempts: tuple[Attempt, ...]
    iteration: int = 0

    @property
    def feedback(self) -> Feedback:
        """The feedback on the attempt that is looked at; there is one wherever it is asked for."""
        found = self.attempts[self.iteration].feedback
        assert found is not None
        return found

    def before(self, number: int) -> Episode:
        """The trial as it stood before an attempt."""
        return Episode(self.problem, self.task, self.plan, self.epoch, self.attempts[:number])


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is drawn from.

    Attributes:
        messages: the chat.
        seen: the problem as it is asked.
        attempts: those that the prompt shows.
        purpose: name that the seeds of the draws depend on.
        temperature: sampling temperature.
    """

    messages: tuple[Message, ...]
    seen: Problem
    attempts: tuple[Attempt, ...]
    purpose: str
    temperature: float


@dataclass(frozen=True, slots=True)
class Answers:
    """Draws by what they answer.

    Attributes:
        counts: (answer, draws that gave it), by the task's own equivalence, most frequent first.
        no_answer: draws without an answer, a model's refusals included.
        correct: draws that are right.
        draws: all of them.
    """

    counts: tuple[tuple[str, int], ...]
    no_answer: int
    correct: int
    draws: int


def draw_answers(scene: Scene, prompt: Prompt, draws: int) -> Generator[Effect, Any, Answers]:
    """So many draws of a prompt, graded and counted.

    Raises:
        UndecidedError: one of them could not be graded in time.
    """
    answers: Counter[str] = Counter()
    no_answer = correct = done = 0
    while done < draws:
        request = _request(scene, prompt, done, min(MOST_DRAWS, draws - done))
        completion: Completion = yield request
        for reply in completion.replies:
            verdict = Verdict.none()
            if refusal(reply) is None:
                verdict = yield from decided(scene.task, prompt.seen, reply)
            answer = answer_key(prompt.seen, verdict)
            if answer is None:
                no_answer += 1
            else:
                answers[answer] += 1
            correct += verdict.is_correct
        done += request.n
    return Answers(tuple(answers.most_common()), no_answer, correct, done)


def _request(scene: Scene, prompt: Prompt, first: int, n: int) -> Generate:
    plan, iteration = scene.plan, len(prompt.attempts)
    return Generate(
        role="solver",
        speaker="solver",
        messages=prompt.messages,
        temperature=prompt.temperature,
        max_tokens=plan.max_tokens,
        seed=request_seed(
            plan.seed, scene.problem, scene.epoch, iteration, first, purpose=prompt.purpose
        ),
        occasion=Occasion(
            prompt.seen, scene.epoch, iteration, plan.mode.name, attempts=prompt.attempts
        ),
        n=n,
        decoding=plan.decoding,
    )
