"""Accuracy by iteration and its plateau."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from feedback_friction.analysis.stats.arrays import MISSING, UNSOLVED
from feedback_friction.analysis.stats.curve import Plateau, accuracy_curve, plateau
from feedback_friction.analysis.stats.intervals import wilson

tables = arrays.arrays(
    np.int64, st.tuples(st.integers(1, 30), st.integers(1, 3)), elements=st.integers(-2, 4)
)


def trials(*counts: int, unsolved: int) -> np.ndarray:
    """First-solved iterations with so many trials solved at iteration 0, 1, ..."""
    return np.repeat([*range(len(counts)), UNSOLVED], [*counts, unsolved])


def test_one_epoch_gives_shares_with_wilson_intervals() -> None:
    curve = accuracy_curve(trials(40, 20, 10, unsolved=30), 3)
    assert [point.value for point in curve] == pytest.approx([0.4, 0.6, 0.7])
    for point, solved in zip(curve, (40, 60, 70), strict=True):
        limits = wilson(solved, 100)
        assert (point.low, point.high, point.n) == pytest.approx((limits.low, limits.high, 100))


@given(tables)
def test_the_curve_never_falls_and_holds_its_values(first: np.ndarray) -> None:
    curve = accuracy_curve(first, 5)
    observed = int((first != MISSING).sum())
    assert all(point.n == observed for point in curve)
    if observed:
        values = [point.value for point in curve]
        assert values == sorted(values)
        assert all(point.low <= point.value <= point.high for point in curve)


def test_missing_trials_count_neither_as_solved_nor_as_unsolved() -> None:
    first = np.array([0, 1, UNSOLVED, MISSING, MISSING])
    assert accuracy_curve(first, 2) == accuracy_curve(first[:3], 2)


def test_problems_weigh_the_same_whatever_their_epochs() -> None:
    first = np.array([[0, 0, 0], [UNSOLVED, MISSING, MISSING]])
    (point,) = accuracy_curve(first, 1)
    assert point.value == 0.5
    assert point.n == 4


def test_a_run_without_trials_has_no_accuracy() -> None:
    (point,) = accuracy_curve(np.full((4, 2), MISSING), 1)
    assert math.isnan(point.value)
    assert (point.low, point.high, point.n) == (0.0, 1.0, 0)


@pytest.mark.parametrize("bad", [-3, 5])
def test_iterations_out_of_range_are_refused(bad: int) -> None:
    with pytest.raises(ValueError, match="first-solved"):
        accuracy_curve(np.array([0, bad]), 5)


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="dimensions"):
        accuracy_curve(np.zeros((2, 2, 2), dtype=np.int64), 5)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((40, 20, 10, 0, 0), 2),
        ((40, 0, 0, 0, 0), 0),
        ((40, 5, 0, 5, 0), 3),
        ((40, 5, 5, 5, 5), None),
        ((40, 20, 1, 1, 1), None),
        ((40, 20, 1, 0, 0), 2),
    ],
    ids=str,
)
def test_the_plateau_is_where_gains_stay_below_the_threshold(
    counts: tuple[int, ...], expected: int | None
) -> None:
    first = trials(*counts, unsolved=100 - sum(counts))
    found = plateau(first, 5, np.random.default_rng(1), threshold=0.01)
    assert found.iteration == expected


def test_a_gain_of_exactly_the_threshold_counts() -> None:
    first = trials(7, 1, 1, 0, unsolved=91)
    assert plateau(first, 4, np.random.default_rng(1), threshold=0.01).iteration == 2
    assert plateau(first, 4, np.random.default_rng(1), threshold=0.0101).iteration == 0


def test_the_plateau_of_resamples_surrounds_it() -> None:
    first = trials(400, 200, 100, 50, 9, 9, 9, 9, unsolved=214)
    found = plateau(first, 8, np.random.default_rng(1), threshold=0.02)
    assert found.iteration == 3
    assert found.low == 3
    assert found.high == 3
    rough = plateau(
        trials(40, 20, 10, 3, 1, 1, 1, 1, unsolved=23), 8, np.random.default_rng(1), 0.02
    )
    assert rough.iteration == 3
    assert rough.low is not None
    assert rough.low < 3
    assert rough.high is None


def test_a_plateau_needs_trials_and_a_second_iteration() -> None:
    rng = np.random.default_rng(1)
    assert plateau(np.array([MISSING]), 5, rng) == Plateau(None, None, None, 0.01)
    assert plateau(np.array([0, UNSOLVED]), 1, rng).iteration is None
