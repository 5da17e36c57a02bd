"""Probes: questions about the causes of friction, asked beside a finished run.

Each is a pure generator over a ``Scene``, driven as trials are; what each returns is a frozen
record of counts and yes-or-no findings, kept as JSON.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

from feedback_friction.grading.verdict import Verdict
from feedback_friction.problem import Problem
from feedback_friction.protocol import history, prompts
from feedback_friction.protocol.episode import Episode, text_seed
from feedback_friction.protocol.judge import decided
from feedback_friction.protocol.records import (
    Attempt,
    Completion,
    Effect,
    Feedback,
    Generate,
    Message,
    Occasion,
)
from feedback_friction.protocol.solving import next_messages
from feedback_friction.protocol.state import answer_key
from feedback_friction.protocol.task import Task
from feedback_friction.protocol.trial import next_view
from feedback_friction.settings import Plan

MOST_DRAWS = 50  # in one request, which shares its prefill
PERCEPTION_TOKENS = 1000  # a word is enough; a reasoning model thinks first
READER_TOKENS = 2000
LONGEST = 100  # characters of a reply that can still be one word


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


# --- self-perception -----------------------------------------------------------------------------
#
# Does the solver say that it understood the feedback, and that it acted on it? It is asked twice:
# right after the feedback whether it understands it, and after its next answer whether it updated
# the answer. What it says stands beside what it did (paper, section 5: solvers say yes to both, and
# repeat the error). The two questions are separate requests, so that one answer does not colour the
# other.

PERCEPTION_SYSTEM = (
    "You are asked about your own work on a problem. Answer the question at the end honestly, with "
    "the single word YES or NO and nothing else."
)

UNDERSTOOD = (
    "### Question\nDo you understand the feedback on attempt {number}, so that you know what has "
    "to change? Answer YES or NO."
)

UPDATED = (
    "### Question\nIn attempt {next}, did you change your answer in the way that the feedback on "
    "attempt {number} asks for? Answer YES or NO."
)

_SAID = re.compile(r"[\s*\"'`]*(yes|no)[\s*\"'`.!]*", re.I)


@dataclass(frozen=True, slots=True)
class Perception:
    """Whether the solver says that it understood, and that it updated; None for neither word."""

    understood: bool | None
    updated: bool | None


def self_perception(scene: Scene) -> Generator[Effect, Any, Perception]:
    """Ask both questions about the feedback of a scene, after which there is an attempt.

    They are asked once, at the solver's own temperature.
    """
    before = scene.attempts[: scene.iteration + 1]
    after = replace(scene.attempts[scene.iteration + 1], feedback=None)
    number = scene.iteration + 1
    understood = yield from _ask_itself(
        scene, before, prompts.render(UNDERSTOOD, number=number), "understood"
    )
    updated = yield from _ask_itself(
        scene,
        (*before, after),
        prompts.render(UPDATED, number=number, next=number + 1),
        "updated",
    )
    return Perception(understood, updated)


def _ask_itself(
    scene: Scene, shown: tuple[Attempt, ...], question: str, purpose: str
) -> Generator[Effect, Any, bool | None]:
    plan, latest = scene.plan, shown[-1]
    completion: Completion = yield Generate(
        role="perception",
        speaker="solver",
        messages=perception_messages(scene, shown, question),
        temperature=plan.solver_temperature,
        max_tokens=PERCEPTION_TOKENS,
        seed=scene.before(len(shown)).request_seed(latest.iteration, purpose=purpose),
        occasion=Occasion(
            latest.problem, scene.epoch, latest.iteration, plan.mode.name, attempts=shown
        ),
    )
    return parse_perception(completion.replies[0].text)


def perception_messages(
    scene: Scene, shown: tuple[Attempt, ...], question: str
) -> tuple[Message, ...]:
    """What the solver reads: the problem, its attempts with their feedback, the question."""
    parts = [
        scene.task.ask(shown[0].problem),
        prompts.INTROS["transcript"],
        *history.transcript(shown),
        question,
    ]
    return Message("system", PERCEPTION_SYSTEM), Message("user", "\n\n".join(parts))


def parse_perception(text: str) -> bool | None:
    """True for YES alone, False for NO alone, None for anything else."""
    bare = text.strip()
    said = _SAID.fullmatch(bare) if len(bare) <= LONGEST else None
    return said[1].lower() == "yes" if said else None


# --- a reader ------------------------------------------------------------------------------------
#
# A reader who sees the masked feedback and nothing else: can it name the answer? No match of
# strings sees a leak that is told in other words ("the capital of the country whose flag is a red
# disc"). It is told what kind of answer is wanted, never the question or the choices. What it names
# by chance is measured by giving it the feedback on another problem instead, graded against this
# problem's answer.

READER_SYSTEM = (
    "A teacher wrote feedback on a student's wrong answer to a question. You see the feedback; you "
    "do not see the question. Whatever was found to give the answer away has been replaced by "
    "[masked]. Find out whether the feedback lets one work out the right answer all the same."
)

READER_REQUEST = (
    "### Feedback\n{feedback}\n\n"
    "### Your task\n"
    "The right answer is {kind}. If you can tell from the feedback what it is, end your reply with "
    "it, put in this way, with your answer in the place of {place}:\n{form}\n\n"
    "If you cannot, reply with the single word UNKNOWN."
)

NOTHING_SHOWN = "(the feedback is empty)"

_UNKNOWN = re.compile(r"[\s*\"'`.!]*unknown[\s*\"'`.!]*", re.I)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the reader made of the feedback."""

    named: bool  # it named the right answer
    prediction: str | None  # what it named; None for nothing
    # it named the right answer from the feedback on another problem; None where no other problem
    # has any
    control: bool | None
    donor: str | None  # that problem's id


