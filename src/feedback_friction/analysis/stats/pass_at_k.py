"""pass@k from n samples of each problem, and the share of problems that any sample solves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from feedback_friction.analysis.stats.arrays import IntArray
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.analysis.stats.proportions import clustered


def pass_at_k(correct: IntArray, samples: IntArray, k: int, level: float = 0.95) -> Estimate:
    """Chance that at least one of k samples is correct, averaged over problems.

    For a problem with c correct among n samples ``1 - C(n - c, k) / C(n, k)``, the unbiased
    estimator; with k = n it is coverage: the share of problems solved by any sample. The interval
    is Wilson's with an effective number of problems (``clusters.clustered_share``), since
    the problems' values lie between 0 and 1 and vary no more than single trials would.

    Args:
        correct: shape (problems,): number of correct samples.
        samples: shape (problems,): number of samples, each at least k.
        k: number of samples that are looked at, at least 1.
        level: confidence level.

    Returns:
        The mean, n being the number of problems; ``nan`` in [0, 1] without problems.

    Raises:
        ValueError: k below 1 or above a problem's number of samples, or correct outside 0..samples.

    Source: Chen et al. (2021), arXiv 2107.03374, equation 1.
    """
    if correct.shape != samples.shape:
        raise ValueError("correct and samples must have one shape")
    if k < 1 or np.any(samples < k):
        raise ValueError(f"k must lie between 1 and the number of samples, got {k}")
    if np.any(correct < 0) or np.any(correct > samples):
        raise ValueError("the number correct must lie between 0 and the number of samples")
    all_wrong = np.ones(len(correct))
    for drawn in range(k):
        all_wrong *= np.maximum(samples - correct - drawn, 0) / (samples - drawn)
    # n samples hold at most n / k independent draws of k.
    found = clustered(1 - all_wrong, np.ones(len(correct)), samples / k, level)
    return replace(found, n=len(correct))
