"""What feedback only repeats: of the question, or of the student's own work.

What it quotes from the question gives nothing away, although it may be equal to gold.

"You computed 1/2 + 1/4 wrongly" repeats what was asked, and garbling it only makes the feedback
hard to follow. A stretch stays when it is a formula that stands in the question as it is, with an
operation to be carried out, or when it lies within a long quotation. It goes when it is gold as the
data set writes it, for then the question offers gold among others.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from functools import lru_cache

from feedback_friction.problem import Problem
from feedback_friction.protocol.masking.gate import Match, Matcher, View
from feedback_friction.protocol.records import Masked

_LONG = 7  # words, numbers and signs in a row that make a quotation

_PART = r"\s?(?:\{\s?(\w+)\s?\}|(\d))"
_FRACTION = rf"\\[dt]?frac{_PART}{_PART}"
_TIMES = r"(?:(?<=[\w)}]\s)\*(?=\s[\w({\\-])|(?<=[\d)}])\*(?=[\w(\\]))"  # not Markdown's
_TOKEN = re.compile(
    rf"{_FRACTION}|(?P<times>{_TIMES})|\\[A-Za-z]+|\d+(?:[.,]\d+)*|[^\W\d_]+|[^\w\s]|_"
)
_NOTHING = frozenset(
    ("$", "\\left", "\\right", "\\displaystyle", "*", "`", "\\(", "\\)", '"', "{", "}")
)
_SAME = {
    "\\dfrac": "\\frac", "\\tfrac": "\\frac", "\\dbinom": "\\binom", "\\times": "\\cdot",
    "×": "\\cdot", "·": "\\cdot", "−": "-", "÷": "/", "√": "\\sqrt",
}  # fmt: skip
_OPERATION = frozenset([*"+-/^!", "\\cdot", "of", "divided", "times", "plus", "minus", "squared"])
_CALL = re.compile(r"\\[A-Za-z]+|gcd|lcm")

Tokens = list[tuple[str, int, int]]


def tokens(text: str) -> Tokens:
    """The words, numbers and signs of a text with their offsets, dress aside."""
    found: Tokens = []
    for match in _TOKEN.finditer(text):
        if match[1] or match[2]:  # a fraction of two numbers or letters is written "1/2", too
            above, below = 1 if match[1] else 2, 3 if match[3] else 4
            found.append((match[above], match.start(), match.end(above)))
            found.append(("/", match.end(above), match.start(below)))
            found.append((match[below], match.start(below), match.end()))
            continue
        token = "\\cdot" if match["times"] else _SAME.get(match[0], match[0])
        if token not in _NOTHING:
            found.append((token.lower() if len(token) > 1 else token, *match.span()))
    return found


@lru_cache(maxsize=8)  # all matchers of one repetition see the same text
def _read(text: str) -> tuple[Tokens, list[int], list[int]]:
    """The tokens of a text, and where each begins and ends."""
    found = tokens(text)
    return found, [start for _, start, _ in found], [end for _, _, end in found]


class Quoted:
    """The question, as feedback may quote it."""

    def __init__(self, question: str, golds: Iterable[str]):
        words = [token for token, _, _ in tokens(View.plain(question).text)]
        self.joined = "\x00" + "\x00".join(words) + "\x00"
        self.runs = {tuple(words[at : at + _LONG]) for at in range(len(words) - _LONG + 1)}
        self.golds = {
            tuple(token for token, _, _ in tokens(View.plain(gold).text)) for gold in golds
        }

    def holds(self, text: str, start: int, end: int) -> bool:
        """Whether a stretch of a text only quotes the question."""
        found, starts, ends = _read(text)
        # A text has as many stretches as tokens: looking through all of them would be quadratic.
        first, last = bisect_right(ends, start), bisect_left(starts, end)
        if first >= last:
            return False
        if first and found[first - 1][0] == "\\boxed":  # it is stated, whatever it repeats
            return False
        own = tuple(token for token, _, _ in found[first:last])
        worked = any(token in _OPERATION for token in own[1:])
        worked = worked or (len(own) > 1 and _CALL.fullmatch(own[0]) is not None)
        if worked and own not in self.golds and f"\x00{chr(0).join(own)}\x00" in self.joined:
            return True
        begins = range(max(0, last - _LONG), min(first, len(found) - _LONG) + 1)
        return any(
            tuple(token for token, _, _ in found[at : at + _LONG]) in self.runs for at in begins
        )


@lru_cache(maxsize=1024)
def quoted(question: str, golds: tuple[str, ...]) -> Quoted:
    """The question of a problem, ready to be compared."""
    return Quoted(question, golds)


def unquoted(finder: Matcher, question: Quoted) -> Matcher:
    """A matcher without what only quotes the question."""

    def find(text: str) -> Iterator[Match]:
        for start, end, form in finder(text):
            if not question.holds(text, start, end):
                yield start, end, form

    return find


# --- alignment leaks -----------------------------------------------------------------------------
#
# "Your [masked] in line 3 is right" gives nothing away to others; who wrote "3 + 4 = 7" in line 3
# can lay the two texts side by side. No mask can help that, and what a student has worked out is no
# secret from him: it is counted apart from the leaks that a mask should have kept.

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
    said = list(replies)
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


def _states(said: str, stretch: str) -> bool:
    """Whether a reply states just what a stretch of feedback says."""
    wanted = [token for token, _, _ in tokens(stretch)]
    while wanted and wanted[0] in _AROUND:
        del wanted[0]
    while wanted and wanted[-1] in _AROUND:
        del wanted[-1]
    small, plain = said.lower(), (each.lower() for each in wanted if each.isascii())
    if not wanted or not all(each in small for each in plain if each.isalnum()):
        return False  # nearly always: what is hidden is not what was answered
    reply = [token for token, _, _ in tokens(said)]
    for at in range(1, len(reply) - len(wanted) + 1):
        if reply[at] == wanted[0] and reply[at : at + len(wanted)] == wanted:
            before = at - 1
            while before > 0 and reply[before] in "([{":
                before -= 1
            if reply[before] in _STATING:
                return True
    return False
