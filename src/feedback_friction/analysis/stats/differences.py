"""The difference of two conditions on the same problems, with its interval and its test.

Both conditions met the same problems, so a hard problem counts against both: the difference within
problems varies less than the difference of two independent shares. By the standard library alone,
so that the default install can print it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import NormalDist
from typing import NamedTuple

from feedback_friction.analysis.stats.clusters import (
    ROUNDING,
    Within,
    clustered_share,
    student_value,
)
from feedback_friction.analysis.stats.intervals import Estimate, Interval, z_value

_FEW = 5  # problems that differ alike: fewer tell no variance
_HALVINGS = 60  # of an interval of length 2: the limits are exact to 2e-18


@dataclass(frozen=True, slots=True)
class Pairs:
    """Numbers of problems by who solved them, with one trial per problem and condition."""

    both: int  # solved under treatment and under control
    treatment: int  # solved under treatment only
    control: int  # solved under control only
    neither: int  # solved under neither

    @property
    def n(self) -> int:
        """Number of problems."""
        return self.both + self.treatment + self.control + self.neither

    @property
    def difference(self) -> float:
        """Share solved under treatment minus share solved under control; ``nan`` without pairs."""
        return (self.treatment - self.control) / self.n if self.n else math.nan


@dataclass(frozen=True, slots=True)
class Discordance:
    """How many pairs of trials a paired difference stands on, and how they differ."""

    # number of pairs; with several trials a problem, of independent pairs that they are worth
    n: float
    more: float  # share of pairs that the treatment alone solves
    less: float  # share that the control alone solves

    @property
    def difference(self) -> float:
        """Treatment minus control."""
        return self.more - self.less

    def score(self, difference: float) -> float:
        """Tango's statistic of a hypothetical difference; standard normal where it is the true one.

        ``(b - c - n d) / sqrt(n (2 q + d (1 - d)))``, q being the share of control-only pairs that
        is most likely at d.

        Source: Tango (1998), Statistics in Medicine 17:891-908, section 3.
        """
        d = difference
        linear = (2 - self.more + self.less) * d - self.more - self.less
        inner = max(0.0, linear**2 + 8 * self.less * d * (1 - d))
        variance = ((math.sqrt(inner) - linear) / 2 + d * (1 - d)) / self.n
        gap = self.difference - d
        if variance <= 0:
            return math.copysign(math.inf, gap) if gap else 0.0
        return gap / math.sqrt(variance)

    def interval(self) -> Interval:
        """All differences whose score lies within the normal quantiles.

        It leaves out 0 exactly when McNemar's asymptotic test rejects.
        """
        z, value, end = z_value(), self.difference, 1 - 1e-9  # no variance at the ends
        low = high = value
        if value > -end:
            below = self.score(-end) > z
            low = _crossing(lambda d: self.score(d) > z, -end, value) if below else -1.0
        if value < end:
            above = self.score(end) < -z
            high = _crossing(lambda d: self.score(d) >= -z, value, end) if above else 1.0
        return Interval(low, high)

    def p_value(self, low: float = 0.0, high: float = 0.0) -> float:
        """Two-sided score test that the true difference lies from ``low`` to ``high``.

        The largest p-value of any difference in that range: 1 where the observed one is in it.
        """
        if low <= self.difference <= high or not self.n:
            return 1.0
        nearest = low if self.difference < low else high
        return min(1.0, 2 * NormalDist().cdf(-abs(self.score(nearest))))


def _crossing(holds: Callable[[float], bool], low: float, high: float) -> float:
    """The point between ``low`` and ``high`` up to which a condition holds, by bisection."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return (low + high) / 2


class _Unit(NamedTuple):
    """What was sampled: a problem, or a cluster of them, with the sums over its problems."""

    more: float  # more, less: of the positive parts of the differences, and of the negative ones
    less: float
    weight: float  # problems
    trials: float  # epochs behind the differences


