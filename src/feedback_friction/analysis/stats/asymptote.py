"""Where accuracy is heading: the asymptote of ``acc(t) = A - B exp(-t / tau)``."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special
from scipy import stats as distributions

from feedback_friction.analysis.stats.arrays import (
    FloatArray,
    IntArray,
    as_first,
    problem_means,
    solved_by,
)
from feedback_friction.analysis.stats.clusters import effective_size
from feedback_friction.analysis.stats.intervals import Estimate, z_value

_FASTEST, _SLOWEST = 0.05, 1e6  # iterations: all gain at once, and none in any run


@dataclass(frozen=True, slots=True)
class Asymptote:
    """A saturating curve fitted to accuracy by iteration.

    Attributes:
        accuracy: A, the accuracy after endlessly many iterations, with its profile interval; n is
            the number of trials.
        gap: B, the gain from the first iteration to the asymptote.
        tau: iterations in which the remaining gap shrinks by the factor e; ``nan`` when nothing
            was gained.
        fitted: the curve's accuracy at each iteration of the run.
        identified: False when the data do not speak against an asymptote of 1, that is when no
            plateau below perfect accuracy is visible: the upper limit is then 1.
        fit_p_value: p-value of the deviance from free cell shares; a small one says that the
            accuracy does not follow such a curve, and the asymptote should not be quoted.
    """

    accuracy: Estimate
    gap: float
    tau: float
    fitted: tuple[float, ...]
    identified: bool
    fit_p_value: float


@dataclass(frozen=True, slots=True)
class _Cells:
    """Effective numbers of trials by when they were solved: the sufficient statistics.

    Attributes:
        first: solved at iteration 0.
        later: solved at an iteration after that.
        waits: sum over the latter of the iteration minus 1.
        unsolved: never solved.
        span: last iteration.
    """

    first: float
    later: float
    waits: float
    unsolved: float
    span: int


def asymptote(first: IntArray, iterations: int, level: float = 0.95) -> Asymptote:
    """Fit ``acc(t) = A - B exp(-t / tau)`` by maximum likelihood to first-solved iterations.

    Under the curve a trial is solved at iteration 0 with probability ``A - B``, at t > 0 with
    ``B (r^(t - 1) - r^t)``, ``r = exp(-1 / tau)``, and not within the run with
    ``1 - A + B r^T``: a discrete survival model in which a share ``1 - A`` is never solved. Points
    of a cumulative curve are not independent, trials are, hence this likelihood and no least
    squares. The interval holds all A whose profile deviance is below the chi-squared quantile
    (1 degree of freedom). With several epochs the counts are scaled to the effective number of
    trials of the final accuracy.

    The curve takes the chance of correction to be the same for all problems that can be solved at
    all. Where it varies, the slow ones are still to come when the curve looks flat, and the
    asymptote is too low: ``benchmarks/coverage.py`` shows about 80% coverage for a moderate spread.
    ``fit_p_value`` tells this in some cases only.

    Args:
        first: first-solved iterations, shape (problems, epochs); see ``arrays``.
        iterations: number of iterations of the run; at least 4 to test the curve's shape.
        level: confidence level.

    Returns:
        The fit. With fewer than 3 iterations or without trials there is nothing to fit: the
        asymptote is ``nan`` with an interval up to 1, and not identified.

    Source: Boag (1949), JRSS B 11:15-53 (a share never cured); Rao and Scott (1984), Annals of
    Statistics 12:46-60 (scaling by the design effect).
    """
    z = z_value(level)
    table = as_first(first, iterations)
    shares, trials, size = _cell_shares(table, iterations, level)
    if iterations < 3 or not trials:
        unknown = Estimate(math.nan, 0.0, 1.0, trials)
        return Asymptote(unknown, math.nan, math.nan, (), False, math.nan)
    cells = _Cells(
        first=size * shares[0],
        later=size * float(shares[1:iterations].sum()),
        waits=size * float(shares[1:iterations] @ np.arange(iterations - 1)),
        unsolved=size * shares[iterations],
        span=iterations - 1,
    )
    best = _maximum(cells)
    top, rate, start = _profile(best, cells)
    bound = top - z * z / 2
    low, high = _limits(best, bound, cells)
    curve = best - (best - start) * np.power(rate, np.arange(iterations, dtype=np.float64))
    tau = -1 / math.log(rate) if cells.later > 0 else math.nan
    return Asymptote(
        accuracy=Estimate(best, low, high, trials),
        gap=best - start,
        tau=tau,
        fitted=tuple(float(value) for value in curve),
        identified=high < 1.0,
        fit_p_value=_fit(shares, curve, size),
    )


def _cell_shares(table: IntArray, iterations: int, level: float) -> tuple[FloatArray, int, float]:
    """Shares solved at each iteration and never, the trials, and how many they are worth."""
    cells = []
    for cell in [*range(iterations), -1]:
        hits = np.where(np.isnan(solved_by(table, 0)), np.nan, table == cell)
        cells.append(problem_means(hits))
    trials = cells[0][1]
    used = trials > 0
    shares = np.array([means[used].mean() if used.any() else 0.0 for means, _ in cells])
    unsolved = cells[-1][0][used]
    if not used.any():
        return shares, 0, 0.0
    each = [1.0] * len(unsolved)
    size = effective_size(shares[-1], unsolved.tolist(), each, trials[used].tolist(), level)
    return shares, int(trials.sum()), size


def _profile(top: float, cells: _Cells) -> tuple[float, float, float]:
    """Highest log-likelihood at an asymptote, with the rate r and initial accuracy reaching it."""

    def at(log_tau: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        rate = np.exp(-np.exp(-log_tau))
        start = _start(top, rate**cells.span, cells)
        value = (
            special.xlogy(cells.first, start)
            + special.xlogy(cells.later, top - start)
            + special.xlogy(cells.later, -np.expm1(-np.exp(-log_tau)))
            - cells.waits * np.exp(-log_tau)
            + special.xlogy(cells.unsolved, 1 - top + (top - start) * rate**cells.span)
        )
        return value, rate, start

    grid = np.linspace(math.log(_FASTEST), math.log(_SLOWEST), 200)
    for _ in range(4):  # each round looks ten times closer around the best point
        value, rate, start = at(grid)
        best = int(np.argmax(value))
        width = grid[1] - grid[0]
        grid = np.linspace(grid[best] - width, grid[best] + width, 21)
    return float(value[best]), float(rate[best]), float(start[best])


def _start(top: float, left: FloatArray, cells: _Cells) -> FloatArray:
    """The most likely initial accuracy at an asymptote and a share ``left`` of the gap at the end.

    The likelihood is concave in it, and its derivative is 0 at the smaller root of a quadratic.
    """
    rest = 1 - top + top * left
    total = cells.first + cells.later + cells.unsolved
    square = left * total
    linear = cells.first * (top * left + rest) + cells.later * rest + cells.unsolved * left * top
    constant = cells.first * top * rest
    root = np.sqrt(np.maximum(0.0, linear**2 - 4 * square * constant))
    smaller = np.divide(2 * constant, linear + root, out=np.zeros_like(left), where=linear > 0)
    return np.clip(smaller, 0.0, top)


def _maximum(cells: _Cells) -> float:
    """The asymptote of highest likelihood, from the share solved at first to 1."""
    total = cells.first + cells.later + cells.unsolved
    if cells.unsolved == 0:
        return 1.0
    if cells.later == 0:
        return cells.first / total
    least = cells.first / total
    grid = np.linspace(least, 1.0, 60)[1:]
    values = [_profile(float(top), cells)[0] for top in grid]
    best = int(np.argmax(values))
    step = float(grid[1] - grid[0])
    found = optimize.minimize_scalar(
        lambda top: -_profile(float(top), cells)[0],
        bounds=(max(least, grid[best] - step), min(1.0, grid[best] + step)),
        method="bounded",
        options={"xatol": 1e-7},
    )
    return 1.0 if values[-1] >= -float(found.fun) else float(found.x)


def _limits(best: float, bound: float, cells: _Cells) -> tuple[float, float]:
    """Where the profile log-likelihood falls to the bound on either side of its maximum."""

    def excess(top: float) -> float:
        return _profile(top, cells)[0] - bound

    least = 1e-9
    low = high = best
    if best > least:
        low = float(optimize.brentq(excess, least, best)) if excess(least) < 0 else 0.0
    if best < 1.0:
        high = float(optimize.brentq(excess, best, 1.0)) if excess(1.0) < 0 else 1.0
    return low, high


def _fit(shares: FloatArray, curve: FloatArray, size: float) -> float:
    """p-value of the deviance between observed and fitted cells (3 parameters fitted)."""
    fitted = np.append(np.diff(curve, prepend=0.0), 1 - curve[-1])
    freedom = len(shares) - 1 - 3
    if freedom < 1:
        return math.nan
    deviance = 2 * size * float(np.sum(special.rel_entr(shares, fitted)))
    return float(distributions.chi2.sf(deviance, freedom))
