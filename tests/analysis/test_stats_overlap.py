"""Failures that solvers share, and what chance would give."""

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
from hypothesis.extra import numpy as arrays
from scipy import stats as distributions

from feedback_friction.analysis.stats.intervals import modified_wilson
from feedback_friction.analysis.stats.overlap import Shared, overlap

PUBLISHED = json.loads(Path(__file__).parents[1].joinpath("cases/stats_published.json").read_text())
failures = arrays.arrays(
    np.float64,
    st.tuples(st.integers(2, 5), st.integers(1, 30)),
    elements=st.sampled_from([0.0, 1.0, math.nan]),
)


def found(failed: Any, seed: int = 1, **options: Any) -> Any:
    """The overlap with a seeded generator."""
    return overlap(np.array(failed, dtype=float), np.random.default_rng(seed), **options)


@pytest.mark.parametrize("row", PUBLISHED["overlap"]["rows"], ids=lambda row: row["task"])
def test_the_studys_ratios_come_out_of_its_counts(row: dict[str, Any]) -> None:
    # All three fail on the first problems; the rest of the union is dealt out in turn.
    failed = np.zeros((3, row["n"]))
    failed[:, : row["all"]] = 1
    for problem in range(row["all"], row["union"]):
        failed[problem % 3, problem] = 1
    result = found(failed, resamples=20_000)
    assert (result.all, result.union, result.n) == (row["all"], row["union"], row["n"])
    assert result.ratio.value == pytest.approx(row["all"] / row["union"])
    limits = modified_wilson(row["all"], row["union"])
    assert (result.ratio.low, result.ratio.high) == (limits.low, limits.high)
    assert result.p_value < 0.05 or row["all"] <= 2


def test_chance_for_two_solvers_is_fishers_exact_test() -> None:
    failed = np.zeros((2, 60))
    failed[0, :20], failed[1, 10:35] = 1, 1
    result = found(failed, resamples=400_000)
    hypergeometric = distributions.hypergeom(60, 20, 25)
    shared = np.arange(21)
    ratios = shared / (45 - shared)
    assert result.chance.value == pytest.approx(
        float(hypergeometric.pmf(shared) @ ratios), abs=5e-4
    )
    assert result.p_value == pytest.approx(float(hypergeometric.sf(9)), abs=3e-3)


def test_chance_for_three_solvers_is_the_mean_over_all_placements() -> None:
    failed = np.zeros((3, 6))
    failed[0, :2], failed[1, 1:4], failed[2, 1:3] = 1, 1, 1
    ratios = [
        len(set(a) & set(b) & set(c)) / len(set(a) | set(b) | set(c))
        for a in itertools.combinations(range(6), 2)
        for b in itertools.combinations(range(6), 3)
        for c in itertools.combinations(range(6), 2)
    ]
    result = found(failed, resamples=400_000)
    assert result.ratio.value == pytest.approx(1 / 4)
    assert result.chance.value == pytest.approx(np.mean(ratios), abs=5e-4)
    assert result.p_value == pytest.approx(np.mean(np.array(ratios) >= 0.25), abs=3e-3)


@given(failures)
def test_counts_are_consistent(failed: np.ndarray) -> None:
    result = found(failed, resamples=50)
    kept = failed[:, ~np.isnan(failed).any(axis=0)]
    assert result.n == kept.shape[1]
    for solver, count in enumerate(kept.sum(axis=1)):
        assert sum(each.count for each in result.exclusive if solver in each.solvers) == count
    assert sum(each.count for each in result.exclusive) == result.union
    everyone = tuple(range(len(failed)))
    assert sum(each.count for each in result.exclusive if each.solvers == everyone) == result.all


def test_exact_sets_are_named() -> None:
    result = found([[1, 1, 1, 0, 0], [1, 1, 0, 1, 0], [1, 0, 0, 1, 0]])
    assert result.exclusive == (
        Shared((0, 1, 2), 1), Shared((0, 1), 1), Shared((1, 2), 1), Shared((0,), 1),
    )  # fmt: skip


def test_problems_that_some_solver_lacks_are_counted_as_missing() -> None:
    result = found([[1, math.nan, 0, math.nan], [1, 1, 0, math.nan]])
    assert (result.n, result.missing, result.all, result.union) == (2, 1, 1, 1)


def test_nobody_fails() -> None:
    result = found(np.zeros((3, 10)))
    assert math.isnan(result.ratio.value)
    assert result.chance is None
    assert result.exclusive == ()


def test_everybody_fails_on_everything() -> None:
    result = found(np.ones((3, 10)))
    assert result.chance.value == result.chance.low == result.ratio.value == 1.0
    assert result.p_value == 1.0


def test_one_solver_has_nothing_to_share() -> None:
    with pytest.raises(ValueError, match="at least 2 solvers"):
        found(np.ones((1, 10)))
