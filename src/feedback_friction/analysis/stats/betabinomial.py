"""Limits of a share of clustered trials that hold when few clusters have any success.

The variance between clusters cannot be read off a handful of successes: one success among 30
problems of 64 trials looks like independent trials, and the next problem may be solved 64 times.
So how alike the trials of a problem are (the intraclass correlation) is integrated out, not
estimated. By the standard library alone.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from feedback_friction.analysis.stats.intervals import LEVEL, Interval

_SHARES, _LIKENESSES = 48, 14  # nodes of the grid, which is refined once
_NEGLIGIBLE = 1e-6


class _Likeness(NamedTuple):
    """A node of the intraclass correlation r, with ``(1 - r) / r`` and the prior's mass."""

    correlation: float
    size: float
    log_mass: float


class Mean(NamedTuple):
    """The mean chance of success over clusters."""

    limits: Interval  # of the chance
    correlation: float  # posterior mean of the intraclass correlation


def mean_chance(counts: Mapping[tuple[float, float], int], level: float = LEVEL) -> Mean:
    """The mean chance of success over clusters, and how alike the trials of a cluster are.

    The chance differs from cluster to cluster by a beta distribution with mean p and intraclass
    correlation r, so that successes are beta-binomial. Both have Jeffreys' prior of a share, the
    arcsine distribution, and the limits are the quantiles of p's posterior. The lower one is,
    where that is less, the quantile ``1 - level`` with the prior ``1 / p`` in the place of
    Jeffreys': Brown, Cai and DasGupta's modification for rare successes. The upper limit is its
    mirror image. Without a success the lower limit is 0, without a failure the upper one is 1.

    Args:
        counts: how many clusters have so many (successes, trials); trials above 0. Neither need
            be whole.
        level: confidence level.

    Source: Skellam (1948), JRSS B 10:257-261 (beta-binomial); Saha and Wang (2019), Communications
    in Statistics 48:2836-2854 (intervals of its mean); Brown, Cai and DasGupta (2001), Statistical
    Science 16:101-133, section 4.1.2.
    """
    return _mean_chance(tuple(sorted(counts.items())), level)


@lru_cache(maxsize=4096)
def _mean_chance(counts: tuple[tuple[tuple[float, float], int], ...], level: float) -> Mean:
    table = Counter(dict(counts))
    angles, grid = _posterior(table, 0.0, math.pi / 2)
    masses = [math.fsum(row) for row in grid]
    kept = [i for i, mass in enumerate(masses) if mass > _NEGLIGIBLE * max(masses)]
    step = angles[1] - angles[0]
    low, high = angles[kept[0]] - 1.5 * step, angles[kept[-1]] + 1.5 * step
    angles, grid = _posterior(table, max(0.0, low), min(math.pi / 2, high))
    masses = [math.fsum(row) for row in grid]
    tail = (1 - level) / 2
    rare = [mass / math.tan(angle) for angle, mass in zip(angles, masses, strict=True)]
    usual = [mass * math.tan(angle) for angle, mass in zip(angles, masses, strict=True)]
    least = min(_quantile(angles, masses, tail), _quantile(angles, rare, 2 * tail))
    most = max(_quantile(angles, masses, 1 - tail), _quantile(angles, usual, 1 - 2 * tail))
    successes = math.fsum(x * count for (x, _), count in counts)
    failures = math.fsum((m - x) * count for (x, m), count in counts)
    limits = Interval(
        math.sin(least) ** 2 if successes > 0 else 0.0, math.sin(most) ** 2 if failures > 0 else 1.0
    )
    alike = math.fsum(
        mass * each.correlation for row in grid for mass, each in zip(row, _LIKE, strict=True)
    )
    return Mean(limits, alike / math.fsum(masses))


def _posterior(
    counts: Mapping[tuple[float, float], int], low: float, high: float
) -> tuple[list[float], list[list[float]]]:
    """Nodes of the angle whose squared sine is the share, and the mass at each and each ``_LIKE``.

    The mass is that of the posterior but for a factor.
    """
    step = (high - low) / _SHARES
    angles = [low + (i + 0.5) * step for i in range(_SHARES)]
    hits, misses, sizes = Counter[float](), Counter[float](), Counter[float]()
    for (x, m), count in counts.items():
        hits[x] += count
        misses[m - x] += count
        sizes[m] += count
    known = [each.log_mass - _log_rising(each.size, sizes) for each in _LIKE]
    logs = [
        [
            base
            + _log_rising(each.size * math.sin(angle) ** 2, hits)
            + _log_rising(each.size * math.cos(angle) ** 2, misses)
            for each, base in zip(_LIKE, known, strict=True)
        ]
        for angle in angles
    ]
    most = max(map(max, logs))
    return angles, [[math.exp(each - most) for each in row] for row in logs]


def _log_rising(base: float, steps: Mapping[float, int]) -> float:
    """Sum over the steps x, each so many times, of ``log (base (base + 1) ... (base + x - 1))``."""
    start, lgamma = math.lgamma(base), math.lgamma
    return sum([count * (lgamma(base + x) - start) for x, count in steps.items() if x])


def _likenesses() -> list[_Likeness]:
    """Nodes of the arcsine distribution, closer together where the correlation is small."""
    nodes = []
    for i in range(_LIKENESSES):
        at = (i + 0.5) / _LIKENESSES
        correlation = math.sin(math.pi / 2 * at * at) ** 2
        nodes.append(_Likeness(correlation, (1 - correlation) / correlation, math.log(at)))
    return nodes


_LIKE = _likenesses()


def _quantile(angles: Sequence[float], masses: Sequence[float], share: float) -> float:
    """The angle below which so much of the mass lies, each node's being spread over its cell."""
    step = angles[1] - angles[0]
    left = share * math.fsum(masses)
    for angle, mass in zip(angles, masses, strict=True):
        if left <= mass:
            return angle + (left / mass - 0.5) * step
        left -= mass
    return angles[-1] + step / 2
