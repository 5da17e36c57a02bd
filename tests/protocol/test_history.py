"""What each history shows, leaves out and keeps, over any number of attempts."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import toys
from feedback_friction.errors import UsageError
from feedback_friction.grading.verdict import Verdict
from feedback_friction.protocol import prompts
from feedback_friction.protocol.history import solver_messages
from feedback_friction.protocol.records import Aside, Attempt, Feedback, Reply
from feedback_friction.protocol.trial import trial
from feedback_friction.ways import ANSWERS, CLEAN, FEEDBACK, FOREIGN, HISTORIES, parse_history

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=30)


def attempt(number, working, told):
    return Attempt(
        number,
        toys.PROBLEM,
        Reply(f"{working} (working {number})"),
        Verdict.of(False, f"answer{number}", "toy"),
        0.0,
        feedback=Feedback("binary", told, f"{told} (told {number})"),
        asides=(Aside("stand-in", f"stranger {number}", "other"),),
    )


ATTEMPTS = st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=5).map(
    lambda pairs: [attempt(number, *pair) for number, pair in enumerate(pairs)]
)


def prompt(attempts, name):
    return solver_messages(toys.TASK, toys.PROBLEM, attempts, parse_history(name))


def text(attempts, name):
    return "\n".join(message.content for message in prompt(attempts, name))


@given(ATTEMPTS)
def test_each_history_shows_of_every_attempt_what_it_says(attempts):
    for name, history in HISTORIES.items():
        shown = text(attempts, name)
        kept = attempts[-history.last :]
        for each in attempts:
            number, is_kept = each.iteration, each in kept
            assert (f"(told {number})" in shown) == is_kept
            assert (f"(working {number})" in shown) == (is_kept and history.sight == "working")
            assert (f"is answer{number}." in shown) == (history.sight == "answer")
            assert (f"stranger {number}" in shown) == (history.sight == "foreign")


@given(ATTEMPTS)
def test_a_prompt_keeps_its_beginning_from_attempt_to_attempt_where_nothing_is_dropped(attempts):
    end = prompts.AGAIN.partition("{")[0]
    for name in ("transcript", "answers", "feedback", "foreign"):
        grown = [text(attempts[: n + 1], name) for n in range(len(attempts))]
        for shorter, longer in pairwise(grown):
            assert longer.startswith(shorter[: shorter.rindex(end)])
    turns = [prompt(attempts[: n + 1], "chat") for n in range(len(attempts))]
    assert all(longer[: len(shorter)] == shorter for shorter, longer in pairwise(turns))


@given(ATTEMPTS)
def test_the_last_n_are_the_transcript_as_long_as_none_is_left_out(attempts):
    assert prompt(attempts, f"last:{len(attempts)}") == prompt(attempts, "transcript")
    if len(attempts) > 1:
        fewer = text(attempts, f"last:{len(attempts) - 1}")
        assert "(working 0)" not in fewer
        assert "### Attempt 2" in fewer


@pytest.mark.parametrize("name", ["last:0", "last:-1", "last:x", "last:", "last:1000", "answers:2"])
def test_a_history_that_cannot_be_is_refused_with_those_that_can(name):
    with pytest.raises(UsageError, match=r"allowed: transcript, chat, last, .*last:N"):
        parse_history(name)


def run(history, others, solver="The answer is 3.", **more):
    driver = toys.Driver([solver] if isinstance(solver, str) else solver)
    plan = replace(toys.plan(**more), history=history)
    return driver.run(trial(toys.PROBLEM, toys.TASK, plan, others=others)), driver


def by_problem(replies):
    def solver(request, number):
        return replies[request.occasion.problem.id]

    return solver


def test_a_foreign_attempt_is_another_problems_wrong_one_and_its_feedback_is_ones_own():
    others = [toys.PROBLEM, *toys.problems(4)]
    replies = {f"p{n}": f"Working of {n}. The answer is {n + 50}." for n in range(4)}
    replies["p1"] = "Own working. The answer is 3."  # the id of toys.PROBLEM, too
    done, driver = run(FOREIGN, others, by_problem(replies), iterations=4)
    donors = [each.asides[0].donor for each in done.attempts[:-1]]
    assert sorted(donors) == ["p0", "p2", "p3"]
    own = [each for each in driver.requests if each.occasion.problem is toys.PROBLEM]
    for request, donor in zip(own[1:], donors, strict=True):
        shown = request.messages[-1].content
        assert replies[donor] in shown
        assert "Own working" not in shown
        assert prompts.BINARY_WRONG in shown
    assert driver.attempted == [replace(each, feedback=None, asides=()) for each in done.attempts]


def test_a_foreign_attempt_that_names_the_answer_is_passed_over_or_masked():
    others = [toys.PROBLEM, *toys.problems(3)]
    naming = {"p0": "So 7 it is: the answer is 8.", "p1": "The answer is 3."}
    done, _ = run(FOREIGN, others, by_problem(naming | {"p2": "The answer is 9."}), iterations=2)
    assert done.attempts[0].asides == (Aside("stand-in", "The answer is 9.", "p2"),)
    done, _ = run(
        FOREIGN, others, by_problem(naming | {"p2": "Of 7: the answer is 9."}), iterations=2
    )
    assert "7" not in done.attempts[0].asides[0].text


def test_without_another_wrong_problem_a_foreign_history_stops_and_says_why():
    done, _ = run(FOREIGN, [toys.PROBLEM])
    assert (done.status, done.reason) == (
        "stopped",
        "history foreign: no other problem has a wrong first answer",
    )


@pytest.mark.parametrize("history", [ANSWERS, FEEDBACK, CLEAN])
def test_only_a_foreign_history_asks_for_attempts_at_other_problems(history):
    done, driver = run(history, toys.problems(4), iterations=3)
    assert len(driver.requests) == 3
    assert all(each.asides == () for each in done.attempts)


def test_a_mode_that_shows_no_history_needs_no_strangers():
    done, driver = run(FOREIGN, toys.problems(4), mode="retry", iterations=3)
    assert len(driver.requests) == 3
    assert done.status == "unsolved"
