"""Wilson's interval: published values, what holds for any counts, and no heavy imports."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_friction.analysis.stats.intervals import (
    Estimate,
    Interval,
    modified_wilson,
    share,
    wilson,
    z_value,
)

PUBLISHED = json.loads(Path(__file__).parents[1].joinpath("cases/stats_published.json").read_text())
counts = st.integers(0, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize("row", PUBLISHED["wilson"]["rows"], ids=str)
def test_wilson_gives_the_published_limits(row: dict[str, Any]) -> None:
    limits = wilson(row["successes"], row["n"])
    assert (limits.low, limits.high) == pytest.approx((row["low"], row["high"]), abs=5e-5)


@given(counts)
def test_wilson_lies_within_0_and_1_and_holds_the_share(case: tuple[int, int]) -> None:
    successes, n = case
    limits = wilson(successes, n)
    assert 0 <= limits.low <= limits.high <= 1
    assert n == 0 or limits.contains(successes / n)


@given(counts)
def test_wilson_of_the_failures_is_the_mirror_image(case: tuple[int, int]) -> None:
    successes, n = case
    limits, mirror = wilson(successes, n), wilson(n - successes, n)
    assert (1 - mirror.high, 1 - mirror.low) == pytest.approx((limits.low, limits.high), abs=1e-12)


@given(counts.filter(lambda case: case[1] > 0), st.floats(0.5, 0.98), st.floats(0.001, 0.019))
def test_a_higher_level_or_fewer_trials_widen_wilson(
    case: tuple[int, int], level: float, more: float
) -> None:
    successes, n = case
    limits = wilson(successes, n, level)
    assert wilson(successes, n, level + more).width > limits.width
    assert wilson(10 * successes, 10 * n, level).width < limits.width


@given(counts.filter(lambda case: 0 < case[0] < case[1]))
def test_wilson_limits_solve_the_score_equation(case: tuple[int, int]) -> None:
    successes, n = case
    limits = wilson(successes, n)
    for p in (limits.low, limits.high):
        score = (successes / n - p) / math.sqrt(p * (1 - p) / n)
        assert abs(score) == pytest.approx(1.959964, rel=1e-5)


def test_without_trials_nothing_is_known() -> None:
    assert wilson(0, 0) == Interval(0.0, 1.0)
    nothing = share(0, 0)
    assert math.isnan(nothing.value)
    assert nothing.interval == Interval(0.0, 1.0)
    assert nothing.n == 0


def test_share_carries_its_interval_and_n() -> None:
    found = share(81, 263)
    assert found == Estimate(81 / 263, wilson(81, 263).low, wilson(81, 263).high, 263)
    assert found.interval.width == pytest.approx(found.high - found.low)


@pytest.mark.parametrize(("successes", "n"), [(-1, 5), (6, 5), (1, 0), (math.nan, 5)])
def test_impossible_counts_are_refused(successes: float, n: int) -> None:
    with pytest.raises(ValueError, match="successes"):
        wilson(successes, n)


@pytest.mark.parametrize("level", [0, 1, 95, -0.1])
def test_impossible_levels_are_refused(level: float) -> None:
    with pytest.raises(ValueError, match="level"):
        wilson(1, 2, level)


def test_z_is_the_two_sided_normal_quantile() -> None:
    assert z_value(0.95) == pytest.approx(1.959963985, abs=1e-9)
    assert z_value(0.99) == pytest.approx(2.575829304, abs=1e-9)


def test_intervals_and_categories_need_neither_numpy_nor_scipy() -> None:
    code = (
        "import sys; sys.modules['numpy'] = sys.modules['scipy'] = None\n"
        "from feedback_friction.analysis.stats.intervals import wilson\n"
        "from feedback_friction.labels import fold\n"
        "print(wilson(1, 2).low < 0.5)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("True", "")


def test_coverage_of_few_trials_is_what_the_page_says() -> None:
    """Exact: over rates, the least and the mean chance that the interval holds the rate."""
    rates = [step / 1000 for step in range(2, 999, 2)]
    worst = {1: 0.79, 2: 0.82, 3: 0.87, 5: 0.87, 7: 0.87, 8: 0.91, 12: 0.91, 30: 0.92}
    for n, least in worst.items():
        limits = [modified_wilson(hits, n) for hits in range(n + 1)]
        covered = [
            math.fsum(
                math.comb(n, hits) * rate**hits * (1 - rate) ** (n - hits)
                for hits, interval in enumerate(limits)
                if interval.contains(rate)
            )
            for rate in rates
        ]
        assert min(covered) >= least, n
        assert 0.95 <= sum(covered) / len(covered) <= 0.97, n
