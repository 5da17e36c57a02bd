"""Where in a reply the right and the repeated answer part.

A correction is a choice at one place: there the model writes either what it should or what it wrote
before. The place is found in the reply that was recorded, so that it is one that the model itself
came to, and it is found alike in replies that corrected, that repeated and that did a third thing:
what stands there is not asked for. Where a task knows the wrong step (multiplication), it is what
follows the step's left side; else it is the first statement of a final answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from feedback_friction.problem import Problem
from feedback_friction.protocol.records import Attempt
from feedback_friction.protocol.task import Step, Task

_SIGN = {"×": r"[*×x·]", "-": "[-−–]"}
_ENDS = "."  # what follows a value at the end of a reply, so that "12" does not stand in "120"


@dataclass(frozen=True, slots=True)
class Parting:
    """A place in a reply, and the two ways on from it."""

    prefix: str  # the reply up to the place
    right: str  # what corrects the error, and one character after it
    wrong: str  # what repeats it, and the same character
    is_step: bool  # of the work; else it is a final answer


def parting(task: Task, before: Attempt, after: Attempt) -> Parting | None:
    """Where a reply parts from the attempt before it; None where there is no such place.

    Args:
        before: the attempt that the feedback is about; it is wrong.
        after: the attempt that followed.
    """
    if task.wrong_step is not None:
        step = task.wrong_step(before.problem, before.reply.text)
        return None if step is None else _at_step(step, after.reply.text)
    return _at_answer(before, after)


def _at_step(step: Step, reply: str) -> Parting | None:
    left = r"\s*".join(_SIGN.get(token, re.escape(token)) for token in step.left)
    found = re.search(rf"(?<![\w.,]){left}\s*=\s*(?=[\dA-F])", reply)
    if found is None:
        return None
    written = re.compile(r"[\dA-Fa-f,]*\w").match(reply, found.end())
    tail = _tail(reply, written.end() if written else len(reply))
    return Parting(reply[: found.end()], step.right + tail, step.wrong + tail, True)


def _at_answer(before: Attempt, after: Attempt) -> Parting | None:
    problem, reply, old = after.problem, after.reply.text, before.verdict.prediction
    if old is None:
        return None
    if problem.choices:
        right, wrong = problem.gold, _letter_now(problem, before)
        stated = [rf"\({letter}\)" for letter in problem.letters]
        found = _first(stated, reply)
        if found is None or wrong is None or wrong == right:
            return None
        prefix, tail = reply[: found.start() + 1], ")"
        return Parting(prefix, right + tail, wrong + tail, False)
    answers = {problem.gold, *problem.aliases, old, after.verdict.prediction or old}
    found = _first([_as_word(each) for each in sorted(answers)], reply)
    if found is None:
        return None
    spelt = re.search(_as_word(old), before.reply.text, re.I)
    wrong, tail = spelt.group() if spelt else old, _tail(reply, found.end())
    return Parting(reply[: found.start()], problem.gold + tail, wrong + tail, False)


def _letter_now(problem: Problem, before: Attempt) -> str | None:
    """The letter that the option chosen before has now."""
    chosen = before.problem.letters.find(before.verdict.prediction or "-")
    if chosen < 0 or before.problem.choices[chosen] not in problem.choices:
        return None
    return problem.letters[problem.choices.index(before.problem.choices[chosen])]


def _first(patterns: Sequence[str], text: str) -> re.Match[str] | None:
    found = [match for each in patterns if (match := re.search(each, text, re.I))]
    return min(found, key=lambda match: (match.start(), -match.end()), default=None)


def _as_word(answer: str) -> str:
    words = r"\s+".join(re.escape(word) for word in answer.split())
    return rf"(?<!\w){words}(?!\w)"


def _tail(reply: str, end: int) -> str:
    return reply[end : end + 1] or _ENDS
