"""Alignment leaks: what of the answer a student had written himself, and feedback repeats.

"Your [masked] in line 3 is right" gives nothing away to others; who wrote "3 + 4 = 7" in line 3 can
lay the two texts side by side. No mask can help that, and what a student has worked out is no
secret from him: it is counted apart from the leaks that a mask should have kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from feedback_friction.problem import Problem
from feedback_friction.protocol.masking.quoted import tokens
from feedback_friction.protocol.records import Masked

# What stands before a number or a name that a text states, brackets aside.
_STATING = frozenset(
    ("=", ":", ">", "→", "≈", "is", "are", "was", "be", "get", "gives", "equals", "yields")
) | {"becomes", "makes", "obtain", "\\boxed", "\\to", "\\approx", "\\rightarrow"}
_AROUND = frozenset("()[]{}.,;:!?'")


def parted(
    problem: Problem, raw: str, masked: Masked, replies: Iterable[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The leaks of a feedback, and its alignment leaks, each written once.

    Args:
        problem: the problem. Options stand in every question, so that nobody has them for himself:
            with choices nothing is aligned.
        raw: the feedback before the mask.
        masked: the same after it.
        replies: the student's, as far as he is shown them.
    """
    if problem.choices or not (masked.spans or masked.leaks):
        return masked.leaks, ()
    hidden = [raw[span.start : span.end] for span in masked.spans]
    said = [[token for token, _, _ in tokens(reply)] for reply in replies]
    own = [
        each
        for each in dict.fromkeys((*hidden, *masked.leaks))
        if any(_states(reply, each) for reply in said)
    ]
    return tuple(leak for leak in masked.leaks if leak not in own), tuple(own)


def parted_unmasked(
    problem: Problem, shown: str, masked: Masked, replies: Iterable[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The same of feedback that was shown without the mask: what that would hide leaks too."""
    leaks, own = parted(problem, shown, masked, replies)
    hidden = (shown[span.start : span.end] for span in masked.spans)
    return tuple(dict.fromkeys((*(each for each in hidden if each not in own), *leaks))), own


def _states(reply: Sequence[str], stretch: str) -> bool:
    """Whether a reply, as tokens, states just what a stretch of feedback says."""
    wanted = [token for token, _, _ in tokens(stretch)]
    while wanted and wanted[0] in _AROUND:
        del wanted[0]
    while wanted and wanted[-1] in _AROUND:
        del wanted[-1]
    for at in range(1, len(reply) - len(wanted) + 1) if wanted else ():
        if reply[at] == wanted[0] and reply[at : at + len(wanted)] == wanted:
            before = at - 1
            while before > 0 and reply[before] in "([{":
                before -= 1
            if reply[before] in _STATING:
                return True
    return False
