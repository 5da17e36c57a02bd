"""Which equations an attempt at a generated question claims, and whether each of them holds.

They are read as those of a multiplication are (``tutor.chains``, ``tutor.verify``): nothing is
claimed where a reader may take a stretch for something else, and a chain may go on from its value,
as in ``47 + 38 = 85 - 15 = 70``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from feedback_friction.tasks.tutor.chains import Chain, read_chains
from feedback_friction.tasks.tutor.lines import UNKNOWN, Line, read_lines
from feedback_friction.tasks.tutor.verify import Pair, exact, judged

_FRACTION = re.compile(r"\\[dt]?frac\{([0-9x+\- ]{1,40})\}\{([0-9]{1,20})\}")


@dataclass(frozen=True, slots=True)
class Claim:
    """An equation that a text claims.

    Attributes:
        line: its line in the text, from 1.
        column: where in the line its right side stands.
        left: tokens of its left side.
        right: tokens of its right side.
        value: of the left side, for the unknown that solves the question.
        holds: whether the two are equal in any way in which they may be meant.
    """

    line: int
    column: int
    left: tuple[str, ...]
    right: tuple[str, ...]
    value: int
    holds: bool

    @property
    def quote(self) -> str:
        """The equation as the tutor quotes it."""
        return f"{spaced(self.left)} = {spaced(self.right)}"

    @property
    def has_unknown(self) -> bool:
        """Whether it is about the unknown."""
        return UNKNOWN in self.left or UNKNOWN in self.right


def spaced(tokens: Sequence[str]) -> str:
    """Tokens with spaces around signs between two values: ``"7x - 12"``."""
    text, before = "", ""
    for token in tokens:
        binary = token in "+-×/" and before not in ("", "(", *"+-×/^")
        text += f" {token} " if binary else token
        before = token
    return text.strip()


def lines_of(text: str, unknown: str = "") -> list[Line]:
    """The lines of an attempt, which is taken to be whole."""
    return read_lines(_FRACTION.sub(r"((\1)/(\2))", text) + "\n.\n", 10, unknown)


@lru_cache(maxsize=16)  # one attempt is read for its step, its words and its value
def claims(text: str, unknown: str = "") -> tuple[Claim, ...]:
    """The equations of a text in their order.

    Args:
        text: the attempt.
        unknown: digits of the x that solves the question; "" where it has no unknown.
    """
    chains = read_chains(lines_of(text, unknown))
    found = (_claim(chain, pair) for chain in chains for pair in judged(chain, 10))
    return tuple(claim for claim in found if claim is not None)


def _claim(chain: Chain, pair: Pair) -> Claim | None:
    left, right = (tuple(token.text for token in side.tokens) for side in (pair.left, pair.right))
    value, stated = (exact(side.expression, 10, 10) for side in (pair.left, pair.right))
    if pair.holds is None or value is None or stated is None:
        return None
    first = pair.left is chain.pieces[0]
    if len(left) == 1 and UNKNOWN not in (*left, *right) and (first or len(right) == 1):
        return None  # a base, a label, a count
    at = pair.right.tokens[0]
    return Claim(at.line, at.start, left, right, value, pair.holds)
