"""How a solver goes on after feedback: what it is shown, and how an attempt is drawn.

Each way is one value, read by all that follows; none of them names one in a string of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from feedback_friction.errors import UsageError
from feedback_friction.mode_names import recorded_mode

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
