"""Semantic entropy: how undecided the solver is after the first feedback.

The prompt of the second attempt (question, previous answer, feedback) is drawn many times at a
temperature above 0; replies that the task's grader takes for the same answer are one cluster, those
without an answer another (paper, section 5: 50 draws at 0.7). The entropy itself is estimated from
the counts when they are read, see ``analysis.stats.entropy``.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from feedback_friction.protocol.probes.scene import Answers, Prompt, Scene, draw_answers
from feedback_friction.protocol.records import Effect
from feedback_friction.protocol.solving import next_messages
from feedback_friction.protocol.trial import next_view

DRAWS = 50
TEMPERATURE = 0.7


def entropy(
    scene: Scene, draws: int, temperature: float = TEMPERATURE
) -> Generator[Effect, Any, Answers]:
    """Answers to the prompt that follows the feedback of a scene."""
    view = next_view(scene.before(scene.iteration + 1))
    shown = view.episode.attempts
    prompt = Prompt(next_messages(view), view.problem, shown, "entropy", temperature)
    return (yield from draw_answers(scene, prompt, draws))
