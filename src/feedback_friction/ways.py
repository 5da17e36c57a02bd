"""How a solver goes on after feedback: what it sees, does before it answers, how it is drawn.

Each way is one value, read by all that follows; none of them names one in a string of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from feedback_friction.errors import UsageError
from feedback_friction.mode_names import recorded_mode
from feedback_friction.options import refuse_unknown

# --- history -----------------------------------------------------------------------------------


Sight = Literal["working", "answer", "foreign", "nothing"]


@dataclass(frozen=True, slots=True)
class History:
    """How a solver is shown what came before its next attempt."""

    name: str  # as on the command line
    shows: str  # what the prompt holds, in words
    # what of an attempt is shown: its whole working, its answer alone, another problem's attempt in
    # its place, or nothing
    sight: Sight = "working"
    last: int = 0  # so many attempts are shown with their feedback, the latest; 0 for all of them
    turns: bool = False  # as turns of a chat instead of one message
    dashes: tuple[int, ...] = ()  # of its line in figures; none for a solid one

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
    "foreign", "all feedback, with another problem's wrong attempt in place of each attempt",
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
    """The history of that name; raises ``UsageError`` where there is none."""
    base, _, number = name.partition(":")
    if base == LAST.name and re.fullmatch("[1-9][0-9]{0,2}", number):
        return replace(LAST, name=name, last=int(number))
    if name not in HISTORIES:
        allowed = ", ".join([*HISTORIES, f"{LAST.name}:N"])
        raise UsageError(f"unknown history '{name}'; allowed: {allowed}")
    return HISTORIES[name]


# --- what a solver does before it answers --------------------------------------------------------

Thought = Literal["", "restated", "notes", "check"]


@dataclass(frozen=True, slots=True)
class Solve:
    """What a solver does between the feedback and its next answer, in calls of its own."""

    name: str  # as on the command line
    does: str  # what, in words
    thought: Thought = ""  # the kind of text that it writes to itself
    # the name of the one that takes the same calls and as many tokens, and lacks what this one is
    # to test; "" for a control itself, and for ``plain``
    control: str = ""
    # of a control, whether the feedback, or what a check says of it, is kept from the text that it
    # writes or from the answer
    is_blind: bool = False
    # whether the text stands in place of the earlier attempts and their feedback
    replaces: bool = False
    calls: int = 1  # of the solver for an attempt, at most
    dashes: tuple[int, ...] = ()  # of its line in figures; none for a solid one


PLAIN = Solve("plain", "answers at once")
RESTATE = Solve(
    "restate", "says in its own words what the feedback asks it to change, then answers",
    thought="restated", control="restate:question", calls=2, dashes=(10, 2),
)  # fmt: skip
RESTATE_QUESTION = replace(
    RESTATE, name=RESTATE.control, control="", is_blind=True, dashes=(10, 2, 2, 2),
    does="says in its own words what the problem asks, then answers",
)  # fmt: skip
NOTES = Solve(
    "notes", "keeps a list of corrections and refuted answers instead of its attempts, and "
    "rewrites it after each feedback",
    thought="notes", control="notes:blank", replaces=True, calls=2, dashes=(5, 2),
)  # fmt: skip
NOTES_BLANK = replace(
    NOTES, name=NOTES.control, control="", is_blind=True, dashes=(5, 2, 2, 2),
    does="keeps such a list from its attempts alone, without the feedback",
)  # fmt: skip
CHECK = Solve(
    "check", "asks itself whether the new answer follows the feedback and differs from the refuted "
    "ones, and answers once more if not",
    thought="check", control="check:nothing", calls=3, dashes=(3, 2),
)  # fmt: skip
CHECK_NOTHING = replace(
    CHECK, name=CHECK.control, control="", is_blind=True, dashes=(3, 2, 1, 2),
    does="answers once more where that check fails, without seeing what the check said",
)  # fmt: skip
SOLVES = {
    each.name: each
    for each in (
        PLAIN, RESTATE, RESTATE_QUESTION, NOTES, NOTES_BLANK, CHECK, CHECK_NOTHING,
    )
}  # fmt: skip


def parse_solve(name: str) -> Solve:
    """What a solver does, by its name; raises ``UsageError`` where there is none."""
    refuse_unknown((name,), SOLVES, "way to solve")
    return SOLVES[name]


def way(history: History, solve: Solve) -> str:
    """History and solve in one name, as a run records them: ``clean``, ``clean+restate``."""
    if solve is PLAIN:
        return history.name
    return solve.name if solve.replaces else f"{history.name}+{solve.name}"


def parse_way(name: str) -> tuple[History, Solve]:
    """What a run records as its history, in its two parts.

    Raises:
        UsageError: there is no such history, or no such thing to do.
    """
    history, plus, solve = name.partition("+")
    if plus:
        return parse_history(history), parse_solve(solve)
    if name in SOLVES:
        return TRANSCRIPT, parse_solve(name)
    return parse_history(name), PLAIN


def control_of(name: str) -> str:
    """The way that is the control of a recorded one; "" where there is none."""
    for solve in SOLVES.values():
        if solve.control and name.rpartition("+")[2] == solve.name:
            return name.removesuffix(solve.name) + solve.control
    return ""


def named_history(feedback: str, history: str) -> str:
    """The way to name beside a recorded mode: "" for a transcript, and where none is shown."""
    usual = history == TRANSCRIPT.name or not recorded_mode(feedback).shows_history
    return "" if usual else history


def condition_name(feedback: str, history: str, sampling: str = "") -> str:
    """A recorded condition in words; its history where that is not the usual one."""
    return ", ".join(filter(None, (feedback, sampling, named_history(feedback, history))))


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
    """The strategy of that name; raises ``UsageError`` where there is none."""
    refuse_unknown((name,), STRATEGIES, "sampling")
    return STRATEGIES[name]
