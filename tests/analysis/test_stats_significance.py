"""McNemar's test, the sign-flip permutation test, and Holm's correction."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from feedback_friction.analysis.stats.differences import holm, mcnemar
from feedback_friction.analysis.stats.paired import sign_flip

PUBLISHED = json.loads(Path(__file__).parents[1].joinpath("cases/stats_published.json").read_text())
TESTED = [row for row in PUBLISHED["paired"]["rows"] if "mid_p" in row]


@pytest.mark.parametrize("row", TESTED, ids=lambda row: row["name"])
def test_mcnemar_gives_the_published_p_values(row: dict[str, Any]) -> None:
    found = mcnemar(row["pairs"][1], row["pairs"][2])
    assert found == pytest.approx(row["mid_p"], abs=5e-7)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_binomial_tail(won: int, lost: int) -> None:
    n, fewer = won + lost, min(won, lost)
    tail = sum(math.comb(n, x) for x in range(fewer + 1)) / 2**n
    point = math.comb(n, fewer) / 2**n
    found = mcnemar(won, lost)
    assert found == mcnemar(lost, won)
    both_tails = 1.0 if won == lost else 2 * tail
    assert found == pytest.approx(
        1.0 if n == 0 else both_tails - (point if won != lost else point / 2)
    )


def test_without_discordant_pairs_nothing_is_shown() -> None:
    assert mcnemar(0, 0) == 1.0
    with pytest.raises(ValueError, match="negative"):
        mcnemar(-1, 2)


def test_sign_flips_match_all_assignments() -> None:
    gaps = np.array([0.75, 0.25, -0.25, 0.5, 0.5, -0.75, 1.0, 0.25, 0.0, 0.5])
    nonzero = gaps[gaps != 0]
    extreme = [
        abs(np.dot(signs, nonzero)) >= abs(gaps.sum()) - 1e-9
        for signs in itertools.product([-1, 1], repeat=len(nonzero))
    ]
    found = sign_flip(gaps, np.random.default_rng(1), 100_000)
    assert found == pytest.approx(np.mean(extreme), abs=0.005)


def test_sign_flips_of_single_trials_match_mcnemar() -> None:
    gaps = np.repeat([1.0, -1.0, 0.0], [16, 6, 139])
    found = sign_flip(gaps, np.random.default_rng(1), 200_000)
    assert found == pytest.approx(binomtest(6, 22).pvalue, abs=0.003)


def test_sign_flips_of_nothing() -> None:
    assert sign_flip(np.zeros(5), np.random.default_rng(1)) == 1.0
    assert sign_flip(np.ones(60), np.random.default_rng(1), 999) == pytest.approx(0.001)


def test_sign_flips_keep_their_level() -> None:
    rng = np.random.default_rng(4)
    rejected = 0
    for _ in range(600):
        chance = rng.beta(0.5, 0.5, 40)
        gaps = (rng.binomial(3, chance) - rng.binomial(3, chance)) / 3
        rejected += sign_flip(gaps, rng, 400) <= 0.05
    assert 0.025 <= rejected / 600 <= 0.075


def test_holm_gives_the_values_of_statsmodels() -> None:
    # statsmodels 0.15: multipletests([0.01, 0.04, 0.03, 0.005], method="holm")[1]
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_keeps_the_order_and_lies_between_raw_and_bonferroni(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    for raw, found in zip(p_values, adjusted, strict=True):
        assert raw <= found <= min(1.0, len(p_values) * raw) + 1e-15
    for i, j in itertools.combinations(range(len(p_values)), 2):
        if p_values[i] <= p_values[j]:
            assert adjusted[i] <= adjusted[j]


def test_holm_does_not_count_comparisons_that_were_not_made() -> None:
    adjusted = holm([0.02, math.nan, 0.03])
    assert (adjusted[0], adjusted[2]) == pytest.approx((0.04, 0.04))
    assert math.isnan(adjusted[1])
    assert holm([]) == ()
    with pytest.raises(ValueError, match="p-values"):
        holm([0.5, 1.5])
