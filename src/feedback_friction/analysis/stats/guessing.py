"""What a guesser reaches on multiple choice: it picks among the options and reads nothing.

Ten attempts at four options are won by chance alone, so that no accuracy after the first attempt,
and no uptake, says anything before it is held against the guesser's. How fast a guesser gets there
depends on what keeps it from an option that was wrong before (``Excludes``). By the standard
library alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from feedback_friction.ways import MAX_DRAWS


class Excludes(StrEnum):
    """What keeps a guesser from the options that it tried before."""

    NOTHING = "nothing"  # it picks among all options every time
    # it does too, and the sampling strategy draws until the answer is new, 25 times at most
    DRAWS = "draws"
    ALL = "all"  # it never picks one again: it was told which are left, or remembers what was wrong


def right_next(options: int, tried: int, excludes: Excludes) -> float:
    """The chance that a guesser's next attempt is right, all before having been wrong.

    ``1 / m`` of m options; ``1 / (m - t)`` where the t that were tried are left out; and
    ``(1 - (t / m)^25) / (m - t)`` where the strategy draws at most 25 times for a new one.

    Args:
        options: number of options, at least 2.
        tried: different wrong options tried before, 0 to ``options - 1``.
        excludes: what keeps it from them.

    Raises:
        ValueError: fewer than 2 options, or a number tried that cannot be.
    """
    if options < 2 or not 0 <= tried < options:
        raise ValueError(f"of {options} options {tried} wrong ones cannot have been tried")
    if excludes is Excludes.NOTHING:
        return 1 / options
    new = 1.0 if excludes is Excludes.ALL else 1 - (tried / options) ** MAX_DRAWS
    return new / (options - tried)


def guesser(options: int, iterations: int, excludes: Excludes, tried: int = 0) -> list[float]:
    """The share of problems that a guesser has solved at or before each attempt; exact.

    The number of wrong options tried is a Markov chain: an attempt is right, or names a wrong
    option that is new, or one tried before.

    Args:
        options: number of options, at least 2.
        iterations: attempts.
        excludes: what keeps it from options tried before.
        tried: different wrong options tried before the first of these attempts.

    Returns:
        One share for each attempt, never falling; ``1 - (1 - 1 / m)^(k + 1)`` with replacement,
        ``min(1, (k + 1) / m)`` without.
    """
    chances = [0.0] * options  # of each number of wrong options tried, unsolved
    chances[tried] = 1.0
    solved, curve = 0.0, []
    for _ in range(iterations):
        following = [0.0] * options
        for known, chance in enumerate(chances):
            right = right_next(options, known, excludes)
            new = right * (options - known - 1)  # the wrong ones among those not tried before
            solved += chance * right
            if known + 1 < options:
                following[known + 1] += chance * new
            following[known] += chance * max(0.0, 1 - right - new)
        chances = following
        curve.append(min(1.0, solved))
    return curve


def mean_guesser(options: Sequence[int], iterations: int, excludes: Excludes) -> list[float] | None:
    """The guesser's curve over problems with these numbers of options; None where one has none."""
    if not options or min(options) < 2:
        return None
    curves = {each: guesser(each, iterations, excludes) for each in set(options)}
    return [sum(curves[each][k] for each in options) / len(options) for k in range(iterations)]
