"""An interval, an estimate that carries one, and Wilson's interval for a share.

Needs nothing outside the standard library, as ``clusters`` does, so that the default install can
show a table with its intervals.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import NamedTuple

LEVEL = 0.95  # confidence level of every interval, unless another is asked for
TAILS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)


class Interval(NamedTuple):
    """A confidence interval, ends included, in the unit of what it is an interval of."""

    low: float  # lower limit
    high: float  # upper limit, at least ``low``

    @property
    def width(self) -> float:
        """``high - low``."""
        return self.high - self.low

    def contains(self, value: float) -> bool:
        """True when the value lies between the limits or on one of them."""
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its confidence interval."""

    value: float  # the estimate; ``nan`` where there is nothing to estimate it from
    low: float  # lower confidence limit
    high: float  # upper confidence limit
    n: int  # number of observations behind it (trials, problems, pairs: the function says which)

    @property
    def interval(self) -> Interval:
        """The two limits."""
        return Interval(self.low, self.high)

    def as_json(self) -> dict[str, float | int | None]:
        """As an object of JSON, which knows no nan."""
        value = None if math.isnan(self.value) else self.value
        return {"value": value, "ci_low": self.low, "ci_high": self.high, "n": self.n}

    def percent(self, sign: str = "", unit: str = "") -> str:
        """In percent, as tables and sentences have it: ``12.5 [3.1, 20.0]``; - for nan."""
        if math.isnan(self.value):
            return "-"
        value, low, high = (100 * each for each in (self.value, self.low, self.high))
        return f"{value:{sign}.1f}{unit} [{low:{sign}.1f}, {high:{sign}.1f}]"

    def decimals(self) -> str:
        """What is no share, with two decimals: ``1.25 [0.50, 2.00]``; - for nan."""
        value = "-" if math.isnan(self.value) else f"{self.value:.2f}"
        return f"{value} [{self.low:.2f}, {self.high:.2f}]"

    def columns(self, name: str) -> dict[str, float | None]:
        """As three columns of a table, the limits with ``_low`` and ``_high`` after the name."""
        value = None if math.isnan(self.value) else self.value
        return {name: value, f"{name}_low": self.low, f"{name}_high": self.high}


def z_value(level: float = LEVEL) -> float:
    """Two-sided standard normal quantile: 1.959964 for a level of 0.95.

    Raises:
        ValueError: the level is not strictly between 0 and 1.
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, got {level}")
    return NormalDist().inv_cdf((1 + level) / 2)


def wilson(successes: float, n: float, level: float = LEVEL) -> Interval:
    """Wilson's score interval for a share: all p with ``|p^ - p| <= z sqrt(p (1 - p) / n)``.

    Args:
        successes: number of successes, 0 to n; with an effective sample size, ``p^ * n``, which
            need not be whole.
        n: number of trials, or an effective sample size; 0 gives the interval from 0 to 1.

    Returns:
        Limits within 0 and 1. At 0 successes the lower limit is 0 and the upper one
        ``z^2 / (n + z^2)``; at n successes it is the mirror image.

    Raises:
        ValueError: successes outside 0..n, or a level outside (0, 1).

    Source: Wilson (1927), JASA 22:209-212; Brown, Cai and DasGupta (2001), Statistical Science
    16:101-133, section 3.1.1.
    """
    z = z_value(level)
    if not 0 <= successes <= n:
        raise ValueError(f"successes must lie between 0 and n, got {successes} of {n}")
    if n == 0:
        return Interval(0.0, 1.0)
    share = successes / n
    centre = (successes + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * math.sqrt(n * share * (1 - share) + z * z / 4)
    # At the ends the two terms cancel exactly in theory and nearly in floating point.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return Interval(min(low, share), max(high, share))


RARE = 3  # successes, or failures, up to which Wilson's limit is replaced


def modified_wilson(successes: float, n: float, level: float = LEVEL) -> Interval:
    """Wilson's interval, corrected where successes or failures are rare.

    Wilson's lower limit of one success among n is above ``0.17 / n``, so that its coverage falls to
    84% at smaller rates. At 3 successes or fewer, and a share of a third or less, the lower limit
    is therefore that rate at which a Poisson variable would reach the count with a chance of
    ``1 - level``, where that is lower; of 3 failures or fewer the upper limit is the mirror image.

    Args and errors as for ``wilson``.

    Source: Brown, Cai and DasGupta (2001), Statistical Science 16:101-133, section 4.1.1.
    """
    low, high = wilson(successes, n, level)
    failures = n - successes
    few = min(RARE, n / 3) * (1 + 1e-9)  # a count may come as a share of a size
    if 0 < successes <= few:
        low = min(low, _poisson_rate(successes, 1 - level) / n)
    if 0 < failures <= few:
        high = max(high, 1 - _poisson_rate(failures, 1 - level) / n)
    return Interval(low, high)


@lru_cache(maxsize=1024)
def _poisson_rate(count: float, tail: float) -> float:
    """The mean at which a Poisson variable reaches a count with the chance ``tail``.

    For counts that are no whole numbers, the quantile of the gamma distribution with that shape,
    which is the same at whole ones; by bisection over the series of its distribution function.
    """
    low, high = 0.0, count
    for _ in range(60):
        middle = (low + high) / 2
        term = total = 1.0
        step = 0
        while term > 1e-17 * total:
            step += 1
            term *= middle / (count + step)
            total += term
        below = total * math.exp(count * math.log(middle) - middle - math.lgamma(count + 1))
        low, high = (middle, high) if below < tail else (low, middle)
    return (low + high) / 2


def share(successes: int, n: int, level: float = LEVEL) -> Estimate:
    """The share ``successes / n`` with ``modified_wilson``; ``nan`` in [0, 1] when n is 0."""
    return Estimate(successes / n if n else math.nan, *modified_wilson(successes, n, level), n)
