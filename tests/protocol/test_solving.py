"""What a solver writes to itself: what it sees, what is kept of it, and what its control lacks."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import toys
from feedback_friction.errors import UsageError
from feedback_friction.protocol.solving import says_no
from feedback_friction.protocol.trial import trial
from feedback_friction.ways import (
    CHECK,
    CHECK_NOTHING,
    CLEAN,
    HISTORIES,
    NOTES,
    NOTES_BLANK,
    PLAIN,
    RESTATE,
    RESTATE_QUESTION,
    SOLVES,
    TRANSCRIPT,
    control_of,
    parse_solve,
    parse_way,
    way,
)

DOING = [each for each in SOLVES.values() if each is not PLAIN]
TOLD = "It is 7: you forgot to carry."


def replies(request, number):
    """A solver that is never right, and lets no answer of its own pass."""
    thought = request.occasion.thought
    if thought == CHECK.thought:
        return "No, it is the same mistake."
    return f"My {thought}." if thought else f"The answer is {request.occasion.iteration}."


def solved(solve, mode="self", solver=replies, **more):
    plan = toys.plan(mode, solve=solve, **{"iterations": 3} | more)
    driver = toys.Driver(solver, TOLD)
    done = driver.run(trial(toys.PROBLEM, toys.TASK, plan, 0, toys.problems(4)))
    return done, driver.asked_of("solver")


def text(request):
    return "\n".join(message.content for message in request.messages)


@pytest.mark.parametrize("solve", DOING, ids=lambda each: each.name)
def test_it_takes_as_many_calls_as_it_says_and_its_control_as_many(solve):
    _, asked = solved(solve)
    assert len(asked) == 1 + 2 * solve.calls
    if solve.control:
        _, control = solved(SOLVES[solve.control])
        assert [each.occasion.thought for each in control] == [
            each.occasion.thought for each in asked
        ]


@pytest.mark.parametrize("solve", DOING, ids=lambda each: each.name)
def test_the_tokens_of_what_it_writes_to_itself_count_with_the_attempt(solve):
    done, _ = solved(solve)
    assert [each.usage.completion_tokens for each in done.attempts] == [
        5, 5 * solve.calls, 5 * solve.calls,
    ]  # fmt: skip


@pytest.mark.parametrize("history", HISTORIES.values(), ids=lambda each: each.name)
@pytest.mark.parametrize("solve", DOING, ids=lambda each: each.name)
def test_no_call_of_the_solver_holds_what_the_mask_hid(solve, history):
    _, asked = solved(solve, history=history)
    assert all("It is 7" not in text(each) for each in asked)
    shown = any("It is [masked]" in text(each) for each in asked)
    assert shown == (solve is not NOTES_BLANK)


def test_a_solver_that_answers_at_once_is_asked_what_it_always_was():
    plan = toys.plan("self", iterations=3)
    before = toys.Driver(replies, TOLD)
    before.run(trial(toys.PROBLEM, toys.TASK, plan, 0, toys.problems(4)))
    assert solved(PLAIN)[1] == before.asked_of("solver")


@pytest.mark.parametrize("history", HISTORIES.values(), ids=lambda each: each.name)
@pytest.mark.parametrize("solve", [RESTATE, RESTATE_QUESTION, CHECK, CHECK_NOTHING])
def test_the_prompt_begins_with_that_of_a_solver_that_answers_at_once(solve, history):
    asked = [each for each in solved(solve, history=history)[1] if each.occasion.iteration == 1]
    plain = [each for each in solved(PLAIN, history=history)[1] if each.occasion.iteration == 1]
    assert len(asked) == solve.calls
    assert all(text(each).startswith(text(plain[0])) for each in asked)


def test_notes_stand_in_place_of_everything_else_and_are_rewritten():
    done, asked = solved(NOTES)
    first, again = asked[1], asked[3]
    assert "The answer is 0." in text(first)
    assert "[masked]" in text(first)
    assert "My notes." in text(again)
    assert "The answer is 0." not in text(again)
    answers = asked[2], asked[4]
    assert all("My notes." in text(each) and "[masked]" not in text(each) for each in answers)
    assert [each.aside("notes").text for each in done.attempts[:2]] == ["My notes.", "My notes."]


def test_a_check_that_says_no_makes_the_answer_another_and_keeps_the_first():
    done, _ = solved(CHECK, iterations=2)
    second = done.attempts[1]
    assert second.draws == 2
    assert second.aside("first-try").text == "The answer is 1."
    assert second.aside("check").text == "No, it is the same mistake."


def test_a_check_that_does_not_say_no_lets_the_answer_stand():
    def lenient(request, number):
        return "Yes." if request.occasion.thought else "The answer is 3."

    done, asked = solved(CHECK, solver=lenient, iterations=2)
    assert len(asked) == 3
    assert done.attempts[1].aside("first-try") is None


def test_the_control_of_a_check_asks_the_same_and_is_not_shown_what_came_of_it():
    checked, blind = solved(CHECK, iterations=2)[1], solved(CHECK_NOTHING, iterations=2)[1]
    assert checked[:3] == blind[:3]
    assert "the same mistake" in text(checked[3])
    assert "the same mistake" not in text(blind[3])


def test_the_second_answer_counts():
    def mending(request, number):
        if request.occasion.thought:
            return "NO"
        return "The answer is 7." if "once more." in text(request)[-30:] else "The answer is 3."

    done, _ = solved(CHECK, solver=mending)
    assert done.status == "solved"
    assert len(done.attempts) == 2


@pytest.mark.parametrize("solve", DOING, ids=lambda each: each.name)
def test_where_nothing_is_shown_nothing_is_thought(solve):
    done, asked = solved(solve, mode="retry")
    assert len(asked) == 3
    assert all(not each.asides for each in done.attempts)


@given(st.sampled_from([*HISTORIES.values()]), st.sampled_from([*SOLVES.values()]))
def test_a_recorded_way_is_read_back(history, solve):
    name = way(history, solve)
    assert parse_way(name) == (TRANSCRIPT if solve.replaces else history, solve)
    assert control_of(name) == (way(history, SOLVES[solve.control]) if solve.control else "")


def test_every_control_differs_from_what_it_controls_in_being_blind():
    for solve in SOLVES.values():
        if solve.control:
            control = SOLVES[solve.control]
            same = {"name": "", "control": "", "does": "", "dashes": (), "is_blind": False}
            assert replace(solve, **same) == replace(control, **same)
            assert control.is_blind


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("", "allowed: plain, restate, restate:question, notes"),
        ("check:all", "allowed: plain, restate, restate:question, notes"),
        ("notes:", "did you mean 'notes'"),
        ("plan", "did you mean 'plain'"),
        ("restate:", "did you mean 'restate'"),
    ],
)
def test_an_unknown_way_to_solve_is_refused_with_those_that_are_near_or_all(name, hint):
    with pytest.raises(UsageError, match=hint):
        parse_solve(name)


@pytest.mark.parametrize(
    ("said", "no"),
    [("NO", True), ("no.", True), ("YES, no doubt", False), ("", False), ("Nothing", False),
     ("**No**, it is", True), ("I think yes", False), ("know no", True)],
)  # fmt: skip
def test_a_check_says_no_where_its_first_such_word_is_no(said, no):
    assert says_no(said) == no


def test_a_reset_history_leaves_nothing_to_write_of():
    done, asked = solved(replace(NOTES), mode="reset", history=CLEAN)
    assert all(not each.occasion.thought for each in asked)
    assert all(each.aside("notes") is None for each in done.attempts)
