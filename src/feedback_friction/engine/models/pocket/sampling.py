"""From scores to tokens: greedy, or drawn by temperature and top-p from a sequence's own numbers.

Weights of tokens are whole numbers, so that their sums are exact in any order (see ``exact``). A
token less than 2^-29 times as probable as the likeliest one is never drawn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from feedback_friction.engine.models.pocket.exact import PEAK, Array, Exponential, Integers

LOWEST = -100.0  # exp is 0 as a whole number long before
DRAWN_AT_ONCE = 64  # uniform numbers


class Numbers:
    """Uniform numbers in [0, 1) of one sequence: Philox, keyed by its seed, one for each token."""

    def __init__(self, seed: int) -> None:
        self._generator = np.random.Generator(np.random.Philox(key=seed & (2**128 - 1)))
        self._drawn: list[float] = []

    def next(self) -> float:
        """The next one."""
        if not self._drawn:
            self._drawn = self._generator.random(DRAWN_AT_ONCE).tolist()[::-1]
        return self._drawn.pop()


@dataclass(frozen=True, slots=True)
class Sampler:
    """How the tokens of a sequence are chosen.

    Attributes:
        temperature: 0 takes the likeliest token, of several the one with the lowest id.
        top_p: draw from the smallest set of likeliest tokens with this share of the probability.
        numbers: of the sequence; not used at temperature 0.
        logprobs: whether log-probabilities are wanted.
    """

    temperature: float
    top_p: float
    numbers: Numbers
    logprobs: bool


class Choice:
    """Chooses the next tokens of many sequences; not for two threads at once."""

    def __init__(self) -> None:
        self._exp = Exponential()

    def tokens(self, scores: Array, samplers: Sequence[Sampler]) -> list[int]:
        """One token for each row of scores [rows, vocabulary]."""
        found = scores.argmax(axis=1)
        drawn = [row for row, each in enumerate(samplers) if each.temperature > 0]
        if drawn:
            asked = [samplers[row] for row in drawn]
            temperatures = np.array([each.temperature for each in asked])
            weights = self._weights(scores[drawn], temperatures[:, None])
            narrow = [row for row, each in enumerate(asked) if each.top_p < 1]
            if narrow:
                shares = np.array([asked[row].top_p for row in narrow])
                weights[narrow] = nuclei(weights[narrow], shares)
            found[drawn] = picks(weights, np.array([each.numbers.next() for each in asked]))
        tokens: list[int] = found.tolist()
        return tokens

    def logprobs(
        self, scores: Array, tokens: Sequence[int], samplers: Sequence[Sampler]
    ) -> list[float | None]:
        """Natural log-probabilities of the tokens at temperature 1, where they are wanted."""
        wanted = [row for row, each in enumerate(samplers) if each.logprobs]
        found: list[float | None] = [None] * len(tokens)
        if wanted:
            rows = scores[wanted]
            totals = self._weights(rows, np.ones((len(rows), 1))).sum(axis=1).tolist()
            peaks = rows.max(axis=1).tolist()
            for at, row in enumerate(wanted):
                score = float(scores[row, tokens[row]])
                found[row] = score - peaks[at] + PEAK - math.log(totals[at])
        return found

    def _weights(self, scores: Array, temperatures: Array) -> Array:
        """What each token weighs: whole numbers of at most 2^29, the largest of a row 2^28.9."""
        with np.errstate(over="ignore"):  # a temperature of next to 0: minus infinity is right
            weights: Array = (scores - scores.max(axis=1, keepdims=True)) / temperatures
        weights += PEAK
        np.maximum(weights, LOWEST, out=weights)
        self._exp(weights)
        return np.rint(weights, out=weights)


def nuclei(weights: Array, top_p: Array) -> Array:
    """The weights [rows, choices], 0 outside each row's smallest set of likeliest with ``top_p``.

    Args:
        top_p: [rows], above 0 and at most 1.
    """
    order = np.argsort(-weights, axis=1, kind="stable")
    ordered = np.take_along_axis(weights, order, axis=1)
    sums = np.cumsum(ordered, axis=1)
    ordered[sums - ordered >= top_p[:, None] * sums[:, -1:]] = 0.0
    kept = np.empty_like(weights)
    np.put_along_axis(kept, order, ordered, axis=1)
    return kept


def picks(weights: Array, numbers: Array) -> Integers:
    """By row, the index that a number in [0, 1) falls on.

    Args:
        weights: [rows, choices], whole numbers.
        numbers: [rows].
    """
    sums = np.cumsum(weights, axis=1)
    # a number next to 1 must not fall behind the end
    targets = np.minimum(np.floor(numbers * sums[:, -1]), sums[:, -1] - 1)
    found: Integers = (sums <= targets[:, None]).sum(axis=1)
    return found
