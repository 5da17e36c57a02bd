"""Hazard of correction and the Kaplan-Meier curve."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from feedback_friction.analysis.stats.arrays import MISSING, UNSOLVED
from feedback_friction.analysis.stats.clusters import student_value
from feedback_friction.analysis.stats.intervals import wilson, z_value
from feedback_friction.analysis.stats.survival import hazard, kaplan_meier

PUBLISHED = json.loads(Path(__file__).parents[1].joinpath("cases/stats_published.json").read_text())
tables = arrays.arrays(
    np.int64, st.tuples(st.integers(1, 25), st.integers(1, 3)), elements=st.integers(-2, 4)
)


def test_kaplan_meier_gives_the_published_curve_and_limits_but_for_students_quantile() -> None:
    case = PUBLISHED["kaplan_meier"]
    times, observed = np.array(case["times"]), np.array(case["observed"]) == 1
    curve = kaplan_meier(np.where(observed, times, UNSOLVED), 36, last=times)
    for row in case["rows"]:
        point = curve[row["time"]]
        wider = student_value(20) / z_value(0.95)  # of 21 patients
        middle = math.log(-math.log(row["survival"]))
        low, high = (
            math.exp(-math.exp(middle + wider * (math.log(-math.log(row[end])) - middle)))
            for end in ("low", "high")
        )
        expected = (row["survival"], low, high)
        assert (point.value, point.low, point.high) == pytest.approx(expected, abs=2e-6)
    assert [curve[time].n for time in (6, 7, 10, 13, 23)] == [21, 17, 15, 12, 6]


def test_hazard_is_solved_over_attempted() -> None:
    first = np.repeat([0, 1, 2, UNSOLVED], [40, 30, 3, 27])
    found = hazard(first, 4)
    assert [point.value for point in found] == pytest.approx([0.4, 0.5, 0.1, 0.0])
    assert [point.n for point in found] == [100, 60, 30, 27]
    limits = wilson(30, 60)
    assert (found[1].low, found[1].high) == pytest.approx((limits.low, limits.high))


def test_a_stopped_trial_leaves_the_risk_set_after_its_last_attempt() -> None:
    first = np.array([UNSOLVED, UNSOLVED, 2, UNSOLVED])
    last = np.array([0, 1, 99, 3])  # the third was solved: its own entry does not matter
    assert [point.n for point in hazard(first, 4, last)] == [4, 3, 2, 1]
    assert hazard(first, 4, last)[2].value == 0.5


def test_a_trial_whose_first_request_was_refused_was_never_at_risk() -> None:
    first = np.array([UNSOLVED, UNSOLVED, 2, UNSOLVED])
    refused = np.array([-1, 1, 99, 3])
    assert [point.n for point in hazard(first, 4, refused)] == [3, 3, 2, 1]


@given(tables)
def test_survival_is_the_product_of_one_minus_the_hazards(first: np.ndarray) -> None:
    running = 1.0
    for point, rate in zip(kaplan_meier(first, 5), hazard(first, 5), strict=True):
        if rate.n == 0:
            break
        running *= 1 - rate.value
        assert point.value == pytest.approx(running)
        assert 0 <= point.low <= point.value <= point.high <= 1


@given(tables)
def test_without_early_stops_survival_is_one_minus_accuracy(first: np.ndarray) -> None:
    table = first[:, :1]  # one epoch, in which trials and problems weigh the same
    trials = table[table != MISSING]
    for k, point in enumerate(kaplan_meier(table, 5)):
        solved = np.mean((trials >= 0) & (trials <= k)) if len(trials) else 0.0
        assert point.value == pytest.approx(1 - solved) or point.n == 0


def test_limits_at_the_ends_come_from_the_trials() -> None:
    curve = kaplan_meier(np.repeat([1], 20), 3)
    assert (curve[0].value, curve[0].high) == (1.0, 1.0)
    assert curve[0].low == pytest.approx(1 - wilson(0, 20).high)
    assert (curve[1].value, curve[1].low) == (0.0, 0.0)
    assert curve[1].high == pytest.approx(wilson(0, 20).high)
    assert curve[2].value == 0.0


def test_survival_is_unknown_once_everybody_left() -> None:
    curve = kaplan_meier(np.array([0, UNSOLVED, UNSOLVED]), 3, last=np.array([0, 1, 1]))
    assert curve[1].value == pytest.approx(2 / 3)
    assert math.isnan(curve[2].value)
    assert (curve[2].low, curve[2].high, curve[2].n) == (0.0, 1.0, 0)
    assert math.isnan(hazard(np.array([0, 0]), 2)[1].value)


def test_epochs_that_always_agree_do_not_narrow_the_curve() -> None:
    first = np.repeat([0, 1, 3, UNSOLVED], [30, 20, 10, 40])
    copied = kaplan_meier(np.column_stack([first] * 3), 4)
    for point, once in zip(copied, kaplan_meier(first, 4), strict=True):
        assert (point.low, point.high) == pytest.approx((once.low, once.high))
        assert point.n == 3 * once.n


def test_missing_trials_are_never_at_risk() -> None:
    with_missing = np.array([[0, MISSING], [UNSOLVED, 1], [MISSING, MISSING]])
    assert [point.n for point in hazard(with_missing, 3)] == [3, 2, 1]


@pytest.mark.parametrize("last", [-2, 4])
def test_a_last_iteration_outside_the_run_is_refused(last: int) -> None:
    with pytest.raises(ValueError, match="last iteration"):
        hazard(np.array([UNSOLVED]), 4, np.array([last]))


def test_once_all_are_solved_the_limit_is_that_of_the_trials_that_were_left() -> None:
    first = np.array([0, 0, 0, 0, 0, 0, 1, 1])
    *_, found = kaplan_meier(first, 4)
    assert (found.value, found.low) == (0, 0)
    assert found.high == pytest.approx(wilson(0, 2).high)


@pytest.mark.parametrize("stopped", [False, True])
def test_problems_that_all_go_alike_still_leave_room(stopped: bool) -> None:
    """Of two epochs one is solved at once, in every problem: no variance between problems."""
    first = np.array([[0, UNSOLVED]] * 10)
    point = kaplan_meier(first, 3, np.full((10, 2), 1) if stopped else None)[1]
    assert point.value == 0.5
    plain = kaplan_meier(np.array([0, UNSOLVED] * 10), 3)[1]
    assert point.low <= plain.low < 0.35
    assert point.high >= plain.high > 0.65
