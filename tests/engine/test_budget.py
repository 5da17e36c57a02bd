"""A budget: never overshot, spent as far as it goes, and nothing that was paid for is lost."""

import asyncio
import random

import pytest
from test_runner import PRICES, FakeModel, condition, results, right_at, table

from feedback_friction.engine.journal.store import Journal
from feedback_friction.engine.models.base import TransientError
from feedback_friction.engine.models.price_list import Price, Prices
from feedback_friction.engine.run.budget import (
    Amount,
    Budget,
    check_priced,
    dollars,
    paid_before,
)
from feedback_friction.engine.run.caller import Caller
from feedback_friction.engine.run.runner import Runner
from feedback_friction.errors import UsageError
from feedback_friction.protocol.records import Completion, Reply, Usage
from feedback_friction.settings import Operation

CONDITIONS = [condition("strong", 12, max_tokens=50, feedback_max_tokens=80)]
CALL = 110  # tokens that FakeModel reports for a call


def run(directory, limits, model=None, concurrency=4):
    """Run under a budget; returns the budget and the progress."""

    async def main():
        async with Journal(directory) as journal:
            caller = Caller({"solver": model, "feedback": model}, journal, PRICES, concurrency)
            caller.budget = Budget(limits, PRICES, paid_before(journal.paid(), PRICES))
            journal.add_now("conditions", [each.row() for each in CONDITIONS])
            model.runner = Runner(caller)
            return caller.budget, await model.runner.run(CONDITIONS)

    model = model or FakeModel(right_at(2))
    return asyncio.run(main())


def paid(directory):
    query = "SELECT total(cost_usd), total(prompt_tokens + completion_tokens) FROM completions"
    return table(directory, query)[0]


@pytest.mark.parametrize("concurrency", [1, 4, 50])
def test_a_budget_of_tokens_is_spent_but_for_one_call_and_never_overshot(tmp_path, concurrency):
    budget, progress = run(tmp_path, Operation(budget_tokens=3000), concurrency=concurrency)
    tokens = paid(tmp_path)[1]
    assert tokens == budget.paid.tokens <= 3000
    assert tokens + budget.refused.tokens > 3000
    assert progress.ended < 12


@pytest.mark.parametrize("concurrency", [1, 4, 50])
def test_a_budget_of_dollars_is_spent_but_for_one_call_and_never_overshot(tmp_path, concurrency):
    limit = 12 * (100 * 1.0 + 10 * 10.0) / 1e6  # twelve calls
    budget, _ = run(tmp_path, Operation(budget_usd=limit), concurrency=concurrency)
    assert 0 < paid(tmp_path)[0] <= limit + 1e-12
    assert paid(tmp_path)[0] == pytest.approx(budget.paid.usd)
    assert budget.paid.usd + budget.refused.usd > limit


