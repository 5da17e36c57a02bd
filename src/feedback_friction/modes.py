"""Feedback modes, each one value.

Everything that a mode is stands here: who writes the feedback, what the writer sees, what the mode
controls for, how it looks in figures, how the simulated student takes it up. Loop, engine,
analysis, report and commands read it here; none of them names a mode in a string of its own. What
follows a mode's name (``hint:2``, ``denial@expert``) is read in ``mode_names``.

To add a mode: a value here, its text in ``protocol.prompts`` where it has a fixed one, and the
golden test of that text. A mode that needs a new kind of writer adds the writer to
``protocol.feedback``.

``binary``, ``process`` and ``strong`` are F1, F2 and F3 of the paper (section 2.1); ``self`` is the
reference code's mode without the worked solution. What feedback is worth is what it adds to the
controls.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from feedback_friction.forms import FORMS, Form, parse_form
from feedback_friction.policy import Chooser, Drawn, Ladder

Writer = Literal[
    "nobody",
    "fixed",
    "program",
    "question",
    "model",
    "donor",
    "form",
    "part",
    "noise",
    "late",
    "own",
]
Speaker = str  # "solver", "feedback", or of several feedback models one: "feedback MODEL"
SOLVER: Speaker = "solver"
Attribution = Literal["none", "self", "peer", "expert"]
ATTRIBUTIONS: tuple[Attribution, ...] = get_args(Attribution)

# --- feedback ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Look:
    """How a mode is drawn: alike in every figure, and told apart without colours, too."""

    colour: str  # one of Okabe and Ito's (2008), which colour-blind readers tell apart
    marker: str  # a point's shape, as Vega-Lite names it


@dataclass(frozen=True, slots=True)
class Mode:
    """One feedback mode. The order of ``MODES`` is the order in help, tables and figures.

    Attributes:
        name: as on the command line.
        writer: who writes the text: nobody (the first prompt again), a fixed text, a program (the
            task's tutor), whoever wrote the question (its hints), a model, a donor (another
            problem's feedback), whoever writes the form that is chosen (``forms``), a program
            that shows a part of the worked solution, corrupts some of another mode's feedback, or
            gives it late, or a function of a user's own.
        by: the writer in words, for help and documentation.
        purpose: what it is for, in words.
        look: how it is drawn.
        uptake: probability that the simulated student is right after it, where the student is not
            resistant.
        fixed: key of the text in ``prompts.FIXED``, for a fixed one.
        speaker: whose model writes it, where a model does.
        sees_answer: whether the writer is shown the gold answer.
        sees_solution: whether the writer is shown the worked solution.
        controls_for: what a comparison with it takes out, in words; "" where it is no control.
        informs: whether it tells the solver anything about its own attempt.
        repeats_when_cold: whether at temperature 0 every attempt repeats the first one.
        level: of the hint that is always given, from 1; 0 for the next one at each attempt.
        source: for a donor, the name of the mode whose feedback is taken from another problem; for
            noise and delay, of the mode whose feedback is corrupted or late, "" for the task's own.
        chooser: for a form, what chooses it; None where the policy's file is not read yet.
        challenges: whether the trial goes on after a right answer, and that is challenged, too.
        asserts: whether it says that the attempt is wrong.
        misleads: whether it argues for one particular wrong answer.
        obey: probability that the simulated student gives up a right answer after it.
        attribution: whose words the solver is told that it reads.
        dose: how much of it: a share, or attempts of delay; None for modes without a dose.
        by_chance: whether a part is drawn at random instead of from the beginning.
        write: for one of a user's own, the function of (problem, attempts) that writes the text.
    """

    name: str
    writer: Writer
    by: str
    purpose: str
    look: Look
    uptake: float = 0.0
    fixed: str = ""
    speaker: Speaker = "solver"
    sees_answer: bool = True
    sees_solution: bool = False
    controls_for: str = ""
    informs: bool = True
    repeats_when_cold: bool = False
    level: int = 0
    source: str = ""
    chooser: Chooser | None = None
    challenges: bool = False
    asserts: bool = True
    misleads: bool = False
    obey: float = 0.0
    attribution: Attribution = "none"
    dose: float | None = None
    by_chance: bool = False
    write: Callable[[Any, Any], str] | None = None

    @property
    def shows_history(self) -> bool:
        """Whether the solver sees its earlier attempts."""
        return self.writer != "nobody"

    @property
    def can_be_donated(self) -> bool:
        """Whether its text is about one problem, so that a placebo of it is another text."""
        about_one = self.writer in ("program", "question", "model", "own")
        return about_one and not self.misleads

    @property
    def written_as(self) -> Mode:
        """The mode in which the text is written: the source of a placebo, else the mode itself."""
        if self.source in MODES:
            source = MODES[self.source]
            taught = source.speaker != SOLVER and self.speaker != SOLVER
            return replace(source, speaker=self.speaker) if taught else source
        return of_form(parse_form(self.source), self.speaker) if self.source else self


RETRY = Mode(
    "retry", "nobody",
    by="nobody: the first prompt again",
    purpose="control for resampling",
    look=Look("#8c8c8c", "circle"),
    controls_for="drawing again without feedback",
    informs=False,
    repeats_when_cold=True,
)  # fmt: skip
PLACEBO = Mode(
    "placebo", "donor",
    by="another problem's feedback",
    purpose='control for "any text helps"',
    look=Look("#56b4e9", "square"),
    uptake=0.08,
    controls_for="reading another problem's feedback",
    informs=False,
)  # fmt: skip
BINARY = Mode(
    "binary", "fixed",
    by='nobody: "wrong, try again"',
    purpose="the paper's F1: only that the answer is wrong",
    look=Look("#0072b2", "diamond"),
    uptake=0.08,
    fixed="verdict",
    controls_for="knowing no more than that the answer is wrong",
)  # fmt: skip
SELF = Mode(
    "self", "model",
    by="the solver model, knowing the gold answer",
    purpose="self-generated feedback",
    look=Look("#e69f00", "triangle-up"),
    uptake=0.15,
)  # fmt: skip
PROCESS = Mode(
    "process", "model",
    by="the solver model, knowing the worked solution too",
    purpose="the paper's F2: feedback written with the worked solution",
    look=Look("#009e73", "cross"),
    uptake=0.25,
    sees_solution=True,
)  # fmt: skip
STRONG = Mode(
    "strong", "model",
    by="another model, knowing the worked solution too (`strong:none`, `strong:answer`: less)",
    purpose="the paper's F3: feedback from a stronger model",
    look=Look("#d55e00", "triangle-down"),
    uptake=0.35,
    speaker="feedback",
    sees_solution=True,
)  # fmt: skip
TUTOR = Mode(
    "tutor", "program",
    by="a program that finds the first wrong step (multiplication and the other generated tasks)",
    purpose="always right, so what stays wrong is friction",
    look=Look("#cc79a7", "triangle-right"),
    uptake=0.45,
)  # fmt: skip
HINT = Mode(
    "hint", "question",
    by="whoever wrote the question: its next hint at each attempt (`hint:2`: always the second)",
    purpose="always right; for questions that have a field `hints`",
    look=Look("#1b1b1b", "triangle-left"),
    uptake=0.4,
)  # fmt: skip
DOUBT = Mode(
    "doubt", "fixed",
    by='nobody: "are you sure?", after right answers too',
    purpose="is a right answer kept when it is doubted?",
    look=Look("#7b3294", "M-1,-1L1,1M1,-1L-1,1M-1,0L1,0"),
    uptake=0.06,
    fixed="sure",
    challenges=True,
    asserts=False,
    obey=0.2,
)  # fmt: skip
DENIAL = Mode(
    "denial", "fixed",
    by='nobody: "wrong, try again", after right answers too',
    purpose="is a right answer kept when it is called wrong?",
    look=Look("#a6611a", "M-1,-.4L0,-1L1,-.4L.6,1L-.6,1Z"),
    uptake=0.08,
    fixed="verdict",
    challenges=True,
    obey=0.4,
)  # fmt: skip
MISLED = Mode(
    "misled", "program",
    by="a program that calls a right line wrong (generated tasks) or names a wrong option; "
    "else a model that argues for a wrong answer",
    purpose="is a right answer kept against an argument for a wrong one?",
    look=Look("#018571", "M-1,-1L1,-1L-1,1L1,1Z"),
    uptake=0.05,
    challenges=True,
    misleads=True,
    obey=0.5,
)  # fmt: skip
PARTIAL = Mode(
    "partial", "part",
    by="the first part of the worked solution or the hints (`partial:0.5`: half; "
    "`partial:0.5:random`: a random half)",
    purpose="dose: how much of the solution does it take?",
    look=Look("#4d9221", "M-1,-1L1,-1L1,0L-1,0Z"),
    uptake=0.3,
)  # fmt: skip
NOISY = Mode(
    "noisy", "noise",
    by="tutor, hint or another mode, with a share of its feedback corrupted (`noisy:0.3:hint`)",
    purpose="dose: how much wrong feedback is tolerated?",
    look=Look("#c51b7d", "M-1,0L-.5,-1L0,0L.5,-1L1,0L.5,1L0,0L-.5,1Z"),
    uptake=0.35,
)  # fmt: skip
DELAY = Mode(
    "delay", "late",
    by="tutor, hint or another mode, some attempts late (`delay:2:hint`: two)",
    purpose="dose: does late feedback help?",
    look=Look("#5e4fa2", "M-1,-1L1,-1L0,0L1,1L-1,1L0,0Z"),
    uptake=0.3,
)  # fmt: skip
MIXED = Mode(
    "mixed", "form",
    by="a form drawn at random at each attempt (`mixed:locate=.5,contrast=.5`: with these shares)",
    purpose="a randomised trial of the forms: which form helps when?",
    look=Look("#7a5195", "stroke"),
    uptake=0.25,
    chooser=Drawn(tuple((form, 1 / len(FORMS)) for form in FORMS.values())),
)  # fmt: skip
LADDER = Mode(
    "ladder", "form",
    by="verdict, locate, explain, next, solution: one rung up when an answer is repeated",
    purpose="feedback that adapts by a fixed rule",
    look=Look("#8c6d31", "arrow"),
    uptake=0.3,
    chooser=Ladder(),
)  # fmt: skip
ADAPTIVE = Mode(
    "adaptive", "form",
    by="the form that a policy from `friction learn` chooses (`adaptive:policy.json`)",
    purpose="feedback that adapts by a policy learnt from earlier runs",
    look=Look("#a50f15", "wedge"),
    uptake=0.35,
)  # fmt: skip
_EVERY = (
    RETRY, PLACEBO, BINARY, SELF, PROCESS, STRONG, TUTOR, HINT,
    DOUBT, DENIAL, MISLED, PARTIAL, NOISY, DELAY, MIXED, LADDER, ADAPTIVE,
)  # fmt: skip
MODES = {mode.name: mode for mode in _EVERY}


def of_form(form: Form, speaker: Speaker) -> Mode:
    """The mode that gives one form at every attempt."""
    return Mode(
        form.name,
        "form",
        by=" or ".join(form.writers),
        purpose=form.says,
        look=Look(form.colour, "triangle"),
        uptake=form.uptake,
        speaker=speaker,
        chooser=Drawn(((form, 1.0),)),
    )


# Replies from elsewhere: first attempts, never followed by feedback. On no command line.
NO_FEEDBACK = replace(RETRY, name="none", controls_for="", repeats_when_cold=False)
# Conversations from elsewhere, whoever spoke between their attempts. On no command line either.
ADOPTED = replace(
    NO_FEEDBACK, name="adopted", writer="fixed", by="whoever spoke in the log", informs=True
)


def control_modes() -> list[Mode]:
    """The controls, each before those that it can be a control of."""
    return [mode for mode in MODES.values() if mode.controls_for]
