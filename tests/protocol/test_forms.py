"""Forms of feedback: who writes each, word for word what, and what a reset hides."""

import json
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import toys
from feedback_friction.errors import UsageError
from feedback_friction.forms import FORMS, parse_form
from feedback_friction.grading.verdict import Verdict
from feedback_friction.mode_names import parse_mode
from feedback_friction.modes import MODES
from feedback_friction.policy import RUNGS, Ladder, State
from feedback_friction.protocol import prompts
from feedback_friction.protocol.feedback import feedback_messages
from feedback_friction.protocol.form_writers import check_forms, form_text, writer_of
from feedback_friction.protocol.records import Attempt, Reply
from feedback_friction.protocol.state import state_of
from feedback_friction.protocol.task import Told
from feedback_friction.protocol.trial import trial
from feedback_friction.tasks.catalog import get_page
from feedback_friction.tasks.tutor import diagnose, tutor
from feedback_friction.tasks.tutor.finding import Finding, Kind, told, without_numbers

GOLDEN = json.loads((Path(__file__).parents[1] / "cases" / "forms.json").read_text("utf-8"))
SAID = Told("sum", 'Look at "6 + 1 = 8".', "The sum is wrong.", "Add again.", "What is 6 + 1?")
TASK = replace(toys.TASK, diagnose=lambda problem, text: SAID)
HINTED = replace(toys.PROBLEM, hints=("Count on from six.", "It is below eight."))


def answered(*answers):
    return [
        Attempt(
            number,
            HINTED,
            Reply(f"The answer is {answer}." if answer else "Hm."),
            Verdict.of(False, answer, "toy") if answer else Verdict.none(),
            0.0,
        )
        for number, answer in enumerate(answers)
    ]


def texts():
    once, again = answered("8"), answered("8", "9", "8", "8")
    said = {
        "again": again,
        "new": answered("8", "9"),
        "none now": answered("8", None),
        "none": answered(None),
    }
    made = {
        f"{name} by {writer}": form_text(form, writer, once, SAID, toys.problems(3), Random(1))
        for name, form in FORMS.items()
        for writer in form.writers
        if writer != "model"
    }
    made |= {
        f"contrast, {name}": form_text(FORMS["contrast"], "answers", each, None, (), Random(1))
        for name, each in said.items()
    }
    return made | {
        f"{name} of a model": feedback_messages(TASK, again, request, sees_solution=True)[
            -1
        ].content.rpartition("### Your task\n")[2]
        for name, request in prompts.FORM_REQUESTS.items()
    }


@pytest.mark.parametrize("name", sorted({*GOLDEN, *texts()}))
def test_a_form_is_word_for_word_what_it_was(name):
    assert texts()[name] == GOLDEN[name]


def test_a_form_is_written_by_the_first_of_its_writers_that_there_is():
    bare, plain = replace(toys.PROBLEM, solution=None), toys.TASK
    assert writer_of(FORMS["next"], TASK, HINTED, ()) == "program"
    assert writer_of(FORMS["next"], plain, HINTED, ()) == "hints"
    assert writer_of(FORMS["next"], plain, bare, ()) == "model"
    assert writer_of(FORMS["solution"], plain, HINTED, ()) == "solution"
    assert writer_of(FORMS["example"], plain, HINTED, [HINTED]) == "model"
    assert writer_of(parse_form("next:model"), TASK, HINTED, ()) == "model"
    assert all(writer_of(form, plain, bare, ()) for form in FORMS.values())


@pytest.mark.parametrize("name", ["locate:program", "next:hints", "solution:solution"])
def test_a_form_that_a_task_cannot_have_is_refused(name):
    bare = replace(toys.PROBLEM, solution=None)
    with pytest.raises(UsageError, match=f"'{name}' cannot be written for toy: it needs"):
        check_forms([parse_form(name)], toys.TASK, [bare])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mixed:locate=.5,contrast=.4", "add up to 1"),
        ("mixed:locate=0,contrast=1", "add up to 1"),
        ("mixed:locate=x,contrast=1", "add up to 1"),
        ("mixed:locate,locate", "twice"),
        ("mixed:praise", "unknown form"),
        ("mixed:", "unknown form"),
        ("ladder:2", "unknown feedback mode"),
        ("adaptive", "adaptive:FILE"),
        ("locate:hints", "unknown form"),
        ("placebo:locate:x", "unknown form"),
        ("placebo:mixed", "unknown placebo"),
    ],
)
def test_a_mode_of_forms_that_cannot_be_is_refused_in_one_line(name, said):
    with pytest.raises(UsageError, match=said) as refused:
        parse_mode(name, has_feedback_model=False)
    assert "\n" not in str(refused.value)


def given_forms(mode, driver=None, seed=0, iterations=5, task=TASK, problem=HINTED, others=()):
    driver = driver or toys.Driver(["The answer is 8."])
    plan = toys.plan(mode, iterations=iterations, seed=seed)
    done = driver.run(trial(problem, task, plan, others=others), task)
    return [each.feedback for each in done.attempts if each.feedback], driver


def test_a_draw_has_the_shares_that_it_was_asked_for_and_says_so():
    drawn = [
        feedback.choice
        for seed in range(150)
        for feedback in given_forms("mixed:locate=.8,contrast=.2", seed=seed)[0]
    ]
    located = [choice.propensity for choice in drawn if choice.form == "locate"]
    assert {*located} == {0.8}
    assert abs(len(located) / len(drawn) - 0.8) < 0.06  # 600 draws: 3.7 standard errors
    assert {choice.propensity for choice in drawn} == {0.8, 0.2}


