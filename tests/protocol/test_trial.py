"""The loop, driven by values: what it asks for, in which order, and what it returns."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import toys
from feedback_friction.grading.verdict import Outcome
from feedback_friction.protocol import prompts
from feedback_friction.protocol.episode import Episode
from feedback_friction.protocol.records import Attempted, Completion, Generate, Grade, Reply
from feedback_friction.protocol.trial import donor_order, trial

WRONG, RIGHT, NONE = "The answer is 3.", "The answer is 7.", "I do not know."
UNDECIDED = f"The answer is {toys.OPEN}."


def run(script, mode="binary", task=toys.TASK, problem=toys.PROBLEM, others=(), **plan):
    driver = toys.Driver(script)
    done = driver.run(trial(problem, task, toys.plan(mode, **plan), others=others), task)
    return done, driver


def test_a_right_first_answer_ends_the_trial_without_feedback():
    done, driver = run([RIGHT])
    assert (done.status, len(done.attempts), len(driver.requests)) == ("solved", 1, 1)
    assert done.attempts[0].feedback is None


def test_a_wrong_answer_is_followed_by_feedback_and_another_attempt():
    done, driver = run([WRONG, RIGHT])
    assert done.status == "solved"
    assert done.attempts[0].feedback.text == prompts.BINARY_WRONG
    second = driver.requests[1].messages[-1].content
    assert WRONG in second
    assert prompts.BINARY_WRONG in second


def test_an_unsolved_trial_has_all_its_attempts_and_no_feedback_on_the_last():
    done, _ = run([WRONG], iterations=4)
    assert done.status == "unsolved"
    assert [attempt.iteration for attempt in done.attempts] == [0, 1, 2, 3]
    assert [attempt.feedback is None for attempt in done.attempts] == [False] * 3 + [True]


@pytest.mark.parametrize("mode", ["binary", "strong", "retry", "placebo"])
def test_every_attempt_is_told_when_it_has_its_verdict_and_before_its_feedback(mode):
    done, driver = run([WRONG], mode, others=toys.problems(5), iterations=4)
    assert driver.attempted == [replace(each, feedback=None) for each in done.attempts]
    assert len(driver.attempted) == 4


def test_an_attempt_is_told_before_anything_is_asked_for_its_feedback():
    steps = trial(toys.PROBLEM, toys.TASK, toys.plan("strong"))
    driver, told = toys.Driver([WRONG]), []
    effect = next(steps)
    while not (isinstance(effect, Generate) and effect.role == "feedback"):
        told.append(type(effect))
        effect = steps.send(driver.answer(effect, toys.TASK))
    assert told == [Generate, Grade, Attempted]


@pytest.mark.parametrize("mode", ["binary", "self", "process", "strong", "retry"])
def test_an_undecided_answer_ends_the_trial_and_nobody_calls_it_wrong(mode):
    done, driver = run([WRONG, UNDECIDED, RIGHT], mode)
    assert (done.status, done.reason) == ("undecided", "timeout")
    assert [each.verdict.outcome for each in done.attempts] == [Outcome.WRONG, Outcome.UNDECIDED]
    assert done.attempts[-1].verdict.prediction == toys.OPEN
    assert done.attempts[-1].feedback is None
    assert driver.attempted[-1] == done.attempts[-1]
    assert not any("open" in each.messages[-1].content for each in driver.requests)


def test_an_undecided_draw_counts_as_an_answer_tried_and_only_the_chosen_one_is_decided():
    script = [WRONG, WRONG, UNDECIDED]
    done, _ = run(script, sampling="reject", iterations=4)
    assert done.status == "undecided"
    assert done.attempts[-1].draws == 3

    def draws(request, number):
        return RIGHT if request.seed % 2 else UNDECIDED

    for seed in range(6):
        done, _ = run(draws, sampling="reject-eager", seed=seed, iterations=2)
        assert done.status in ("solved", "undecided")
        assert done.attempts[-1].verdict.is_correct == (done.status == "solved")


def test_a_donor_whose_answer_is_undecided_gives_no_placebo():
    others = toys.problems(4)

    def solver(request, number):
        return UNDECIDED if request.occasion.problem.id in ("p0", "p2", "p3") else WRONG

    done, _ = run(solver, "placebo", others=others, iterations=2, seed=3)
    assert done.attempts[0].verdict.outcome in (Outcome.WRONG, Outcome.UNDECIDED)
    for attempt in done.attempts[:-1]:
        assert attempt.feedback.donor == "p1"


def test_no_answer_is_not_called_a_wrong_answer():
    done, _ = run([NONE, RIGHT])
    assert done.attempts[0].verdict.outcome is Outcome.NO_ANSWER
    assert done.attempts[0].feedback.text == prompts.BINARY_NO_ANSWER


@pytest.mark.parametrize(
    ("mode", "speaker", "knows_solution"),
    [("self", "solver", False), ("process", "solver", True), ("strong", "feedback", True)],
)
def test_who_writes_feedback_and_what_it_is_shown(mode, speaker, knows_solution):
    done, driver = run([WRONG, RIGHT], mode)
    (request,) = driver.asked_of("feedback")
    assert request.speaker == speaker
    shown = request.messages[-1].content
    assert "### Correct answer\n7" in shown
    assert ("6 + 1 = 7" in shown) == knows_solution
    assert done.attempts[0].feedback.raw == driver.feedback


def test_the_solver_never_sees_what_was_masked():
    done, driver = run([WRONG, RIGHT], "strong")
    assert done.attempts[0].feedback.text == "The answer is [masked], not that."
    assert "7" not in driver.asked_of("solver")[1].messages[-1].content


def test_feedback_that_knows_the_solution_begins_with_it_masked_where_the_task_says_so():
    task = replace(toys.TASK, shows_solution=True)
    done, _ = run([WRONG, RIGHT], "process", task)
    assert done.attempts[0].feedback.text.startswith("6 + 1 = [masked]\n\n")
    done, _ = run([WRONG, RIGHT], "self", task)
    assert done.attempts[0].feedback.text.startswith("The answer is [masked]")


def test_retry_shows_nothing_of_earlier_attempts_and_draws_with_another_seed():
    _, driver = run([WRONG], "retry", iterations=3)
    assert len({request.messages for request in driver.requests}) == 1
    assert len({request.seed for request in driver.requests}) == 3


def test_tutor_feedback_costs_no_call():
    done, driver = run([WRONG, RIGHT], "tutor", toys.TUTORED)
    assert done.attempts[0].feedback.text.startswith("Look at your last line")
    assert not driver.asked_of("feedback")


def test_conditions_that_begin_alike_ask_for_the_same_first_attempt():
    first = {
        run([WRONG, RIGHT], mode, toys.TUTORED, sampling=sampling)[1].requests[0]
        for mode in ("binary", "self", "process", "strong", "tutor", "retry")
        for sampling in ("greedy", "heat", "reject", "heat+reject")
    }
    assert len(first) == 1


def test_other_epochs_and_other_seeds_draw_other_replies():
    def seed(epoch=0, **plan):
        driver = toys.Driver([RIGHT])
        driver.run(trial(toys.PROBLEM, toys.TASK, toys.plan(**plan), epoch))
        return driver.requests[0].seed

    assert len({seed(), seed(1), seed(2), seed(seed=1)}) == 4


def test_prompts_keep_their_beginning_from_iteration_to_iteration():
    for mode in ("binary", "strong"):
        _, driver = run([WRONG], mode, iterations=5)
        for role in ("solver", "feedback"):
            texts = [request.messages[-1].content for request in driver.asked_of(role)]
            for earlier, later in pairwise(texts[1:]):
                ending = "### The problem once more" if role == "solver" else "### Your task"
                assert later.startswith(earlier[: earlier.rindex(ending)])


def refuse(role, reason):
    def answer(driver, effect, task):
        if isinstance(effect, Generate) and effect.role == role:
            return Completion((Reply("", reason),))
        return toys.Driver.answer(driver, effect, task)

    return answer


@pytest.mark.parametrize(("role", "kept"), [("solver", 0), ("feedback", 1)])
@pytest.mark.parametrize("reason", ["context_length", "content_filter"])
def test_a_refusal_stops_the_trial_and_says_why(role, kept, reason):
    driver = toys.Driver([WRONG])
    driver.answer = refuse(role, reason).__get__(driver)
    done = driver.run(trial(toys.PROBLEM, toys.TASK, toys.plan("strong")))
    assert (done.status, done.reason) == ("stopped", f"{role}: {reason}")
    assert len(done.attempts) == kept


def test_a_filtered_reply_that_had_begun_counts_as_what_it_says():
    driver = toys.Driver([WRONG])
    driver.answer = lambda effect, task: (
        Completion((Reply(RIGHT, "content_filter"),))
        if isinstance(effect, Generate)
        else toys.Driver.answer(driver, effect, task)
    )
    assert driver.run(trial(toys.PROBLEM, toys.TASK, toys.plan())).status == "solved"


# --- placebo -------------------------------------------------------------------------------------


def by_problem(request, number):
    """Problems with an even number are answered right at once, the others never."""
    asked = int(request.occasion.problem.id[1:])
    return f"The answer is {asked if asked % 2 == 0 else 'x'}."


def test_placebo_gives_the_feedback_of_another_problem_that_was_wrong():
    others = toys.problems(12)
    done, driver = run(by_problem, "placebo:process", problem=others[3], others=others)
    donors = [attempt.feedback.donor for attempt in done.attempts[:-1]]
    assert "p3" not in donors
    assert all(int(donor[1:]) % 2 for donor in donors)
    assert len(set(donors)) == 5  # 1, 5, 7, 9, 11 and then round again
    for request in driver.asked_of("feedback"):
        assert request.occasion.problem.id in donors


def test_a_placebos_calls_are_those_of_the_donors_own_trials():
    others = toys.problems(6)
    _, driver = run(by_problem, "placebo:process", problem=others[1], others=others, iterations=2)
    donor = driver.asked_of("feedback")[0].occasion.problem
    own = toys.Driver(by_problem)
    own.run(trial(donor, toys.TASK, toys.plan("process", iterations=2), others=others))
    assert own.asked_of("feedback")[0] == driver.asked_of("feedback")[0]
    assert own.asked_of("solver")[0] in driver.asked_of("solver")


def test_placebo_feedback_is_masked_for_the_problem_that_gets_it():
    others = [replace(each, gold="x1") for each in toys.problems(4)]
    recipient = replace(others[1], gold="steps")
    driver = toys.Driver(["The answer is 0."], feedback="Check your steps.")
    plan = toys.plan("placebo:self", iterations=2)
    done = driver.run(trial(recipient, toys.TASK, plan, others=[*others[:1], *others[2:]]))
    assert done.attempts[0].feedback.text == "Check your [masked]."


def test_placebo_without_any_donor_stops_and_says_why():
    others = toys.problems(12)
    right = [each for each in others if int(each.id[1:]) % 2 == 0]
    done, _ = run(by_problem, "placebo:process", problem=others[1], others=[others[1], *right])
    assert (done.status, done.reason) == (
        "stopped",
        "placebo: no other problem has a wrong first answer",
    )


@given(st.integers(0, 30), st.integers())
def test_donors_are_the_other_problems_each_once(count, seed):
    others, plan = toys.problems(count), toys.plan(seed=seed)
    episode = Episode(toys.Problem("p0", "toy", "", ""), toys.TASK, plan, others=others)
    order = [each.id for each in donor_order(episode, "donors")]
    assert sorted(order) == sorted(each.id for each in others if each.id != "p0")


# --- shuffling -----------------------------------------------------------------------------------


def test_a_shuffle_moves_gold_along_and_history_shows_the_order_each_attempt_saw():
    done, driver = run(
        lambda request, number: "The answer is (Z).", problem=toys.CHOICES, shuffle=True
    )
    orders = {attempt.problem.choices for attempt in done.attempts}
    assert len(orders) > 1
    assert {attempt.problem.gold_text for attempt in done.attempts} == {"apple"}
    last = driver.requests[-1].messages[-1].content
    assert done.attempts[0].problem == toys.CHOICES
    for attempt in done.attempts[:-1]:
        assert toys.ask(attempt.problem).split("\n", 1)[1] in last


def test_the_hint_names_the_choices_tried_and_left_in_the_order_now_shown():
    script = ["The answer is (A).", "The answer is (D).", "The answer is (B)."]
    _, driver = run(script, problem=toys.CHOICES, binary_hint=True)
    last = driver.requests[-1].messages[-1].content
    assert last.endswith(prompts.render(prompts.TRIED_AND_LEFT, tried="(A), (D)", left="(B), (C)"))


@given(st.integers(1, 6), st.sampled_from(["binary", "self", "strong", "retry"]), st.data())
def test_solved_stays_solved_and_iterations_count_up(iterations, mode, data):
    script = data.draw(st.lists(st.sampled_from([WRONG, RIGHT, NONE]), min_size=1, max_size=6))
    done, _ = run(script, mode, iterations=iterations)
    verdicts = [attempt.verdict.is_correct for attempt in done.attempts]
    assert verdicts.count(True) == (done.status == "solved")
    assert not any(verdicts[:-1])
    assert [attempt.iteration for attempt in done.attempts] == list(range(len(verdicts)))
    assert len(verdicts) == iterations or done.status == "solved"
