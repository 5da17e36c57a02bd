"""What feedback quotes from the question gives nothing away, although it may be equal to gold.

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

from feedback_friction.protocol.masking.gate import Match, Matcher, View

_LONG = 7  # words, numbers and signs in a row that make a quotation

_TOKEN = re.compile(r"\\[A-Za-z]+|\d+(?:[.,]\d+)*|[^\W\d_]+|[^\w\s]|_")
_NOTHING = frozenset(("$", "\\left", "\\right", "\\displaystyle", "*", "`", "\\(", "\\)", '"'))
_SAME = {
    "\\dfrac": "\\frac", "\\tfrac": "\\frac", "\\times": "\\cdot", "×": "\\cdot", "·": "\\cdot",
    "−": "-", "÷": "/",
}  # fmt: skip
_OPERATION = frozenset(("+", "-", "/", "^", "\\frac", "\\cdot", "\\sqrt", "\\binom", "!"))

Tokens = list[tuple[str, int, int]]


def tokens(text: str) -> Tokens:
    """The words, numbers and signs of a text with their offsets, dress aside."""
    found = []
    for match in _TOKEN.finditer(text):
        token = _SAME.get(match[0], match[0])
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
        own = tuple(token for token, _, _ in found[first:last])
        worked = own not in self.golds and any(token in _OPERATION for token in own[1:])
        if worked and f"\x00{chr(0).join(own)}\x00" in self.joined:
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
