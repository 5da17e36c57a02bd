"""A reader who sees the masked feedback and nothing else: can it name the answer?

No match of strings sees a leak that is told in other words ("the capital of the country whose
flag is a red disc"). A reader sees it. It is told what kind of answer is wanted, never the
question or the choices. What it names by chance is measured by giving it the feedback on another
problem instead, graded against this problem's answer.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from feedback_friction.grading.verdict import Verdict
from feedback_friction.problem import Problem
from feedback_friction.protocol import prompts
from feedback_friction.protocol.episode import text_seed
from feedback_friction.protocol.judge import decided
from feedback_friction.protocol.probes.scene import Scene
from feedback_friction.protocol.records import (
    Completion,
    Effect,
    Generate,
    Message,
    Occasion,
)
from feedback_friction.protocol.task import Task

MAX_TOKENS = 2000
LONGEST = 100  # characters of a reply that can still be one word

SYSTEM = (
    "A teacher wrote feedback on a student's wrong answer to a question. You see the feedback; you "
    "do not see the question. Whatever was found to give the answer away has been replaced by "
    "[masked]. Find out whether the feedback lets one work out the right answer all the same."
)

REQUEST = (
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
    chat = messages(scene.task, problem, feedback)
    completion: Completion = yield Generate(
        role="reader",
        speaker="reader",
        messages=chat,
        temperature=temperature,
        max_tokens=MAX_TOKENS,
        seed=text_seed(*(message.content for message in chat)),
        occasion=Occasion(problem, scene.epoch, scene.iteration, scene.plan.mode.name),
    )
    reply = completion.replies[0]
    gives_up = len(reply.text) <= LONGEST and _UNKNOWN.fullmatch(reply.text)
    if reply.refusal or gives_up:
        return Verdict.none("unknown")
    return (yield from decided(scene.task, problem, reply))


def messages(task: Task, problem: Problem, feedback: str) -> tuple[Message, ...]:
    """What the reader sees: the feedback, and the kind and form of the answer."""
    place = "X" if problem.choices else "ANSWER"
    request = prompts.render(
        REQUEST,
        feedback=feedback.strip() or NOTHING_SHOWN,
        kind=_kind(problem),
        place=place,
        form=task.state_answer(problem, place),
    )
    return Message("system", SYSTEM), Message("user", request)


def _kind(problem: Problem) -> str:
    if problem.choices:
        return f"one of the letters {', '.join(problem.letters)}"
    return "a number" if problem.operands else "a number, a formula, a name or a few words"
