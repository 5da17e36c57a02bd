"""Where a probe looks, one place of a finished trial; and probes that draw there many times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

from feedback_friction.grading.verdict import Verdict
from feedback_friction.problem import Problem
from feedback_friction.protocol.episode import Episode
from feedback_friction.protocol.judge import decided
from feedback_friction.protocol.records import (
    Attempt,
    Completion,
    Effect,
    Feedback,
)
from feedback_friction.protocol.solving import next_messages
from feedback_friction.protocol.state import answer_key
from feedback_friction.protocol.task import Task
from feedback_friction.protocol.trial import next_view
from feedback_friction.settings import Plan

MOST_DRAWS = 50  # in one request, which shares its prefill


@dataclass(frozen=True, slots=True)
class Scene:
    """One place of a finished trial: ``iteration`` is that of the attempt looked at."""

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
class Answers:
    """Draws by what they answer."""

    # (answer, draws that gave it), by the task's own equivalence, most frequent first
    counts: tuple[tuple[str, int], ...]
    no_answer: int  # draws without an answer, a model's refusals included
    correct: int
    draws: int


def entropy(scene: Scene, draws: int, temperature: float) -> Generator[Effect, Any, Answers]:
    """Answers to the prompt that follows the feedback of a scene; errors as ``in_domain``.

    Replies that the task's grader takes for the same answer are one cluster, those without an
    answer another (paper, section 5: 50 draws at 0.7). The entropy is estimated from the counts
    when they are read, see ``analysis.stats.entropy``.
    """
    before = scene.before(scene.iteration + 1)
    return (yield from _draw_answers(before, "entropy", draws, temperature))


def in_domain(scene: Scene, draws: int, temperature: float) -> Generator[Effect, Any, Answers]:
    """Answers to the first prompt: how familiar a question is (section 5: 100 draws a question).

    Raises:
        UndecidedError: one of them could not be graded in time.
    """
    return (yield from _draw_answers(scene.before(0), "in-domain", draws, temperature))


def _draw_answers(
    episode: Episode, purpose: str, draws: int, temperature: float
) -> Generator[Effect, Any, Answers]:
    """So many draws of the prompt of a trial's next attempt, graded and counted."""
    view = next_view(episode)
    messages, seen = next_messages(view), view.problem
    answers: Counter[str] = Counter()
    no_answer = correct = done = 0
    while done < draws:
        n = min(MOST_DRAWS, draws - done)
        asks = episode.solver_request(
            messages, seen, draw=done, n=n, temperature=temperature, purpose=purpose
        )
        completion: Completion = yield replace(asks, logprobs=False)
        for reply in completion.replies:
            verdict = Verdict.none()
            if not reply.refusal:
                verdict = yield from decided(episode.task, seen, reply)
            answer = answer_key(seen, verdict)
            if answer is None:
                no_answer += 1
            else:
                answers[answer] += 1
            correct += verdict.is_correct
        done += n
    return Answers(tuple(answers.most_common()), no_answer, correct, done)
