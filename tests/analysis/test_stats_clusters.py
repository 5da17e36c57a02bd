"""Clustered shares by the standard library: Student's quantile, exact sums, no numpy."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as distributions

from feedback_friction.analysis.stats.clusters import (
    clustered_share,
    effective_size,
    student_value,
    worth,
)
from feedback_friction.analysis.stats.intervals import modified_wilson, z_value


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.95, 0.99, 1 - 0.05 / 6, 0.999])
@pytest.mark.parametrize("degrees", [*range(1, 40), 99, 100, 449, 450, 13_999, 14_000])
def test_students_quantile_is_that_of_scipy(level: float, degrees: int) -> None:
    expected = float(distributions.t.ppf((1 + level) / 2, degrees))
    assert student_value(degrees, level) == pytest.approx(expected, rel=1e-11)


def test_students_quantile_falls_to_the_normal_one() -> None:
    values = [student_value(degrees) for degrees in (1, 2, 3, 10, 100, 10_000, 1_000_000)]
    assert values == sorted(values, reverse=True)
    assert values[0] == pytest.approx(12.7062, abs=1e-4)
    assert values[-1] == pytest.approx(z_value(0.95), abs=1e-5)
    assert values[-1] > z_value(0.95)


@pytest.mark.parametrize(("level", "degrees"), [(0.0, 3), (1.0, 3), (0.95, 0)])
def test_students_quantile_refuses_what_has_none(level: float, degrees: int) -> None:
    with pytest.raises(ValueError, match=r"level must|degrees of freedom must"):
        student_value(degrees, level)


clusters = st.lists(
    st.integers(1, 5).flatmap(lambda m: st.tuples(st.integers(0, m), st.just(m))), min_size=1
)


@given(clusters, st.randoms(use_true_random=False))
def test_the_order_of_the_clusters_makes_no_difference_at_all(
    found: list[tuple[int, int]], rng: random.Random
) -> None:
    def estimate(cells: list[tuple[int, int]]) -> object:
        means = [solved / trials for solved, trials in cells]
        return clustered_share(means, [1.0] * len(cells), [float(m) for _, m in cells])

    assert estimate(found) == estimate(rng.sample(found, len(found)))


def test_an_estimate_is_worth_the_trials_that_its_variance_and_students_quantile_say() -> None:
    size = 0.25 / 0.01 * (1.959964 / 2.262157) ** 2
    found, limits = worth(0.5, 0.01, 10, 40, 1000), modified_wilson(0.5 * size, size)
    assert (found.low, found.high) == pytest.approx((limits.low, limits.high), abs=1e-6)
    least, most = worth(0.5, 0.01, 10, 40, 15), modified_wilson(7.5, 15)
    assert (least.low, least.high, least.n) == pytest.approx((most.low, most.high, 40))


def test_clusters_of_weight_0_are_left_out() -> None:
    shares = [1.0, 2.0, 0.0]
    weighed = clustered_share(shares, [2.0, 3.0, 1.0], [2.0, 3.0, 1.0])
    assert clustered_share([*shares, 0.0], [2.0, 3.0, 1.0, 0.0], [2.0, 3.0, 1.0, 4.0]) == weighed


def test_results_need_neither_numpy_nor_scipy() -> None:
    code = (
        "import sys\n"
        "for name in ('numpy', 'scipy', 'polars'): sys.modules[name] = None\n"
        "from feedback_friction.analysis import accuracy_by_attempt\n"
        "from feedback_friction.analysis.stats.clusters import clustered_share\n"
        "print(clustered_share([3, 0, 1, 2], [3, 3, 3, 3]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("Estimate(value=0.5, low="), done.stderr


def test_two_problems_that_agree_are_worth_more_than_two_trials() -> None:
    student = (1.959964 / 12.7062) ** 2
    assert effective_size(0.5, [49.0, 51.0], [100.0] * 2, [100.0] * 2) == pytest.approx(
        2500 * student, rel=1e-4
    )


def test_one_success_of_many_epochs_says_little_of_the_next_problem() -> None:
    """30 problems of 64 epochs: one solved once is no sign that no other is solved 64 times."""
    none = clustered_share([0.0] * 30, [64.0] * 30)
    once = clustered_share([1.0] + [0.0] * 29, [64.0] * 30)
    assert once.low <= once.value < 0.001
    assert once.high >= none.high > 0.05
    spread = clustered_share([1.0] * 12 + [0.0] * 18, [64.0] * 30)
    assert spread.high < 0.02  # twelve problems solved once each: the trials are not alike


@pytest.mark.parametrize(("problems", "epochs"), [(30, 16), (10, 4)])
def test_the_interval_covers_where_few_problems_can_be_solved_at_all(
    problems: int, epochs: int
) -> None:
    rng, covered, runs = random.Random(4), 0, 150
    for _ in range(runs):
        chances = [0.3 * (rng.random() < 0.1) for _ in range(problems)]
        solved = [sum(rng.random() < p for _ in range(epochs)) / epochs for p in chances]
        found = clustered_share(solved, [1.0] * problems, [float(epochs)] * problems)
        covered += found.interval.contains(0.03)
    assert covered / runs > 0.92
