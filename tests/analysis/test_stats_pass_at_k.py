"""pass@k and coverage."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_friction.analysis.stats.intervals import wilson
from feedback_friction.analysis.stats.proportions import pass_at_k


@given(st.integers(1, 9).flatmap(
    lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))
))  # fmt: skip
def test_pass_at_k_is_the_share_of_subsets_with_a_correct_sample(
    case: tuple[int, int, int],
) -> None:
    n, correct, k = case
    subsets = list(itertools.combinations([True] * correct + [False] * (n - correct), k))
    found = pass_at_k(np.array([correct]), np.array([n]), k)
    assert found.value == pytest.approx(sum(map(any, subsets)) / len(subsets))


def test_pass_at_k_of_a_hundred_samples_needs_no_large_factorials() -> None:
    found = pass_at_k(np.array([5]), np.array([200]), 100)
    assert found.value == pytest.approx(1 - math.comb(195, 100) / math.comb(200, 100))


def test_pass_at_k_averages_over_problems() -> None:
    found = pass_at_k(np.array([0, 1, 2, 4]), np.array([4, 4, 4, 4]), 2)
    assert found.value == pytest.approx((0 + 1 / 2 + 5 / 6 + 1) / 4)
    assert found.n == 4
    assert found.low < found.value < found.high


def test_all_samples_give_coverage() -> None:
    found = pass_at_k(np.array([0, 1, 2, 4, 0]), np.full(5, 4), 4)
    limits = wilson(3, 5)
    assert found.value == pytest.approx(0.6)
    assert (found.low, found.high) == pytest.approx((limits.low, limits.high))


def test_ten_samples_are_worth_two_draws_of_five_at_most() -> None:
    found = pass_at_k(np.full(30, 1), np.full(30, 10), 5)
    limits = wilson(30, 60)
    assert found.value == pytest.approx(0.5)
    assert found.low <= limits.low < limits.high <= found.high


def test_pass_at_k_grows_with_k() -> None:
    correct = np.random.default_rng(1).binomial(10, 0.2, 50)
    values = [pass_at_k(correct, np.full(50, 10), k).value for k in range(1, 11)]
    assert values == sorted(values)
    assert values[0] == pytest.approx(correct.mean() / 10)


@pytest.mark.slow
def test_pass_at_k_covers_the_truth() -> None:
    rng = np.random.default_rng(8)
    covered = 0
    for _ in range(300):
        chance = rng.beta(0.4, 1.2, 60)
        found = pass_at_k(rng.binomial(10, chance), np.full(60, 10), 5)
        # 1 - E (1 - p)^5 for a beta (0.4, 1.2)
        truth = 1 - math.prod((1.2 + i) / (1.6 + i) for i in range(5))
        covered += found.interval.contains(truth)
    assert 0.92 <= covered / 300 <= 0.98


def test_no_problems_have_no_pass_rate() -> None:
    found = pass_at_k(np.array([], dtype=np.int64), np.array([], dtype=np.int64), 1)
    assert math.isnan(found.value)
    assert found.n == 0


@pytest.mark.parametrize(("correct", "samples", "k"), [(1, 4, 5), (1, 4, 0), (5, 4, 2), (-1, 4, 2)])
def test_impossible_counts_are_refused(correct: int, samples: int, k: int) -> None:
    with pytest.raises(ValueError, match="must lie between"):
        pass_at_k(np.array([correct]), np.array([samples]), k)
    with pytest.raises(ValueError, match="shape"):
        pass_at_k(np.array([1]), np.array([2, 2]), 1)
