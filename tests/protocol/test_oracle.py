"""The oracle: so many draws of the first prompt, each with a verdict, seeds that differ."""

from dataclasses import replace

import toys
from feedback_friction.grading.verdict import Outcome
from feedback_friction.modes import TRANSCRIPT
from feedback_friction.protocol.history import solver_messages
from feedback_friction.protocol.oracle import OraclePlan, oracle
from feedback_friction.protocol.records import Completion, Reply, Usage

PLAN = OraclePlan(attempts=3, gens=4)


def draw(plan, solver, requests=range(3), problem=toys.PROBLEM):
    driver = toys.Driver(solver=solver)
    return driver, driver.run(oracle(problem, toys.TASK, plan, requests))


def test_every_request_asks_the_first_prompt_for_several_replies_with_a_seed_of_its_own():
    driver, draws = draw(PLAN, ["The answer is 3."])
    assert [each.number for each in draws] == list(range(12))
    assert [each.request for each in draws] == [0] * 4 + [1] * 4 + [2] * 4
    first = solver_messages(toys.TASK, toys.PROBLEM, (), TRANSCRIPT)
    assert all(each.messages == first and each.n == 4 for each in driver.requests)
    assert all(each.temperature == 0.3 for each in driver.requests)
    assert len({each.seed for each in driver.requests}) == 3


def test_requests_one_by_one_are_the_requests_all_together():
    together, _ = draw(PLAN, ["The answer is 3."])
    apart = [draw(PLAN, ["The answer is 3."], [number])[0].requests[0] for number in range(3)]
    assert apart == together.requests


def test_drawing_goes_on_after_a_right_reply_unless_told_to_stop():
    right_in_second = ["The answer is 3.", "The answer is 7."]
    _, every = draw(PLAN, right_in_second)
    _, stopped = draw(replace(PLAN, until_solved=True), right_in_second)
    assert len(every) == 12
    assert len(stopped) == 8
    assert [each.verdict.is_correct for each in stopped] == [False] * 4 + [True] * 4


def test_a_problem_that_is_never_solved_takes_all_its_requests():
    _, draws = draw(replace(PLAN, until_solved=True), ["The answer is 3."])
    assert len(draws) == 12


def test_a_refused_reply_is_a_draw_without_an_answer_that_says_why():
    steps = oracle(toys.PROBLEM, toys.TASK, OraclePlan(attempts=1, gens=1), [0])
    next(steps)
    try:
        steps.send(Completion((Reply("", "content_filter"),), Usage(10, 0)))
    except StopIteration as stop:
        verdict = stop.value[0].verdict
    assert verdict.outcome is Outcome.NO_ANSWER
    assert verdict.rule == "content_filter"


def test_the_tokens_of_a_request_are_shared_by_its_draws():
    _, draws = draw(PLAN, ["The answer is 3."], [0])
    assert sum(each.tokens for each in draws) == 20
