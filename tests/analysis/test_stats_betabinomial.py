"""Beta-binomial limits: against a fine grid, mirrored, and ordered."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from feedback_friction.analysis.stats.betabinomial import mean_chance

tables = st.lists(
    st.integers(1, 6).flatmap(lambda m: st.tuples(st.integers(0, m), st.just(m))),
    min_size=1,
    max_size=12,
)


def counted(rows: list[tuple[int, int]]) -> Counter[tuple[float, float]]:
    return Counter((float(x), float(m)) for x, m in rows)


@pytest.mark.slow
def test_the_limits_are_those_of_a_fine_grid() -> None:
    rows = [(3, 8), (0, 8), (1, 8), (8, 8), (5, 8), (4, 4)]
    angles = (np.arange(2000) + 0.5) / 2000 * math.pi / 2
    likeness = (np.arange(300) + 0.5) / 300 * math.pi / 2
    share, alike = np.meshgrid(np.sin(angles) ** 2, np.sin(likeness) ** 2, indexing="ij")
    size = (1 - alike) / alike
    logs = sum(stats.betabinom.logpmf(x, m, share * size, (1 - share) * size) for x, m in rows)
    mass = np.exp(logs - logs.max())
    below = np.cumsum(mass.sum(axis=1)) / mass.sum()
    expected = [float(np.sin(angles[np.searchsorted(below, tail)]) ** 2) for tail in (0.025, 0.975)]
    found = mean_chance(counted(rows))
    assert (found.limits.low, found.limits.high) == pytest.approx(expected, abs=0.006)
    assert found.correlation == pytest.approx(float((mass * alike).sum() / mass.sum()), abs=0.03)


@settings(deadline=None, max_examples=25)
@given(tables)
def test_failures_are_the_mirror_image(rows: list[tuple[int, int]]) -> None:
    found = mean_chance(counted(rows)).limits
    mirror = mean_chance(counted([(m - x, m) for x, m in rows])).limits
    assert (1 - mirror.high, 1 - mirror.low) == pytest.approx((found.low, found.high), abs=1e-6)
    assert 0 <= found.low < found.high <= 1


def test_trials_that_go_alike_widen_the_limits() -> None:
    alike = mean_chance(counted([(8, 8)] * 5 + [(0, 8)] * 5))
    mixed = mean_chance(counted([(4, 8)] * 10))
    assert alike.limits.width > 2 * mixed.limits.width
    assert alike.correlation > 0.6 > 0.2 > mixed.correlation
