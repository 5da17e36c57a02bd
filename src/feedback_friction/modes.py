"""What a condition is made of: feedback modes, sampling strategies, histories, each one value.

Everything that a mode is stands here: who writes the feedback, what the writer sees, what the mode
controls for, how it looks in figures, how the simulated student takes it up. Loop, engine,
analysis, report and commands read it here; none of them names a mode in a string of its own.

To add a mode: a value here, its text in ``protocol.prompts`` where it has a fixed one, and the
golden test of that text. A mode that needs a new kind of writer adds the writer to
``protocol.feedback``.

``binary``, ``process`` and ``strong`` are F1, F2 and F3 of the paper (section 2.1); ``self`` is the
reference code's mode without the worked solution. What feedback is worth is what it adds to the
controls.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from feedback_friction.errors import UsageError
from feedback_friction.forms import CONTRAST, EXPLAIN, FORMS, Form, parse_form
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
    """How a mode is drawn: alike in every figure, and told apart without colours, too.

    Attributes:
        colour: one of Okabe and Ito's (2008), which colour-blind readers tell apart.
        marker: a point's shape, as Vega-Lite names it.
    """

    colour: str
    marker: str


@dataclass(frozen=True, slots=True)
class Mode:
    """One feedback mode. The order of ``MODES`` is the order in help, tables and figures.

    Attributes:
        name: as on the command line.
        writer: who writes the text: nobody (the first prompt again), a fixed text, a program (the
            task's tutor), whoever wrote the question (its hints), a model, a donor (another
            problem's feedback), whoever writes the form that is chosen (``forms``), a program
            that shows a part of the worked solution, spoils another mode's feedback by lot, or
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
            noise and delay, of the mode whose feedback is spoilt or late, "" for the task's own.
        chooser: for a form, what chooses it; None where the policy's file is not read yet.
        challenges: whether the trial goes on after a right answer, and that is challenged, too.
        asserts: whether it says that the attempt is wrong.
        misleads: whether it argues for one particular wrong answer.
        obey: probability that the simulated student gives up a right answer after it.
        attribution: whose words the solver is told that it reads.
        dose: how much of it: a share, or attempts of delay; None for modes without a dose.
        by_chance: whether a part is drawn by lot instead of from the beginning.
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
        return _of_form(parse_form(self.source), self.speaker) if self.source else self


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
    purpose="F1 of the paper",
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
    purpose="F2",
    look=Look("#009e73", "cross"),
    uptake=0.25,
    sees_solution=True,
)  # fmt: skip
STRONG = Mode(
    "strong", "model",
    by="another model, knowing the worked solution too (`strong:none`, `strong:answer`: less)",
    purpose="F3",
    look=Look("#d55e00", "triangle-down"),
    uptake=0.35,
    speaker="feedback",
    sees_solution=True,
)  # fmt: skip
TUTOR = Mode(
    "tutor", "program",
    by="a program that finds the first wrong step (multiplication)",
    purpose="right by construction: what stays wrong is friction",
    look=Look("#cc79a7", "triangle-right"),
    uptake=0.45,
)  # fmt: skip
HINT = Mode(
    "hint", "question",
    by="whoever wrote the question: its next hint at each attempt (`hint:2`: always the second)",
    purpose="right by construction, for questions that have a field `hints`",
    look=Look("#1b1b1b", "triangle-left"),
    uptake=0.4,
)  # fmt: skip
DOUBT = Mode(
    "doubt", "fixed",
    by='nobody: "are you sure?", of right answers too',
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
    by='nobody: "wrong, try again", of right answers too',
    purpose="is a right answer kept when it is called wrong?",
    look=Look("#a6611a", "M-1,-.4L0,-1L1,-.4L.6,1L-.6,1Z"),
    uptake=0.08,
    fixed="verdict",
    challenges=True,
    obey=0.4,
)  # fmt: skip
MISLED = Mode(
    "misled", "program",
    by="a program that calls a right line wrong (multiplication) or names a wrong option; "
    "else a model that argues for a wrong answer",
    purpose="is a right answer kept when a wrong one is argued for?",
    look=Look("#018571", "M-1,-1L1,-1L-1,1L1,1Z"),
    uptake=0.05,
    challenges=True,
    misleads=True,
    obey=0.5,
)  # fmt: skip
PARTIAL = Mode(
    "partial", "part",
    by="the first share of the worked solution or the hints (`partial:0.5`; "
    "`partial:0.5:random`: a share by lot)",
    purpose="dose: how much of the solution it takes",
    look=Look("#4d9221", "M-1,-1L1,-1L1,0L-1,0Z"),
    uptake=0.3,
)  # fmt: skip
NOISY = Mode(
    "noisy", "noise",
    by="tutor, hint or another mode, a share of its feedback spoilt (`noisy:0.3:hint`)",
    purpose="dose: how much wrong feedback is borne",
    look=Look("#c51b7d", "M-1,0L-.5,-1L0,0L.5,-1L1,0L.5,1L0,0L-.5,1Z"),
    uptake=0.35,
)  # fmt: skip
DELAY = Mode(
    "delay", "late",
    by="tutor, hint or another mode, so many attempts late (`delay:2:hint`)",
    purpose="dose: does feedback help that comes late?",
    look=Look("#5e4fa2", "M-1,-1L1,-1L0,0L1,1L-1,1L0,0Z"),
    uptake=0.3,
)  # fmt: skip
MIXED = Mode(
    "mixed", "form",
    by="a form drawn by lot at each attempt (`mixed:locate=.5,contrast=.5`: with these shares)",
    purpose="a trial of the forms against each other: what helps whom",
    look=Look("#7a5195", "stroke"),
    uptake=0.25,
    chooser=Drawn(tuple((form, 1 / len(FORMS)) for form in FORMS.values())),
)  # fmt: skip
LADDER = Mode(
    "ladder", "form",
    by="verdict, locate, explain, next, solution: one rung up when an answer comes back",
    purpose="feedback that adapts without learning",
    look=Look("#8c6d31", "arrow"),
    uptake=0.3,
    chooser=Ladder(),
)  # fmt: skip
ADAPTIVE = Mode(
    "adaptive", "form",
    by="the form that a policy from `friction learn` chooses (`adaptive:policy.json`)",
    purpose="feedback that adapts as journals taught it",
    look=Look("#a50f15", "wedge"),
    uptake=0.35,
)  # fmt: skip
_EVERY = (
    RETRY, PLACEBO, BINARY, SELF, PROCESS, STRONG, TUTOR, HINT,
    DOUBT, DENIAL, MISLED, PARTIAL, NOISY, DELAY, MIXED, LADDER, ADAPTIVE,
)  # fmt: skip
MODES = {mode.name: mode for mode in _EVERY}


