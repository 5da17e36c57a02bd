"""Friction when a judge labels many trials, and people label some of the same: both are used.

A judge errs, and an interval that takes its labels for the truth covers less the more are labelled.
The trials with both labels say how often the judge's mean what people say; the many with the
judge's alone say how often it gives them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from feedback_friction.analysis.stats.arrays import (
    MISSING,
    UNSOLVED,
    BoolArray,
    FloatArray,
    IntArray,
)
from feedback_friction.analysis.stats.clusters import effective_size
from feedback_friction.analysis.stats.friction import (
    OTHER_REASON,
    RESISTANT,
    STOPPED,
    UNLABELLED,
    friction,
)
from feedback_friction.analysis.stats.intervals import TAILS, Estimate

DRAWS = 20_000
_PRIOR = 0.5  # Jeffreys'


@dataclass(frozen=True, slots=True)
class Corrected:
    """Friction with a judge's labels corrected by people's."""

    # share of the unsolved trials that resisted, as people would label them; n is the number with
    # both labels
    resistance: Estimate
    target: Estimate  # target accuracy
    friction: Estimate  # target minus final accuracy
    relative: Estimate  # friction as a share of target minus initial accuracy
    # how many trials people would have to label for an interval of the friction half as wide; None
    # where no number would do, since the problems are too few
    labels_to_halve: int | None


def corrected(first: IntArray, judge: IntArray, people: IntArray, seed: int = 0) -> Corrected:
    """Friction by a judge's labels, corrected by the trials that people labelled too.

    The share resistant is ``P(J) P(R | J) + P(not J) P(R | not J)``: the judge's shares from all
    its labels, what people say after each from the trials with both. That is prediction-powered
    inference for a label of two values. Every share has its Jeffreys posterior (a beta
    distribution, for several epochs at the number of problems' trials that they are worth), and
    the limits are quantiles of draws from all of them: with the handful of labels that people give,
    normal limits cover too little. No limit is nearer than that of ``friction.friction``: a product
    of shares that are nearly 1 has draws below most of what its factors may be.

    Args:
        first: first-solved iterations, shape (problems, epochs); see ``arrays``.
        judge: same shape, as the labels of ``friction.friction``.
        people: same shape, ``RESISTANT``, ``OTHER_REASON`` or ``UNLABELLED``; the trials with both
            labels must be a random sample of the judge's.
        seed: of the draws.

    Returns:
        The estimates; ``nan`` in [0, 1] where no trial has both labels.

    Source: Hofer et al. (2024), Bayesian Prediction-Powered Inference, arXiv 2405.06034 (chain
    rule estimates); Angelopoulos et al. (2023), Science 382:669-674.
    """
    if not first.shape == judge.shape == people.shape:
        raise ValueError("trials, the judge's labels and people's must have one shape")
    first, judge, people = (each.reshape(len(first), -1) for each in (first, judge, people))
    present = first != MISSING
    unsolved = (first == UNSOLVED) & (judge != STOPPED)
    said = unsolved & (judge != UNLABELLED)
    both = said & (people != UNLABELLED)
    n = int(both.sum())
    if n == 0:
        nothing = Estimate(math.nan, 0.0, 1.0, 0)
        return Corrected(nothing, nothing, nothing, nothing, None)
    # Of the judge's labels that mean resistance and of the others: how many, and what people say.
    groups = [(judge == label) for label in (RESISTANT, OTHER_REASON)]
    weights = 1 / np.maximum(present.sum(axis=1), 1)
    of = partial(_Beta.of, weights=weights)
    marked = of(groups[0], said)
    kept = [of(people == RESISTANT, both & group) for group in groups]
    share_open = of(unsolved, present)
    solved = of(first >= 0, present & ~unsolved)
    later = of(first > 0, first >= 0)
    rng = np.random.default_rng(seed)
    first_mark = marked.draw(rng)
    resisted = first_mark * kept[0].draw(rng) + (1 - first_mark) * kept[1].draw(rng)
    left, ended = share_open.draw(rng), solved.draw(rng)
    distance, final = left * resisted, (1 - left) * ended
    gained = final * later.draw(rng)
    value = marked.share * kept[0].share + (1 - marked.share) * kept[1].share
    share, reached = share_open.share * value, (1 - share_open.share) * solved.share
    base = share + reached * later.share
    trials, plain = int(present.sum()), friction(first, judge)
    relative, taken_up = share / base if base else math.nan, distance / (distance + gained)
    return Corrected(
        _within(value, resisted, n, plain.resistance),
        _within(reached + share, final + distance, trials, plain.target),
        _within(share, distance, trials, plain.friction),
        _within(relative, taken_up, round(trials * base), plain.relative),
        _to_halve(share_open.share, marked.share, kept, float(distance.var()), int(said.sum())),
    )


@dataclass(frozen=True, slots=True)
class _Beta:
    """A share and its Jeffreys posterior."""

    share: float  # the share itself; one half of nothing
    hits: float  # successes, of as many independent trials as they are worth
    misses: float  # failures, of the same

    @classmethod
    def of(cls, hits: BoolArray, among: BoolArray, weights: FloatArray) -> _Beta:
        """The share of hits among some trials; ``weights`` of a trial, shape (problems,)."""
        counts = among.sum(axis=1)
        kept = counts > 0
        if not kept.any():
            return cls(0.5, 0.0, 0.0)
        found, whole = (weights * each.sum(axis=1) for each in (hits & among, among))
        share = min(1.0, float(found.sum() / whole.sum()))
        size = effective_size(share, *(each[kept].tolist() for each in (found, whole, counts)))
        return cls(share, share * size, (1 - share) * size)

    def draw(self, rng: np.random.Generator) -> FloatArray:
        """Draws from the posterior."""
        return rng.beta(self.hits + _PRIOR, self.misses + _PRIOR, DRAWS)

    @property
    def variance(self) -> float:
        """The posterior's variance."""
        a, b = self.hits + _PRIOR, self.misses + _PRIOR
        return a * b / ((a + b) ** 2 * (a + b + 1))


def _within(value: float, draws: FloatArray, n: int, plain: Estimate) -> Estimate:
    low, high = np.quantile(draws, TAILS).tolist()
    if not math.isnan(value):
        below, above = np.nan_to_num([plain.value - plain.low, plain.high - plain.value]).tolist()
        low, high = max(0.0, min(low, value - below)), min(1.0, max(high, value + above))
    return Estimate(value, low, high, n)


def _to_halve(
    unsolved: float, marked: float, kept: Sequence[_Beta], variance: float, most: int
) -> int | None:
    """Labels by people at which a quarter of the variance is left, if all are given to the sample.

    The part of it that people's labels are the cause of falls with their number, the rest stays.
    """
    shares = (marked, 1 - marked)
    own = unsolved**2 * sum(
        share**2 * each.variance for share, each in zip(shares, kept, strict=True)
    )
    rest = variance / 4 - max(0.0, variance - own)
    labelled = sum(each.hits + each.misses for each in kept)
    needed = labelled * own / rest if rest > 0 else math.inf
    return math.ceil(needed) if needed <= most else None
