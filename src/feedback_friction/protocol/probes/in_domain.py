"""In-domain accuracy: how often the solver is right on a question when it is asked many times.

A stand-in for how familiar a question is (paper, section 5: 100 draws a question).
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from feedback_friction.protocol.probes.scene import Answers, Prompt, Scene, draw_answers
from feedback_friction.protocol.records import Effect
from feedback_friction.protocol.solving import next_messages
from feedback_friction.protocol.trial import next_view

DRAWS = 100
TEMPERATURE = 0.7


def in_domain(
    scene: Scene, draws: int, temperature: float = TEMPERATURE
) -> Generator[Effect, Any, Answers]:
    """Answers to the first prompt."""
    view = next_view(scene.before(0))
    prompt = Prompt(next_messages(view), view.problem, (), "in-domain", temperature)
    return (yield from draw_answers(scene, prompt, draws))
