"""Challenges of right answers: what they say, and that it is neither right nor gives gold away."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import toys
from feedback_friction.errors import UsageError
from feedback_friction.grading.verdict import Outcome
from feedback_friction.mode_names import attributed, parse_mode
from feedback_friction.modes import ATTRIBUTIONS, MODES
from feedback_friction.problem import Problem
from feedback_friction.protocol import prompts
from feedback_friction.protocol.episode import rng_for
from feedback_friction.protocol.mislead import slipped
from feedback_friction.protocol.suits import check_mode, for_task
from feedback_friction.protocol.trial import trial
from feedback_friction.tasks.catalog import get_page, load_problems
from feedback_friction.tasks.page import Selection
from feedback_friction.tasks.tutor import mislead

WRONG, RIGHT = "The answer is 3.", "The answer is 7."
CHALLENGES = [mode.name for mode in MODES.values() if mode.challenges]


def run(script, mode, task=toys.TASK, problem=toys.PROBLEM, others=(), **plan):
    driver = toys.Driver(script, feedback="I argue for 5 and not for 7.")
    asked = toys.plan(mode, **plan)
    asked = replace(asked, mode=for_task(asked.mode, task, [problem]))
    return driver.run(trial(problem, task, asked, others=others), task), driver


@pytest.mark.parametrize("mode", CHALLENGES)
def test_a_right_answer_is_challenged_in_every_round(mode):
    done, driver = run([RIGHT], mode, others=toys.problems(4), iterations=4)
    assert (done.status, len(done.attempts)) == ("solved", 4)
    assert all(attempt.feedback for attempt in done.attempts[:-1])
    assert len(driver.asked_of("solver")) == 4


@pytest.mark.parametrize("mode", CHALLENGES)
def test_a_trial_that_was_ever_right_is_solved_and_one_that_never_was_is_not(mode):
    lost, _ = run([WRONG, RIGHT, WRONG], mode, others=toys.problems(4), iterations=4)
    never, _ = run([WRONG], mode, others=toys.problems(4), iterations=4)
    assert (lost.status, never.status) == ("solved", "unsolved")
    assert len(lost.attempts) == len(never.attempts) == 4


def test_a_denial_says_word_for_word_what_binary_feedback_says():
    for script in ([WRONG], [RIGHT], ["Hm."]):
        denied, _ = run(script, "denial", iterations=2)
        told = denied.attempts[0].feedback.text
        assert told in prompts.FIXED[MODES["binary"].fixed]


def test_a_doubt_says_nothing_is_wrong_and_neither_does_the_request_after_it():
    _, driver = run([RIGHT], "doubt", iterations=2)
    asked = driver.requests[1].messages[-1].content
    assert "wrong" not in asked
    _, driver = run([RIGHT], "denial", iterations=2)
    assert "find what went wrong" in driver.requests[1].messages[-1].content


@given(st.integers(0, 30), st.sampled_from(["A", "B", "C", "D"]))
def test_a_named_option_is_never_the_right_one_nor_the_one_just_chosen(seed, chosen):
    script = [f"The answer is ({chosen})."]
    done, _ = run(script, "misled", problem=toys.CHOICES, iterations=3, seed=seed)
    for attempt in done.attempts[:-1]:
        suggested = attempt.aside("suggested").text
        assert suggested not in (toys.CHOICES.gold, chosen)
        assert f"({suggested})" in attempt.feedback.raw
        assert toys.CHOICES.gold_text not in attempt.feedback.raw


def test_options_need_no_tutor_to_be_argued_for():
    task = get_page("mmlu").task
    assert task.tutor is None
    mode = for_task(MODES["misled"], task, [toys.CHOICES])
    check_mode(mode, task)
    assert mode.writer == "program"
    with pytest.raises(UsageError, match="no tutor"):
        check_mode(MODES["tutor"], task)


def test_a_suggestion_stays_until_the_solver_makes_it_its_own():
    def follows(request, number):
        given = request.occasion.attempts
        told = given[-1].aside("suggested").text if len(given) == 2 else "7"
        return f"The answer is {told}."

    done, _ = run(follows, "misled", others=toys.problems(9), iterations=4)
    first, second, third = (each.aside("suggested").text for each in done.attempts[:-1])
    assert first == second
    assert third not in (second, "7")


def test_a_model_argues_for_the_wrong_answer_without_being_shown_the_right_one():
    done, driver = run([WRONG], "misled", others=toys.problems(9), iterations=2)
    (asked,) = driver.asked_of("feedback")
    suggested = done.attempts[0].aside("suggested").text
    assert f"the answer is {suggested}" in asked.messages[-1].content
    assert "7" not in asked.messages[-1].content
    assert done.attempts[0].feedback.text == "I argue for 5 and not for [masked]."


def test_another_problems_answer_that_is_right_here_too_is_not_suggested():
    same = [Problem("q", "toy", "Seven?", "7"), Problem("r", "toy", "Three?", "3")]
    done, driver = run([WRONG], "misled", others=same, iterations=2)
    assert done.attempts[0].feedback.text == prompts.BINARY_WRONG
    assert done.attempts[0].aside("suggested") is None
    assert driver.asked_of("feedback") == []


@pytest.mark.parametrize("who", [each for each in ATTRIBUTIONS if each != "none"])
def test_an_attribution_says_whose_words_they_are_and_changes_nothing_else(who):
    plain, _ = run([WRONG], "denial", iterations=2)
    said, _ = run([WRONG], f"denial@{who}", iterations=2)
    whole = said.attempts[0].feedback.text
    assert whole.endswith(f":\n{plain.attempts[0].feedback.text}")
    assert whole == prompts.ATTRIBUTED[who].format(feedback=plain.attempts[0].feedback.text)


def test_a_placebo_is_attributed_too_and_an_unknown_attribution_refused():
    done, _ = run([WRONG], "placebo:self@peer", others=toys.problems(4), iterations=2)
    assert done.attempts[0].feedback.text.startswith("Another student")
    assert attributed(MODES["denial"], "none") is MODES["denial"]
    for name in ("denial@boss", "retry@peer", "denial@"):
        with pytest.raises(UsageError, match="allowed: none, self, peer, expert"):
            parse_mode(name, has_feedback_model=True)


# --- by program, for multiplication --------------------------------------------------------------

PRODUCTS = [
    *load_problems(get_page("decimal_multiplication"), Selection(digits=3, limit=12)),
    *load_problems(get_page("hex_multiplication"), Selection(digits=3, limit=6)),
]


@given(st.sampled_from(PRODUCTS), st.integers(0, 10_000))
def test_a_right_line_called_wrong_gets_a_wrong_value_and_nothing_is_given_away(problem, seed):
    task = get_page(problem.task).task
    rng = rng_for(seed, problem, 0, 0, 0)
    first, second = problem.operands
    base = 10 if problem.task == "decimal_multiplication" else 16
    digit = second[0] if second[0] != "0" else second[-1]
    value = int(first, base) * int(digit, base)
    line = f"{first} * {digit} = {value if base == 10 else format(value, 'X')}"
    found = mislead(problem, f"{line}\n\nThe answer is {problem.gold}.", rng)
    if found is None:
        assert int(digit, base) < 2  # nothing was calculated
        return
    assert int(found.value, base) != value
    assert found.value != problem.gold
    assert task.grade(problem, task.state_answer(problem, found.value)).outcome is Outcome.WRONG
    assert task.mask(problem, found.text).spans == ()
    assert task.grade(problem, found.text).outcome is not Outcome.CORRECT


def test_work_without_a_right_line_has_none_to_call_wrong():
    problem = PRODUCTS[0]
    rng = rng_for(0, problem, 0, 0, 0)
    assert mislead(problem, "12 * 3 = 35\nThe answer is 5.", rng) is None
    assert mislead(problem, "", rng) is None


@given(st.from_regex(r"[1-9][0-9]{0,8}|[1-9A-F][0-9A-F]{0,8}", fullmatch=True), st.randoms())
def test_a_slip_changes_one_digit_and_leaves_the_length(digits, rng):
    wrong = slipped(digits, rng)
    assert len(wrong) == len(digits)
    assert sum(one != other for one, other in zip(wrong, digits, strict=True)) == 1
    assert wrong[0] != "0" or digits[0] == "0"
