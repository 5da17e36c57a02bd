"""The asymptote of accuracy: recovery of known curves, its interval, and when it is not there."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import optimize, special

from feedback_friction.analysis.stats.arrays import MISSING, UNSOLVED
from feedback_friction.analysis.stats.asymptote import asymptote


def exact(top: float, start: float, tau: float, iterations: int, n: int) -> np.ndarray:
    """Trials whose counts follow the curve as closely as whole numbers can."""
    curve = top - (top - start) * np.exp(-np.arange(iterations) / tau)
    shares = np.append(np.diff(curve, prepend=0.0), 1 - curve[-1])
    counts = np.rint(shares * n).astype(int)
    return np.repeat([*range(iterations), UNSOLVED], counts)


def likelihood(first: np.ndarray, iterations: int, top: float, start: float, rate: float) -> float:
    """The log-likelihood, cell by cell, written without any of the module's shortcuts."""
    cells = [start, *((top - start) * (rate ** (t - 1) - rate**t) for t in range(1, iterations))]
    cells.append(1 - top + (top - start) * rate ** (iterations - 1))
    counts = [np.sum(first == t) for t in range(iterations)] + [np.sum(first == UNSOLVED)]
    return float(special.xlogy(counts, np.array(cells)).sum())


def profile(first: np.ndarray, iterations: int, top: float) -> float:
    """The highest log-likelihood at an asymptote, by a general optimiser from several starts."""

    def loss(x: np.ndarray) -> float:
        return -likelihood(first, iterations, top, top * special.expit(x[0]), special.expit(x[1]))

    starts = [(0.0, 0.0), (2.0, 1.0), (0.0, 3.0), (0.0, -2.0)]
    options = {"xatol": 1e-10, "fatol": 1e-12, "maxiter": 4000}
    return max(
        -optimize.minimize(loss, at, method="Nelder-Mead", options=options).fun for at in starts
    )


@pytest.mark.parametrize(
    ("top", "start", "tau"), [(0.8, 0.5, 1.5), (0.95, 0.2, 0.7), (0.6, 0.1, 3.0), (0.3, 0.25, 1.0)]
)
def test_a_known_curve_is_recovered(top: float, start: float, tau: float) -> None:
    found = asymptote(exact(top, start, tau, 10, 1_000_000), 10)
    assert found.accuracy.value == pytest.approx(top, abs=2e-4)
    assert found.gap == pytest.approx(top - start, abs=3e-4)
    assert found.tau == pytest.approx(tau, rel=3e-3)
    assert found.fitted[0] == pytest.approx(start, abs=2e-4)
    assert found.identified
    assert found.fit_p_value > 0.9


def test_the_interval_is_where_the_profile_falls_by_half_the_quantile() -> None:
    first = np.repeat([0, 1, 2, 3, 4, 5, UNSOLVED], [50, 20, 8, 4, 2, 1, 15])
    found = asymptote(first, 6)
    best = profile(first, 6, found.accuracy.value)
    assert best >= max(profile(first, 6, found.accuracy.value + step) for step in (-0.01, 0.01))
    for limit in (found.accuracy.low, found.accuracy.high):
        assert profile(first, 6, limit) == pytest.approx(best - 3.841459 / 2, abs=1e-3)
    assert found.accuracy.low < found.accuracy.value < found.accuracy.high


def test_steady_growth_shows_no_plateau() -> None:
    found = asymptote(np.repeat([*range(8), UNSOLVED], [20] * 8 + [140]), 8)
    assert not found.identified
    assert found.accuracy.high == 1.0


def test_nothing_gained_is_not_identified_either() -> None:
    found = asymptote(np.repeat([0, UNSOLVED], [30, 70]), 6)
    assert found.accuracy.value == pytest.approx(0.3)
    assert found.gap == pytest.approx(0.0)
    assert math.isnan(found.tau)
    assert not found.identified


def test_everything_solved_heads_for_1() -> None:
    found = asymptote(np.repeat([0, 1, 2], [60, 30, 10]), 6)
    assert found.accuracy.value == 1.0
    assert 0.9 < found.accuracy.low < 1.0
    assert found.accuracy.high == 1.0


def test_nothing_solved_has_an_asymptote_of_0() -> None:
    found = asymptote(np.full(50, UNSOLVED), 6)
    assert found.accuracy.value == 0.0
    assert found.accuracy.low == 0.0


@pytest.mark.parametrize("first", [np.array([MISSING, MISSING]), np.array([], dtype=np.int64)])
def test_without_trials_there_is_no_fit(first: np.ndarray) -> None:
    found = asymptote(first, 6)
    assert math.isnan(found.accuracy.value)
    assert not found.identified
    assert found.fitted == ()


def test_two_points_do_not_make_a_curve() -> None:
    assert math.isnan(asymptote(np.array([0, 1, UNSOLVED]), 2).accuracy.value)


def test_a_curve_of_another_shape_is_reported_as_a_misfit() -> None:
    late = np.repeat([0, 1, 2, 3, 4, 5, 6, 7, UNSOLVED], [200, 0, 0, 0, 100, 100, 0, 0, 100])
    assert asymptote(late, 8).fit_p_value < 0.001


def test_epochs_that_always_agree_do_not_narrow_the_interval() -> None:
    first = np.repeat([0, 1, 2, 3, 4, 5, UNSOLVED], [50, 20, 8, 4, 2, 1, 15])
    once = asymptote(first, 6).accuracy
    copied = asymptote(np.column_stack([first] * 4), 6).accuracy
    assert copied.n == 4 * once.n
    assert (copied.low, copied.value, copied.high) == pytest.approx(
        (once.low, once.value, once.high), abs=1e-4
    )