def _of_form(form: Form, speaker: Speaker) -> Mode:
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


def parse_mode(name: str, *, has_feedback_model: bool) -> Mode:
    """The mode of that name.

    ``placebo:MODE`` names the mode that the placebo imitates; a bare ``placebo`` imitates
    ``strong`` where there is a feedback model, else ``process``. ``hint:L`` gives one level only.
    A form's name, with its writer or without, is the mode that gives this form alone.

    Raises:
        UsageError: the name is unknown, or the mode needs a feedback model and there is none.
    """
    plain, at, attribution = name.partition("@")
    if at:
        said = parse_mode(plain, has_feedback_model=has_feedback_model)
        return attributed(said, attribution)
    base, colon, rest = name.partition(":")
    speaker: Speaker = "feedback" if has_feedback_model else "solver"
    if base in FORMS:
        return _of_form(parse_form(name), speaker)
    mode = MODES.get(base)
    if mode is not None and mode.writer in _DOSES:
        return _dosed(mode, name, rest, has_feedback_model=has_feedback_model)
    takes_more = mode is not None and (mode.writer in ("donor", "question") or mode in _WITH_MORE)
    if mode is None or (colon and not takes_more):
        raise UsageError(
            f"unknown feedback mode '{name}'; allowed: {', '.join(MODES)}, or one form alone: "
            f"{', '.join(FORMS)}"
        )
    if mode.writer == "form":
        return _adapting(mode, name, speaker)
    if mode is STRONG and colon:
        mode = _knowing(name, rest)
    elif mode.writer == "donor":
        mode = _donor(mode, name, rest, has_feedback_model=has_feedback_model)
    elif colon:
        if rest not in {*"123456789"}:
            raise UsageError(f"unknown feedback mode '{name}'; allowed: {base}, {base}:1 to :9")
        mode = replace(mode, name=name, level=int(rest))
    if mode.written_as.speaker == "feedback" and not has_feedback_model:
        raise UsageError(f"feedback mode '{name}' needs --feedback-model")
    return mode


