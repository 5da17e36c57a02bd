"""The coverage benchmark knows the truth that it measures against."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.coverage import LOW, measure
from benchmarks.coverage_designs import CONTROL, DIFFICULTIES, LOOP, accuracy, exact
from benchmarks.coverage_study import ITERATIONS, Design, simulate
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


@pytest.mark.slow
def test_few_runs_cover_the_truth_roughly() -> None:
    figures = measure(runs=10, largest=10)
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
    each, rng, problems = DIFFICULTIES[name], np.random.default_rng(3), 400_000
    chances = each.chances(rng, problems)
    assert chances.mean() == pytest.approx(each.mean, abs=0.002)
    solved = rng.binomial(4, chances)
    assert np.mean(solved == 0) == pytest.approx(each.never(4), abs=0.003)
    assert np.mean(solved == 4) == pytest.approx(each.always(4), abs=0.003)


def test_exact_coverage_is_that_of_many_runs() -> None:
    rng = np.random.default_rng(4)
    held = dict.fromkeys(DIFFICULTIES, 0)
    for _ in range(1_500):
        for name, interval, truth in accuracy(30, 1, rng):
            held[name] += interval.contains(truth)
    for name, share in exact(30).items():
        assert held[name] / 1_500 == pytest.approx(share, abs=0.025)


def test_a_control_with_its_own_uptake_shares_the_first_attempts() -> None:
    _, (treated, control) = LOOP.pair(60_000, 1, np.random.default_rng(5), 0.25, 0.1)
    assert np.array_equal(treated == 0, control == 0)
    for first, loop in ((treated, LOOP), (control, CONTROL)):
        wrong = first[first != 0]
        for k in (1, ITERATIONS - 1):
            assert np.mean((wrong > 0) & (wrong <= k)) == pytest.approx(loop.gain(k), abs=0.008)
