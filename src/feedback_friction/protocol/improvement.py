"""What improving a form's prompt is made of: a round and its score, and what is said of it.

A round is a trial of two attempts: a wrong answer, the form's feedback on it under some prompt, and
the next answer. The search itself is GEPA's (``engine.passes.prompt_search``).
"""

from __future__ import annotations

from dataclasses import dataclass

from feedback_friction.forms import Form
from feedback_friction.problem import Problem
from feedback_friction.protocol import prompts
from feedback_friction.protocol.records import Generate, Message, Occasion, Trial
from feedback_friction.protocol.state import answers_of
from feedback_friction.settings import UNSENT, Plan

UNUSABLE = -1.0  # score of a prompt that cannot be used, on any problem


@dataclass(frozen=True, slots=True)
class Round:
    """What came of feedback: a trial of two attempts, or one where a model refused to go on."""

    trial: Trial

    @property
    def right(self) -> bool:
        """Whether the second attempt is right."""
        return self.trial.attempts[-1].verdict.is_correct

    @property
    def leaked(self) -> bool:
        """Whether the feedback gave the answer away."""
        feedback = self.trial.attempts[0].feedback
        return bool(feedback and feedback.leaks)

    @property
    def taken_up(self) -> bool:
        """Whether the second attempt is right after feedback that did not give the answer away."""
        return self.right and not self.leaked

    @property
    def score(self) -> float:
        """What the search makes large: uptake less leaks, from -1 to 1."""
        return float(self.right) - float(self.leaked)


def told(round: Round) -> dict[str, str]:
    """A round as the model reads it that writes new prompts."""
    first, *after = round.trial.attempts
    feedback = first.feedback
    return {
        "Problem": first.problem.question,
        "Wrong attempt": first.reply.text.strip() or "(nothing)",
        "Feedback": feedback.raw if feedback else "(none)",
        "Next attempt": after[0].reply.text.strip() if after else "(none)",
        "What came of it": _outcome(round),
    }


def _outcome(round: Round) -> str:
    before, *after = answers_of(round.trial.attempts)
    if round.right:
        found = "The next attempt is right."
    elif not after or after[0] is None:
        found = "The next attempt gives no answer."
    elif after[0] == before:
        found = "The next attempt gives the same wrong answer again."
    else:
        found = "The next attempt is wrong, too, with another answer."
    return f"{found} The feedback gave the answer away." if round.leaked else found


def template(form: Form) -> str:
    """What the model is asked that writes a new prompt; GEPA fills its two places."""
    return prompts.IMPROVE.replace("<form>", form.says)


def reflection(
    text: str, number: int, form: Form, speaker: str, plan: Plan, max_tokens: int, about: Problem
) -> Generate:
    """The request for a new prompt.

    Args:
        text: the filled template.
        number: of the reflection, from 0; each has a seed of its own.
        speaker: whose model reflects.
        about: a problem, for the journal.
    """
    return Generate(
        role="reflection",
        speaker=speaker,
        messages=(Message("user", text),),
        temperature=UNSENT,
        max_tokens=max_tokens,
        seed=plan.seed + number,
        occasion=Occasion(about, 0, number, form.name),
    )