_WITH_MORE = (MIXED, ADAPTIVE, STRONG)


def _knowing(name: str, knowledge: str) -> Mode:
    """Strong feedback whose writer knows nothing, the answer, or the solution, too."""
    if knowledge not in ("none", "answer", "solution"):
        raise UsageError(
            f"unknown feedback mode '{name}'; allowed: {STRONG.name}, {STRONG.name}:none, "
            f"{STRONG.name}:answer, {STRONG.name}:solution"
        )
    return replace(
        STRONG,
        name=name,
        sees_answer=knowledge != "none",
        sees_solution=knowledge == "solution",
    )


def _donor(mode: Mode, name: str, rest: str, *, has_feedback_model: bool) -> Mode:
    source = rest or (STRONG if has_feedback_model else PROCESS).name
    donated = [each.name for each in MODES.values() if each.can_be_donated]
    if source not in donated and source.partition(":")[0] not in FORMS:
        allowed = ", ".join(f"{mode.name}:{each}" for each in donated)
        raise UsageError(f"unknown placebo '{name}'; allowed: {mode.name}, {allowed}, or a form's")
    if source not in donated:
        parse_form(source)
    speaker: Speaker = "feedback" if has_feedback_model else "solver"
    return replace(mode, name=name, source=source, speaker=speaker)


def _adapting(mode: Mode, name: str, speaker: Speaker) -> Mode:
    """A mode that chooses among forms, with what its name says beside it."""
    _, colon, rest = name.partition(":")
    if mode is ADAPTIVE and not rest:
        raise UsageError(
            f"feedback mode '{name}' needs a policy: {ADAPTIVE.name}:FILE, as 'friction learn' "
            "writes it"
        )
    if mode is MIXED and colon:
        mode = replace(mode, chooser=Drawn(_shares(name, rest)))
    return replace(mode, name=name, speaker=speaker)


def _shares(name: str, text: str) -> tuple[tuple[Form, float], ...]:
    """``locate=.5,contrast=.5``, or without numbers, alike."""
    parts = [part.partition("=") for part in text.split(",")]
    forms = [parse_form(form) for form, _, _ in parts]
    if len({form.name for form in forms}) < len(forms):
        raise UsageError(f"feedback mode '{name}' names a form twice")
    if not any(equals for _, equals, _ in parts):
        return tuple((form, 1 / len(forms)) for form in forms)
    try:
        shares = [float(share) for _, _, share in parts]
    except ValueError:
        shares = [math.nan]
    if not all(0 < share <= 1 for share in shares) or abs(math.fsum(shares) - 1) > _ROUNDING:
        raise UsageError(
            f"the shares of '{name}' must each be above 0 and add up to 1, as in "
            f"{MIXED.name}:{EXPLAIN.name}=.5,{CONTRAST.name}=.5"
        )
    whole = math.fsum(shares)
    return tuple((form, share / whole) for form, share in zip(forms, shares, strict=True))


