"""Target accuracy, friction and relative friction from sampled annotation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_friction.analysis.stats.arrays import MISSING, UNSOLVED
from feedback_friction.analysis.stats.friction import (
    OTHER_REASON,
    RESISTANT,
    UNLABELLED,
    Friction,
    friction,
)
from feedback_friction.analysis.stats.intervals import Interval, modified_wilson


def run(initial: int, later: int, resistant: int, other: int, unlabelled: int = 0) -> Friction:
    """The friction of a run with so many trials of each kind, one epoch."""
    first = np.repeat([0, 3, UNSOLVED], [initial, later, resistant + other + unlabelled])
    labels = np.repeat(
        [UNLABELLED, RESISTANT, OTHER_REASON, UNLABELLED],
        [initial + later, resistant, other, unlabelled],
    )
    return friction(first, labels)


def test_with_all_annotated_everything_is_a_binomial_share() -> None:
    found = run(initial=40, later=30, resistant=20, other=10)
    assert found.final.value == pytest.approx(0.7)
    for estimate, hits, n in (
        (found.target, 90, 100),
        (found.friction, 20, 100),
        (found.relative, 20, 50),
        (found.resistance, 20, 30),
    ):
        limits = modified_wilson(hits, n)
        assert estimate.value == pytest.approx(hits / n)
        assert (estimate.low, estimate.high) == pytest.approx((limits.low, limits.high))
        assert estimate.n == n
    assert (found.unsolved, found.annotated) == (30, 30)


def test_the_target_is_final_accuracy_plus_the_resisting_share() -> None:
    found = run(initial=40, later=30, resistant=4, other=2, unlabelled=24)
    assert found.resistance.value == pytest.approx(2 / 3)
    assert found.target.value == pytest.approx(0.7 + 0.3 * 2 / 3)
    assert found.friction.value == pytest.approx(found.target.value - found.final.value)
    gain = found.target.value - found.initial.value
    assert found.relative.value == pytest.approx(found.friction.value / gain)
    assert (found.unsolved, found.annotated) == (30, 6)


def test_the_variance_is_that_of_two_phase_sampling() -> None:
    found = run(initial=400, later=300, resistant=60, other=30, unlabelled=210)
    u, p, q = 0.3, 2 / 3, 0.2
    variance = q * (1 - q) / 1000 + u**2 * p * (1 - p) * (1 / 90 - 1 / 300)
    limits = modified_wilson(q * q * (1 - q) / variance, q * (1 - q) / variance)
    # The Student correction and the divisor n - 1 are all that is added.
    assert found.friction.low == pytest.approx(limits.low, abs=2e-4)
    assert found.friction.high == pytest.approx(limits.high, abs=2e-4)


def test_the_target_misses_only_what_other_reasons_leave() -> None:
    # The same labels read the other way round: the target's doubt is that of the other share.
    found = run(initial=400, later=300, resistant=60, other=30, unlabelled=210)
    mirrored = run(initial=400, later=300, resistant=30, other=60, unlabelled=210)
    assert found.target.value == pytest.approx(1 - mirrored.friction.value)
    expected = (1 - mirrored.friction.high, 1 - mirrored.friction.low)
    assert (found.target.low, found.target.high) == pytest.approx(expected)


def test_sampling_fewer_labels_widens_and_more_narrow_the_doubt() -> None:
    runs = [run(400, 300, 2 * m, m, 300 - 3 * m) for m in (5, 20, 60, 100)]
    for attribute in ("target", "friction", "relative"):
        widths = [getattr(found, attribute).interval.width for found in runs]
        assert widths == sorted(widths, reverse=True)


def test_labels_that_all_agree_leave_doubt_while_some_are_missing() -> None:
    all_seen = run(initial=40, later=30, resistant=30, other=0)
    some_seen = run(initial=40, later=30, resistant=6, other=0, unlabelled=24)
    assert all_seen.friction.value == some_seen.friction.value == pytest.approx(0.3)
    assert some_seen.friction.low < all_seen.friction.low - 0.02
    assert some_seen.target.low < all_seen.target.low - 0.05
    nearly = run(initial=40, later=30, resistant=25, other=0, unlabelled=5)
    assert nearly.friction.low == pytest.approx(all_seen.friction.low, abs=0.003)


def test_all_solved_has_no_friction() -> None:
    found = run(initial=40, later=10, resistant=0, other=0)
    assert (found.target.value, found.friction.value, found.relative.value) == (1.0, 0.0, 0.0)
    assert found.friction.high == pytest.approx(modified_wilson(0, 50).high)
    assert found.target.low == pytest.approx(modified_wilson(50, 50).low)
    assert math.isnan(found.resistance.value)


def test_relative_friction_is_undefined_when_nothing_could_be_gained() -> None:
    found = run(initial=40, later=0, resistant=0, other=10)
    assert found.target.value == pytest.approx(found.initial.value)
    assert math.isnan(found.relative.value)
    assert found.relative.interval == Interval(0.0, 1.0)


def test_without_labels_the_target_lies_anywhere_above_final_accuracy() -> None:
    found = run(initial=40, later=30, resistant=0, other=0, unlabelled=30)
    assert math.isnan(found.target.value)
    assert math.isnan(found.friction.value)
    assert found.target.interval == Interval(found.final.low, 1.0)


def test_without_trials_nothing_is_known() -> None:
    found = friction(np.full((3, 2), MISSING), np.full((3, 2), UNLABELLED))
    assert math.isnan(found.target.value)
    assert found.target.interval == Interval(0.0, 1.0)
    assert found.target.n == 0


@given(
    st.integers(1, 30),
    st.integers(1, 4),
    st.floats(0.1, 1.0),
    st.integers(0, 2**32 - 1),
)
def test_identities_and_limits_hold_for_any_run(
    problems: int, epochs: int, annotated: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    first = rng.integers(MISSING, 4, (problems, epochs))
    labels = np.where(rng.random(first.shape) < annotated, rng.integers(0, 2, first.shape), -1)
    found = friction(first, labels)
    estimates = (found.target, found.friction, found.relative, found.initial, found.final)
    for estimate in estimates:
        assert 0 <= estimate.low <= estimate.high <= 1
        assert math.isnan(estimate.value) or estimate.low <= estimate.value <= estimate.high
    if not math.isnan(found.target.value):
        assert found.target.value == pytest.approx(found.final.value + found.friction.value)
        assert found.initial.value <= found.final.value <= found.target.value + 1e-12


def test_epochs_that_always_agree_do_not_narrow_anything() -> None:
    first = np.repeat([0, 3, UNSOLVED], [40, 30, 30])
    labels = np.repeat([UNLABELLED, RESISTANT, OTHER_REASON], [70, 20, 10])
    once = friction(first, labels)
    copied = friction(np.column_stack([first] * 3), np.column_stack([labels] * 3))
    for attribute in ("target", "friction", "relative"):
        width = getattr(copied, attribute).interval.width
        assert width == pytest.approx(getattr(once, attribute).interval.width, rel=0.03)


def test_labels_of_solved_trials_do_not_matter() -> None:
    first = np.array([0, 1, UNSOLVED, UNSOLVED])
    clean = friction(first, np.array([UNLABELLED, UNLABELLED, RESISTANT, OTHER_REASON]))
    assert friction(first, np.array([RESISTANT, OTHER_REASON, RESISTANT, OTHER_REASON])) == clean


def test_unknown_labels_and_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="labels are"):
        friction(np.array([UNSOLVED]), np.array([2]))
    with pytest.raises(ValueError, match="shape"):
        friction(np.array([UNSOLVED]), np.array([[1, 0]]))


@given(st.integers(1, 500), st.integers(1, 4))
def test_nothing_solved_and_every_label_resistance_is_the_whole_of_friction(
    problems: int, epochs: int
) -> None:
    first = np.full((problems, epochs), UNSOLVED)
    found = friction(first, np.full_like(first, RESISTANT))
    assert found.target.value == found.friction.value == pytest.approx(1.0)
    assert found.target.value <= found.target.high <= 1.0
    assert found.final.value == 0.0