def reader(
    scene: Scene, donor: Scene | None, temperature: float = 0.0
) -> Generator[Effect, Any, Reading]:
    """Read the feedback of a scene, and that of another problem's.

    Raises:
        UndecidedError: what it named could not be graded in time.
    """
    verdict = yield from _read(scene, scene.feedback.text, temperature)
    if donor is None:
        return Reading(verdict.is_correct, verdict.prediction, None, None)
    by_chance = yield from _read(scene, donor.feedback.text, temperature)
    return Reading(verdict.is_correct, verdict.prediction, by_chance.is_correct, donor.problem.id)


def _read(scene: Scene, feedback: str, temperature: float) -> Generator[Effect, Any, Verdict]:
    """The verdict on what the reader names, graded as an attempt would be."""
    problem = scene.attempts[scene.iteration].problem
    chat = reader_messages(scene.task, problem, feedback)
    completion: Completion = yield Generate(
        role="reader",
        speaker="reader",
        messages=chat,
        temperature=temperature,
        max_tokens=READER_TOKENS,
        seed=text_seed(*(message.content for message in chat)),
        occasion=Occasion(problem, scene.epoch, scene.iteration, scene.plan.mode.name),
    )
    reply = completion.replies[0]
    gives_up = len(reply.text) <= LONGEST and _UNKNOWN.fullmatch(reply.text)
    if reply.refusal or gives_up:
        return Verdict.none("unknown")
    return (yield from decided(scene.task, problem, reply))


def reader_messages(task: Task, problem: Problem, feedback: str) -> tuple[Message, ...]:
    """What the reader sees: the feedback, and the kind and form of the answer."""
    place = "X" if problem.choices else "ANSWER"
    request = prompts.render(
        READER_REQUEST,
        feedback=feedback.strip() or NOTHING_SHOWN,
        kind=_kind(problem),
        place=place,
        form=task.state_answer(problem, place),
    )
    return Message("system", READER_SYSTEM), Message("user", request)


def _kind(problem: Problem) -> str:
    if problem.choices:
        return f"one of the letters {', '.join(problem.letters)}"
    return "a number" if problem.operands else "a number, a formula, a name or a few words"
