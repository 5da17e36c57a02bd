"""The arrays that the estimators share: their types, and how a table of trials is written.

A condition's trials are one integer array ``first`` of shape (problems, epochs): the iteration at
which the trial was solved, ``UNSOLVED`` when it never was, ``MISSING`` when there is no such trial
(it failed, or the problem has fewer epochs).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

UNSOLVED = -1
MISSING = -2


def as_first(first: IntArray, iterations: int) -> IntArray:
    """The array as (problems, epochs), checked; a one-dimensional one is a single epoch.

    Args:
        first: shape (problems, epochs) or (problems,), values ``MISSING`` to ``iterations - 1``.
        iterations: number of iterations of the run, at least 1.

    Raises:
        ValueError: another shape, or a value out of range.
    """
    table = first[:, np.newaxis] if first.ndim == 1 else first
    if table.ndim != 2:
        raise ValueError(f"expected (problems, epochs), got {first.ndim} dimensions")
    if iterations < 1:
        raise ValueError(f"a run has at least one iteration, got {iterations}")
    if table.size and (table.min() < MISSING or table.max() >= iterations):
        raise ValueError(f"first-solved iterations must lie in {MISSING}..{iterations - 1}")
    return table
