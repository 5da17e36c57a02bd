"""Arithmetic whose results do not depend on what else is computed along.

Floating-point addition rounds, so that a sum depends on its order, and a BLAS chooses the order by
the size of the matrix, the position of the row and the number of threads: the same prompt would get
other scores in other company. Here no sum rounds whose order is not fixed.

Proof. (1) In a matrix product, weights are whole multiples of 2^-g and activations are rounded to
whole multiples of 2^-a, so that each product is a whole multiple of 2^-(a+g). ``a`` is chosen when
the weights are loaded, so that sum |activation| |weight| <= 2^53 * 2^-(a+g) for every input that
can occur. So every partial sum, in any order and grouping, is a whole number of at most 2^53 units:
a float64 holds it exactly, no addition rounds (fused with its multiplication or not), and all
orders give the one true sum. (2) Everything else is done element by element with operations that
IEEE 754 rounds correctly (+ - * / and square root), with rounding to integers, comparisons and
table look-ups, each a function of its operands alone; or is a maximum; or a sum of integers below
2^53; or, for the norm, additions in an order fixed by the length of the row (``row_sums``). (3) So
a token's keys, values and scores are a function of its sequence up to it. Batch size, position in
the batch, number of threads, BLAS kernel, chunks of the prompt and reused prefixes change no bit,
and another machine does not either. (The sign of a zero may change; nothing here tells zeros
apart.)

The bounds hold for every input because a normed row x has an Euclidean length of at most
sqrt(len(x)): sum |x_i g_i w_i| <= sqrt(n) |g w| (Cauchy and Schwarz).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from math import prod

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

MANTISSA = 53  # bits of a float64: whole numbers up to 2^53 are exact
FINEST, COARSEST = 24, 10  # exponents of the grid of weights; float16 has multiples of 2^-24
ROUGHEST = 18  # of a grid that weights are rounded to because their own leaves no room
LEAST, MOST = 18, 26  # exponents of the grid of activations
SLACK = 1 + 2.0**-20  # for the roundings within the elementwise operations before


class UnboundedError(ValueError):
    """Weights so large that no useful grid keeps their sums exact."""


class Exact:
    """A matrix product without rounding: ``rounded(x * scale) @ matrix``.

    Attributes:
        scale: 2^a; activations are multiplied with it and rounded.
        matrix: [inputs, outputs], the weights times 2^-a.
        reach: [outputs], the largest size that each output can have.
    """

    def __init__(self, weights: Array, largest: Callable[[Array], Array]):
        """Choose the grids for some weights.

        Args:
            weights: [inputs, outputs].
            largest: of such weights, by output the largest sum |activation| |weight| there can be.

        Raises:
            UnboundedError: the sums are too large for any grid.
        """
        grid = grid_of(weights)
        while True:
            weights = np.rint(weights * 2.0**grid) * 2.0**-grid
            # a rounded activation is at most half a unit larger than it was
            half_units = np.abs(weights).sum(axis=0) * 2.0 ** -(LEAST + 1)
            self.reach: Array = (largest(weights) + half_units) * SLACK
            room = MANTISSA - grid - math.ceil(math.log2(max(self.reach.max(), 2.0**-30)))
            if room >= LEAST:
                break
            grid -= LEAST - room
            if grid < ROUGHEST:
                raise UnboundedError
        exponent = min(room, MOST)
        self.scale = 2.0**exponent
        # BLAS is a little faster with a column's weights side by side
        self.matrix: Array = np.asfortranarray(weights * 2.0**-exponent)


def grid_of(weights: Array) -> int:
    """The exponent g of the coarsest grid 2^-g that holds all weights, at most ``FINEST``."""
    for exponent in range(COARSEST, FINEST):
        scaled = weights * 2.0**exponent
        if np.array_equal(scaled, np.rint(scaled)):
            return exponent
    return FINEST


def of_normed(gain: Array) -> Callable[[Array], Array]:
    """The largest sums for activations that are a normed row times a gain; see the proof above."""

    def largest(weights: Array) -> Array:
        lengths: Array = np.sqrt(np.square(gain[:, None] * weights).sum(axis=0))
        return lengths * math.sqrt(len(gain))

    return largest


def of_bounded(most: Array) -> Callable[[Array], Array]:
    """The largest sums for activations that are each at most so large."""

    def largest(weights: Array) -> Array:
        sums: Array = most @ np.abs(weights)
        return sums

    return largest


def with_bits(values: Array, bits: int) -> Array:
    """The values rounded to so many significant bits."""
    mantissas, exponents = np.frexp(values)
    rounded: Array = np.ldexp(np.rint(mantissas * 2.0**bits) * 2.0**-bits, exponents)
    return rounded


def floor_log2(value: float) -> int:
    """The largest e with 2^e <= value (value > 0)."""
    return math.frexp(value)[1] - 1


def row_sums(rows: Array) -> Array:
    """Sums over the last axis, [n, 1]; halves are added to halves, so that the order is fixed.

    Uses ``rows`` up.
    """
    while (width := rows.shape[1]) > 1:
        half = width // 2
        rows[:, :half] += rows[:, width - half :]
        rows = rows[:, : width - half]
    return rows


# --- the exponential function --------------------------------------------------------------------
# exp(x) = exp(k/1024) * (1 + f) with k the nearest integer to 1024 x, and f = x - k/1024, off by
# less than f^2/2 < 1.2e-7 of its value. A library's exp may take other code, and so round
# otherwise, for the last elements of an array than for the rest; this one cannot.

STEPS = 1024
BOTTOM, TOP = -25, 21  # range of the table; below and above its ends hold
PEAK = TOP - 1.0  # the largest exponent in a softmax: exp(20) is 2^28.9, summed as an integer
CHUNK = 16_384  # numbers that are treated together: with scratch space they fit into a core's cache
_SNAP = 1.5 * 2.0**42  # floats of this size are 1/1024 apart: adding it rounds
_SNAP_BITS = int(np.float64(_SNAP).view(np.int64))
_FIRST = _SNAP_BITS + BOTTOM * STEPS


# rounded, it is the same with all mathematical libraries, which differ in the last bits
_TABLE = with_bits(np.exp(np.arange(BOTTOM * STEPS, TOP * STEPS + 1) / STEPS), 30)


class Exponential:
    """exp in place, with scratch space of its own (not for two threads at once)."""

    def __init__(self) -> None:
        self._snapped = np.empty(CHUNK)
        self._index = np.empty(CHUNK, np.int64)

    def __call__(self, x: Array) -> None:
        """Replace a contiguous array (at most 2^41 in size) by its exponential, to 1.2e-7.

        Below ``BOTTOM`` and above ``TOP`` it stays near the value there.
        """
        flat = x.reshape(-1, copy=False)
        for start in range(0, len(flat), CHUNK):
            self._replace(flat[start : start + CHUNK])

    def _replace(self, x: Array) -> None:
        snapped, index = self._snapped[: len(x)], self._index[: len(x)]
        np.add(x, _SNAP, out=snapped)
        np.subtract(snapped.view(np.int64), _FIRST, out=index)
        snapped -= _SNAP + 1.0
        x -= snapped  # 1 + f
        _TABLE.take(index, out=snapped, mode="clip")
        x *= snapped


class Scratch:
    """Arrays that are used again and again: fresh ones of this size cost page faults each time.

    Not for two threads at once.
    """

    def __init__(self) -> None:
        self._arrays: dict[str, Array] = {}

    def __call__(self, name: str, *shape: int) -> Array:
        """An array of a shape; what the last one of that name held is void."""
        size = prod(shape)
        if size > len(self._arrays.get(name, ())):
            self._arrays[name] = np.empty(size)
        return self._arrays[name][:size].reshape(shape)
