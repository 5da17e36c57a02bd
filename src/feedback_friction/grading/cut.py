"""Replies that were cut off: at the limit on tokens, by a filter, at the end of the context.

The rule, for every grader: a reply that was cut off has the answer that it *states* in full, in a
box that closes, after "the answer is", or alone in its first line, and no other. What it merely
ends in is none: the last line, the last sentence, the result of a calculation, a number alone. The
word that it was cut off in is not read: "The answer is 12" may have been on its way to 1,234.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from feedback_friction.grading.verdict import OVERRULED, Verdict
from feedback_friction.problem import Problem

Grader = Callable[[Problem, str], Verdict]

# As servers and logs say that a reply was cut off.
_REASONS = frozenset(("length", "max_tokens", "content_filter", "context_length"))

# The rules by which graders find what a reply states, in whatever place it does.
_STATED = ("boxed", "stated", "answer is", "picked", "is the answer", "first line")
# What may have been going on, "12", "3.", "\\frac{1}{2", "New"; and what was not: "(C)", "$12$."
_LAST_WORD = re.compile(r"\S+\Z")
_CLOSED = re.compile(r"[)\]}$*\"'`]\.?\Z")


def is_cut_off(reason: object) -> bool:
    """Whether a ``finish_reason``, as a log has it or has none, says that a reply was cut off."""
    return isinstance(reason, str) and reason.lower() in _REASONS


def graded(grade: Grader, problem: Problem, response: str, *, cut_off: bool = False) -> Verdict:
    """The verdict of a grader on a reply.

    Args:
        grade: the task's grader.
        problem: the problem.
        response: the reply as far as it came.
        cut_off: whether it ended before the model ended it.
    """
    verdict = grade(problem, response)
    if not cut_off or verdict.prediction is None or verdict.rule == OVERRULED:
        return verdict
    if verdict.rule.startswith(_STATED) and (whole := whole_words(response)) != response:
        verdict = grade(problem, whole)
    stated = verdict.prediction is not None and verdict.rule.startswith(_STATED)
    return verdict if stated else Verdict.none("cut off")


def whole_words(response: str) -> str:
    """A reply without the word that it was cut off in, where that may have gone on."""
    return response if _CLOSED.search(response) else _LAST_WORD.sub("", response)
