"""Rank correlation and the area under the ROC curve."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as distributions

from feedback_friction.analysis.stats.association import auroc, spearman

seeds = st.integers(0, 2**32 - 1)


def test_spearman_of_the_scipy_example() -> None:
    # scipy 1.17, documentation of scipy.stats.spearmanr
    found = spearman(np.array([1.0, 2, 3, 4, 5]), np.array([5.0, 6, 7, 8, 7]))
    assert found.value == pytest.approx(0.8207826816681233)
    assert found.n == 5


@given(seeds, st.integers(4, 60))
def test_spearman_is_scipys_and_mirrors(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, 8, n).astype(float), rng.normal(size=n).round(1)
    found, mirror = spearman(x, y), spearman(x, -y)
    if math.isnan(found.value):
        assert len(set(x)) == 1 or len(set(y)) == 1
        return
    assert found.value == pytest.approx(distributions.spearmanr(x, y).statistic)
    assert (mirror.low, mirror.high) == pytest.approx((-found.high, -found.low), abs=1e-9)
    assert -1 <= found.low <= found.value <= found.high <= 1


def test_values_that_differ_by_the_order_of_a_sum_are_tied() -> None:
    x = np.array([0.1 + 0.2 + 0.3, 0.3 + 0.2 + 0.1, 0.9, 1.2, 0.2])
    y = np.array([1.0, 0.0, 0.5, 0.2, 0.4])
    assert x[0] != x[1]
    assert spearman(x, y).value == spearman(np.round(x, 6), y).value


def test_spearman_is_no_narrower_than_bonett_and_wright() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=200)
    found = spearman(x, x + rng.normal(size=200))
    half = 1.959964 * math.sqrt((1 + found.value**2 / 2) / 197)
    assert found.high >= math.tanh(math.atanh(found.value) + half) - 1e-8
    assert found.high == pytest.approx(math.tanh(math.atanh(found.value) + half), abs=0.02)


@pytest.mark.parametrize(("slope", "ties"), [(0.3, False), (3.0, False), (3.0, True)])
def test_spearmans_robust_error_is_that_of_the_jackknife(slope: float, ties: bool) -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=300)
    y = rng.normal(size=300) * np.exp(1.5 * x) + slope * x  # the spread changes with x
    if ties:
        x, y = np.maximum(0, x), np.maximum(0, np.round(slope * x * (1 + rng.normal(size=300))))
    found = spearman(x, y)
    left_out = [
        distributions.spearmanr(np.delete(x, i), np.delete(y, i)).statistic for i in range(300)
    ]
    error = math.sqrt(299 / 300 * np.sum((np.array(left_out) - np.mean(left_out)) ** 2))
    student = distributions.t.ppf(0.975, 298)
    half = student * error / (1 - found.value**2) * math.sqrt(300 / 297)
    assert half > 1.1 * 1.96 * math.sqrt((1 + found.value**2 / 2) / 297)
    assert math.atanh(found.high) - math.atanh(found.value) == pytest.approx(half, rel=0.015)


def test_perfect_and_undefined_correlations() -> None:
    x = np.arange(20.0)
    perfect = spearman(x, x**3)
    assert (perfect.value, perfect.high) == (1.0, 1.0)
    assert 0.9 < perfect.low < 1
    constant = spearman(x, np.ones(20))
    assert math.isnan(constant.value)
    assert (constant.low, constant.high) == (-1.0, 1.0)
    assert spearman(x[:3], x[:3]).low == -1.0
    assert spearman(np.array([]), np.array([])).n == 0


def test_pairs_with_a_missing_value_are_left_out() -> None:
    x = np.array([1.0, 2, math.nan, 4, 5, 6])
    y = np.array([2.0, 1, 9, 4, math.nan, 7])
    assert spearman(x, y) == spearman(np.array([1.0, 2, 4, 6]), np.array([2.0, 1, 4, 7]))
    with pytest.raises(ValueError, match="shape"):
        spearman(x, y[:3])


def test_auroc_of_the_scikit_learn_example() -> None:
    # scikit-learn 1.9, documentation of sklearn.metrics.roc_auc_score
    found = auroc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]))
    assert (found.value, found.n) == (0.75, 4)


@given(seeds, st.integers(2, 25), st.integers(2, 25))
def test_auroc_counts_pairs_and_has_delongs_variance(seed: int, yes: int, no: int) -> None:
    rng = np.random.default_rng(seed)
    positives, negatives = rng.integers(0, 9, yes) + 1.0, rng.integers(0, 9, no) + 0.0
    wins = (positives[:, None] > negatives) + 0.5 * (positives[:, None] == negatives)
    found = auroc(np.append(positives, negatives), np.arange(yes + no) < yes)
    assert found.value == pytest.approx(wins.mean())
    assert 0 <= found.low <= found.value <= found.high <= 1
    parts = wins.mean(axis=1).var(ddof=1) / yes, wins.mean(axis=0).var(ddof=1) / no
    if 0 < found.value < 1 and sum(parts) > 1e-9:
        freedom = sum(parts) ** 2 / (parts[0] ** 2 / (yes - 1) + parts[1] ** 2 / (no - 1))
        logit = math.log(found.value / (1 - found.value))
        error = math.sqrt(sum(parts)) / (found.value * (1 - found.value))
        high = logit + distributions.t.ppf(0.975, freedom) * error
        assert found.high == pytest.approx(1 / (1 + math.exp(-high)), abs=1e-9)


def test_turning_the_score_round_mirrors_the_area() -> None:
    rng = np.random.default_rng(4)
    score, positive = rng.normal(size=50), rng.random(50) < 0.4
    found, mirror = auroc(score, positive), auroc(-score, positive)
    assert (mirror.low, mirror.high) == pytest.approx((1 - found.high, 1 - found.low))


def test_classes_perfectly_apart_still_leave_doubt() -> None:
    found = auroc(np.arange(20.0), np.arange(20) >= 10)
    assert (found.value, found.high) == (1.0, 1.0)
    # At the limit the estimate is z standard errors away, by Hanley and McNeil's formula.
    a, extra = found.low, 20 / 2 - 1
    variance = a * (1 - a) * (1 + extra * (1 - a) / (2 - a) + extra * a / (1 + a)) / 100
    assert (1 - a) / math.sqrt(variance) == pytest.approx(1.959964, rel=1e-5)
    worst = auroc(-np.arange(20.0), np.arange(20) >= 10)
    assert (worst.low, worst.high) == pytest.approx((0.0, 1 - found.low))


def test_auroc_needs_both_classes() -> None:
    assert math.isnan(auroc(np.array([1.0, 2]), np.array([True, True])).value)
    single = auroc(np.array([1.0, 2, 3, 0]), np.array([True, False, False, False]))
    assert single.low < single.value < single.high
    constant = auroc(np.ones(10), np.arange(10) < 5)
    assert constant.value == 0.5
    assert constant.low < 0.3
    with pytest.raises(ValueError, match="shape"):
        auroc(np.array([1.0]), np.array([True, False]))
