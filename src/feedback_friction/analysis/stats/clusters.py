"""Shares of clustered trials with their intervals, by the standard library alone.

Several epochs of one problem are not independent trials: the problem is the unit that was sampled.
``clustered_share`` asks how many independent trials the clustered ones are worth, and how alike
they may be where too few are solved to tell. The default install shows it, and so do reports: sums
are exact (``math.fsum``), so that the order of the problems makes no difference either.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TypeVar

from feedback_friction.analysis.stats.betabinomial import mean_chance
from feedback_friction.analysis.stats.intervals import (
    LEVEL,
    Estimate,
    Interval,
    modified_wilson,
    z_value,
)

_MOST_STEPS = 100
ROUNDING = 1e-20  # a sum of squares below it is 0 but for rounding
# For each problem what it shares with others, None where it shares nothing; None if none do.
Within = Sequence[str | None] | None
_Name = TypeVar("_Name", bound=Hashable)


def clustered_share(
    successes: Iterable[float],
    weights: Iterable[float],
    trials: Iterable[float] | None = None,
    level: float = LEVEL,
) -> Estimate:
    """The share ``sum(successes) / sum(weights)`` with limits that allow for clusters.

    The variance of the ratio comes from the clusters' residuals,
    ``v = C / (C - 1) * sum((x_c - p w_c)^2) / sum(w)^2``; the trials are worth
    ``n* = p (1 - p) / v * (z / t)^2`` independent ones, t being Student's quantile with C - 1
    degrees of freedom, and the interval is ``modified_wilson`` with n* trials. n* is kept between
    what perfectly dependent and what independent trials within clusters would be worth. With one
    trial in every cluster that is the interval of independent trials.

    With more, a variance cannot be read off a few clusters with a success: alone these limits
    cover 63% where 3% of 30 problems can be solved at all. Each limit is therefore the wider of
    this and ``betabinomial``'s, which integrates the likeness of a cluster's trials out, and is
    that one's alone where there is no success, or no failure, and hence no variance.

    Args:
        successes: for each cluster, the sum of its outcomes, 0 to its weight; lists or arrays.
        weights: for each cluster, its share in the denominator; its number of trials for a share
            of trials, 1 for a mean over clusters. Clusters of weight 0 are left out.
        trials: for each cluster, the number of trials behind the weight; by default the weights.
        level: confidence level.

    Returns:
        The estimate, n being the number of trials; ``nan`` in [0, 1] without any.

    Raises:
        ValueError: lengths differ, successes outside 0..weight, or a level outside (0, 1).

    Source: Korn and Graubard (1998), Survey Methodology 24:193-201 (effective sample size and the
    Student correction); Dean and Pagano (2015), Journal of Survey Statistics and Methodology
    3:484-503 (Wilson's interval with it).
    """
    return share_of_cells(_cells(successes, weights, weights if trials is None else trials), level)


def by_cluster(outcomes: Iterable[tuple[_Name, float]]) -> dict[_Name, list[float]]:
    """The outcomes of trials by the name of their cluster, in order of appearance."""
    found: dict[_Name, list[float]] = {}
    for cluster, value in outcomes:
        found.setdefault(cluster, []).append(value)
    return found


def cluster_means(outcomes: Iterable[tuple[_Name, float]]) -> tuple[list[float], list[float]]:
    """The mean of each cluster's outcomes, and how many it has, in order of appearance."""
    groups = by_cluster(outcomes).values()
    return [math.fsum(each) / len(each) for each in groups], [float(len(each)) for each in groups]


def share_of_trials(outcomes: Iterable[tuple[Hashable, float]]) -> Estimate:
    """``clustered_share`` of single trials, all weighing the same.

    Args:
        outcomes: for each trial, the name of its cluster and what came of it, 0 to 1.
    """
    groups = by_cluster(outcomes).values()
    return clustered_share([math.fsum(each) for each in groups], [len(each) for each in groups])


def share_of_problems(
    outcomes: Iterable[tuple[str, float]], clusters: Mapping[str, str] | None = None
) -> Estimate:
    """``clustered_share`` of problems that weigh the same, however many trials each has.

    Args:
        outcomes: for each trial, its problem and what came of it, 0 to 1.
        clusters: by problem, what it shares with others.
    """
    within = clusters or {}
    return share_of_cells(
        merged_cells(
            ((math.fsum(each) / len(each), 1.0, float(len(each))), within.get(problem), 1)
            for problem, each in by_cluster(outcomes).items()
        )
    )


Cell = tuple[float, float, float]  # successes, weight and trials of a cluster


def share_of_cells(cells: Counter[Cell], level: float = LEVEL) -> Estimate:
    """``clustered_share`` of clusters that are counted by their successes, weight and trials.

    Raises:
        ValueError: successes outside 0..weight, or a level outside (0, 1).
    """
    cells = Counter({cell: count for cell, count in cells.items() if cell[1] > 0})
    if any(x < 0 or x > w * (1 + 1e-12) for x, w, _ in cells):
        raise ValueError("the successes of a cluster must lie between 0 and its weight")
    if not cells:
        z_value(level)
        return Estimate(math.nan, 0.0, 1.0, 0)
    total = math.fsum(count * w for (_, w, _), count in cells.items())
    share = min(1.0, math.fsum(count * x for (x, _, _), count in cells.items()) / total)
    size = _size(share, cells, level)
    limits = modified_wilson(share * size, size, level)
    if any(m > 1 for _, _, m in cells):
        chance = _chance(share, cells, level)
        wider = Interval(min(limits.low, chance.low), max(limits.high, chance.high))
        limits = chance if share in (0.0, 1.0) else wider
    trials_in_all = math.fsum(count * m for (_, _, m), count in cells.items())
    return Estimate(share, *limits, round(trials_in_all))


Merged = tuple[Cell, str | None, int]  # of a kind of problem: its cell, its cluster, its number


def merged_cells(cells: Iterable[Merged]) -> Counter[Cell]:
    """Cells of problems as cells of what was sampled: those of one cluster become one.

    Args:
        cells: of each kind of problem, its cell, its cluster (None: the problem itself is what was
            sampled) and how many such problems there are.
    """
    found = Counter[Cell]()
    shared: dict[str, list[Cell]] = {}
    for (x, w, m), cluster, count in cells:
        if cluster is None:
            found[x, w, m] += count
        elif w > 0:
            shared.setdefault(cluster, []).append((count * x, count * w, count * m))
    for parts in shared.values():
        x, w, m = (math.fsum(each) for each in zip(*parts, strict=True))
        found[x, w, m] += 1
    return found


def _chance(share: float, cells: Counter[Cell], level: float) -> Interval:
    """The beta-binomial limits, moved to where the share is.

    They are of the mean over clusters, each weighing more the more it tells. Where that is not what
    the share is of (a share of trials, of which hard problems have more), their log-odds are moved
    by the difference of the two estimates'.
    """
    counts = Counter[tuple[float, float]]()
    for (x, w, m), count in cells.items():
        counts[min(x / w, 1.0) * m, m] += count
    found = mean_chance(counts, level)
    weights = {m: m / (1 + (m - 1) * found.correlation) for _, m in counts}
    total = math.fsum(count * weights[m] for (_, m), count in counts.items())
    middle = math.fsum(count * weights[m] * x / m for (x, m), count in counts.items()) / total
    if not (0 < share < 1 and 0 < middle < 1):
        return found.limits
    factor = share / (1 - share) * (1 - middle) / middle
    low, high = (factor * limit / (1 - limit + factor * limit) for limit in found.limits)
    return Interval(min(low, share), max(high, share))


def worth(value: float, variance: float, clusters: int, n: int, most: float = math.inf) -> Estimate:
    """A share known with a variance, with the interval of as many independent trials.

    They are ``n* = p (1 - p) / v * (z / t)^2``, t being Student's quantile with the clusters less
    one as its degrees of freedom; the clusters where that is not defined.

    Args:
        value: the share.
        variance: its variance, from the clusters.
        clusters: how many there are.
        n: number of trials, for the estimate.
        most: what n* may be at most.

    Returns:
        The estimate; ``nan`` in [0, 1] without clusters.
    """
    if clusters == 0:
        return Estimate(math.nan, 0.0, 1.0, 0)
    size = float(clusters)
    if variance > ROUNDING and 0 < value < 1 and clusters > 1:
        student = (z_value() / student_value(clusters - 1)) ** 2
        size = min(value * (1 - value) / variance * student, most)
    return Estimate(value, *modified_wilson(value * size, size), n)


def effective_size(
    share: float, successes: Iterable[float], weights: Iterable[float], trials: Iterable[float]
) -> float:
    """How many independent trials the clustered ones are worth.

    Args:
        share: ``sum(successes) / sum(weights)``.
        successes: for each cluster, as in ``clustered_share``.
        weights: for each cluster, all positive.
        trials: for each cluster, all positive.
    """
    return _size(share, _cells(successes, weights, trials), LEVEL)


def _cells(
    successes: Iterable[float], weights: Iterable[float], trials: Iterable[float]
) -> Counter[Cell]:
    """How many clusters have the same successes, weight and trials; there are few such cells."""
    columns = (map(float, each) for each in (successes, weights, trials))
    return Counter(zip(*columns, strict=True))


def _size(share: float, cells: Counter[Cell], level: float) -> float:
    clusters = cells.total()
    total = math.fsum(count * w for (_, w, _), count in cells.items())
    dependent = total**2 / math.fsum(count * w * w for (_, w, _), count in cells.items())
    independent = total**2 / math.fsum(count * w * w / m for (_, w, m), count in cells.items())
    if clusters == 1 or share in (0.0, 1.0):
        return dependent
    residual = math.fsum(count * (x - share * w) ** 2 for (x, w, _), count in cells.items())
    if residual == 0.0:
        return independent
    variance = clusters / (clusters - 1) * residual / total**2
    correction = (z_value(level) / student_value(clusters - 1, level)) ** 2
    return min(max(share * (1 - share) / variance * correction, dependent), independent)


@lru_cache(maxsize=1024)
def student_value(degrees: int, level: float = LEVEL) -> float:
    """Two-sided quantile of Student's distribution: 2.776445 for 0.95 and 4 degrees of freedom.

    Found by Newton's method from the normal quantile. The distribution function is concave right
    of 0 and that quantile is too small, so that every step falls short of the root and none passes
    it.

    Args:
        degrees: degrees of freedom, a whole number from 1.
        level: confidence level.

    Raises:
        ValueError: a level outside (0, 1), or less than one degree of freedom.
    """
    value = z_value(level)
    if degrees < 1:
        raise ValueError(f"degrees of freedom must be at least 1, got {degrees}")
    if degrees == 1:
        return math.tan(math.pi / 2 * level)
    scale = math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2)
    for _ in range(_MOST_STEPS):
        tail = -(degrees + 1) / 2 * math.log1p(value**2 / degrees)
        density = 2 * math.exp(scale + tail) / math.sqrt(math.pi * degrees)
        step = (level - _student_within(value, degrees)) / density
        value += step
        if step <= 1e-15 * value:
            break
    return value


def _student_within(value: float, degrees: int) -> float:
    """The chance that Student's variable lies within -value and value.

    A finite sum for whole degrees of freedom: Abramowitz and Stegun (1964), 26.7.3 and 26.7.4.
    """
    angle = math.atan(value / math.sqrt(degrees))
    cosine_squared = degrees / (degrees + value**2)
    odd = degrees % 2
    term = math.cos(angle) if odd else 1.0
    terms = [term] if degrees > 1 else []
    for factor in range(2 + odd, degrees - 1, 2):
        term *= (factor - 1) / factor * cosine_squared
        terms.append(term)
    within = math.sin(angle) * math.fsum(terms)
    return 2 / math.pi * (angle + within) if odd else within
