"""Cohen's kappa, Krippendorff's alpha, and agreement by class."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats as distributions

from feedback_friction.analysis.stats.intervals import wilson
from feedback_friction.analysis.stats.raters import UNRATED, alpha, class_agreement, kappa

PUBLISHED = json.loads(Path(__file__).parents[1].joinpath("cases/stats_published.json").read_text())
ratings = arrays.arrays(
    np.int64, st.tuples(st.integers(2, 4), st.integers(1, 25)), elements=st.integers(-1, 2)
)


def raters(table: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Two raters' classes with this table of counts."""
    first, second = np.indices(np.shape(table))
    counts = np.ravel(table)
    return np.repeat(first.ravel(), counts), np.repeat(second.ravel(), counts)


@pytest.mark.parametrize("row", PUBLISHED["kappa"]["rows"], ids=str)
def test_kappa_and_its_large_sample_interval(row: dict[str, Any]) -> None:
    first, second = raters(row["table"])
    n = len(first)
    found = kappa(first, second, 3)
    assert found.value == pytest.approx(row["kappa"], abs=1e-6)
    # The z-scale limits with the published standard error, unless Wilson's of po are wider.
    error = row["error"] * math.sqrt(n / (n - 1)) / (1 - found.value**2)
    half = distributions.t.ppf(0.975, n - 1) * error
    z_low, z_high = (math.tanh(math.atanh(found.value) + side * half) for side in (-1, 1))
    expected = np.trace(row["table"]) / n
    chance = (expected - found.value) / (1 - found.value)
    limits = wilson(float(np.trace(row["table"])), n)
    assert found.low == pytest.approx(min(z_low, (limits.low - chance) / (1 - chance)), abs=1e-5)
    assert found.high == pytest.approx(max(z_high, (limits.high - chance) / (1 - chance)), abs=1e-5)


@pytest.mark.parametrize("row", PUBLISHED["alpha"]["rows"], ids=lambda row: row["name"])
def test_alpha_gives_the_published_values(row: dict[str, Any]) -> None:
    assert alpha(np.array(row["ratings"]), row["classes"]).value == pytest.approx(
        row["alpha"], abs=5e-4
    )


@given(ratings)
def test_agreement_does_not_depend_on_the_order_of_raters_or_units(found: np.ndarray) -> None:
    first, second = alpha(found, 3), alpha(found[::-1, ::-1], 3)
    assert second.value == pytest.approx(first.value, nan_ok=True)
    assert (second.low, second.high) == pytest.approx((first.low, first.high))
    one, other = kappa(found[0], found[1], 3), kappa(found[1], found[0], 3)
    assert one.value == pytest.approx(other.value, nan_ok=True)
    for estimate in (first, one):
        assert -1 <= estimate.low <= estimate.high <= 1
        assert math.isnan(estimate.value) or estimate.low <= estimate.value <= estimate.high


@given(ratings)
def test_names_of_classes_do_not_matter(found: np.ndarray) -> None:
    renamed = np.where(found == UNRATED, UNRATED, 2 - found)
    assert alpha(renamed, 3).value == pytest.approx(alpha(found, 3).value, nan_ok=True)
    assert kappa(renamed[0], renamed[1], 3).value == pytest.approx(
        kappa(found[0], found[1], 3).value, nan_ok=True
    )


def test_full_agreement_on_few_units_still_leaves_doubt() -> None:
    classes = np.array([0, 1, 0, 1, 2, 0, 1, 0, 2, 1])
    for found in (kappa(classes, classes, 3), alpha(np.stack([classes] * 3), 3)):
        assert found.value == pytest.approx(1.0)
        assert found.high == pytest.approx(1.0)
        assert 0.3 < found.low < 0.75


def test_agreement_by_chance_alone_is_0() -> None:
    rng = np.random.default_rng(1)
    found = rng.choice(3, p=[0.6, 0.3, 0.1], size=(2, 20_000))
    for estimate in (kappa(found[0], found[1], 3), alpha(found, 3)):
        assert estimate.value == pytest.approx(0, abs=0.02)
        assert estimate.low < 0 < estimate.high


@pytest.mark.parametrize(
    ("first", "second"), [([UNRATED, 1], [0, UNRATED]), ([1, 1, 1], [1, 1, 1]), ([], [])]
)
def test_agreement_is_undefined_without_variation_or_common_units(
    first: list[int], second: list[int]
) -> None:
    pair = np.array(first, dtype=np.int64), np.array(second, dtype=np.int64)
    for found in (kappa(*pair, 3), alpha(np.stack(pair), 3)):
        assert math.isnan(found.value)
        assert (found.low, found.high) == (-1.0, 1.0)


def test_units_that_one_rater_left_out_do_not_count() -> None:
    first = np.array([0, 1, 2, 0, UNRATED, 1])
    second = np.array([0, 1, 1, 0, 2, UNRATED])
    assert kappa(first, second, 3) == kappa(first[:4], second[:4], 3)
    assert alpha(np.stack([first, second]), 3) == alpha(np.stack([first[:4], second[:4]]), 3)


def test_class_agreement_is_the_specific_agreement_of_two_raters() -> None:
    first, second = raters([[20, 5], [3, 12]])
    zero, one = class_agreement(np.stack([first, second]), 2)
    assert zero.agreement.value == pytest.approx(2 * 20 / (2 * 20 + 5 + 3))
    assert one.agreement.value == pytest.approx(2 * 12 / (2 * 12 + 5 + 3))
    assert (zero.label, zero.ratings, one.ratings) == (0, 48, 32)
    assert zero.agreement.low < zero.agreement.value < zero.agreement.high


def test_class_agreement_of_many_raters_counts_pairs() -> None:
    found = np.array([[0, 1, 0], [0, 1, 1], [0, UNRATED, 1], [1, UNRATED, 1]])
    zero, one = class_agreement(found, 2)
    # For class 0: unit 1 has 3 of 4, unit 3 has 1 of 4: (3 * 2 + 1 * 0) / 3 over 4 ratings.
    assert zero.agreement.value == pytest.approx(2 / 4)
    assert one.agreement.value == pytest.approx((0 + 2 + 3 * 2 / 3) / 6)


def test_a_class_that_nobody_gave_has_no_agreement() -> None:
    unused = class_agreement(np.array([[0, 0], [0, 0]]), 2)[1]
    assert math.isnan(unused.agreement.value)
    assert unused.ratings == 0


def test_classes_and_shapes_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="classes"):
        alpha(np.array([[0, 3], [1, 1]]), 3)
    with pytest.raises(ValueError, match="raters, units"):
        alpha(np.array([0, 1]), 3)
    with pytest.raises(ValueError, match="same units"):
        kappa(np.array([0, 1]), np.array([0]), 2)
