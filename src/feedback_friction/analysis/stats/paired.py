"""Two conditions compared problem by problem: intervals of the difference.

Both conditions met the same problems, so a hard problem counts against both: the difference within
problems varies less than the difference of two independent shares.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import optimize
from scipy import stats as distributions

from feedback_friction.analysis.stats.arrays import (
    FloatArray,
    IntArray,
    as_first,
    problem_means,
    solved_by,
)
from feedback_friction.analysis.stats.intervals import Estimate, Interval, wilson, z_value
from feedback_friction.analysis.stats.resampling import RESAMPLES, bootstrap_means, percentile
from feedback_friction.analysis.stats.significance import mcnemar, sign_flip


@dataclass(frozen=True, slots=True)
class Pairs:
    """Numbers of problems by who solved them, with one trial per problem and condition.

    Attributes:
        both: solved under treatment and under control.
        treatment: solved under treatment only.
        control: solved under control only.
        neither: solved under neither.
    """

    both: int
    treatment: int
    control: int
    neither: int

    @property
    def n(self) -> int:
        """Number of problems."""
        return self.both + self.treatment + self.control + self.neither

    @property
    def difference(self) -> float:
        """Share solved under treatment minus share solved under control; ``nan`` without pairs."""
        return (self.treatment - self.control) / self.n if self.n else math.nan


@dataclass(frozen=True, slots=True)
class Comparison:
    """Treatment minus control on the problems that both have.

    Attributes:
        differences: by iteration, the difference of accuracy with its score interval; n is the
            number of problems compared.
        bootstrap: by iteration, the percentile interval over resampled problems, for comparison:
            it is too narrow with few problems (84% at 30) or few differences.
        pairs: at the last iteration, who solved what; None with several epochs.
        p_value: two-sided, at the last iteration: McNemar's mid-p with one epoch, the sign-flip
            permutation test with several.
        missing: number of problems that only one of the two conditions has.
    """

    differences: tuple[Estimate, ...]
    bootstrap: tuple[Interval, ...]
    pairs: Pairs | None
    p_value: float
    missing: int

    @property
    def final(self) -> Estimate:
        """The difference at the last iteration."""
        return self.differences[-1]


def compare(
    treatment: IntArray,
    control: IntArray,
    iterations: int,
    rng: np.random.Generator,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Comparison:
    """Compare two conditions by problem, at every iteration.

    With several epochs a problem's accuracy is its mean over the epochs it has, and every problem
    counts the same. Problems without a trial in one of the conditions are left out and counted.

    Args:
        treatment: first-solved iterations, shape (problems, epochs); see ``arrays``.
        control: the same problems in the same order; the number of epochs may differ.
        iterations: number of iterations of the run.
        rng: draws the bootstrap and, with several epochs, the permutations.
        level: confidence level.
        resamples: number of resamples.

    Raises:
        ValueError: the conditions have different numbers of problems.
    """
    first, second = as_first(treatment, iterations), as_first(control, iterations)
    if len(first) != len(second):
        raise ValueError(f"conditions with {len(first)} and {len(second)} problems are not paired")
    means, trials = _means_by_iteration(first, iterations)
    others, other_trials = _means_by_iteration(second, iterations)
    has, other_has = trials > 0, other_trials > 0
    kept = has & other_has
    gaps = (means - others)[kept]
    epochs = np.maximum(trials, other_trials)[kept]
    draws = bootstrap_means(gaps, rng, resamples) if len(gaps) else np.empty((0, iterations))
    pairs = count_pairs(means[kept, -1], others[kept, -1]) if np.all(epochs == 1) else None
    if pairs is None:
        p_value = sign_flip(gaps[:, -1], rng, resamples)
    else:
        p_value = mcnemar(pairs.treatment, pairs.control).mid_p
    return Comparison(
        differences=tuple(mean_difference(gaps[:, k], epochs, level) for k in range(iterations)),
        bootstrap=tuple(percentile(draws[:, k], level) for k in range(iterations)),
        pairs=pairs,
        p_value=p_value,
        missing=int(np.sum(has ^ other_has)),
    )


def _means_by_iteration(first: IntArray, iterations: int) -> tuple[FloatArray, FloatArray]:
    """Accuracy of each problem at each iteration, (problems, iterations), and epochs observed."""
    columns = [problem_means(solved_by(first, k)) for k in range(iterations)]
    return np.column_stack([means for means, _ in columns]), columns[0][1]


def count_pairs(treatment: FloatArray, control: FloatArray) -> Pairs:
    """Count the problems by who solved them; both arrays hold 0 and 1, shape (problems,)."""
    won, lost = treatment > 0.5, control > 0.5
    return Pairs(
        both=int(np.sum(won & lost)),
        treatment=int(np.sum(won & ~lost)),
        control=int(np.sum(~won & lost)),
        neither=int(np.sum(~won & ~lost)),
    )


def mean_difference(gaps: FloatArray, trials: FloatArray, level: float = 0.95) -> Estimate:
    """Mean of the problems' differences with a score interval that holds with few differences, too.

    Of the intervals tried (percentile and BCa bootstrap, Student, Newcombe, this one) it alone kept
    its level when hardly any problem differs: with none differing among 30, resampling gives a
    width of 0. With one trial per problem and condition it is Tango's interval. With more, the
    problems are worth ``n* = n (d+ + d- - d^2) / s^2 * (z / t)^2`` pairs of single trials, where d+
    and d- are the mean positive and negative parts, d their difference and s^2 the variance of the
    problems' differences; n* lies between the number of problems and the number of trials. Tango's
    interval is then computed from n* pairs with shares d+ and d- of discordant ones.

    Args:
        gaps: shape (problems,): treatment minus control, each from -1 to 1.
        trials: shape (problems,): epochs behind each difference.
        level: confidence level.

    Returns:
        The mean difference, n being the number of problems; ``nan`` in [-1, 1] without problems.

    Source: Tango (1998), Statistics in Medicine 17:891-908; the effective number of pairs follows
    Korn and Graubard (1998), Survey Methodology 24:193-201, as in ``clusters.clustered_share``.
    """
    n = len(gaps)
    z = z_value(level)
    if n == 0:
        return Estimate(math.nan, -1.0, 1.0, 0)
    more, less = float(np.maximum(gaps, 0).mean()), float(np.maximum(-gaps, 0).mean())
    variance = float(gaps.var(ddof=1)) if n > 1 else 0.0
    size = float(n)
    if variance > 0:
        student = float(distributions.t.ppf((1 + level) / 2, n - 1))
        size = n * (more + less - (more - less) ** 2) / variance * (z / student) ** 2
    size = min(max(size, n), float(trials.sum()))
    limits = _score_interval(size, more, less, z)
    return Estimate(more - less, limits.low, limits.high, n)


def tango(pairs: Pairs, level: float = 0.95) -> Interval:
    """Tango's score interval for a difference of paired shares.

    All differences d for which ``(b - c - n d) / sqrt(n (2 q + d (1 - d)))`` stays within the
    normal quantiles; q is the share of control-only pairs that is most likely at d. It leaves out 0
    exactly when McNemar's asymptotic test rejects.

    Source: Tango (1998), Statistics in Medicine 17:891-908, section 3.
    """
    z, n = z_value(level), pairs.n
    if n == 0:
        return Interval(-1.0, 1.0)
    return _score_interval(n, pairs.treatment / n, pairs.control / n, z)


def _score_interval(n: float, more: float, less: float, z: float) -> Interval:
    """Tango's interval from n pairs with shares ``more`` and ``less`` of discordant ones."""

    def score(d: float) -> float:
        linear = (2 - more + less) * d - more - less
        nuisance = (math.sqrt(max(0.0, linear**2 + 8 * less * d * (1 - d))) - linear) / 4
        variance = (2 * nuisance + d * (1 - d)) / n
        gap = more - less - d
        if variance <= 0:
            return math.copysign(math.inf, gap) if gap else 0.0
        return gap / math.sqrt(variance)

    value = more - less
    end = 1 - 1e-9  # the variance is 0 at the ends themselves
    low = high = value
    if value > -end:
        low = (
            float(optimize.brentq(lambda d: score(d) - z, -end, value)) if score(-end) > z else -1.0
        )
    if value < end:
        high = (
            float(optimize.brentq(lambda d: score(d) + z, value, end)) if score(end) < -z else 1.0
        )
    return Interval(low, high)


