"""Problems needed to see a paired difference."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from feedback_friction.analysis.stats.differences import mcnemar
from feedback_friction.analysis.stats.sample_size import (
    approximate_sample_size,
    detectable_difference,
    pairs_of_a_problem,
    power,
    sample_size,
)


def by_enumeration(n: int, difference: float, discordance: float, mid_p: bool) -> float:
    """The power from the trinomial distribution and the test's own p-values."""
    won, lost = (discordance + difference) / 2, (discordance - difference) / 2
    total = 0.0
    for b in range(n + 1):
        for c in range(n + 1 - b):
            exact = binomtest(b, b + c).pvalue if b + c else 1.0
            if (mcnemar(b, c) if mid_p else exact) <= 0.05:
                ways = math.comb(n, b) * math.comb(n - b, c)
                total += ways * won**b * lost**c * (1 - won - lost) ** (n - b - c)
    return total


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 25), st.floats(0.02, 1.0), st.floats(-1, 1), st.booleans())
def test_power_is_the_sum_over_all_outcomes(
    n: int, discordance: float, part: float, mid_p: bool
) -> None:
    difference = part * discordance
    expected = by_enumeration(n, difference, discordance, mid_p)
    assert power(n, difference, discordance, mid_p=mid_p) == pytest.approx(expected, abs=1e-9)


def test_power_gives_the_published_value() -> None:
    # G*Power 3.1 manual, McNemar, after O'Brien (2002): discordance 0.4, odds ratio 0.25, n = 50,
    # one-sided 0.05: 0.839343; the two-sided test at 0.1 adds the far tail of 1.5e-5.
    found = power(50, 0.4 * (0.8 - 0.2), 0.4, level=0.90, mid_p=False)
    assert found == pytest.approx(0.839343, abs=3e-5)


def test_power_is_what_simulated_comparisons_show() -> None:
    rng = np.random.default_rng(1)
    draws = rng.multinomial(300, [0.11, 0.05, 0.84], size=4000)
    rejected = np.mean([mcnemar(int(b), int(c)) <= 0.05 for b, c, _ in draws])
    assert power(300, 0.06, 0.16) == pytest.approx(rejected, abs=0.025)


def test_the_closed_form_gives_the_published_number() -> None:
    # powersamplesize.com, McNemar's Z-test, 2-sided: p01 = 0.45, p10 = 0.05, power 0.8: 23 pairs
    assert approximate_sample_size(0.4, 0.5) == 23
    assert approximate_sample_size(-0.4, 0.5) == 23


@pytest.mark.parametrize(("difference", "discordance"), [(0.05, 0.15), (-0.1, 0.3), (0.2, 0.2)])
def test_the_sample_size_is_the_first_that_keeps_the_power(
    difference: float, discordance: float
) -> None:
    n = sample_size(difference, discordance)
    assert power(n - 1, difference, discordance) < 0.8
    for more in range(10):
        assert power(n + more, difference, discordance) >= 0.8
    assert n == pytest.approx(approximate_sample_size(difference, discordance), rel=0.4)


def test_a_large_design_is_found_quickly_and_near_the_closed_form() -> None:
    assert sample_size(0.01, 0.15) == pytest.approx(approximate_sample_size(0.01, 0.15), rel=0.01)


def test_the_test_keeps_its_size() -> None:
    for n in (20, 100, 450):
        assert power(n, 0.0, 0.2, mid_p=False) <= 0.05
        assert power(n, 0.0, 0.2) <= 0.055


def test_the_detectable_difference_has_the_target_power() -> None:
    found = detectable_difference(450, 0.2)
    assert power(450, found, 0.2) == pytest.approx(0.8, abs=1e-4)
    assert detectable_difference(1800, 0.2) < found
    assert math.isnan(detectable_difference(10, 0.1))


@pytest.mark.parametrize(("n", "discordance"), [(0, 0.2), (100, 0.0)])
def test_nothing_is_seen_without_discordant_problems(n: int, discordance: float) -> None:
    assert power(n, 0.0, discordance) == 0.0


def test_impossible_designs_are_refused() -> None:
    with pytest.raises(ValueError, match="allows no difference"):
        power(10, 0.3, 0.2)
    with pytest.raises(ValueError, match="allows no difference"):
        power(10, 0.3, 1.2)
    with pytest.raises(ValueError, match="other than 0"):
        sample_size(0.0, 0.2)
    with pytest.raises(ValueError, match="other than 0"):
        sample_size(0.1, 0.2, target=1.0)
    with pytest.raises(ValueError, match="size of the test"):
        detectable_difference(100, 0.2, target=0.01)


@pytest.mark.parametrize(("icc", "expected"), [(0.0, 16), (1.0, 1), (0.25, 16 / 4.75)])
def test_epochs_are_worth_what_their_likeness_leaves(icc: float, expected: float) -> None:
    assert pairs_of_a_problem(16, icc) == pytest.approx(expected)
    assert pairs_of_a_problem(1, icc) == 1
    with pytest.raises(ValueError, match="ICC"):
        pairs_of_a_problem(2, 1.5)


def test_epochs_give_the_variance_that_they_promise() -> None:
    """Differences of problems with a share r of their variance between problems."""
    rng, epochs = np.random.default_rng(8), 4
    effect = rng.choice([-1.0, 0.0, 1.0], p=[0.1, 0.8, 0.1], size=(200_000, 1))
    kept = rng.random((200_000, epochs)) < np.sqrt(0.5)
    noise = rng.choice([-1.0, 0.0, 1.0], p=[0.1, 0.8, 0.1], size=(200_000, epochs))
    single = np.where(kept, effect, noise)  # two trials share the effect half the time
    single_variance = single[:, 0].var()
    icc = np.cov(single[:, 0], single[:, 1])[0, 1] / single_variance
    expected = single_variance / pairs_of_a_problem(epochs, float(icc))
    assert single.mean(axis=1).var() == pytest.approx(expected, rel=0.02)
