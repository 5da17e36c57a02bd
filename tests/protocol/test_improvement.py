"""A round's score is uptake less leaks, and its story is told to who writes the next prompt."""

import pytest

import toys
from feedback_friction.grading.verdict import Verdict
from feedback_friction.protocol.improvement import Round, told
from feedback_friction.protocol.prompts import FORM_REQUESTS, unusable
from feedback_friction.protocol.records import Attempt, Feedback, Reply, Trial


def attempt(number, answer, feedback=None):
    verdict = Verdict.none() if answer is None else Verdict.of(answer == "7", answer, "toy")
    return Attempt(number, toys.PROBLEM, Reply(f"It is {answer}."), verdict, 0.0, feedback=feedback)


def ended(first, second, leaks=()):
    feedback = Feedback("explain", "Count again.", "Count again.", leaks)
    status = "solved" if second == "7" else "unsolved"
    return Round(Trial(toys.PROBLEM, 0, (attempt(0, first, feedback), attempt(1, second)), status))


@pytest.mark.parametrize(
    ("round", "score", "taken_up"),
    [
        (ended("3", "7"), 1, True),
        (ended("3", "3"), 0, False),
        (ended("3", "7", leaks=("7",)), 0, False),
        (ended("3", "3", leaks=("7",)), -1, False),
    ],
)
def test_a_leak_costs_what_a_right_answer_brings(round, score, taken_up):
    assert (round.score, round.taken_up) == (score, taken_up)


def test_a_refused_second_attempt_is_not_taken_up():
    feedback = Feedback("explain", "Count again.", "Count again.")
    stopped = Round(Trial(toys.PROBLEM, 0, (attempt(0, "3", feedback),), "stopped", "refused"))
    assert (stopped.score, stopped.taken_up) == (0, False)
    assert told(stopped)["Next attempt"] == "(none)"


@pytest.mark.parametrize(
    ("round", "said"),
    [
        (ended("3", "7"), "The next attempt is right."),
        (ended("3", "3"), "the same wrong answer again"),
        (ended("3", "4"), "with another answer"),
        (ended("3", None), "gives no answer"),
        (ended("3", "7", leaks=("7",)), "gave the answer away"),
    ],
)
def test_what_came_of_a_round_is_said_in_words(round, said):
    story = told(round)
    assert said in story["What came of it"]
    assert story["Feedback"] == "Count again."
    assert toys.PROBLEM.gold not in story["Wrong attempt"]


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        ("", "is no text"),
        (" \n", "is no text"),
        ("Say {why}.", "the field {why}; allowed: {number}, {fault}, {secret}"),
        ("Say {number.real}.", "the field {number.real}"),
        ("Say {0}.", "the field {0}"),
        ("Say {number:99999999}.", "the field {number:99999999}"),
        ("Say {fault!r}.", "the field {fault!r}"),
        ("Say {", "has a brace"),
    ],
)
def test_a_prompt_that_cannot_be_filled_in_is_unusable(request_, why):
    assert why in unusable(request_)


@pytest.mark.parametrize(
    "request_", ["Say why.", "Say {{why}} of {number}.", *FORM_REQUESTS.values()]
)
def test_a_prompt_that_can_be_filled_in_is_usable(request_):
    assert unusable(request_) == ""
    assert request_.format(number=1, fault="wrong", secret="")
