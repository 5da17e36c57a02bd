"""Probes: what each asks, with which words, and what it makes of the replies."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

import toys
from feedback_friction.grading.verdict import Verdict
from feedback_friction.problem import Problem
from feedback_friction.protocol.judge import UndecidedError
from feedback_friction.protocol.probes import (
    MOST_DRAWS,
    UNDERSTOOD,
    UPDATED,
    Perception,
    Reading,
    Scene,
    entropy,
    in_domain,
    parse_perception,
    perception_messages,
    reader,
    reader_messages,
    self_perception,
)
from feedback_friction.protocol.records import Attempt, Feedback, Message, Reply
from feedback_friction.protocol.trial import next_view, trial

GOLDEN = Path(__file__).parents[1] / "cases" / "probe_prompts.json"
PLAN = toys.plan("strong", iterations=4)


def scene(problem=toys.PROBLEM, answers=("3", "4", "3"), iteration=0, plan=PLAN):
    attempts = tuple(
        Attempt(
            number,
            problem,
            Reply(f"The answer is {answer}."),
            Verdict.of(False, answer, "toy"),
            0.0,
            feedback=Feedback("strong", "", f"Feedback {number + 1}."),
        )
        for number, answer in enumerate(answers)
    )
    return Scene(toys.TASK, plan, problem, 0, attempts, iteration)


def turns(messages):
    return [f"{each.role}: {each.content}" for each in messages]


def rendered():
    """Every prompt of the probes."""
    plain, chosen = scene(), scene(toys.CHOICES, ("A", "C", "A"))
    number = replace(toys.PROBLEM, operands=("6", "1"))
    understood = UNDERSTOOD.format(number=1)
    updated = UPDATED.format(number=1, next=2)
    after = replace(plain.attempts[1], feedback=None)
    return {
        "understood": turns(perception_messages(plain, plain.attempts[:1], understood)),
        "updated": turns(perception_messages(plain, (plain.attempts[0], after), updated)),
        "reader": turns(reader_messages(toys.TASK, plain.problem, "It is [masked].")),
        "reader of a letter": turns(reader_messages(toys.TASK, chosen.problem, "Not (A).")),
        "reader of a number": turns(reader_messages(toys.TASK, number, "Add one.")),
        "reader of nothing": turns(reader_messages(toys.TASK, plain.problem, "  ")),
    }


@pytest.mark.parametrize("name", json.loads(GOLDEN.read_text()))
def test_every_prompt_is_the_golden_one(name):
    assert rendered()[name] == json.loads(GOLDEN.read_text())[name]


def test_there_is_a_golden_text_for_every_prompt():
    assert rendered().keys() == json.loads(GOLDEN.read_text()).keys()


def test_entropy_draws_from_the_very_prompt_of_the_second_attempt():
    driver = toys.Driver(solver=["The answer is 3.", "The answer is 7."])
    done = driver.run(trial(toys.PROBLEM, toys.TASK, PLAN))
    second = driver.asked_of("solver")[1]
    place = Scene(toys.TASK, PLAN, toys.PROBLEM, 0, done.attempts, 0)
    probing = toys.Driver()
    probing.run(entropy(place, 50, 0.7))
    (asked,) = probing.requests
    assert asked.messages == second.messages
    assert (asked.n, asked.temperature) == (50, 0.7)


def test_answers_are_counted_by_the_tasks_equivalence_and_silence_apart():
    replies = ["The answer is 3.", "So the answer is (3)", "The answer is 7.", "I cannot say."]
    driver = toys.Driver(solver=lambda request, number: replies[number % 4])
    found = driver.run(entropy(scene(), 8, 0.7))
    assert found.counts == (("3", 4), ("7", 2))
    assert (found.no_answer, found.correct, found.draws) == (2, 2, 8)


@pytest.mark.parametrize("steps", [entropy(scene(), 8, 0.7), reader(scene(), None)])
def test_a_probe_says_so_where_an_answer_cannot_be_graded_in_time(steps):
    driver = toys.Driver(solver=[f"The answer is {toys.OPEN}."])
    with pytest.raises(UndecidedError, match="timeout"):
        driver.run(steps)


def test_shuffled_letters_that_name_one_option_are_one_answer():
    plan = toys.plan("strong", iterations=4, shuffle=True)
    place = scene(toys.CHOICES, ("A",), plan=plan)
    seen = next_view(place.before(1)).problem
    driver = toys.Driver(solver=["The answer is (A)."])
    found = driver.run(entropy(place, 4, 0.7))
    assert found.counts == ((seen.choices[0], 4),)


def test_many_draws_come_in_requests_with_seeds_that_differ():
    driver = toys.Driver()
    found = driver.run(in_domain(scene(), 120, 0.7))
    assert [each.n for each in driver.requests] == [MOST_DRAWS, MOST_DRAWS, 20]
    assert len({each.seed for each in driver.requests}) == 3
    assert found.draws == 120


def test_in_domain_asks_the_first_prompt_and_shows_no_attempt():
    driver = toys.Driver(solver=["The answer is 7."])
    found = driver.run(in_domain(scene(), 100, 0.7))
    assert found.correct == found.draws == 100
    assert driver.requests[0].messages[-1] == Message("user", toys.PROBLEM.question)
    assert driver.requests[0].occasion.attempts == ()


def perceive(replies, place):
    driver = toys.Driver(solver=lambda request, number: replies[len(driver.requests) - 1])
    return driver, driver.run(self_perception(place))


def test_self_perception_asks_before_and_after_the_next_answer():
    driver, found = perceive(["YES", "NO"], scene())
    before, after = (each.messages[-1].content for each in driver.requests)
    assert found == Perception(understood=True, updated=False)
    assert "The answer is 4." not in before
    assert "Feedback 1." in before
    assert "The answer is 4." in after
    assert "Feedback 2." not in after


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("YES", True), ("yes.", True), (" **No** ", False), ("NO!", False), ("'Yes'", True),
        ("", None), ("Yes and no", None), ("YES, but", None), ("Yesterday", None), ("maybe", None),
        ("yes" + " " * 200 + "in a way", None), ("yes" * 400_000, None),
        (" " * 1_000_000 + "x", None), ("*" * 1_000_000, None),
    ],
)  # fmt: skip
def test_yes_and_no_are_read_strictly(text, said):
    assert parse_perception(text) is said


def test_the_reader_sees_neither_the_question_nor_the_choices():
    driver = toys.Driver(solver=["UNKNOWN"])
    driver.run(reader(scene(toys.CHOICES, ("A", "C")), None))
    text = "\n".join(each.content for each in driver.requests[0].messages)
    assert toys.CHOICES.question not in text
    assert not any(choice in text for choice in toys.CHOICES.choices)
    assert "Feedback 1." in text


def read(solver, donor=None):
    driver = toys.Driver(solver=solver)
    return driver.run(reader(scene(), donor))


def test_a_reader_that_names_the_answer_is_counted_by_the_tasks_grader():
    assert read(["So the answer is 7."]).named is True
    assert read(["So the answer is 8."]) == Reading(False, "8", None, None)
    assert read([" unknown. "]) == Reading(False, None, None, None)


def test_chance_is_the_same_reader_with_another_problems_feedback():
    other = Problem("p2", "toy", "Two?", "2")
    donor = scene(other)
    donor = replace(
        donor, attempts=(replace(donor.attempts[0], feedback=Feedback("strong", "", "Theirs.")),)
    )

    def solver(request, number):
        return "The answer is 7." if "Theirs." in request.messages[-1].content else "UNKNOWN"

    found = read(solver, donor)
    assert (found.named, found.control, found.donor) == (False, True, "p2")


def test_the_same_feedback_is_read_by_the_same_call():
    one, other = toys.Driver(solver=["UNKNOWN"]), toys.Driver(solver=["UNKNOWN"])
    one.run(reader(scene(), None))
    other.run(reader(scene(Problem("p9", "toy", "Nine?", "9")), None))
    assert one.requests == other.requests
