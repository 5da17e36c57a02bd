"""Which equations an attempt at a generated question claims, and whether each of them holds.

They are read as those of a multiplication are (``tutor.chains``, ``tutor.verify``): nothing is
claimed where a reader may take a stretch for something else, and a chain may go on from its value,
as in ``47 + 38 = 85 - 15 = 70``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from feedback_friction.tasks.tutor.chains import Chain, read_chains
from feedback_friction.tasks.tutor.lines import UNKNOWN, Line, read_lines, spaced
from feedback_friction.tasks.tutor.verify import Pair, exact, judged

_FRACTION = re.compile(r"\\[dt]?frac\{([0-9x+\- ]{1,40})\}\{([0-9]{1,20})\}")


@dataclass(frozen=True, slots=True)
class Claim:
    """A step of an attempt: an equation, or what a family reads beside equations."""

    # what kind of step it is: ``sum``, ``product``, ``division``, ``equation``, or one of a
    # family's own
    kind: str
    place: tuple[int, int]  # line and column, to tell the first of several
    holds: bool  # whether it is right in any way in which it may be meant
    quote: str  # what the attempt says there
    left: tuple[str, ...] = ()  # tokens of what is worked out
    stated: str = ""  # what the attempt says that it gives
    value: str = ""  # what it gives; "" where saying so would solve the question


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
    first, unknown = pair.left is chain.pieces[0], UNKNOWN in (*left, *right)
    if len(left) == 1 and not unknown and (first or len(right) == 1):
        return None  # a base, a label, a count
    at, quote = pair.right.tokens[0], f"{spaced(left)} = {spaced(right)}"
    kind = "equation" if unknown else _kind({*left} & {*"+-×/^"} or {*right} & {*"+-×/^"})
    return Claim(
        kind,
        (at.line, at.start),
        pair.holds,
        quote,
        left,
        spaced(right),
        "" if unknown else str(value),
    )


def _kind(signs: set[str]) -> str:
    if signs & {"+", "-"}:
        return "sum"
    return "division" if "/" in signs else "product"
