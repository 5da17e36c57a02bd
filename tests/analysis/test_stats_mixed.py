"""The mixed model: unbiased where a plain regression is not, and silent where nothing fits."""

from __future__ import annotations

import math
import sqlite3

import numpy as np
import pytest

from feedback_friction.analysis.frames import load_runs
from feedback_friction.analysis.stats.arrays import FloatArray, IntArray
from feedback_friction.analysis.stats.mixed import mixed_logit
from feedback_friction.analysis.tables.model import uptake_model
from journals import RIGHT, trials, write_run


def simulated(
    problems: int, attempts: int, spread: float, seed: int
) -> tuple[FloatArray, FloatArray, IntArray]:
    """Log-odds of -1, plus 0.8 for every other attempt, plus the problem's effect."""
    rng = np.random.default_rng(seed)
    problem = np.repeat(np.arange(problems), attempts)
    treated = np.tile(np.arange(attempts) % 2, problems).astype(float)
    odds = -1 + 0.8 * treated + rng.normal(0, spread, problems)[problem]
    right = (rng.random(len(problem)) < 1 / (1 + np.exp(-odds))).astype(float)
    return right, np.stack([np.ones(len(problem)), treated], axis=1), problem


def test_it_finds_the_odds_ratio_and_the_spread_of_the_problems() -> None:
    found = mixed_logit(*simulated(1500, 8, 1.5, 1))
    assert found is not None
    assert found.odds_ratios[1].value == pytest.approx(math.exp(0.8), rel=0.08)
    assert found.spread == pytest.approx(1.5, rel=0.08)
    assert found.icc == pytest.approx(1.5**2 / (1.5**2 + math.pi**2 / 3), rel=0.1)
    assert found.p_values[1] < 1e-6


def test_problems_with_many_attempts_have_the_spread_that_they_have() -> None:
    """Nodes that lie at the same effects for every problem find half of it."""
    found = mixed_logit(*simulated(20, 300, 3.0, 0))
    assert found is not None
    assert found.spread == pytest.approx(3, rel=0.25)


@pytest.mark.slow
def test_the_limits_hold_the_truth() -> None:
    covered = 0
    for seed in range(60):
        found = mixed_logit(*simulated(80, 6, 1.0, seed))
        assert found is not None
        covered += found.odds_ratios[1].interval.contains(math.exp(0.8))
    assert covered >= 53


@pytest.mark.parametrize("right", [np.zeros(40), np.ones(40)])
def test_without_both_outcomes_there_is_nothing_to_fit(right: FloatArray) -> None:
    problem = np.repeat(np.arange(20), 2)
    assert mixed_logit(right, np.ones((40, 1)), problem) is None


def test_a_column_that_separates_or_repeats_another_fits_nothing() -> None:
    right, columns, problem = simulated(40, 4, 1.0, 2)
    assert mixed_logit(right, np.column_stack([columns, right]), problem) is None
    assert mixed_logit(right, np.column_stack([columns, columns[:, 1]]), problem) is None


def test_of_a_feature_whose_attempts_all_came_out_alike_nothing_is_told() -> None:
    """Their scores are nearly 0, so that a sandwich alone would call the ratio exact."""
    right, columns, problem = simulated(40, 4, 1.0, 2)
    leak = np.zeros(len(right))
    leak[np.flatnonzero(right == 0)[:2]] = 1
    found = mixed_logit(right, np.column_stack([columns, leak]), problem)
    plain = mixed_logit(right[leak == 0], columns[leak == 0], problem[leak == 0])
    assert found is not None
    assert plain is not None
    assert math.isnan(found.odds_ratios[2].value)
    assert found.odds_ratios[2].interval == (0.0, math.inf)
    assert math.isnan(found.p_values[2])
    assert found.odds_ratios[1].value == pytest.approx(plain.odds_ratios[1].value, rel=1e-4)


def test_the_table_sets_each_condition_against_the_first(tmp_path) -> None:
    rng = np.random.default_rng(4)

    def arm(chance: float) -> list[tuple[str, ...]]:
        return [("a", RIGHT) if rng.random() < chance else ("a", "b", "c") for _ in range(60)]

    arms = {"retry": trials(*arm(0.2)), "binary": trials(*arm(0.6))}
    run = write_run(tmp_path / "run", arms, problems=60)
    with sqlite3.connect(run / "journal.sqlite") as db:  # of every third trial the first feedback
        db.execute(
            "INSERT INTO aligned SELECT condition, problem_id, epoch, iteration, '[\"7\"]'"
            " FROM attempts WHERE iteration = 0 AND substr(problem_id, 2) % 3 = 0"
        )
    table = uptake_model(load_runs([run]))
    rows = {row["term"]: row for row in table.iter_rows(named=True)}
    assert "alignment leak" in rows
    terms = [term for term in rows if "against" in term and "binary" in term]
    assert len(terms) == 1
    row = rows[terms[0]]
    assert row["problems"] == 60
    assert row["odds_ratio"] != 1
    assert row["odds_ratio_low"] < row["odds_ratio"] < row["odds_ratio_high"]
