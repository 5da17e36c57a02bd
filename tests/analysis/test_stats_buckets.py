"""Shares in buckets of another quantity."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_friction.analysis.stats.buckets import bucketed, equal_count, equal_width
from feedback_friction.analysis.stats.intervals import wilson

values = st.lists(st.floats(-5, 5), min_size=1, max_size=60).map(np.array)


def test_entropy_buckets_are_multiples_of_the_width() -> None:
    edges = equal_width(np.array([0.0, 0.6, 1.31, math.nan]), 0.2)
    assert edges == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4])


@given(values, st.floats(0.05, 3))
def test_equal_width_buckets_hold_every_value(found: np.ndarray, width: float) -> None:
    edges = equal_width(found, width)
    ones = np.ones(len(found))
    buckets = bucketed(found, ones, ones, edges)
    assert sum(bucket.problems for bucket in buckets) == len(found)
    assert all(bucket.high - bucket.low == pytest.approx(width) for bucket in buckets)


@given(values, st.integers(1, 8))
def test_equal_count_buckets_hold_every_value(found: np.ndarray, count: int) -> None:
    edges = equal_count(found, count)
    ones = np.ones(len(found))
    buckets = bucketed(found, ones, ones, edges)
    assert sum(bucket.problems for bucket in buckets) == len(found)
    assert len(buckets) <= count


def test_equal_count_buckets_are_equal_without_ties() -> None:
    found = np.arange(100.0)
    ones = np.ones(100)
    buckets = bucketed(found, ones, ones, equal_count(found, 4))
    assert [bucket.problems for bucket in buckets] == [25, 25, 25, 25]


def test_values_on_an_edge_belong_above_it_whatever_their_rounding() -> None:
    edges = equal_width(np.array([0.0, 1.0]), 0.2)
    on_edge = np.array([0.2, 3 * 0.2, 0.6, 1.0])
    buckets = bucketed(on_edge, np.ones(4), np.ones(4), edges)
    assert [bucket.problems for bucket in buckets] == [0, 1, 0, 2, 0, 1]


def test_the_last_bucket_includes_its_upper_edge() -> None:
    edges = np.linspace(0, 1, 11)
    buckets = bucketed(np.array([0.95, 1.0]), np.ones(2), np.ones(2), edges)
    assert buckets[-1].problems == 2


def test_gain_by_bucket_is_the_ratio_of_the_buckets_means() -> None:
    entropy = np.array([0.1, 0.1, 0.3, 0.3, 0.3])
    initial = np.array([0.5, 0.0, 0.25, 0.0, 1.0])
    final = np.array([0.75, 0.0, 1.0, 0.5, 1.0])
    low, high = bucketed(
        entropy, 4 * (final - initial), 4 * (1 - initial), equal_width(entropy, 0.2)
    )
    for bucket, inside in ((low, entropy < 0.2), (high, entropy > 0.2)):
        mean, end = initial[inside].mean(), final[inside].mean()
        assert bucket.share.value == pytest.approx((end - mean) / (1 - mean))
    assert (low.problems, high.problems) == (2, 3)


def test_buckets_with_fewer_than_10_problems_are_flagged() -> None:
    found = np.repeat([0.1, 0.3], [9, 10])
    few, enough = bucketed(found, np.ones(19), np.ones(19), equal_width(found, 0.2))
    assert (few.few, enough.few) == (True, False)


def test_one_trial_a_problem_has_wilson_intervals() -> None:
    hits = np.repeat([1.0, 0.0], [12, 18])
    (bucket,) = bucketed(np.zeros(30), hits, np.ones(30), np.array([0.0, 1.0]))
    limits = wilson(12, 30)
    assert (bucket.share.low, bucket.share.high) == pytest.approx((limits.low, limits.high))


def test_missing_values_are_in_no_bucket_and_empty_ones_are_shown() -> None:
    buckets = bucketed(
        np.array([math.nan, 0.5, 7.0]), np.ones(3), np.ones(3), np.array([0.0, 0.4, 0.8])
    )
    assert [bucket.problems for bucket in buckets] == [0, 1]
    assert math.isnan(buckets[0].share.value)


@pytest.mark.parametrize("edges", [np.array([1.0]), np.array([])])
def test_buckets_need_edges_and_values(edges: np.ndarray) -> None:
    with pytest.raises(ValueError, match="edges"):
        bucketed(np.zeros(2), np.zeros(2), np.ones(2), edges)
    with pytest.raises(ValueError, match="width"):
        equal_width(np.array([1.0]), 0.0)
    with pytest.raises(ValueError, match="value"):
        equal_width(np.array([math.nan]), 0.2)
    with pytest.raises(ValueError, match="bucket"):
        equal_count(np.array([1.0]), 0)
