"""Exact, simultaneous and cluster-robust intervals of shares."""

from __future__ import annotations

import json
import math
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from feedback_friction.analysis.stats.clusters import clustered_share, effective_size
from feedback_friction.analysis.stats.intervals import Interval, modified_wilson
from feedback_friction.analysis.stats.proportions import class_shares
from feedback_friction.labels import Category, RawCategory, fold

PUBLISHED = json.loads(Path(__file__).parents[1].joinpath("cases/stats_published.json").read_text())


def test_joint_class_intervals_are_goodmans() -> None:
    published = PUBLISHED["goodman"]
    labels = np.repeat(np.arange(7), published["counts"])
    found = class_shares(np.eye(7)[labels])
    assert [each.count for each in found] == published["counts"]
    assert [each.joint.low for each in found] == pytest.approx(published["low"], abs=1e-7)
    assert [each.joint.high for each in found] == pytest.approx(published["high"], abs=1e-7)


def test_class_shares_add_up_and_joint_intervals_are_wider() -> None:
    found = class_shares(np.array([[2.0, 0, 1], [0, 1, 0], [1, 1, 1]]))
    assert sum(each.share.value for each in found) == pytest.approx(1)
    for each in found:
        assert each.joint.low <= each.share.low <= each.share.high <= each.joint.high
        assert each.joint.interval.width > each.share.interval.width


@pytest.mark.parametrize("row", PUBLISHED["folding"]["rows"], ids=str)
def test_the_studys_error_shares_come_out_of_counts(row: dict[str, Any]) -> None:
    resistant, quality, other = row["counts"]
    others = cycle(
        [
            RawCategory.TOO_COMPLICATED,
            RawCategory.IMPOSSIBLE,
            RawCategory.STYLE_OR_FORMAT,
            RawCategory.UNKNOWN,
        ]
    )
    raw = [RawCategory.FEEDBACK_NOT_FOLLOWED] * resistant
    raw += [RawCategory.FEEDBACK_WRONG] * quality + list(islice(others, other))
    folded = [list(Category).index(fold(each)) for each in raw]
    found = class_shares(np.eye(3)[folded])
    assert [round(100 * each.share.value, 1) for each in found] == row["percent"]


def test_class_shares_of_nothing() -> None:
    (only, other) = class_shares(np.zeros((0, 2)))
    assert math.isnan(only.share.value)
    assert other.joint.interval == Interval(0.0, 1.0)
    with pytest.raises(ValueError, match="classes"):
        class_shares(np.zeros((3, 0)))


@given(arrays.arrays(np.int64, st.integers(1, 300), elements=st.integers(0, 1)))
def test_one_trial_a_cluster_is_wilson(outcomes: np.ndarray) -> None:
    found = clustered_share(outcomes.astype(float), np.ones(len(outcomes)))
    limits = modified_wilson(int(outcomes.sum()), len(outcomes))
    assert (found.low, found.high) == pytest.approx((limits.low, limits.high), abs=1e-12)
    assert found.n == len(outcomes)


def test_epochs_that_always_agree_count_once() -> None:
    outcomes = np.array([1.0, 0, 0, 1, 1, 0, 1, 1, 1, 0])
    found = clustered_share(4 * outcomes, np.full(10, 4.0))
    limits = modified_wilson(6, 10)
    assert found.low <= limits.low < limits.high <= found.high
    assert found.interval.width == pytest.approx(limits.width, abs=0.03)
    assert found.n == 40


def test_epochs_without_any_likeness_count_fully() -> None:
    found = clustered_share(np.full(50, 2.0), np.full(50, 4.0))
    limits = modified_wilson(100, 200)
    assert found.low <= limits.low < limits.high <= found.high
    assert found.interval.width == pytest.approx(limits.width, abs=0.01)


def clusters(successes: np.ndarray, weights: np.ndarray) -> tuple[list[float], list[float]]:
    return successes.tolist(), weights.tolist()


def test_the_effective_size_follows_from_the_residuals() -> None:
    successes, weights = np.array([1.0, 4, 0, 2, 3]), np.array([2.0, 4, 3, 4, 4])
    p = 10 / 17
    residual = sum((x - p * w) ** 2 for x, w in zip(successes, weights, strict=True))
    variance = 5 / 4 * residual / 17**2
    # Student's quantile with 4 degrees of freedom: 2.776445
    size = p * (1 - p) / variance * (1.959964 / 2.776445) ** 2
    assert 17**2 / (weights**2).sum() > size  # so few clusters are worth at least themselves
    cells = clusters(successes, weights)
    assert effective_size(p, *cells, cells[1]) == pytest.approx(17**2 / 61)

    many, heavy = np.tile(successes, 40), np.tile(weights, 40)
    variance = 200 / 199 * 40 * residual / 680**2
    size = p * (1 - p) / variance * (1.959964 / 1.971957) ** 2  # 199 degrees of freedom
    cells = clusters(many, heavy)
    assert 40 * 17**2 / 61 < size < 680
    assert effective_size(p, *cells, cells[1]) == pytest.approx(size, rel=1e-5)


def test_without_a_success_clusters_count_more_than_trials() -> None:
    none, every = (clustered_share(np.full(20, each), np.full(20, 5.0)) for each in (0.0, 5.0))
    assert modified_wilson(0, 100).high < none.high <= modified_wilson(0, 20).high
    assert (none.low, every.high) == (0, 1)
    assert every.low == pytest.approx(1 - none.high, abs=1e-6)


@given(st.integers(1, 40), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_clustered_trials_are_worth_no_more_than_independent_ones(
    clusters: int, epochs: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    successes = rng.binomial(epochs, rng.beta(0.5, 0.5, clusters)).astype(float)
    found = clustered_share(successes, np.full(clusters, float(epochs)))
    narrow = modified_wilson(float(successes.sum()), clusters * epochs)
    assert 0 <= found.low <= found.value <= found.high <= 1
    if 0 < found.value < 1:
        assert narrow.width - 1e-12 <= found.interval.width


def test_clusters_of_no_weight_are_left_out() -> None:
    with_empty = clustered_share(np.array([1.0, 0, 0, 2]), np.array([2.0, 0, 1, 2]))
    assert with_empty == clustered_share(np.array([1.0, 0, 2]), np.array([2.0, 1, 2]))
    assert math.isnan(clustered_share(np.zeros(3), np.zeros(3)).value)


def test_clustered_refuses_what_is_no_share() -> None:
    with pytest.raises(ValueError, match=r"shorter|longer"):
        clustered_share(np.zeros(2), np.ones(3))
    with pytest.raises(ValueError, match="between 0 and its weight"):
        clustered_share(np.array([3.0]), np.array([2.0]))


@pytest.mark.slow
def test_clustered_covers_where_counting_trials_does_not() -> None:
    rng = np.random.default_rng(20)
    robust = naive = 0
    for _ in range(400):
        successes = rng.binomial(8, rng.beta(0.5, 0.5, 60)).astype(float)
        robust += clustered_share(successes, np.full(60, 8.0)).interval.contains(0.5)
        naive += modified_wilson(float(successes.sum()), 480).contains(0.5)
    assert 0.92 <= robust / 400 <= 0.98
    assert naive / 400 < 0.8