def _units(gaps: Sequence[float], trials: Sequence[float], clusters: Within) -> list[_Unit]:
    problems = [
        _Unit(max(gap, 0.0), max(-gap, 0.0), 1.0, count)
        for gap, count in zip(gaps, trials, strict=True)
    ]
    shared: dict[str, list[_Unit]] = {}
    alone = []
    for problem, cluster in zip(problems, clusters or [None] * len(problems), strict=True):
        if cluster is None:
            alone.append(problem)
        else:
            shared.setdefault(cluster, []).append(problem)
    return alone + [_Unit(*map(math.fsum, zip(*each, strict=True))) for each in shared.values()]


def discordance(
    gaps: Sequence[float], trials: Sequence[float], clusters: Within = None
) -> Discordance:
    """The pairs that the problems' differences are worth; see ``mean_difference``.

    Raises:
        ValueError: there are no problems.
    """
    if not len(gaps):
        raise ValueError("no problem has trials under both conditions")
    return _discordance(_units(gaps, trials, clusters))


def _discordance(units: Sequence[_Unit]) -> Discordance:
    problems, count = math.fsum(unit.weight for unit in units), len(units)
    more = math.fsum(unit.more for unit in units) / problems
    less = math.fsum(unit.less for unit in units) / problems
    mean = more - less
    least = size = problems**2 / math.fsum(unit.weight**2 for unit in units)
    residual = math.fsum((unit.more - unit.less - mean * unit.weight) ** 2 for unit in units)
    if count > 1 and residual > ROUNDING:
        variance = count / (count - 1) * residual / problems**2
        student = z_value() / student_value(count - 1)
        size = (more + less - mean**2) / variance * student**2
    return Discordance(min(max(size, least), math.fsum(u.trials for u in units)), more, less)


def mean_difference(
    gaps: Sequence[float], trials: Sequence[float], clusters: Within = None
) -> Estimate:
    """Mean of the problems' differences with a score interval that holds with few differences, too.

    Of the intervals tried (percentile and BCa bootstrap, Student, Newcombe, this one) it alone kept
    its level when hardly any problem differs: with none differing among 30, resampling gives a
    width of 0. With one trial per problem and condition it is Tango's interval. With more, the
    problems are worth ``n* = n (d+ + d- - d^2) / s^2 * (z / t)^2`` pairs of single trials, where d+
    and d- are the mean positive and negative parts, d their difference and s^2 the variance of the
    problems' differences; n* lies between the number of problems and the number of trials. Tango's
    interval is then computed from n* pairs with shares d+ and d- of discordant ones. A variance
    cannot be read off a few problems that differ: while they are worth fewer than five that differ
    alike, ``(sum |d|)^2 / sum d^2``, each limit is the wider of this and of the square-and-add of
    the beta-binomial limits of d+ and d-, with their correlation.

    Problems that share a cluster were not sampled one by one: their differences are added up, and
    the variance is that of the clusters' sums about the mean, ``C / (C - 1) sum (g_c - d w_c)^2 /
    n^2``; n* then lies between what clusters of perfectly alike problems are worth,
    ``n^2 / sum w_c^2``, and the number of trials.

    Args:
        gaps: for each problem, treatment minus control, from -1 to 1.
        trials: for each problem, the epochs behind its difference.

    Returns:
        The mean difference, n being the number of problems; ``nan`` in [-1, 1] without problems.

    Source: Tango (1998), Statistics in Medicine 17:891-908; the effective number of pairs follows
    Korn and Graubard (1998), Survey Methodology 24:193-201, as in ``clusters.clustered_share``;
    Zou and Donner (2008), Statistics in Medicine 27:1693-1702 (limits from those of the parts).
    """
    if not len(gaps):
        return Estimate(math.nan, -1.0, 1.0, 0)
    units = _units(gaps, trials, clusters)
    found = _discordance(units)
    limits = found.interval()
    several = any(unit.weight > 1 or 1 < unit.trials < math.inf for unit in units)
    if several and _few_differ([unit.more - unit.less for unit in units]):
        apart = _square_and_add(units)
        limits = Interval(min(limits.low, apart.low), max(limits.high, apart.high))
    return Estimate(found.difference, *limits, len(gaps))


def _few_differ(gaps: Sequence[float]) -> bool:
    total = math.fsum(abs(gap) for gap in gaps)
    return total**2 < _FEW * math.fsum(gap * gap for gap in gaps) or total == 0