_ROUNDING = 0.011  # thirds are written .33


def attributed(mode: Mode, attribution: str) -> Mode:
    """The mode with whose words the solver is told that it reads; named ``denial@expert``.

    Raises:
        UsageError: there is no such attribution, or the mode says nothing.
    """
    found = next((each for each in ATTRIBUTIONS if each == attribution), None)
    if found is None or not mode.shows_history:
        raise UsageError(
            f"unknown attribution '{attribution}' of '{mode.name}'; allowed: "
            f"{', '.join(ATTRIBUTIONS)}, of any mode but {RETRY.name}"
        )
    if found == "none":
        return mode
    return replace(mode, name=f"{mode.name}@{found}", attribution=found)


BY = " by "  # before the feedback model, where a table tells several of them apart
_DOSES = ("part", "noise", "late")
BY_CHANCE = "random"


def _dosed(mode: Mode, name: str, rest: str, *, has_feedback_model: bool) -> Mode:
    """A mode with its dose, and where there is one, by lot or with the mode that it is made of."""
    amount, _, more = rest.partition(":")
    whole = mode.writer == "late"
    bounds = "attempts, from 0 to 99" if whole else "a share, from 0 to 1"
    pattern = r"\d{1,2}" if whole else r"(?:0|1|0?\.\d{1,6}|1\.0{1,6})"
    if not re.fullmatch(pattern, amount, re.ASCII):
        raise UsageError(f"feedback mode '{name}' needs {bounds}; allowed: {mode.name}:DOSE")
    if mode.writer == "part":
        if more not in ("", BY_CHANCE):
            raise UsageError(
                f"unknown feedback mode '{name}'; allowed: {mode.name}:P, {mode.name}:P:{BY_CHANCE}"
            )
        return replace(mode, name=name, dose=float(amount), by_chance=bool(more))
    if more:
        source = MODES.get(more)
        if source is None or not source.can_be_donated:
            allowed = ", ".join(each.name for each in MODES.values() if each.can_be_donated)
            raise UsageError(f"unknown feedback mode '{name}'; allowed after the dose: {allowed}")
        parse_mode(more, has_feedback_model=has_feedback_model)
    return replace(mode, name=name, dose=float(amount), source=more)


def recorded_mode(name: str) -> Mode:
    """The mode that a run directory names; of one that this version does not know, a plain value.

    Args:
        name: as on the command line, with what follows a colon or an attribution's sign.
    """
    name = name.partition(BY)[0]
    base = name.partition("@")[0].partition(":")[0]
    plain = replace(NO_FEEDBACK, name=base, writer="fixed", informs=True)
    if base in FORMS:
        return _of_form(FORMS[base], "solver")
    if base in MODES and MODES[base].writer in _DOSES:
        with suppress(UsageError):
            dosed = parse_mode(name.partition("@")[0], has_feedback_model=True)
            return replace(dosed, name=base)
    return NO_FEEDBACK if base == NO_FEEDBACK.name else MODES.get(base, plain)


def control_modes() -> list[Mode]:
    """The controls, each before those that it can be a control of."""
    return [mode for mode in MODES.values() if mode.controls_for]


# --- history -----------------------------------------------------------------------------------


Sight = Literal["working", "answer", "foreign", "nothing"]


@dataclass(frozen=True, slots=True)
class History:
    """How a solver is shown what came before its next attempt.

    Attributes:
        name: as on the command line.
        shows: what the prompt holds, in words.
        sight: what of an attempt is shown: its whole working, its answer alone, another problem's
            attempt in its place, or nothing.
        last: so many attempts are shown with their feedback, the latest; 0 for all of them.
        turns: as turns of a chat instead of one message.
        dashes: of its line in figures; none for a solid one.
    """

    name: str
    shows: str
    sight: Sight = "working"
    last: int = 0
    turns: bool = False
    dashes: tuple[int, ...] = ()

    def latest(self, attempts: int) -> int:
        """How many of so many attempts are shown."""
        return min(self.last, attempts) if self.last else attempts


