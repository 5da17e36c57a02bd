"""Forms of feedback: what of an attempt a text speaks of, how it says it, and who may write it.

A form is a value, as a mode is. A mode that uses forms names one (``--feedback locate``), draws
among several, climbs a ladder of them or follows a learnt policy (``policy``). Each form is written
by the first of its writers that a problem has: the task's tutor, the question's hints, its worked
solution, another problem's, or a model under the form's own prompt (``protocol.prompts``).
``locate:model`` names the writer. Whoever writes it, the text passes the mask.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from feedback_friction.errors import UsageError

FormWriter = Literal["fixed", "program", "hints", "answers", "solution", "other", "model"]
Granularity = Literal["answer", "step", "whole", "another problem"]
Manner = Literal["statement", "instruction", "question", "comparison", "demonstration"]
Focus = Literal["verdict", "error", "way on", "repetition", "method"]


@dataclass(frozen=True, slots=True)
class Form:
    """One form of feedback. The order of ``FORMS`` is that of tables and figures."""

    name: str  # as on the command line, with the writer where one is named
    says: str  # what the solver is told, in words
    granularity: Granularity  # how much of the work it speaks of
    manner: Manner  # how it says it
    focus: Focus  # what it draws the attention to
    cost: int  # tokens that the solver reads of it, typically; what a run took is in its journal
    writers: tuple[FormWriter, ...]  # who may write it; the first that a problem has does
    uptake: float  # chance that the simulated student is right after it
    colour: str  # in figures
    resets: bool = False  # whether the solver is shown none of its attempts so far, now and later

    @property
    def base(self) -> str:
        """The name without a writer."""
        return self.name.partition(":")[0]


VERDICT = Form(
    "verdict", "that the answer is wrong",
    "answer", "statement", "verdict", 8, ("fixed",), 0.08, "#0072b2",
)  # fmt: skip
LOCATE = Form(
    "locate", "which step is the first wrong one",
    "step", "statement", "error", 30, ("program", "model"), 0.25, "#56b4e9",
)  # fmt: skip
EXPLAIN = Form(
    "explain", "which step is wrong, and why",
    "step", "statement", "error", 50, ("program", "model"), 0.4, "#cc79a7",
)  # fmt: skip
NEXT = Form(
    "next", "where to go on and what to do there, and nothing more",
    "step", "instruction", "way on", 30, ("program", "hints", "model"), 0.35, "#009e73",
)  # fmt: skip
QUESTION = Form(
    "question", "a question that leads to the error",
    "step", "question", "error", 35, ("program", "model"), 0.2, "#e69f00",
)  # fmt: skip
CONTRAST = Form(
    "contrast", "its own answers side by side, and how often each was given",
    "answer", "comparison", "repetition", 35, ("answers", "model"), 0.1, "#d55e00",
)  # fmt: skip
EXAMPLE = Form(
    "example", "a similar problem, worked out",
    "another problem", "demonstration", "method", 150, ("other", "model"), 0.15, "#8c6d31",
)  # fmt: skip
SOLUTION = Form(
    "solution", "the worked solution with the answer masked",
    "whole", "demonstration", "method", 120, ("solution", "hints", "model"), 0.45, "#1b1b1b",
)  # fmt: skip
RESET = Form(
    "reset", "the newest feedback, without its attempts",
    "step", "statement", "error", 50, ("program", "hints", "model"), 0.3, "#8c8c8c", resets=True,
)  # fmt: skip
_EVERY = (VERDICT, LOCATE, EXPLAIN, NEXT, QUESTION, CONTRAST, EXAMPLE, SOLUTION, RESET)
FORMS = {form.name: form for form in _EVERY}


def parse_form(name: str) -> Form:
    """The form of that name; ``FORM:WRITER`` is the form by that writer alone.

    Raises:
        UsageError: there is none, or the writer cannot write it.
    """
    base, colon, writer = name.partition(":")
    form = FORMS.get(base)
    if form is None:
        raise UsageError(f"unknown form of feedback '{name}'; allowed: {', '.join(FORMS)}")
    if not colon:
        return form
    if writer not in form.writers:
        allowed = ", ".join([base, *(f"{base}:{each}" for each in form.writers)])
        raise UsageError(f"unknown form of feedback '{name}'; allowed: {allowed}")
    return replace(form, name=name, writers=tuple(w for w in form.writers if w == writer))
