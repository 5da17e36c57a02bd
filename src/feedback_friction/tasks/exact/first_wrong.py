"""What is wrong first in an attempt, in words; and a right step called wrong, on purpose."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from feedback_friction.grading.verdict import Outcome, Verdict
from feedback_friction.problem import Problem
from feedback_friction.protocol.mislead import slipped
from feedback_friction.protocol.task import Misled, Step, Told
from feedback_friction.tasks.exact.claims import Claim, spaced

_TRIES = 20
_NUMERAL = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class Slip:
    """A step of an attempt that is wrong, or one that is right.

    Attributes:
        kind: what kind of step it is: ``sum``, ``product``, ``division``, ``equation``, or one of a
            family's own.
        place: line and column, to tell the first of several.
        quote: what the attempt says there.
        left: tokens of what is worked out.
        wrong: what the attempt says that it gives.
        right: what it gives; "" where saying so would solve the question.
    """

    kind: str
    place: tuple[int, int]
    quote: str
    left: tuple[str, ...] = ()
    wrong: str = ""
    right: str = ""


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


def kind_of(claim: Claim) -> str:
    """What kind of step an equation is: by its unknown, else by the signs on its left."""
    if claim.has_unknown:
        return "equation"
    signs = {*claim.left} & {*"+-×/^"} or {*claim.right} & {*"+-×/^"}
    if signs & {"+", "-"}:
        return "sum"
    return "division" if "/" in signs else "product"


def slip_of(claim: Claim, gold: str) -> Slip:
    """An equation as a step."""
    right = "" if claim.has_unknown else str(claim.value)
    return Slip(
        kind_of(claim),
        (claim.line, claim.column),
        claim.quote,
        claim.left,
        spaced(claim.right),
        right if right != gold else "",
    )


def first_slip(slips: Iterable[Slip]) -> Slip | None:
    """The one that stands first in the text."""
    return min(slips, key=lambda slip: slip.place, default=None)


def told_of(slip: Slip, words: Words, gold: str) -> Told:
    """What is said of a wrong step: as much of the quotation as has not the answer in it."""
    left = spaced(slip.left)
    shown = next((each for each in (slip.quote, left) if each and not _has(each, gold)), "")
    where = f'Look at "{shown}".' if shown else "One of your steps is wrong."
    value = words.value.format(left=left, right=slip.right)
    why = f"{words.why} {value}" if slip.right and not _has(value, gold) else words.why
    return Told(slip.kind, where, why, words.next, words.ask)


def _has(text: str, gold: str) -> bool:
    return gold in _NUMERAL.findall(text)


def closing_kind(verdict: Verdict, right: Iterable[int], gold: str, *, worked: bool) -> str:
    """What is wrong where no step is: by the verdict, and by whether a step gives the answer."""
    if verdict.is_correct:
        return "none"
    if verdict.outcome is Outcome.NO_ANSWER:
        return "no answer"
    if not worked:
        return "no work"
    return "answer" if int(gold) in {*right} else "result"


def step_of(slip: Slip | None) -> Step | None:
    """A wrong step as numbers; None where its right value is not to be told."""
    if slip is None or not slip.right:
        return None
    return Step(slip.left, slip.wrong, slip.right)


def misled(
    problem: Problem,
    right: list[Slip],
    words: Callable[[str], Words],
    hides: Callable[[str], bool],
    rng: random.Random,
) -> Misled | None:
    """A right step called wrong, with a wrong value; None where none can be named safely.

    Args:
        right: steps that hold, each with its value.
        words: how the family speaks of a kind of step.
        hides: whether the task's mask would hide something in a text.
    """
    rng.shuffle(right)
    for slip in right:
        for _ in range(_TRIES):
            value = slipped(slip.right, rng)
            if value in (problem.gold, slip.right):
                continue
            told = told_of(replace(slip, right=value), words(slip.kind), problem.gold)
            if value in told.why and not hides(told.text):
                return Misled(told.text, value)
    return None
