"""Two conditions compared problem by problem."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_friction.analysis.stats.arrays import MISSING, UNSOLVED
from feedback_friction.analysis.stats.differences import (
    Discordance,
    Pairs,
    mcnemar,
    mean_difference,
)
from feedback_friction.analysis.stats.intervals import Interval
from feedback_friction.analysis.stats.paired import compare, count_pairs

PUBLISHED = json.loads(Path(__file__).parents[1].joinpath("cases/stats_published.json").read_text())
CASES = [
    pytest.param(Pairs(*row["pairs"]), row["tango"], id=row["name"])
    for row in PUBLISHED["paired"]["rows"]
    if "tango" in row
]


def tango(pairs: Pairs) -> Interval:
    return Discordance(pairs.n, pairs.treatment / pairs.n, pairs.control / pairs.n).interval()


some_pairs = st.builds(Pairs, *[st.integers(0, 200)] * 4).filter(lambda pairs: pairs.n > 0)


@pytest.mark.parametrize(("pairs", "published"), CASES)
def test_paired_intervals_give_the_published_limits(pairs: Pairs, published: list[float]) -> None:
    limits = tango(pairs)
    assert (limits.low, limits.high) == pytest.approx(published, abs=5e-5)


@given(some_pairs)
def test_paired_intervals_hold_the_difference_and_mirror(pairs: Pairs) -> None:
    limits = tango(pairs)
    swapped = tango(Pairs(pairs.both, pairs.control, pairs.treatment, pairs.neither))
    assert -1 <= limits.low <= pairs.difference <= limits.high <= 1
    assert (-swapped.high, -swapped.low) == pytest.approx((limits.low, limits.high), abs=1e-7)


@given(some_pairs.filter(lambda pairs: pairs.treatment + pairs.control > 0))
def test_tango_leaves_out_0_exactly_when_mcnemars_score_is_significant(pairs: Pairs) -> None:
    score = abs(pairs.treatment - pairs.control) / math.sqrt(pairs.treatment + pairs.control)
    if abs(score - 1.959964) > 1e-3:
        assert tango(pairs).contains(0.0) == (score < 1.959964)


def test_without_pairs_there_is_no_difference() -> None:
    nothing = Pairs(0, 0, 0, 0)
    assert math.isnan(nothing.difference)
    assert math.isnan(mean_difference(np.array([]), np.array([])).value)


def test_where_nothing_varies_only_the_difference_itself_is_possible() -> None:
    nothing = Discordance(10, more=0.0, less=0.0)
    assert nothing.score(0.0) == 0.0
    assert nothing.score(1.0) == -math.inf


def test_no_discordant_pair_still_leaves_doubt() -> None:
    limits = tango(Pairs(20, 0, 0, 10))
    assert -0.2 < limits.low < -0.05 < 0.05 < limits.high < 0.2


@given(some_pairs)
def test_one_trial_a_problem_is_tango(pairs: Pairs) -> None:
    counts = [pairs.treatment, pairs.control, pairs.both + pairs.neither]
    gaps = np.repeat([1.0, -1.0, 0.0], counts)
    found = mean_difference(gaps, np.ones(len(gaps)))
    limits = tango(pairs)
    assert (found.low, found.high) == pytest.approx((limits.low, limits.high), abs=1e-9)
    assert found.n == pairs.n


@given(st.integers(2, 60), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_the_mean_difference_with_epochs_lies_in_its_limits(
    problems: int, epochs: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    chance = rng.beta(0.5, 0.5, problems)
    gaps = (rng.binomial(epochs, chance) - rng.binomial(epochs, chance)) / epochs
    found = mean_difference(gaps, np.full(problems, float(epochs)))
    assert -1 <= found.low <= found.value <= found.high <= 1
    assert found.value == pytest.approx(gaps.mean())


def test_more_epochs_narrow_the_difference() -> None:
    rng = np.random.default_rng(5)
    chance = rng.beta(2, 2, 200)
    widths = []
    for epochs in (1, 4, 16):
        gaps = (rng.binomial(epochs, chance) - rng.binomial(epochs, chance)) / epochs
        widths.append(mean_difference(gaps, np.full(200, float(epochs))).interval.width)
    assert widths == sorted(widths, reverse=True)
    assert widths[2] < widths[0] / 2.5


def test_the_difference_covers_with_hardly_any_discordance() -> None:
    rng, score = np.random.default_rng(6), 0
    for _ in range(300):
        control = rng.integers(0, 2, 100)
        treatment = np.where((control == 0) & (rng.random(100) < 0.04), 1, control)
        found = compare(treatment - 1, control - 1, rng)
        score += found.difference.interval.contains(0.02)
    assert score / 300 > 0.92


def test_compare_pairs_problems() -> None:
    treatment = np.array([0, 1, 1, UNSOLVED, 2, 0])
    control = np.array([0, UNSOLVED, 2, 1, UNSOLVED, 1])
    found = compare(treatment, control, np.random.default_rng(1))
    assert found.difference.value == pytest.approx(1 / 6)
    assert found.pairs == Pairs(both=3, treatment=2, control=1, neither=0)
    assert found.p_value == mcnemar(2, 1)
    assert found.difference.n == 6
    assert found.missing == 0
    limits = tango(found.pairs)
    assert (found.difference.low, found.difference.high) == pytest.approx((limits.low, limits.high))


def test_problems_that_a_condition_lacks_are_left_out_and_counted() -> None:
    treatment = np.array([0, MISSING, 1, MISSING, 0])
    control = np.array([UNSOLVED, 0, 1, MISSING, MISSING])
    found = compare(treatment, control, np.random.default_rng(1))
    assert found.missing == 3
    assert found.difference.n == 2
    assert found.pairs == Pairs(both=1, treatment=1, control=0, neither=0)


def test_epochs_are_averaged_by_problem_and_tested_by_permutation() -> None:
    rng = np.random.default_rng(2)
    chance = rng.beta(1, 1, (80, 1))
    control = np.where(rng.random((80, 4)) < chance, 0, UNSOLVED)
    treatment = np.where((control < 0) & (rng.random((80, 4)) < 0.3), 0, control)
    found = compare(treatment, control, rng)
    expected = ((treatment == 0).mean(axis=1) - (control == 0).mean(axis=1)).mean()
    assert found.difference.value == pytest.approx(expected)
    assert found.pairs is None
    assert found.p_value < 0.001


def test_conditions_with_nothing_in_common_compare_to_nothing() -> None:
    found = compare(np.array([0, MISSING]), np.array([MISSING, 0]), np.random.default_rng(1))
    assert math.isnan(found.difference.value)
    assert found.p_value == 1.0
    assert found.missing == 2


def test_conditions_of_different_length_are_not_paired() -> None:
    with pytest.raises(ValueError, match="not paired"):
        compare(np.array([0]), np.array([0, 1]), 2, np.random.default_rng(1))


def test_pairs_are_counted_by_who_solved() -> None:
    found = count_pairs(np.array([1.0, 1, 0, 0, 1]), np.array([1.0, 0, 1, 0, 0]))
    assert found == Pairs(both=1, treatment=2, control=1, neither=1)


@pytest.mark.parametrize("gap", [0.1, 0.3, 0.7])
@pytest.mark.parametrize("problems", [3, 6, 7])
def test_differences_that_are_alike_but_for_rounding_have_the_same_width(
    gap: float, problems: int
) -> None:
    """0.1 three times has a mean of 0.10000000000000002, and no variance all the same."""
    found = mean_difference([gap] * problems, [math.inf] * problems)
    assert found.value == pytest.approx(gap)
    assert found.high - found.low > 0.3
    pairs = [0.1, 0.3] * problems
    clusters = [f"c{place // 2}" for place in range(2 * problems)]
    shared = mean_difference(pairs, [math.inf] * len(pairs), clusters=clusters)
    assert shared.high - shared.low > 0.3
