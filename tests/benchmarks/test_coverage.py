"""The coverage benchmark knows the truth that it measures against."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.coverage import ITERATIONS, LOW, Design, measure, simulate
from benchmarks.coverage_designs import DIFFICULTIES, LOOP
from feedback_friction.analysis.stats.arrays import UNSOLVED
from feedback_friction.analysis.stats.friction import OTHER_REASON, RESISTANT, UNLABELLED

DESIGNS = [
    Design(60_000),
    Design(30_000, epochs=3, annotated=0.25, ability=(0.4, 1.2), resistant=0.1, other=0.4),
    Design(60_000, uptake=0.9, control=0.02, resistant=0.0),
]


@pytest.mark.parametrize("design", DESIGNS, ids=str)
def test_simulated_trials_have_the_shares_that_are_taken_for_true(design: Design) -> None:
    first, control, labels = simulate(design, np.random.default_rng(1))
    for table, uptake in ((first, design.uptake), (control, design.control)):
        for k in range(ITERATIONS):
            accuracy = np.mean((table != UNSOLVED) & (table <= k))
            assert accuracy == pytest.approx(design.solved(k, uptake), abs=0.008)
    assert np.array_equal(first == 0, control == 0)
    unsolved = first == UNSOLVED
    labelled = unsolved & (labels != UNLABELLED)
    assert labelled.sum() / unsolved.sum() == pytest.approx(design.annotated, abs=0.001)
    share_other = np.mean(labels[labelled] == OTHER_REASON)
    left = 1 - design.solved(ITERATIONS - 1, design.uptake)
    assert share_other == pytest.approx(design.open * design.other / left, abs=0.012)
    assert set(np.unique(labels[labelled])) <= {OTHER_REASON, RESISTANT}


def test_few_runs_cover_the_truth_roughly() -> None:
    figures = measure(runs=20, largest=10)
    held = [figure for figure in figures if figure.target.startswith(f"{LOW:g}")]
    assert len(held) > 60
    shares = np.array([float(figure.value) for figure in held])
    assert shares.min() >= 70
    assert 92 <= shares.mean() <= 98.5
    assert any("guesser" in figure.name and figure.holds for figure in figures)


def test_the_loop_of_the_other_designs_has_the_shares_that_are_taken_for_true() -> None:
    _, first = LOOP.draw(60_000, 1, np.random.default_rng(2))
    for k in range(ITERATIONS):
        accuracy = np.mean((first != UNSOLVED) & (first <= k))
        assert accuracy == pytest.approx(LOOP.solved(k), abs=0.008)
    wrong = first[first != 0]
    assert np.mean(wrong == 1) == pytest.approx(LOOP.gain(1), abs=0.008)


@pytest.mark.parametrize("name", DIFFICULTIES)
def test_every_difficulty_has_the_mean_that_is_taken_for_true(name: str) -> None:
    chances, truth = DIFFICULTIES[name]
    assert chances(np.random.default_rng(3), 400_000).mean() == pytest.approx(truth, abs=0.002)
