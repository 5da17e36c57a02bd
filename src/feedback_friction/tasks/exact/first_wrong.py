"""What is said of a wrong step of an attempt, and of one in which no step is wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass

from feedback_friction.protocol.task import Told
from feedback_friction.tasks.exact.claims import Claim, spaced

_TRIES = 20
_NUMERAL = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class Words:
    """How a family speaks of one kind of step.

    Attributes:
        why: what is wrong, a whole sentence.
        next: what to do next.
        ask: a question that leads to the error.
        value: what the step gives, of its ``left`` and ``right``.
    """

    why: str
    next: str
    ask: str
    value: str = "{left} is {right}."


WORDS = {
    "sum": Words(
        "The sum is wrong.",
        "Add or subtract again, and redo every line that uses this result.",
        "What do you get when you add or subtract here again?",
    ),
    "product": Words(
        "The product is wrong.",
        "Multiply again, and redo every line that uses this result.",
        "What do you get when you multiply here again?",
    ),
    "division": Words(
        "The division is wrong.",
        "Divide again, and redo every line that uses this result.",
        "What do you get when you divide here again?",
    ),
    "equation": Words(
        "The two sides are not equal for the number that solves the question.",
        "Go back to the line before it, do the same to both of its sides, and go on from there.",
        "What was done to each side of the line before this one?",
    ),
    "answer": Words(
        "The answer that you state is not the result of your work.",
        "Check which of your numbers answers the question.",
        "Is the answer that you state the result of your work?",
    ),
    "no work": Words(
        "There is no work that can be checked, and the answer is wrong.",
        "Write down every step in a line of its own, so that each can be checked.",
        "Which steps does this need?",
    ),
    "no answer": Words(
        "Your response states no final answer.",
        "Finish the work, and state the answer.",
        "What is the result of your work?",
    ),
    "none": Words("The stated answer is right.", "", ""),
}


def told_of(slip: Claim, words: Words, gold: str) -> Told:
    """What is said of a wrong step: as much of the quotation as has not the answer in it."""
    left = spaced(slip.left)
    shown = next((each for each in (slip.quote, left) if each and not _has(each, gold)), "")
    where = f'Look at "{shown}".' if shown else "One of your steps is wrong."
    value = words.value.format(left=left, right=slip.value)
    why = f"{words.why} {value}" if slip.value and not _has(value, gold) else words.why
    return Told(slip.kind, where, why, words.next, words.ask)


def _has(text: str, gold: str) -> bool:
    return gold in _NUMERAL.findall(text)
