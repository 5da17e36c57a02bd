"""Sums that never round: the same bits in any order, for anything that the bounds allow."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedback_friction.engine.models.pocket.exact import (
    BOTTOM,
    FINEST,
    LEAST,
    STEPS,
    TOP,
    Exact,
    Exponential,
    UnboundedError,
    floor_log2,
    grid_of,
    of_bounded,
    of_normed,
    row_sums,
    with_bits,
)
from feedback_friction.engine.models.pocket.folder import find, read_shape
from feedback_friction.engine.models.pocket.grids import rotations


def weights_of(seed, inputs, outputs, spread=0.1):
    return np.random.default_rng(seed).normal(size=(inputs, outputs)) * spread


def exactly(row, column):
    """The true sum of products."""
    return sum(Fraction(float(x)) * Fraction(float(w)) for x, w in zip(row, column, strict=True))


@given(st.integers(0, 10**6), st.integers(1, 40), st.floats(0.01, 3.0))
@settings(max_examples=40, deadline=None)
def test_a_product_is_the_true_sum_even_for_the_largest_activations(seed, inputs, spread):
    most = np.random.default_rng(seed + 1).uniform(0.5, 50, size=inputs)
    made = Exact(weights_of(seed, inputs, 3, spread), of_bounded(most))
    signs = np.sign(made.matrix[:, 0])  # all products of the first column add up
    rounded = np.rint(np.stack([most * signs, -most, most]) * made.scale)
    found = rounded @ made.matrix
    for row, sums in zip(rounded, found, strict=True):
        for column in range(3):
            assert Fraction(float(sums[column])) == exactly(row, made.matrix[:, column])
            assert abs(sums[column]) <= made.reach[column]


def test_without_grids_the_order_does_change_the_sum():
    """What all this is for: the same sum in another order has other bits."""
    row, column = np.random.default_rng(0).normal(size=(2, 200))
    products = row * column
    assert len({sum(products[np.random.default_rng(s).permutation(200)]) for s in range(9)}) > 1


@given(st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_a_normed_row_never_goes_beyond_its_reach(seed):
    random = np.random.default_rng(seed)
    gain = random.uniform(-3, 3, size=32)
    made = Exact(weights_of(seed, 32, 5), of_normed(gain))
    normed = random.normal(size=(20, 32)) * random.exponential(size=32)
    worst = made.matrix[:, 0] * gain  # the direction in which the bound is reached
    normed = np.vstack([normed, worst])
    normed *= math.sqrt(32) / np.linalg.norm(normed, axis=1, keepdims=True)
    rounded = np.rint(normed * gain * made.scale)
    largest = np.abs(rounded) @ np.abs(made.matrix)
    assert (largest <= made.reach).all()
    assert largest[-1, 0] > 0.99 * made.reach[0]


@pytest.mark.parametrize("exponent", [10, 14, 23])
def test_a_grid_is_the_coarsest_that_holds_all_weights(exponent):
    weights = np.array([[3 * 2.0**-exponent, 0.5, -2.0]])
    assert grid_of(weights) == exponent
    assert grid_of(np.array([[0.1]])) == FINEST


@given(st.integers(0, 2**16 - 1))
def test_every_half_precision_number_is_on_the_finest_grid(bits):
    number = float(np.array(bits, dtype=np.uint16).view(np.float16))
    if math.isfinite(number):
        assert number * 2.0**FINEST == round(number * 2.0**FINEST)


def test_weights_on_a_grid_are_not_changed_by_rounding():
    weights = np.rint(weights_of(0, 64, 64) * 2**14) / 2**14
    made = Exact(weights, of_bounded(np.full(64, 30.0)))
    assert np.array_equal(made.matrix * made.scale, weights)


def test_large_activations_make_the_weights_grid_coarser_and_too_large_ones_are_refused():
    weights = weights_of(0, 64, 8)
    made = Exact(weights, of_bounded(np.full(64, 1e4)))
    assert made.scale >= 2.0**LEAST
    assert abs(made.matrix * made.scale - weights).max() <= 2.0**-11
    with pytest.raises(UnboundedError):
        Exact(weights, of_bounded(np.full(64, 1e9)))


def test_the_exponential_is_near_the_true_one_and_whole_numbers_off_its_table():
    x = np.random.default_rng(0).uniform(BOTTOM, TOP, size=100_000)
    found = x.copy()
    Exponential()(found)
    assert abs(found / np.exp(x) - 1).max() < 1.3e-7
    far = np.array([-1e6, -(2.0**30), 1e6])
    Exponential()(far)
    assert far[0] < 1e-10
    assert far[1] < 1e-10
    assert far[2] > 1e9


@given(st.integers(0, 100), st.integers(1, 70), st.integers(0, 30))
@settings(max_examples=50, deadline=None)
def test_the_exponential_does_not_depend_on_the_place_in_an_array(seed, length, place):
    x = np.random.default_rng(seed).uniform(-20, 20, size=length)
    wide = np.zeros(length + place + 5)
    wide[place : place + length] = x
    shifted = wide[place : place + length]
    exp = Exponential()
    exp(shifted)
    for number, one in enumerate(x):
        alone = np.array([one])
        exp(alone)
        assert alone[0] == shifted[number]


@given(st.integers(0, 100), st.integers(1, 70), st.integers(1, 9))
@settings(max_examples=50, deadline=None)
def test_the_sum_of_a_row_is_that_of_the_row_alone(seed, width, rows):
    made = np.random.default_rng(seed).normal(size=(rows, width))
    together = row_sums(made.copy())
    for number in range(rows):
        assert together[number, 0] == row_sums(made[number : number + 1].copy())[0, 0]
        assert together[number, 0] == pytest.approx(math.fsum(made[number]), abs=1e-12)


def test_tables_are_the_same_with_a_library_that_errs_by_some_units_in_the_last_place():
    """No entry lies so near to the middle of two rounded values that such an error would tip it."""
    places = np.arange(BOTTOM * STEPS, TOP * STEPS + 1) / STEPS
    shape = read_shape(find("abacus"))
    half, unit = shape.head // 2, 2.0**-53
    powers = np.array([shape.theta ** (-number / half) for number in range(half)])
    angles = np.arange(shape.context)[:, None, None] * with_bits(powers, 40)
    for table, found in zip(rotations(shape), (np.cos(angles), np.sin(angles)), strict=True):
        for error in (-8 * unit, 8 * unit):
            assert np.array_equal(np.rint((found + error) * 2.0**30), table * 2.0**30)
    for error in (-7 * unit, 7 * unit):
        erring = np.exp(places) * (1 + error)
        assert np.array_equal(with_bits(erring, 30), with_bits(np.exp(places), 30))
        assert np.array_equal(with_bits(powers * (1 + error), 40), with_bits(powers, 40))


@given(st.floats(1e-300, 1e300))
def test_floor_log2_is_the_largest_power_below(value):
    assert 2.0 ** floor_log2(value) <= value < 2.0 ** (floor_log2(value) + 1)
