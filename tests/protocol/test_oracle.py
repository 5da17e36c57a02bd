"""The oracle: so many draws of the first prompt, each with a verdict, seeds that differ."""

import toys
from feedback_friction.grading.verdict import Outcome
from feedback_friction.protocol.episode import Episode
from feedback_friction.protocol.history import solver_messages
from feedback_friction.protocol.oracle_draws import OraclePlan, oracle
from feedback_friction.protocol.records import Completion, Reply, Usage
from feedback_friction.ways import TRANSCRIPT

PLAN = OraclePlan(attempts=3, gens=4)


def draw(plan, solver, requests=range(3), problem=toys.PROBLEM):
    driver = toys.Driver(solver=solver)
    draws = [driver.run(oracle(problem, toys.TASK, plan, request)) for request in requests]
    return driver, [draw for some in draws for draw in some]


def test_every_request_asks_the_first_prompt_for_several_replies_with_a_seed_of_its_own():
    driver, draws = draw(PLAN, ["The answer is 3."])
    assert [each.number for each in draws] == list(range(12))
    assert [each.request for each in draws] == [0] * 4 + [1] * 4 + [2] * 4
    first = solver_messages(toys.TASK, toys.PROBLEM, (), TRANSCRIPT)
    assert all(each.messages == first and each.n == 4 for each in driver.requests)
    assert all(each.temperature == 0.3 for each in driver.requests)
    numbered = Episode(toys.PROBLEM, toys.TASK, PLAN.sampled)
    assert [each.seed for each in driver.requests] == [
        numbered.solver_request(first, toys.PROBLEM, draw=number, n=4, purpose="oracle").seed
        for number in (0, 4, 8)
    ]


def test_a_refused_reply_is_a_draw_without_an_answer_that_says_why():
    steps = oracle(toys.PROBLEM, toys.TASK, OraclePlan(attempts=1, gens=1), 0)
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
