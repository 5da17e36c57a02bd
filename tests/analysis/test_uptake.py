"""One-step uptake against controls, on the failures that both share."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from feedback_friction.analysis.accuracy_by_attempt import read_results
from feedback_friction.analysis.stats.intervals import modified_wilson
from feedback_friction.analysis.uptake import Uptake
from journals import IN_FLIGHT, NOTHING, RIGHT, trials, write_run

OPTIONS = ("one", "two", "three", "four")


def only(directory: Path, feedback: str = "binary") -> Uptake:
    results = {each.condition.feedback: each for each in read_results(directory)}
    [found] = results[feedback].uptakes
    return found


def test_every_measure_is_taken_on_the_failures_that_both_share(tmp_path: Path) -> None:
    treated = trials((RIGHT,), ("a", RIGHT), ("a", RIGHT), ("a", "b", RIGHT), ("a", RIGHT))
    control = trials((RIGHT,), ("a", "b", RIGHT), ("a", RIGHT), ("a", "a", "a"), (RIGHT,))
    found = only(write_run(tmp_path / "run", {"retry": control, "binary": treated}, problems=5))
    assert (found.n, found.trials, found.control.feedback) == (3, 3, "retry")
    shares = {
        name: (getattr(found, name).treatment, getattr(found, name).control)
        for name in ("right", "repeated", "gain", "area")
    }
    assert shares["right"] == pytest.approx((2 / 3, 1 / 3))
    assert shares["repeated"] == pytest.approx((0, 1 / 3))
    assert shares["gain"] == pytest.approx((1, 2 / 3))
    assert shares["area"] == pytest.approx((5 / 6, 1 / 2))
    for name in shares:
        difference = getattr(found, name).difference
        assert difference.value == pytest.approx(shares[name][0] - shares[name][1])
        assert difference.low < difference.value < difference.high
    assert (found.guess, found.control_guess) == (0, 0)


def test_a_guesser_that_keeps_wrong_options_in_mind_takes_nothing_up(tmp_path: Path) -> None:
    """Told only that an option is wrong, a third of the guesses among the others are right."""
    wrong = ("A", "B", "C", "D")
    treated = trials(*[("A", RIGHT)] * 40, *[("A", "B", RIGHT)] * 80)
    control = trials(*[("A", RIGHT)] * 30, *[("A", "A", "B")] * 90)
    run = write_run(
        tmp_path / "run", {"retry": control, "binary": treated},
        problems=120, choices=wrong, task="mmlu", digits=None,
    )  # fmt: skip
    found = only(run)
    assert (found.right.treatment, found.right.control) == pytest.approx((1 / 3, 1 / 4))
    assert (found.guess, found.control_guess) == pytest.approx((1 / 3, 1 / 4))
    assert found.right.difference.value == pytest.approx(0)
    assert found.p_value == pytest.approx(1)
    seconds = {each.condition.feedback: each.second.guess for each in read_results(run)}
    assert seconds == pytest.approx({"binary": 1 / 3, "retry": 1 / 4})
    assert found.pairs is not None
    assert found.pairs.treatment == 10  # which McNemar's test alone calls significant


def test_without_an_option_named_nothing_is_excluded(tmp_path: Path) -> None:
    arms = {"retry": trials((NOTHING, "B", "B")), "binary": trials((NOTHING, "A", "B"))}
    run = write_run(tmp_path / "run", arms, problems=1, choices=OPTIONS, task="mmlu", digits=None)
    assert only(run).guess == 1 / 4


def test_rejection_excludes_for_the_control_too(tmp_path: Path) -> None:
    arms = {"retry, reject": trials(("A", "B", "C")), "binary, reject": trials(("A", "B", "C"))}
    run = write_run(tmp_path / "run", arms, problems=1, choices=OPTIONS, task="mmlu", digits=None)
    found = only(run)
    assert found.guess == 1 / 3
    assert found.control_guess == pytest.approx(1 / 3)


def test_trials_whose_second_attempt_is_unknown_are_left_out(tmp_path: Path) -> None:
    treated = trials(("a", RIGHT), ("a", IN_FLIGHT), ("a", "b", IN_FLIGHT))
    control = trials(("a", "a", "a"), ("a", "a", "a"), ("a", "b", "b"))
    found = only(write_run(tmp_path / "run", {"retry": control, "binary": treated}, problems=3))
    assert found.n == 2
    assert found.right.treatment == 1 / 2
    assert found.gain.difference.n == 1  # only one is known to the end under both


def test_results_give_gain_area_repetition_guesser_and_bounds(tmp_path: Path) -> None:
    arm = trials((RIGHT,), ("A", "A", RIGHT), ("A", "B", "C"))  # p3 never ran
    run = write_run(
        tmp_path / "run", {"binary": arm}, problems=4, choices=OPTIONS, task="mmlu", digits=None
    )
    [result] = read_results(run)
    found = json.loads(json.dumps(result.as_json()))
    assert found["gain"]["value"] == pytest.approx(1 / 2)
    assert found["area"]["value"] == pytest.approx((1 / 3 + 1 / 3 + 2 / 3) / 3)
    assert found["repetition"]["value"] == pytest.approx(1 / 2)
    assert found["guess"] == pytest.approx([1 / 4, 7 / 16, 37 / 64])
    assert found["guess_most"] == pytest.approx([1 / 4, 1 / 2, 3 / 4])
    assert found["bound_low"][0] == pytest.approx(modified_wilson(1, 4).low)
    assert found["bound_high"][0] == pytest.approx(modified_wilson(2, 4).high)
    assert found["bound_high"][2] == pytest.approx(modified_wilson(3, 4).high)
    assert found["uptake"] == []


def test_with_nothing_missing_the_bounds_are_the_interval(tmp_path: Path) -> None:
    arm = trials((RIGHT,), ("a", "a", RIGHT), ("a", "b", "c"), ("a", RIGHT))
    [result] = read_results(write_run(tmp_path / "run", {"binary": arm}))
    assert list(result.bounds) == [each.interval for each in result.curve]
    assert (result.guess, result.guess_most) == (None, None)
