"""Self-perception: does the solver say that it understood the feedback, and that it acted on it?

It is asked twice: right after the feedback whether it understands it, and after its next answer
whether it updated the answer. What it says stands beside what it did (paper, section 5: solvers
say yes to both, and repeat the error). The two questions are separate requests, so that one answer
does not colour the other.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

from feedback_friction.protocol import history, prompts
from feedback_friction.protocol.probes.scene import Scene
from feedback_friction.protocol.records import (
    Attempt,
    Completion,
    Effect,
    Generate,
    Message,
    Occasion,
)

MAX_TOKENS = 1000  # a word is enough; a reasoning model thinks first
LONGEST = 100  # characters of an answer that can still be one word

SYSTEM = (
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
    understood = yield from _ask(
        scene, before, prompts.render(UNDERSTOOD, number=number), "understood"
    )
    updated = yield from _ask(
        scene,
        (*before, after),
        prompts.render(UPDATED, number=number, next=number + 1),
        "updated",
    )
    return Perception(understood, updated)


def _ask(
    scene: Scene, shown: tuple[Attempt, ...], question: str, purpose: str
) -> Generator[Effect, Any, bool | None]:
    plan, latest = scene.plan, shown[-1]
    completion: Completion = yield Generate(
        role="perception",
        speaker="solver",
        messages=messages(scene, shown, question),
        temperature=plan.solver_temperature,
        max_tokens=MAX_TOKENS,
        seed=scene.before(len(shown)).request_seed(latest.iteration, purpose=purpose),
        occasion=Occasion(
            latest.problem, scene.epoch, latest.iteration, plan.mode.name, attempts=shown
        ),
    )
    return parse(completion.replies[0].text)


def messages(scene: Scene, shown: tuple[Attempt, ...], question: str) -> tuple[Message, ...]:
    """What the solver reads: the problem, its attempts with their feedback, the question."""
    parts = [
        scene.task.ask(shown[0].problem),
        prompts.INTROS["transcript"],
        *history.transcript(shown),
        question,
    ]
    return Message("system", SYSTEM), Message("user", "\n\n".join(parts))


def parse(text: str) -> bool | None:
    """True for YES alone, False for NO alone, None for anything else."""
    bare = text.strip()
    said = _SAID.fullmatch(bare) if len(bare) <= LONGEST else None
    return said[1].lower() == "yes" if said else None
