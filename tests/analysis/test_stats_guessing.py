"""The guesser's curve: exact, by the number of options and by what keeps it from those tried."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_friction.analysis.stats.guessing import (
    Excludes,
    guesser,
    mean_guesser,
    right_next,
)
from feedback_friction.ways import MAX_DRAWS

options = st.integers(2, 10)


@given(options, st.integers(1, 12))
def test_with_and_without_elimination_it_has_a_closed_form(m: int, iterations: int) -> None:
    free = guesser(m, iterations, Excludes.NOTHING)
    assert free == pytest.approx([1 - (1 - 1 / m) ** (k + 1) for k in range(iterations)])
    mindful = guesser(m, iterations, Excludes.ALL)
    assert mindful == pytest.approx([min(1, (k + 1) / m) for k in range(iterations)])


@given(options, st.integers(1, 12))
def test_rejection_lies_between_and_never_falls(m: int, iterations: int) -> None:
    drawn = guesser(m, iterations, Excludes.DRAWS)
    assert drawn == sorted(drawn)
    for k, (free, mindful) in enumerate(
        zip(
            guesser(m, iterations, Excludes.NOTHING),
            guesser(m, iterations, Excludes.ALL),
            strict=True,
        )
    ):
        assert free - 1e-12 <= drawn[k] <= mindful + 1e-12


def test_the_guesser_of_mmlu_and_of_mmlu_pro_is_right_in_the_end() -> None:
    assert guesser(4, 10, Excludes.ALL)[0] == 0.25
    assert guesser(4, 10, Excludes.ALL)[-1] == pytest.approx(1)
    assert guesser(10, 10, Excludes.ALL)[0] == 0.1
    assert guesser(10, 10, Excludes.ALL)[-1] == pytest.approx(1)
    assert guesser(4, 10, Excludes.NOTHING)[-1] == pytest.approx(0.9437, abs=5e-5)


def test_rejection_agrees_with_a_guesser_that_draws() -> None:
    rng, m, iterations, trials = random.Random(3), 10, 10, 20_000
    solved = [0] * iterations
    for _ in range(trials):
        tried: set[int] = set()
        for k in range(iterations):
            draws = (rng.randrange(m) for _ in range(MAX_DRAWS))
            answer = next((each for each in draws if each not in tried), None)
            if answer == 0:
                for later in range(k, iterations):
                    solved[later] += 1
                break
            if answer is not None:
                tried.add(answer)
    found = [count / trials for count in solved]
    assert found == pytest.approx(guesser(m, iterations, Excludes.DRAWS), abs=0.012)


def test_the_next_guess_is_among_the_options_left() -> None:
    assert right_next(4, 1, Excludes.NOTHING) == 1 / 4
    assert right_next(4, 1, Excludes.ALL) == 1 / 3
    assert right_next(4, 3, Excludes.ALL) == 1
    assert right_next(4, 3, Excludes.DRAWS) == 1 - 0.75**25
    for m, tried in ((1, 0), (4, 4), (4, -1)):
        with pytest.raises(ValueError, match="cannot have been tried"):
            right_next(m, tried, Excludes.ALL)


def test_problems_with_other_numbers_of_options_are_averaged() -> None:
    assert mean_guesser([2, 4], 2, Excludes.ALL) == pytest.approx([3 / 8, 3 / 4])
    assert mean_guesser([4, 0], 2, Excludes.ALL) is None
    assert mean_guesser([], 2, Excludes.ALL) is None
