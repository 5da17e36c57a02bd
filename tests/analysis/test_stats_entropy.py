"""Semantic entropy, plug-in and corrected."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from feedback_friction.analysis.stats.entropy import chao_shen_entropy, plug_in_entropy

tables = arrays.arrays(
    np.int64, st.tuples(st.integers(1, 6), st.integers(1, 8)), elements=st.integers(0, 30)
)


def by_hand(counts: list[int]) -> float:
    """Chao and Shen's estimator for one problem, term by term."""
    n = sum(counts)
    single = min(sum(count == 1 for count in counts), n - 1)
    total = 0.0
    for count in counts:
        if count:
            p = (1 - single / n) * count / n
            total -= p * math.log(p) / (1 - (1 - p) ** n)
    return total


@pytest.mark.parametrize("k", [1, 2, 5, 50])
def test_k_equally_frequent_answers_have_an_entropy_of_log_k(k: int) -> None:
    assert plug_in_entropy(np.full((1, k), 3))[0] == pytest.approx(math.log(k))


@given(tables)
def test_plug_in_entropy_lies_between_0_and_log_of_the_answers(counts: np.ndarray) -> None:
    for row, found in zip(counts, plug_in_entropy(counts), strict=True):
        if row.sum():
            assert -1e-12 <= found <= math.log((row > 0).sum()) + 1e-12
        else:
            assert math.isnan(found)


@given(tables)
def test_the_correction_is_chao_and_shens_formula(counts: np.ndarray) -> None:
    for row, found in zip(counts, chao_shen_entropy(counts), strict=True):
        if row.sum():
            assert found == pytest.approx(by_hand(row.tolist()))
        else:
            assert math.isnan(found)


@given(tables)
def test_order_and_padding_do_not_matter(counts: np.ndarray) -> None:
    padded = np.pad(counts[:, ::-1], ((0, 0), (0, 3)))
    for entropy in (plug_in_entropy, chao_shen_entropy):
        assert entropy(padded) == pytest.approx(entropy(counts), nan_ok=True)


def test_one_answer_only_is_certain() -> None:
    counts = np.array([[50, 0, 0]])
    assert plug_in_entropy(counts)[0] == 0.0
    assert chao_shen_entropy(counts)[0] == pytest.approx(0.0, abs=1e-12)


def test_the_correction_removes_most_of_the_bias_at_50_samples() -> None:
    rng = np.random.default_rng(1)
    shares = 1 / np.arange(1, 51)
    shares /= shares.sum()
    truth = -float(np.sum(shares * np.log(shares)))
    counts = rng.multinomial(50, shares, size=2000)
    plain = plug_in_entropy(counts).mean() - truth
    corrected = chao_shen_entropy(counts).mean() - truth
    assert plain < -0.4
    assert abs(corrected) < 0.1


def test_other_shapes_and_negative_counts_are_refused() -> None:
    for counts in (np.array([1, 2]), np.array([[1, -1]])):
        with pytest.raises(ValueError, match="counts"):
            plug_in_entropy(counts)
