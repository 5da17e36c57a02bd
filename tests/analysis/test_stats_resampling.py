"""The bootstrap over problems."""

from __future__ import annotations

import math

import numpy as np
import pytest

from feedback_friction.analysis.stats import resampling
from feedback_friction.analysis.stats.resampling import bootstrap, bootstrap_means, percentile


def test_resampled_means_have_the_mean_and_spread_of_the_sample_mean() -> None:
    rng = np.random.default_rng(1)
    rows = np.column_stack([rng.integers(0, 2, 200), rng.normal(size=200)]).astype(float)
    means = bootstrap_means(rows, rng, 20_000)
    assert means.shape == (20_000, 2)
    assert means.mean(axis=0) == pytest.approx(rows.mean(axis=0), abs=0.003)
    assert means.std(axis=0) == pytest.approx(rows.std(axis=0) / math.sqrt(200), rel=0.03)


def test_columns_are_resampled_together() -> None:
    rows = np.column_stack([np.arange(30.0), 2 * np.arange(30.0)])
    means = bootstrap_means(rows, np.random.default_rng(1), 100)
    assert means[:, 1] == pytest.approx(2 * means[:, 0])


def test_drawing_in_pieces_gives_as_many_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resampling, "_CELLS", 100)
    means = bootstrap_means(np.arange(30.0)[:, np.newaxis], np.random.default_rng(1), 1001)
    assert means.shape == (1001, 1)
    assert means.min() > 5
    assert means.mean() == pytest.approx(14.5, abs=0.3)


def test_the_same_seed_gives_the_same_resamples() -> None:
    rows = np.arange(12.0).reshape(6, 2)
    first, second = (bootstrap_means(rows, np.random.default_rng(9), 50) for _ in range(2))
    assert np.array_equal(first, second)


def test_tokens_per_solved_problem_as_a_ratio_of_means() -> None:
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(200):
        solved = (rng.random(150) < 0.6).astype(float)
        tokens = rng.gamma(2.0, 500.0, 150) + 400 * (1 - solved)
        rows = np.column_stack([tokens, solved])
        found = bootstrap(rows, lambda means: means[:, 0] / means[:, 1], rng, resamples=1000)
        covered += found.contains((1000 + 160) / 0.6)
    assert 0.90 <= covered / 200 <= 0.985


def test_resamples_without_a_value_are_left_out() -> None:
    limits = percentile(np.array([np.nan, 1.0, 2.0, 3.0]), 0.5)
    assert (limits.low, limits.high) == (1.5, 2.5)
    assert math.isnan(percentile(np.array([np.nan]), 0.95).low)


def test_no_problems_cannot_be_resampled() -> None:
    with pytest.raises(ValueError, match="no problems"):
        bootstrap_means(np.zeros((0, 2)), np.random.default_rng(1))
