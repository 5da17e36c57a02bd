"""The beta-binomial posterior over arrays: what makes the benchmark of coverage affordable.

The program sums it by the standard library, so that the default install can show it. With 64 trials
of each of 450 problems that takes a hundred times as long as its arrays do, and the benchmark
needs it some hundred thousand times. ``agrees`` holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
from scipy import special

from feedback_friction.analysis.stats import betabinomial

Counts = Mapping[tuple[float, float], int]
Posterior = tuple[list[float], list[list[float]]]
_by_sums = betabinomial._posterior


def by_arrays(counts: Counts, low: float, high: float) -> Posterior:
    """What ``betabinomial._posterior`` returns."""
    nodes = betabinomial._SHARES
    angles = low + (np.arange(nodes) + 0.5) * (high - low) / nodes
    size = np.array([each.size for each in betabinomial._LIKE])
    logs = np.array([each.log_mass for each in betabinomial._LIKE])
    cells = np.array([(*cell, count) for cell, count in counts.items()]).T
    successes, trials, many = cells
    logs = (
        logs
        + _log_rising(size * np.sin(angles)[:, np.newaxis] ** 2, successes, many)
        + _log_rising(size * np.cos(angles)[:, np.newaxis] ** 2, trials - successes, many)
        - _log_rising(size, trials, many)
    )
    return angles.tolist(), np.exp(logs - logs.max()).tolist()


def _log_rising(base: np.ndarray, steps: np.ndarray, many: np.ndarray) -> np.ndarray:
    """Sum over the steps x, each so many times, of ``log (base (base + 1) ... (base + x - 1))``."""
    whole = np.rint(steps).astype(np.int64)
    if np.abs(whole - steps).max() > 1e-9 or whole.max() > 256:
        rising = special.gammaln(base[..., np.newaxis] + steps) - special.gammaln(base)[..., None]
        return np.asarray(rising @ many)
    # How many clusters go beyond each step: every factor is taken once for all of them.
    beyond = np.bincount(whole, many, whole.max() + 1)[::-1].cumsum()[::-1][1:]
    factors = np.flatnonzero(beyond)
    return np.asarray(np.log(base[..., np.newaxis] + factors) @ beyond[factors])


@contextmanager
def arrays() -> Iterator[None]:
    """Within it the program's limits come from arrays."""
    betabinomial._posterior = by_arrays
    try:
        yield
    finally:
        betabinomial._posterior = _by_sums


def agrees(counts: Counts) -> bool:
    """Whether both ways give the same limits, but for rounding."""
    found = []
    for posterior in (_by_sums, by_arrays):
        betabinomial._mean_chance.cache_clear()
        betabinomial._posterior = posterior
        found.append(betabinomial.mean_chance(counts).limits)
    betabinomial._posterior = _by_sums
    pairs = zip((found[0].low, found[0].high), (found[1].low, found[1].high), strict=True)
    return all(abs(one - other) < 1e-8 for one, other in pairs)