TRANSCRIPT = History("transcript", "all attempts and feedback in one message, as in the paper")
CHAT = History("chat", "all attempts and feedback as turns", turns=True, dashes=(2, 2))
LAST = History(
    "last", "the latest attempt and the feedback on it (last:N, the latest N)",
    last=1, dashes=(8, 2),
)  # fmt: skip
ANSWERS = History(
    "answers", "the attempts' answers without the working, and all feedback",
    sight="answer", dashes=(6, 2, 2, 2),
)  # fmt: skip
FEEDBACK = History("feedback", "all feedback, none of the attempts", sight="nothing", dashes=(1, 3))
FOREIGN = History(
    "foreign", "in place of each attempt another problem's wrong one, and all feedback",
    sight="foreign", dashes=(4, 4),
)  # fmt: skip
CLEAN = History(
    "clean", "the newest feedback, none of the attempts",
    sight="nothing", last=1, dashes=(6, 3),
)  # fmt: skip
HISTORIES = {
    each.name: each for each in (TRANSCRIPT, CHAT, LAST, ANSWERS, FEEDBACK, FOREIGN, CLEAN)
}


def parse_history(name: str) -> History:
    """The history of that name.

    Raises:
        UsageError: there is none.
    """
    base, _, number = name.partition(":")
    if base == LAST.name and re.fullmatch("[1-9][0-9]{0,2}", number):
        return replace(LAST, name=name, last=int(number))
    if name not in HISTORIES:
        allowed = ", ".join([*HISTORIES, f"{LAST.name}:N"])
        raise UsageError(f"unknown history '{name}'; allowed: {allowed}")
    return HISTORIES[name]


def named_history(feedback: str, history: str) -> str:
    """The history to name beside a recorded mode: "" for a transcript, and where none is shown."""
    usual = history == TRANSCRIPT.name or not recorded_mode(feedback).shows_history
    return "" if usual else history


# --- sampling ------------------------------------------------------------------------------------

HEAT_STEP = 0.15
MAX_DRAWS = 25  # of one attempt under rejection
HEAT_CAP = 1.5  # the reference code's cap
REJECT_TEMPERATURE = 0.7  # rejection at temperature 0 would draw the same reply 25 times


@dataclass(frozen=True, slots=True)
class Sampling:
    """A sampling strategy.

    Attributes:
        name: as on the command line.
        heat: temperature 0.15 x iteration, capped at 1.5.
        reject: draw until the answer is new, at most 25 times.
        eager: draw all 25 at once and choose among the new ones (the paper's form of ``reject``).
    """

    name: str
    heat: bool = False
    reject: bool = False
    eager: bool = False

    def temperature(self, base: float, iteration: int) -> float:
        """The temperature at an iteration, from the solver's base temperature."""
        if iteration == 0:
            return base
        if self.heat:
            return round(min(HEAT_STEP * iteration, HEAT_CAP), 10)
        if self.reject and base == 0:
            return REJECT_TEMPERATURE
        return base


GREEDY = Sampling("greedy")
HEAT = Sampling("heat", heat=True)
REJECT = Sampling("reject", reject=True)
HEAT_REJECT = Sampling("heat+reject", heat=True, reject=True)
STRATEGIES = {
    strategy.name: strategy
    for strategy in (
        GREEDY,
        HEAT,
        REJECT,
        HEAT_REJECT,
        replace(REJECT, name="reject-eager", eager=True),
        replace(HEAT_REJECT, name="heat+reject-eager", eager=True),
    )
}


def parse_sampling(name: str) -> Sampling:
    """The strategy of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in STRATEGIES:
        raise UsageError(f"unknown sampling '{name}'; allowed: {', '.join(STRATEGIES)}")
    return STRATEGIES[name]