def newcombe(pairs: Pairs, level: float = 0.95) -> Interval:
    """Newcombe's square-and-add interval for a difference of paired shares, his method 10.

    Wilson's limits of the two shares are squared and added with the correlation phi of the pairs;
    where phi is positive it is corrected for continuity (its numerator loses n / 2, down to 0).
    Without pairs the interval is from -1 to 1.

    Source: Newcombe (1998), Statistics in Medicine 17:2635-2650, method 10.
    """
    n = pairs.n
    if n == 0:
        z_value(level)
        return Interval(-1.0, 1.0)
    won, lost = pairs.both + pairs.treatment, pairs.both + pairs.control
    spread = won * (n - won) * lost * (n - lost)
    product = float(pairs.both * pairs.neither - pairs.treatment * pairs.control)
    if product > 0:
        product = max(0.0, product - n / 2)
    phi = product / math.sqrt(spread) if spread else 0.0
    first, second = wilson(won, n, level), wilson(lost, n, level)
    down, up = won / n - first.low, first.high - won / n
    back, forth = lost / n - second.low, second.high - lost / n
    low = math.sqrt(max(0.0, down**2 - 2 * phi * down * forth + forth**2))
    high = math.sqrt(max(0.0, up**2 - 2 * phi * up * back + back**2))
    return Interval(max(-1.0, pairs.difference - low), min(1.0, pairs.difference + high))
