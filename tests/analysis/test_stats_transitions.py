"""What becomes of an answer at the next attempt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_friction.analysis.stats.intervals import wilson
from feedback_friction.analysis.stats.transitions import Answer, Move, moves, transitions

SAME, BACK, NEW, NONE, RIGHT = Move.SAME, Move.BACK, Move.NEW, Move.NO_ANSWER, Move.CORRECT
answers = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", None]), st.just(False)), min_size=1, max_size=10
)


def wrong(*predictions: str | None) -> list[Answer]:
    """A trial of wrong answers."""
    return [(prediction, False) for prediction in predictions]


@pytest.mark.parametrize(
    ("trial", "expected"),
    [
        (wrong("a"), ()),
        (wrong("a", "a", "a"), (SAME, SAME)),
        (wrong("a", "b", "a"), (NEW, BACK)),
        (wrong("a", "b", "b", "a", "c"), (NEW, SAME, BACK, NEW)),
        (wrong("a", None, "a"), (NONE, BACK)),
        (wrong(None, None, "a"), (NONE, NEW)),
        ([*wrong("a", "b"), ("g", True)], (NEW, RIGHT)),
        ([("g", True)], ()),
        ([], ()),
    ],
    ids=str,
)
def test_moves_are_named(trial: list[Answer], expected: tuple[Move, ...]) -> None:
    assert moves(trial) == expected


@given(answers)
def test_every_retry_is_one_move(trial: list[Answer]) -> None:
    assert len(moves(trial)) == len(trial) - 1


@given(answers)
def test_new_answers_are_the_distinct_ones(trial: list[Answer]) -> None:
    stated = {prediction for prediction, _ in trial} - {None}
    first = trial[0][0] is not None
    assert moves(trial).count(NEW) == len(stated) - first


def test_transitions_count_by_kind_and_iteration() -> None:
    found = transitions([wrong("a", "a", "b"), wrong("a", "b", "a"), [*wrong("x"), ("g", True)]])
    assert {each.move: each.count for each in found.shares} == {
        SAME: 1, BACK: 1, NEW: 2, NONE: 0, RIGHT: 1,
    }  # fmt: skip
    assert found.by_iteration == ((1, 0, 1, 0, 1), (0, 1, 1, 0, 0))
    assert sum(each.share.value for each in found.shares) == pytest.approx(1)
    assert found.repetition.value == pytest.approx(2 / 5)
    assert found.repetition.n == 5


def test_single_retries_have_wilson_intervals() -> None:
    found = transitions([wrong("a", "a")] * 12 + [wrong("a", "b")] * 18)
    limits = wilson(12, 30)
    assert (found.repetition.low, found.repetition.high) == pytest.approx((limits.low, limits.high))


def test_retries_of_a_problem_are_not_independent() -> None:
    trials = [wrong(*"aaaaaaaaa")] * 10 + [wrong(*"abcdefghi")] * 10
    found = transitions(trials).repetition
    limits = wilson(10, 20)
    assert (found.value, found.n) == (0.5, 160)
    assert found.low <= limits.low < limits.high <= found.high
    by_problem = transitions(trials, problems=[n // 5 for n in range(20)]).repetition
    assert by_problem.interval.width > found.interval.width


def test_trials_without_retries_have_no_rate() -> None:
    found = transitions([wrong("a"), [("g", True)]])
    assert found.repetition.n == 0
    assert found.by_iteration == ()
    assert transitions([]).by_iteration == ()


def test_each_trial_needs_its_problem() -> None:
    with pytest.raises(ValueError, match="2 trials, but 1 problems"):
        transitions([wrong("a"), wrong("b")], problems=["p"])
