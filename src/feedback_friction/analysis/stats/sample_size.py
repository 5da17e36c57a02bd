"""How many problems does it take to see a difference between two paired conditions?

The design is McNemar's: of n problems a share ``discordance`` is solved under exactly one of the
conditions, and ``difference`` is how much more of them under the first.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import optimize
from scipy import stats as distributions

from feedback_friction.analysis.stats.intervals import LEVEL, z_value

_RUN = 10  # sample sizes in a row that must have the power: exact power is a sawtooth


def power(
    n: int, difference: float, discordance: float, level: float = LEVEL, mid_p: bool = True
) -> float:
    """Exact chance that McNemar's two-sided test rejects, by enumeration.

    Sums over the number of discordant pairs, binomial (n, discordance), the chance that the pairs
    won, binomial with ``(discordance + difference) / (2 discordance)``, fall into the test's
    rejection region.

    Args:
        n: number of problems.
        difference: true difference of accuracy.
        discordance: share of problems that exactly one condition solves, at least ``|difference|``.
        level: 1 minus the size of the test.
        mid_p: use the mid-p version instead of the exact conditional test.

    Returns:
        The power, from 0 to 1; with a difference of 0 the size of the test.

    Raises:
        ValueError: a discordance above 1 or below the difference, or a level outside (0, 1).

    Source: Fagerland, Lydersen and Laake (2013), BMC Medical Research Methodology 13:91.
    """
    _check(difference, discordance)
    z_value(level)
    if n <= 0 or discordance == 0:
        return 0.0
    # Ten standard deviations around the mean, and ten pairs more for tails that are Poisson's.
    mean, reach = n * discordance, 10 * math.sqrt(n * discordance * (1 - discordance)) + 10
    pairs = np.arange(max(0, math.floor(mean - reach)), min(n, math.ceil(mean + reach)) + 1)
    tail = (1 - level) / 2
    fewest = distributions.binom.ppf(tail, pairs, 0.5)
    reached = distributions.binom.cdf(fewest, pairs, 0.5)
    if mid_p:
        reached = reached - distributions.binom.pmf(fewest, pairs, 0.5) / 2
    # The largest count that is still significant on the low side; -1 when none is.
    critical = np.where(reached <= tail * (1 + 1e-12), fewest, fewest - 1)
    won = (discordance + difference) / (2 * discordance)
    rejects = distributions.binom.cdf(critical, pairs, won)
    rejects = rejects + distributions.binom.sf(pairs - critical - 1, pairs, won)
    return float(distributions.binom.pmf(pairs, n, discordance) @ rejects)


def pairs_of_a_problem(epochs: int, icc: float) -> float:
    """How many independent pairs of trials a problem's epochs are worth.

    ``K / (1 + (K - 1) r)``: K epochs, of which the share r of the variance of a single difference
    lies between problems.

    Args:
        epochs: trials of each problem under each condition, at least 1.
        icc: the share, 0 to 1.

    Raises:
        ValueError: no epoch, or a share outside 0..1.

    Source: Kish (1965), Survey Sampling, section 5.4 (design effect); Miller (2024), arXiv
    2411.00640, section 3 (epochs against problems).
    """
    if epochs < 1 or not 0 <= icc <= 1:
        raise ValueError("a problem has at least one epoch, and an ICC from 0 to 1")
    return epochs / (1 + (epochs - 1) * icc)


def approximate_sample_size(difference: float, discordance: float, target: float = 0.8) -> int:
    """Number of problems by the closed form, rounded up.

    ``(z_(1 - a / 2) sqrt(d) + z_target sqrt(d - D^2))^2 / D^2``: discordance d, difference D.

    Raises:
        ValueError: as for ``power``, and for a difference of 0 or a target outside (0, 1).

    Source: Connor (1987), Biometrics 43:207-211.
    """
    _check(difference, discordance)
    if difference == 0 or not 0 < target < 1:
        raise ValueError("a sample size takes a difference other than 0 and a power within (0, 1)")
    spread = math.sqrt(max(0.0, discordance - difference**2))
    reach = z_value() * math.sqrt(discordance) + float(distributions.norm.ppf(target)) * spread
    return max(1, math.ceil((reach / difference) ** 2))


def sample_size(difference: float, discordance: float, target: float = 0.8) -> int:
    """Number of problems for which the exact power reaches the target, and stays there.

    Exact power rises in a sawtooth. The search goes up from the closed form until ten sizes in a
    row have the power, then down to the first size of that run. Args and errors as for
    ``approximate_sample_size``.
    """
    n = approximate_sample_size(difference, discordance, target)

    def enough(size: int) -> bool:
        return power(size, difference, discordance) >= target

    row = 0
    while row < _RUN:
        row = row + 1 if enough(n) else 0
        n += 1
    first = n - _RUN
    while first > 1 and enough(first - 1):
        first -= 1
    return first


def detectable_difference(n: int, discordance: float, target: float = 0.8) -> float:
    """The smallest difference that n problems show with the target power; args as elsewhere.

    Returns:
        The difference, above 0; ``nan`` when even a difference as large as the discordance is not
        seen with that power.

    Raises:
        ValueError: as for ``power``, and for a target that is not above the size of the test.
    """
    _check(0.0, discordance)
    if not 1 - LEVEL < target < 1:
        raise ValueError("the power must lie between the size of the test and 1")

    def excess(difference: float) -> float:
        return power(n, difference, discordance) - target

    if excess(discordance) < 0:
        return math.nan
    return float(optimize.brentq(excess, 0.0, discordance, xtol=1e-6))


def _check(difference: float, discordance: float) -> None:
    """Refuse a design that no pair of conditions can have."""
    if not abs(difference) <= discordance <= 1:
        raise ValueError(
            f"a discordance of {discordance} allows no difference of {difference}: "
            "the difference lies within the discordance, the discordance within 0 and 1"
        )
