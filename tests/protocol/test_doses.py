"""Doses: how much is shown, how much is spoilt, and how late it comes."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import toys
from feedback_friction.errors import UsageError
from feedback_friction.mode_names import parse_mode, recorded_mode
from feedback_friction.problem import Problem
from feedback_friction.protocol import prompts
from feedback_friction.protocol.feedback import parts_of
from feedback_friction.protocol.suits import check_hints, for_task
from feedback_friction.protocol.trial import trial

LINES = Problem("l", "toy", "Lines?", "x", solution="one\ntwo\nthree\nfour\nfive")
HINTED = Problem("h", "toy", "Hints?", "x", solution="It is so.", hints=("h1", "h2", "h3"))
SHARES = st.integers(0, 100).map(lambda percent: percent / 100)


def run(mode, problem=LINES, task=toys.TASK, script=("The answer is 3.",), **plan):
    asked = toys.plan(mode, **plan)
    asked = replace(asked, mode=for_task(asked.mode, task, [problem]))
    driver = toys.Driver(list(script))
    return driver.run(trial(problem, task, asked, others=[HINTED, LINES]), task), driver


def shown(mode, problem=LINES, **plan):
    done, _ = run(mode, problem, iterations=2, **plan)
    text = done.attempts[0].feedback.text
    return [part for part in parts_of(problem) if part in text.splitlines()]


@given(SHARES)
def test_a_part_is_the_first_share_of_the_lines(share):
    assert shown(f"partial:{share}") == LINES.solution.splitlines()[: int(share * 5 + 0.5)]


@given(SHARES, SHARES, st.integers(0, 20))
def test_a_larger_part_by_lot_holds_the_smaller_one(one, other, seed):
    less, more = sorted((one, other))
    small = shown(f"partial:{less}:random", seed=seed)
    large = shown(f"partial:{more}:random", seed=seed)
    assert {*small} <= {*large}
    assert len(large) == int(more * 5 + 0.5)


def test_a_part_of_nothing_says_that_the_answer_is_wrong_and_hints_are_a_checklist():
    done, _ = run("partial:0", iterations=2)
    assert done.attempts[0].feedback.text == prompts.BINARY_WRONG
    assert shown("partial:0.7", HINTED) == ["h1", "h2"]
    assert parts_of(toys.PROBLEM) == ["6 + 1 = 7"]
    assert parts_of(replace(LINES, solution="One. Two? Three.")) == ["One.", "Two?", "Three."]


def test_a_part_passes_the_mask():
    done, _ = run("partial:1", toys.PROBLEM, iterations=2)
    assert "6 + 1 = [masked]" in done.attempts[0].feedback.text


@given(SHARES, SHARES, st.integers(0, 10))
def test_what_is_spoilt_at_a_lower_share_is_so_at_a_higher_one(one, other, seed):
    def corrupted(share):
        done, _ = run(f"noisy:{share}:hint", HINTED, iterations=6, seed=seed)
        return {each.iteration for each in done.attempts if each.aside("corrupted")}

    less, more = sorted((one, other))
    assert corrupted(less) <= corrupted(more)
    assert corrupted(0) == set()
    assert corrupted(1) == {0, 1, 2, 3, 4}


def test_spoilt_feedback_says_something_else_and_what_it_said_is_kept():
    done, _ = run("noisy:1:hint", HINTED, iterations=2)
    attempt = done.attempts[0]
    assert attempt.aside("corrupted").text == "h1"
    assert re.fullmatch("h[02-9]", attempt.feedback.raw)  # its number was changed
    wordless = replace(HINTED, hints=("look",))
    done, _ = run("noisy:1:hint", replace(wordless, id="w"), iterations=2)
    assert done.attempts[0].feedback.raw in (HINTED.hints[0], LINES.solution)
    assert run("noisy:0:hint", HINTED, iterations=2)[0].attempts[0].feedback.raw == "h1"


def test_spoilt_feedback_of_a_tutor_calls_a_right_line_wrong_where_the_task_can():
    from feedback_friction.protocol.task import Misled

    task = replace(toys.TUTORED, mislead=lambda *given: Misled("Look at line 1.", "4"))
    done, _ = run("noisy:1", task=task, iterations=2)
    assert done.attempts[0].feedback.text == "Look at line 1."
    assert done.attempts[0].aside("corrupted").text.startswith("Look at your last line")


@pytest.mark.parametrize("late", [0, 1, 2])
def test_late_feedback_is_that_on_the_attempt_so_many_before(late):
    script = [f"Try {n}. The answer is {n}." for n in (1, 2, 3, 4)]
    done, _ = run(f"delay:{late}", task=toys.TUTORED, script=script, iterations=4)
    for number, attempt in enumerate(done.attempts[:-1]):
        told = attempt.feedback.text
        if number < late:
            assert told == prompts.BINARY_WRONG
        else:
            assert f"The answer is {number - late + 1}." in told
            assert (f"about attempt {number - late + 1}" in told) == (late > 0)


def test_a_model_is_asked_about_the_earlier_attempt_as_if_at_its_time():
    done, driver = run("delay:1:self", iterations=4)
    at_once, early = run("self", iterations=4)
    first, second = driver.asked_of("feedback")
    assert first == early.asked_of("feedback")[0]
    assert "### Attempt 3" not in second.messages[-1].content
    assert "Attempt 2 is wrong" in second.messages[-1].content
    assert done.attempts[1].feedback.text.endswith(at_once.attempts[0].feedback.text)


@pytest.mark.parametrize(
    "name",
    ["partial", "partial:1.1", "partial:-1", "partial:x", "partial:0.5:last", "noisy:2",
     "noisy:0.5:binary", "noisy:0.5:misled", "delay:0.5", "delay:100", "delay:1:retry",
     "noisy:nan", "partial:1e0"],
)  # fmt: skip
def test_a_dose_that_cannot_be_is_refused_with_what_can(name):
    with pytest.raises(UsageError, match="allowed"):
        parse_mode(name, has_feedback_model=True)


def test_a_dose_is_known_from_its_recorded_name():
    noisy, partial = recorded_mode("noisy:0.25:hint@peer"), recorded_mode("partial:0.5:random")
    assert (noisy.name, noisy.dose, noisy.source) == ("noisy", 0.25, "hint")
    assert (partial.dose, partial.by_chance) == (0.5, True)
    assert recorded_mode("noisy:later").name == "noisy"


def test_a_part_of_what_a_row_does_not_have_is_refused():
    bare = replace(LINES, solution=None)
    with pytest.raises(UsageError, match="needs a worked solution or hints; 1 of 2 rows"):
        check_hints(parse_mode("partial:0.5", has_feedback_model=False), [LINES, bare])


def test_by_default_the_tutor_is_spoilt_else_hints_else_process_feedback():
    noisy = parse_mode("noisy:0.5", has_feedback_model=False)
    assert for_task(noisy, toys.TUTORED, [HINTED]).source == "tutor"
    assert for_task(noisy, toys.TASK, [HINTED]).source == "hint"
    assert for_task(noisy, toys.TASK, [HINTED, LINES]).source == "process"
