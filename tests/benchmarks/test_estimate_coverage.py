"""A small form of the benchmark of estimates: what it claims holds for a few runs too."""

from __future__ import annotations

import pytest

from benchmarks.estimate import CHECKED, measure


@pytest.mark.slow
def test_intervals_of_estimates_hold_what_runs_took() -> None:
    figures = {
        each.name: each.value for each in measure(runs=6, count=30, pilot=12, first=500, seeds=1)
    }
    assert figures["runs whose pilot's calls were counted right"] == 6
    assert figures["calls of the experiments within their intervals"] == 100
    for name in CHECKED:
        assert float(figures[f"{name} within its interval"]) >= 80
        assert float(figures[f"{name}: error of the estimate, median"]) < 35
