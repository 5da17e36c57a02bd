"""Variance components: a known model is found again, and the correlations are covered."""

from __future__ import annotations

import math

import numpy as np
import pytest

from feedback_friction.analysis.stats.components import (
    CONDITION,
    EPOCH,
    PROBLEM,
    SOLVER,
    components,
    split,
)


def test_the_components_of_a_known_model_come_out():
    rng, shape = np.random.default_rng(0), (3000, 3, 4, 3)
    spreads = {
        (PROBLEM,): 0.5, (PROBLEM, SOLVER): 0.3, (PROBLEM, CONDITION): 0.4,
        (PROBLEM, SOLVER, EPOCH): 0.2, (PROBLEM, SOLVER, CONDITION, EPOCH): 0.6,
    }  # fmt: skip
    outcome = np.zeros(shape)
    for effect, spread in spreads.items():
        size = [levels if axis in effect else 1 for axis, levels in enumerate(shape)]
        outcome = outcome + rng.normal(0, spread, size)
    found = components(outcome)
    for effect, value in found.items():
        assert value == pytest.approx(spreads.get(effect, 0.0) ** 2, abs=0.012)


def test_one_condition_gives_the_intraclass_correlation_of_the_one_way_analysis():
    """Shrout and Fleiss (1979), Psychological Bulletin 86:420-428, table 2: ICC(1, 1) is 0.17."""
    ratings = np.array(
        [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    )
    found = split(ratings[:, np.newaxis, np.newaxis, :].astype(float))
    assert found.icc.value == pytest.approx(0.166, abs=0.0005)
    assert math.isnan(found.difference.value)


def test_with_one_epoch_there_is_no_correlation_to_tell():
    solved = np.random.default_rng(1).random((20, 1, 2, 1)).round()
    assert math.isnan(split(solved).icc.value)


@pytest.mark.slow
def test_limits_hold_the_correlations_of_trials_and_of_differences():
    """Two conditions that share first attempts; the truth is that of very many problems."""
    rng = np.random.default_rng(2)

    def draw(problems: int, epochs: int) -> np.ndarray:
        chance = rng.beta(0.4, 0.6, (problems, 1))
        willing = rng.random((problems, 1)) >= 0.4
        first = rng.random((problems, epochs)) < chance
        later = [willing & (rng.random((problems, epochs)) < uptake) for uptake in (0.8, 0.3)]
        return np.stack([(first | each).astype(float) for each in later], axis=1)[:, np.newaxis]

    truth, runs = split(draw(20_000, 8)), 50
    found = [split(draw(60, 3)) for _ in range(runs)]
    for name in ("icc", "difference"):
        value = getattr(truth, name).value
        held = sum(getattr(each, name).interval.contains(value) for each in found)
        assert held / runs >= 0.88


@pytest.mark.parametrize("problems", [3, 10])
def test_a_likeness_that_few_problems_cannot_tell_has_the_widest_limits(problems: int) -> None:
    """All epochs agree: a likeness of 1, with nothing that leaving a problem out would change."""
    solved = np.zeros((problems, 1, 2, 2))
    solved[: problems // 2 + 1] = 1
    found = split(solved).icc
    assert (found.value, found.low, found.high) == (1.0, 0.0, 1.0)


def test_the_limits_of_a_likeness_hold_for_ten_problems() -> None:
    rng, runs, true = np.random.default_rng(5), 150, 0.8
    held = 0
    for _ in range(runs):
        chance = rng.beta(0.4 * (1 - true) / true, 0.6 * (1 - true) / true, (10, 1, 1, 1))
        held += split((rng.random((10, 1, 2, 2)) < chance).astype(float)).icc.interval.contains(
            true
        )
    assert held / runs >= 0.92
