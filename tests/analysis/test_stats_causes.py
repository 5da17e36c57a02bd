"""Detection, likeness, dose and variance split against what is known by hand or by definition."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedback_friction.analysis.stats.components import crossed
from feedback_friction.analysis.stats.detection import detection, ellipse
from feedback_friction.analysis.stats.dose import half_dose, response
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.analysis.tables.histories import edit_distance

COUNTS = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def test_a_textbook_sensitivity_is_found():
    """H = 0.8, F = 0.3 gives d' 1.366 and c -0.159 (Macmillan and Creelman, chapter 1)."""
    found = detection(800_000, 1_000_000, 300_000, 1_000_000)
    assert found.sensitivity.value == pytest.approx(1.366, abs=0.001)
    assert found.criterion.value == pytest.approx(-0.159, abs=0.001)
    assert found.sensitivity.high - found.sensitivity.low < 0.02


def test_the_correction_is_log_linear_and_nothing_is_infinite():
    found = detection(10, 10, 0, 10)
    z = 1.69062  # of 10.5 / 11
    assert found.sensitivity.value == pytest.approx(2 * z, abs=1e-4)
    assert all(map(math.isfinite, (found.sensitivity.low, found.sensitivity.high)))


@given(COUNTS, COUNTS)
def test_who_acts_on_the_other_kind_instead_has_the_opposite_sensitivity(signals, noises):
    there, back = detection(*signals, *noises), detection(*noises, *signals)
    assert there.sensitivity.value == pytest.approx(-back.sensitivity.value, abs=1e-9)
    assert there.sensitivity.low == pytest.approx(-back.sensitivity.high, abs=1e-9)
    assert there.criterion.value == pytest.approx(back.criterion.value, abs=1e-9)
    assert there.sensitivity.low < there.sensitivity.value < there.sensitivity.high


def test_without_trials_of_one_kind_nothing_is_known_and_bad_counts_are_refused():
    assert math.isnan(detection(0, 0, 1, 2).sensitivity.value)
    with pytest.raises(ValueError, match="between 0 and"):
        detection(3, 2, 0, 1)


def test_an_outline_stays_within_the_shares_and_is_wider_than_either_interval():
    points = ellipse(Estimate(0.5, 0.4, 0.6, 90), Estimate(0.02, 0.0, 0.1, 90))
    assert all(0 <= x <= 1 and 0 <= y <= 1 for x, y in points)
    wider = 2.4477 / 1.9600
    assert max(x for x, _ in points) == pytest.approx(0.5 + 0.1 * wider, abs=1e-3)
    assert max(y for _, y in points) == pytest.approx(0.02 + 0.08 * wider, abs=1e-3)


def slow_distance(one, other):
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


WORDS = st.lists(st.sampled_from(["a", "b", "c", "="]), max_size=9)


@given(WORDS, WORDS)
def test_the_distance_is_levenshteins_over_words(one, other):
    longest = max(len(one), len(other), 1)
    expected = slow_distance(one, other) / longest
    assert edit_distance(" ".join(one), " ".join(other)) == pytest.approx(expected)


def test_workings_that_differ_in_one_number_are_one_word_apart():
    assert edit_distance("12 * 3 = 36", "12 * 3 = 35") == pytest.approx(1 / 5)
    assert edit_distance("", "") == 0
    assert edit_distance("", "a b") == 1


@pytest.mark.parametrize(
    ("fitted", "half"),
    [([0, 0.5, 1], 1.0), ([0, 0, 1], 1.5), ([0, 1, 1], 0.5), ([0.8, 0.4, 0.0], 1.0),
     ([0.2, 0.2, 0.2], math.nan)],
)  # fmt: skip
def test_half_the_effect_is_reached_where_the_fit_is_half_way(fitted, half):
    found = half_dose(np.array([0.0, 1.0, 2.0]), np.array(fitted, dtype=float))
    assert found == half or (math.isnan(found) and math.isnan(half))


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(st.integers(0, 100))
def test_a_fit_only_rises_and_lies_within_its_limits(seed):
    rng = np.random.default_rng(seed)
    doses = np.array([0.0, 0.25, 0.5, 1.0])
    values = (rng.random((40, 4)) < [0.1, 0.3, 0.2, 0.6]).astype(float)
    found = response(doses, values, rising=True)
    assert (np.diff(found.fitted) >= 0).all()
    assert all(
        limits.low - 1e-9 <= value <= limits.high + 1e-9
        for limits, value in zip(found.limits, found.fitted, strict=True)
    )
    falling = response(doses, 1 - values, rising=False)
    assert falling.fitted == pytest.approx(1 - found.fitted)
    assert falling.half.value == pytest.approx(found.half.value)


@pytest.mark.slow
def test_where_no_dose_does_anything_no_effect_is_found_and_no_half():
    """A fit that can only rise would put the effect above zero."""
    rng = np.random.default_rng(3)
    doses = np.array([0.0, 0.25, 0.5, 1.0])
    found = [response(doses, (rng.random((60, 4)) < 0.2) * 1.0, rising=True) for _ in range(40)]
    assert sum(each.effect.low > 0 for each in found) <= 3
    assert abs(np.mean([each.effect.value for each in found])) < 0.04
    assert all(math.isnan(each.half.value) for each in found if each.effect.low <= 0)


def test_doses_after_which_nothing_is_solved_have_limits_all_the_same():
    found = response(np.array([0.0, 0.5, 1.0]), np.zeros((26, 3)), rising=True)
    assert found.effect.value == 0
    assert found.effect.low < -0.05 < 0.05 < found.effect.high
    assert all(limits.high > 0.05 for limits in found.limits)
    assert math.isnan(found.half.value)


def drawn(students, teachers, rest, seed=0, problems=4000):
    rng = np.random.default_rng(seed)
    means = np.array(students)[:, None] + np.array(teachers)[None, :]
    noise = rng.normal(0, rest, (*means.shape, problems))
    return means[:, :, None] + noise


def test_the_variance_is_split_as_it_was_made():
    found = crossed(drawn([0, 1, 2], [0, 0.5, 1], rest=0.5))
    shares = {part: each.value for part, each in found.items()}
    whole = 1 + 0.25 + 0.25
    assert shares["student"] == pytest.approx(1 / whole, abs=0.02)
    assert shares["teacher"] == pytest.approx(0.25 / whole, abs=0.02)
    assert shares["interaction"] == pytest.approx(0, abs=0.01)
    assert sum(shares.values()) == pytest.approx(1)
    assert all(each.low <= each.value <= each.high for each in found.values())


def test_without_any_variance_there_is_nothing_to_split():
    assert all(math.isnan(each.value) for each in crossed(np.ones((2, 2, 5))).values())