def test_a_draw_is_made_by_the_seed_alone():
    once, again = (given_forms("mixed", seed=5)[0] for _ in range(2))
    assert once == again
    assert [each.choice.form for each in once] != [
        each.choice.form for each in given_forms("mixed", seed=6)[0]
    ]


def test_the_ladder_goes_one_rung_up_each_time_that_an_answer_comes_back():
    script = [f"The answer is {answer}." for answer in "8898899"]
    told_forms, _ = given_forms("ladder", toys.Driver(script), iterations=8)
    forms = [feedback.choice.form for feedback in told_forms]
    assert forms == ["verdict", "locate", "locate", "locate", "explain", "explain", "next"]
    assert "came back" in told_forms[1].choice.reason
    top = Ladder().choose(State(9, repeats=True, stuck=7), Random(0))
    assert (top.form, "no higher" in top.reason) == (RUNGS[-1].name, True)


def test_the_state_before_the_feedback_is_that_of_the_attempts_so_far():
    states = [
        feedback.choice.state
        for feedback in given_forms(
            "verdict", toys.Driver(["The answer is 8."] * 2 + ["Hm."] + ["The answer is 8."])
        )[0]
    ]
    assert [state.stuck for state in states] == [0, 1, 1, 1]
    assert [state.repeats for state in states] == [False, True, False, False]
    assert [state.no_answer for state in states] == [False, False, True, False]
    assert [state.distinct for state in states] == [1, 1, 1, 1]
    assert {state.error for state in states} == {"sum"}
    assert state_of(answered("8", "8")).repeats


def test_a_reset_hides_the_attempts_before_it_now_and_later():
    script = [f"The answer is {answer}." for answer in (21, 22, 23, 24)]
    _, driver = given_forms("reset", toys.Driver(script), iterations=3)
    second, third = (each.messages[-1].content for each in driver.requests[1:3])
    assert "21" not in second
    assert "Add again." in second
    assert "22" not in third
    _, driver = given_forms("mixed:reset=.5,verdict=.5", toys.Driver(script), 3, iterations=5)
    shown = [each.messages[-1].content for each in driver.requests]
    forms = [each.choice.form for each in given_forms("mixed:reset=.5,verdict=.5", seed=3)[0]]
    last_reset = max(at for at, form in enumerate(forms[:3]) if form == "reset")
    assert forms[last_reset + 1] == "verdict"
    answer = f"The answer is {21 + last_reset}."
    assert answer not in shown[last_reset + 2]
    assert f"The answer is {22 + last_reset}." in shown[last_reset + 2]


@pytest.mark.parametrize("name", sorted(FORMS))
def test_every_form_passes_the_mask(name):
    leaky = replace(
        HINTED, gold="7", solution="It is 7.", hints=("It is 7, of course.", "7 it is.")
    )
    task = replace(
        TASK, diagnose=lambda problem, text: Told("sum", "See 7.", "It is 7.", "Say 7.", "Why 7?")
    )
    feedback, driver = given_forms(
        name, task=task, problem=leaky, others=[replace(leaky, id="q", question="What is 7?")]
    )
    assert all("7" not in each.text for each in feedback)
    speakers = {each.speaker for each in driver.requests}
    assert speakers == {"solver"}


def test_a_model_writes_a_form_under_its_own_prompt_or_the_files():
    _, driver = given_forms("locate:model", task=toys.TASK)
    asked = [each for each in driver.requests if each.role == "feedback"]
    assert asked[0].messages[-1].content.endswith(GOLDEN["locate of a model"].replace("4", "1", 1))
    plan = replace(
        toys.plan("locate:model", iterations=2), form_requests=(("locate", "Point at it."),)
    )
    driver = toys.Driver()
    driver.run(trial(toys.PROBLEM, toys.TASK, plan))
    asked = [each for each in driver.requests if each.role == "feedback"]
    assert asked[0].messages[-1].content.endswith("\n\nPoint at it.")


def test_hints_are_given_in_turn_and_each_once():
    feedback, _ = given_forms("next:hints", iterations=4)
    assert [each.raw for each in feedback] == [*HINTED.hints, HINTED.hints[-1]]


def test_a_placebo_of_a_form_is_another_problems_and_resets_nothing():
    others = toys.problems(3)
    feedback, _ = given_forms("placebo:reset", others=others, iterations=3)
    assert {each.donor for each in feedback} <= {each.id for each in others}
    assert all(each.choice is None for each in feedback)


def test_the_parts_of_the_tutor_are_its_text():
    page = get_page("decimal_multiplication")
    problem = replace(toys.PROBLEM, gold="391", operands=("17", "23"))
    assert (page.task.tutor, page.task.diagnose) == (tutor, diagnose)
    text = "17 * 20 = 340\n17 * 3 = 61\n340 + 61 = 401\nThe answer is 401."
    parts = diagnose(problem, text)
    assert parts.kind == "product"
    assert " ".join((parts.where, parts.why, parts.next)) == tutor(problem, text)
    assert "17 × 3 = 61" in parts.where
    assert all(without_numbers(Finding(kind, "")).why for kind in Kind)
    assert all(told(Finding(kind, "")).ask for kind in Kind if kind is not Kind.NONE)


@given(st.lists(st.sampled_from(["8", "9", "10", None]), min_size=1, max_size=12))
def test_a_state_never_counts_more_than_there_is(answers):
    state = state_of(answered(*answers))
    assert state.stuck < len(answers)
    assert state.distinct <= len(answers)
    assert state.repeats <= (state.stuck > 0)


def test_no_form_has_the_name_of_a_mode_and_every_one_has_a_prompt():
    assert not FORMS.keys() & MODES.keys()
    assert prompts.FORM_REQUESTS.keys() == {
        name for name, form in FORMS.items() if "model" in form.writers
    }
