"""Two conditions compared problem by problem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from feedback_friction.analysis.stats.arrays import MISSING, FloatArray, IntArray
from feedback_friction.analysis.stats.clusters import Within, by_cluster
from feedback_friction.analysis.stats.differences import (
    Discordance,
    Pairs,
    discordance,
    mcnemar,
    mean_difference,
)
from feedback_friction.analysis.stats.intervals import Estimate, Interval


@dataclass(frozen=True, slots=True)
class Comparison:
    """Treatment minus control on the problems that both have."""

    # of accuracy, with its score interval; n is the number of problems compared
    difference: Estimate
    pairs: Pairs | None  # who solved what; None with several epochs
    # two-sided: McNemar's mid-p with one epoch, the sign-flip permutation test with several; with
    # clusters, that of the sums of their differences
    p_value: float
    missing: int  # number of problems without a trial in one of the two conditions, or in both
    discordance: Discordance | None  # the pairs that the difference stands on; None without any

    def p_beyond(self, expected: Interval) -> float:
        """Two-sided, that the difference lies in a range.

        ``p_value`` where the range is 0 alone, else the score test of its nearer end.
        """
        if self.discordance is None or expected.low == expected.high == 0:
            return self.p_value
        return self.discordance.p_value(expected.low, expected.high)


def compare(
    treatment: IntArray,
    control: IntArray,
    rng: np.random.Generator,
    resamples: int = 10_000,
    clusters: Within = None,
) -> Comparison:
    """Compare by problem what two conditions solved at all.

    With several epochs a problem's accuracy is its mean over the epochs it has, and every problem
    counts the same. Problems without a trial in one of the conditions are left out and counted.

    Args:
        treatment: first-solved iterations, shape (problems, epochs); see ``arrays``.
        control: the same problems in the same order; the number of epochs may differ.
        rng: draws, with several epochs, the permutations.
        resamples: number of permutations.

    Raises:
        ValueError: the conditions have different numbers of problems.
    """
    if len(treatment) != len(control):
        counts = f"{len(treatment)} and {len(control)}"
        raise ValueError(f"conditions with {counts} problems are not paired")
    means, trials = _solved(treatment)
    others, other_trials = _solved(control)
    kept = (trials > 0) & (other_trials > 0)
    gaps, epochs = (means - others)[kept], np.maximum(trials, other_trials)[kept].tolist()
    pairs = count_pairs(means[kept], others[kept]) if {*epochs} <= {1} else None
    within = [None] * len(kept) if clusters is None else list(clusters)
    within = [each for each, is_kept in zip(within, kept.tolist(), strict=True) if is_kept]
    if pairs is None or any(each is not None for each in within):
        p_value = sign_flip(_sums(gaps, within), rng, resamples)
    else:
        p_value = mcnemar(pairs.treatment, pairs.control)
    return Comparison(
        mean_difference(gaps.tolist(), epochs, within),
        pairs,
        p_value,
        len(kept) - int(np.sum(kept)),
        discordance(gaps.tolist(), epochs, within) if len(gaps) else None,
    )


def _sums(gaps: FloatArray, clusters: Sequence[str | None]) -> FloatArray:
    """The differences added up by cluster; those of no cluster by themselves."""
    units = (place if cluster is None else cluster for place, cluster in enumerate(clusters))
    groups = by_cluster(zip(units, gaps.tolist(), strict=True)).values()
    return np.array([sum(each) for each in groups])


def _solved(first: IntArray) -> tuple[FloatArray, FloatArray]:
    """The share of each problem's trials that are solved, and how many it has."""
    table = first.reshape(len(first), -1)
    epochs = (table != MISSING).sum(axis=1).astype(np.float64)
    return (table >= 0).sum(axis=1) / np.where(epochs > 0, epochs, np.nan), epochs


def count_pairs(treatment: FloatArray, control: FloatArray) -> Pairs:
    """Count the problems by who solved them; both arrays hold 0 and 1, shape (problems,)."""
    won, lost = treatment > 0.5, control > 0.5
    return Pairs(
        both=int(np.sum(won & lost)),
        treatment=int(np.sum(won & ~lost)),
        control=int(np.sum(~won & lost)),
        neither=int(np.sum(~won & ~lost)),
    )


def sign_flip(gaps: FloatArray, rng: np.random.Generator, resamples: int = 10_000) -> float:
    """Two-sided permutation test that the problems' differences are centred on 0.

    If the conditions are exchangeable within problems, the sign of every difference is a fair coin:
    the p-value is the share of sign assignments with a mean at least as far from 0, the observed
    one included, so that it is never 0. Equal sizes are flipped together (their positive ones are
    binomial). With differences of -1, 0 and 1 it approaches McNemar's exact test.

    Args:
        gaps: shape (problems,): differences of the problems' means.
        rng: draws the signs.
        resamples: number of sign assignments.

    Returns:
        The p-value; 1 when nothing differs.

    Source: Edgington and Onghena (2007), Randomization Tests, chapter 5; Phipson and Smyth (2010),
    Statistical Applications in Genetics and Molecular Biology 9:39 (the observed one included).
    """
    # Rounding keeps sizes equal that differ only by the order of a sum.
    sizes, counts = np.unique(np.round(np.abs(gaps[gaps != 0]), 12), return_counts=True)
    if not len(sizes):
        return 1.0
    observed = abs(float(np.sum(gaps)))
    positive = rng.binomial(counts, 0.5, size=(resamples, len(counts)))
    sums = np.abs((2 * positive - counts) @ sizes)
    return float((1 + np.sum(sums >= observed - 1e-9)) / (1 + resamples))