def _square_and_add(units: Sequence[_Unit]) -> Interval:
    """Limits of the mean gap from those of its positive and of its negative part.

    Only one part of a problem's gap is not 0, so that the parts are negatively correlated.
    """
    weights = [unit.weight for unit in units]
    trials = [unit.trials if unit.trials < math.inf else unit.weight for unit in units]
    parts = [[unit.more for unit in units], [unit.less for unit in units]]
    more, less = (clustered_share(part, weights, trials) for part in parts)
    above, below = (
        [each - share.value * weight for each, weight in zip(part, weights, strict=True)]
        for part, share in zip(parts, (more, less), strict=True)
    )
    product = math.sqrt(_products(above, above) * _products(below, below))
    together = _products(above, below) / product if product > 0 else 0.0
    correlation = min(max(-1.0, together), 0.0)

    def reach(one: float, other: float) -> float:
        return math.sqrt(max(0.0, one**2 + other**2 - 2 * correlation * one * other))

    value = more.value - less.value
    down = reach(more.value - more.low, less.high - less.value)
    up = reach(more.high - more.value, less.value - less.low)
    return Interval(max(-1.0, value - down), min(1.0, value + up))


def _products(one: Sequence[float], other: Sequence[float]) -> float:
    return math.fsum(x * y for x, y in zip(one, other, strict=True))


def mcnemar(treatment: int, control: int) -> float:
    """McNemar's two-sided mid-p value, exact; it keeps its level closely.

    Given n discordant pairs the smaller count is binomial (n, 1/2) under the null hypothesis:
    ``mid-p = 2 P(X <= x) - P(X = x)``, 1 without discordant pairs.

    Args:
        treatment: number of pairs solved under treatment only.
        control: number of pairs solved under control only.

    Raises:
        ValueError: a negative count.

    Source: Fagerland, Lydersen and Laake (2013), BMC Medical Research Methodology 13:91.
    """
    if treatment < 0 or control < 0:
        raise ValueError(f"counts cannot be negative, got {treatment} and {control}")
    n, fewer = treatment + control, min(treatment, control)
    if n == 0:
        return 1.0
    ways = below = 1
    for count in range(fewer):
        ways = ways * (n - count) // (count + 1)
        below += ways
    equal = 2 * fewer == n  # both tails hold the middle then
    return float(1 - Fraction(ways, 2 ** (n + 1)) if equal else Fraction(2 * below - ways, 2**n))


def subtracted(one: Estimate, other: Estimate) -> Estimate:
    """One estimate minus another, with limits from those of both, as if they were independent.

    Source: Zou and Donner (2008), Statistics in Medicine 27:1693-1702, which for two shares is
    Newcombe (1998), Statistics in Medicine 17:873-890, method 10.
    """
    value = one.value - other.value
    low = value - math.hypot(one.value - one.low, other.high - other.value)
    high = value + math.hypot(one.high - one.value, other.value - other.low)
    if math.isnan(value):
        return Estimate(math.nan, -1.0, 1.0, 0)
    return Estimate(value, max(low, -2.0), min(high, 2.0), min(one.n, other.n))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm's step-down correction: adjusted p-values in the order given.

    The i-th smallest of m is multiplied by ``m - i + 1``; the results are made monotone and capped
    at 1. Rejecting those at or below alpha keeps the family-wise error rate at alpha under any
    dependence. A comparison that could not be made (``nan``) stays ``nan`` and is not counted.

    Raises:
        ValueError: a p-value outside 0..1.

    Source: Holm (1979), Scandinavian Journal of Statistics 6:65-70.
    """
    tested = sorted((p, i) for i, p in enumerate(p_values) if not math.isnan(p))
    if any(not 0 <= p <= 1 for p, _ in tested):
        raise ValueError("p-values must lie between 0 and 1")
    adjusted, running = [math.nan] * len(p_values), 0.0
    for rank, (p, i) in enumerate(tested):
        running = max(running, min(1.0, (len(tested) - rank) * p))
        adjusted[i] = running
    return tuple(adjusted)
