"""Accuracy while some trials are known only up to an attempt: unbiased, covered, never falling."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_friction.analysis.stats import censored
from feedback_friction.analysis.stats.arrays import UNSOLVED
from feedback_friction.analysis.stats.censored import (
    Seen,
    censored_curve,
    normalised_gain,
)
from feedback_friction.analysis.stats.clusters import clustered_share
from feedback_friction.analysis.stats.intervals import modified_wilson
from feedback_friction.analysis.stats.survival import kaplan_meier

ITERATIONS = 5


@st.composite
def seen(draw: st.DrawFn) -> Seen:
    known = draw(st.integers(0, ITERATIONS))
    solved = draw(st.none() | st.integers(0, known - 1)) if known else None
    return Seen(solved, known)


tables = st.lists(st.lists(seen(), max_size=3), max_size=25)


def solved_by(trial: Seen, k: int) -> bool:
    return trial.solved_at is not None and trial.solved_at <= k


@given(tables)
def test_the_curve_never_falls_and_holds_its_values(problems: list[list[Seen]]) -> None:
    curve = censored_curve(problems, ITERATIONS)
    if not any(trial.knows(0) for problem in problems for trial in problem):
        assert all(math.isnan(point.value) and point.n == 0 for point in curve)
        return
    values = [point.value for point in curve]
    assert values == sorted(values)
    for k, point in enumerate(curve):
        assert 0 <= point.low <= point.value <= point.high <= 1
        assert point.n == sum(trial.knows(k) for problem in problems for trial in problem)


@given(tables)
def test_the_first_attempt_is_exact(problems: list[list[Seen]]) -> None:
    known = [[trial for trial in problem if trial.knows(0)] for problem in problems]
    known = [problem for problem in known if problem]
    solved = [sum(solved_by(trial, 0) for trial in problem) / len(problem) for problem in known]
    sizes = [float(len(problem)) for problem in known]
    first = censored_curve(problems, ITERATIONS)[0]
    plain = clustered_share(solved, [1.0] * len(solved), sizes)
    assert repr(first) == repr(plain)


@given(st.lists(st.none() | st.integers(0, ITERATIONS - 1), min_size=1, max_size=40))
def test_with_every_trial_known_it_is_the_plain_share(solved: list[int | None]) -> None:
    curve = censored_curve([[Seen(each, ITERATIONS)] for each in solved], ITERATIONS)
    for k, point in enumerate(curve):
        hits = [float(each is not None and each <= k) for each in solved]
        assert point == clustered_share(hits, [1.0] * len(hits))


def test_with_one_epoch_it_is_one_minus_kaplan_meier() -> None:
    rng = np.random.default_rng(1)
    first = np.where(rng.random(60) < 0.6, rng.integers(0, ITERATIONS, 60), UNSOLVED)
    last = np.where(first == UNSOLVED, rng.integers(0, ITERATIONS, 60), ITERATIONS - 1)
    problems = [
        [Seen(None if solved == UNSOLVED else int(solved), int(end) + 1)]
        for solved, end in zip(first, last, strict=True)
    ]
    expected = [1 - point.value for point in kaplan_meier(first, ITERATIONS, last)]
    found = [point.value for point in censored_curve(problems, ITERATIONS)]
    assert found == pytest.approx(expected, abs=1e-12)


def test_with_one_epoch_its_interval_has_the_width_that_greenwood_gives() -> None:
    ends = [Seen(0, 5)] * 30 + [Seen(1, 5)] * 20 + [Seen(3, 5)] * 10
    left = [Seen(None, 2)] * 30 + [Seen(None, 5)] * 40
    last = censored_curve([[seen] for seen in (*ends, *left)], 5)[-1]
    unsolved = 100 / 130 * 80 / 100 * 40 / 50
    variance = unsolved**2 * (30 / (130 * 100) + 20 / (100 * 80) + 10 / (50 * 40))
    size = unsolved * (1 - unsolved) / variance
    assert last.interval.width == pytest.approx(
        modified_wilson(last.value * size, size).width, rel=0.05
    )


def test_where_nobody_is_left_the_last_value_is_the_least() -> None:
    problems = [[Seen(0, 5)], [Seen(None, 1)], [Seen(None, 1)], [Seen(0, 5)]]
    first, *rest = censored_curve(problems, ITERATIONS)
    assert first.value == 0.5
    for point in rest:
        assert (point.value, point.low, point.high) == (0.5, first.low, 1.0)


def test_an_interrupted_run_is_unbiased_and_its_intervals_cover() -> None:
    """200 problems, interrupted with every trial at an attempt of its own: the truth is known."""
    rng = np.random.default_rng(7)
    chances = np.array([0.285, 0.15, 0.1, 0.05, 0.05])
    truth = 1 - np.cumprod(1 - chances)
    runs, estimates = 400, []
    covered = np.zeros(ITERATIONS)
    for _ in range(runs):
        solved = rng.random((200, ITERATIONS)) < chances
        at = np.where(solved.any(axis=1), solved.argmax(axis=1), ITERATIONS)
        known = rng.integers(1, ITERATIONS + 1, 200)
        problems = [
            [Seen(int(hit) if hit < end else None, int(end))]
            for hit, end in zip(at, known, strict=True)
        ]
        curve = censored_curve(problems, ITERATIONS)
        estimates.append([point.value for point in curve])
        covered += [p.low <= true <= p.high for p, true in zip(curve, truth, strict=True)]
    assert np.mean(estimates, axis=0) == pytest.approx(truth, abs=0.01)
    assert covered.min() / runs > 0.92


def test_twice_as_many_alike_problems_take_no_more_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of thousands of problems is shown while it goes on: alike ones are counted."""
    means = 0

    def counted(hits: list[bool]) -> float:
        nonlocal means
        means += 1
        return sum(hits) / len(hits)

    monkeypatch.setattr(censored, "_mean", counted)
    problems = [[Seen(at, ITERATIONS)] for at in (None, 0, 2)] + [[Seen(None, 2)]]
    steps = []
    for times in (1, 2):
        means = 0
        curve = censored_curve(problems * 50 * times, ITERATIONS)
        steps.append(means)
    assert steps[0] == steps[1]
    assert curve[-1].n == 3 * 100


def test_the_last_trial_at_risk_proves_little_by_being_solved() -> None:
    """Twelve known, of which one alone was left when it was solved: all of twelve it is not."""
    early = [[Seen(0, ITERATIONS)]] * 4
    stopped = [[Seen(None, 2)]] * 8
    late = [[Seen(3, ITERATIONS)]]
    last = censored_curve([*early, *stopped, *late], ITERATIONS)[-1]
    assert last.value == 1
    assert last.low < 0.4
    gain = normalised_gain([*early, *stopped, *late], ITERATIONS)
    assert gain.value == 1
    assert gain.low < 0.4