@pytest.mark.parametrize("seed", range(10))
def test_calls_of_any_length_and_order_never_overshoot_what_they_may_take(tmp_path, seed):
    rng = random.Random(seed)
    limit = rng.randrange(1000, 20000)

    class Uneven(FakeModel):
        async def generate(self, request):
            for _ in range(rng.randrange(5)):
                await asyncio.sleep(0)
            if rng.random() < 0.2:
                raise TransientError("HTTP 500, five times")
            size = sum(len(message.content) for message in request.messages)
            usage = Usage(rng.randint(size // 4, size), rng.randint(1, request.max_tokens))
            return Completion((Reply("The answer is x."),), usage, 0.0, "served")

    budget, _ = run(tmp_path, Operation(budget_tokens=limit), Uneven(), concurrency=7)
    assert paid(tmp_path)[1] == budget.paid.tokens <= limit


def test_a_server_that_counts_too_much_overshoots_by_the_calls_in_flight_at_most(tmp_path):
    class Wordy(FakeModel):
        async def generate(self, request):
            await asyncio.sleep(0)
            return Completion((Reply("The answer is x."),), Usage(5000, 5000), 0.0, "served")

    run(tmp_path, Operation(budget_tokens=6000), Wordy(), concurrency=3)
    assert paid(tmp_path)[1] <= 3 * 10_000


def test_runs_stopped_by_budgets_end_like_an_uninterrupted_one(tmp_path):
    whole, pieces = tmp_path / "whole", tmp_path / "pieces"
    whole.mkdir()
    pieces.mkdir()
    budget, progress = run(whole, Operation(budget_tokens=10**9))
    assert (budget.refused, progress.ended) == (None, 12)
    calls = 0
    for limit in (1500, 3000, 5000, 10**9):
        model = FakeModel(right_at(2))
        budget, progress = run(pieces, Operation(budget_tokens=limit), model)
        assert set(model.asked.values()) <= {1}
        calls += model.asked.total()
    assert progress.statuses == {"solved": 12}
    assert results(pieces) == results(whole)
    assert calls == 12 * 5  # three answers and two feedbacks a problem: nothing was paid for twice


def test_what_earlier_sessions_paid_counts(tmp_path):
    for limit in (2000, 2000, 2500, 2500):
        budget, _ = run(tmp_path, Operation(budget_tokens=limit))
        assert paid(tmp_path)[1] == budget.paid.tokens <= limit
        assert budget.refused is not None


def test_calls_paid_for_before_their_price_was_known_count_by_the_price_of_now():
    paid = [("fake/model", Usage(100, 10), None), ("fake/model", Usage(100, 10), 0.5)]
    assert paid_before(paid, PRICES) == Amount(0.5 + 200 / 1e6, 220)


def test_waiting_calls_start_none_when_the_user_interrupts(tmp_path):
    async def drain(model, request, number):
        if number == 3:
            model.runner.caller.drain()
        await asyncio.sleep(0.01)

    model = FakeModel(right_at(2), drain)
    budget, _ = run(tmp_path, Operation(budget_tokens=700), model, concurrency=20)
    assert model.asked.total() == table(tmp_path, "SELECT count(*) FROM completions")[0][0] <= 6
    assert budget.paid.tokens == CALL * model.asked.total()


def test_reasoning_counts_among_what_a_call_may_take(tmp_path):
    requests = []

    async def keep(model, request, number):
        requests.append(request)

    run(tmp_path, Operation(budget_tokens=10**9), FakeModel(right_at(2), keep))

    async def most(thinking):
        budget = Budget(Operation(), PRICES, thinking=thinking)
        return (await budget.reserve("fake/model", requests[0])).tokens

    plain, more = asyncio.run(most({})), asyncio.run(most({"solver": 4000}))
    assert more - plain == 4000
    assert plain >= sum(len(m.content.encode()) for m in requests[0].messages) + 50


def test_a_cancelled_call_gives_back_what_was_set_aside(tmp_path):
    requests = []

    async def keep(model, request, number):
        requests.append(request)

    run(tmp_path, Operation(budget_tokens=10**9), FakeModel(right_at(2), keep))

    async def main():
        size = (await Budget(Operation(), PRICES).reserve("fake/model", requests[0])).tokens
        budget = Budget(Operation(budget_tokens=size), PRICES)
        held = await budget.reserve("fake/model", requests[0])
        waiting = [asyncio.create_task(budget.reserve("fake/model", requests[0])) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        budget.settle(held, None, None)  # the second one's turn
        waiting[1].cancel()
        await asyncio.wait(waiting)
        return [task.cancelled() for task in waiting], budget.refused

    assert asyncio.run(main()) == ([True, True, False], None)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"budget_usd": 0.0}, "--budget-usd must be above 0, not 0"),
        ({"budget_usd": -1.5}, "--budget-usd must be above 0, not -1.5"),
        ({"budget_usd": float("nan")}, "--budget-usd must be above 0, not nan"),
        ({"budget_tokens": 0}, "--budget-tokens must be at least 1, not 0"),
        ({"budget_tokens": -3}, "--budget-tokens must be at least 1, not -3"),
    ],
)
def test_a_budget_that_allows_nothing_is_refused(limits, message):
    with pytest.raises(UsageError, match=message):
        Operation(**limits)


def test_a_budget_in_dollars_needs_every_price():
    check_priced(Operation(budget_usd=1.0), PRICES, ["fake/model", "student/default"])
    check_priced(Operation(budget_tokens=1), PRICES, ["fake/other"])
    with pytest.raises(UsageError, match=r"price of fake/other.*2025-01-01.*--prices FILE"):
        check_priced(Operation(budget_usd=1.0), PRICES, ["fake/model", "fake/other"])


def test_the_last_line_names_the_budget_that_was_spent(tmp_path):
    budget, progress = run(tmp_path, Operation(budget_usd=100.0, budget_tokens=2000))
    line = budget.line(progress.total - progress.ended)
    assert line.startswith("budget of 2,000 tokens spent: ")
    assert "--budget-usd" not in line
    assert "trials left; raise --budget-tokens and run the same command" in line


@pytest.mark.parametrize(
    ("usd", "said"),
    [(0, "$0.00"), (0.004, "$0.004"), (0.0999, "$0.1"), (0.1, "$0.10"), (1234.5, "$1,234.50")],
)
def test_dollars_are_said_to_the_cent_and_small_ones_to_two_digits(usd, said):
    assert dollars(usd) == said


def test_a_simulated_student_is_free():
    prices = Prices("2025-01-01", {"openai/x": Price(1.0, 1.0, 1.0)})
    assert prices.cost("student/default", Usage(1000, 1000)) == 0.0
    assert prices.cost("openai/y", Usage(1000, 1000)) is None
