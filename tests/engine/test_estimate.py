"""Estimates: the pilot is part of the run, shared calls count once, intervals hold the truth."""

import asyncio
import math
import random
from dataclasses import replace

import pytest
from test_runner import PRICES, FakeModel, condition, right_at, table

import toys
from feedback_friction.engine.estimate.bounds import Setting, Taken, total
from feedback_friction.engine.estimate.pilot import choose, run_pilot
from feedback_friction.engine.estimate.prediction import from_data, from_pilot
from feedback_friction.engine.journal.store import Journal
from feedback_friction.engine.models.base import TransientError
from feedback_friction.engine.models.price_list import Prices
from feedback_friction.engine.run.caller import Caller
from feedback_friction.engine.run.runner import Runner
from feedback_friction.errors import FrictionError
from feedback_friction.protocol.judge import judge

SETTING = Setting(PRICES, None, 4, {})


def mixed(request):
    """A third of the problems at once, a third at the third attempt, a third never."""
    if request.role == "feedback":
        return "Look again."
    number = int(request.occasion.problem.id[1:])
    kind = random.Random(number).randrange(3)
    right = kind == 0 or (kind == 1 and request.occasion.iteration >= 2)
    return f"The answer is {number if right else 'x'}."


def piloted(directory, conditions, model, size, prices=PRICES):
    """Run a pilot; returns it, and the runner."""

    async def main():
        async with Journal(directory) as journal:
            caller = Caller(
                dict.fromkeys(("solver", "feedback", "judge"), model), journal, prices, 4
            )
            runner = Runner(caller)
            chosen = choose(conditions, size)
            await run_pilot(runner, conditions, chosen)
            return chosen, runner

    return asyncio.run(main())


def whole(directory, conditions, model):
    async def main():
        async with Journal(directory) as journal:
            runner = Runner(
                Caller(dict.fromkeys(("solver", "feedback", "judge"), model), journal, PRICES, 4)
            )
            return await runner.run(conditions)

    return asyncio.run(main())


GRID = [
    condition("binary", 60, iterations=4),
    condition("strong", 60, iterations=4),
    condition("strong", 60, iterations=4, sampling="reject"),
    condition("placebo:strong", 60, iterations=4),
]


def test_the_run_asks_nothing_of_its_pilot_again(tmp_path):
    pilot, run = FakeModel(mixed), FakeModel(mixed)
    piloted(tmp_path, GRID, pilot, 10)
    whole(tmp_path, GRID, run)
    alone = FakeModel(mixed)
    (tmp_path / "alone").mkdir()
    whole(tmp_path / "alone", GRID, alone)
    assert not set(pilot.asked) & set(run.asked)
    assert set(pilot.asked) | set(run.asked) == set(alone.asked)


@pytest.mark.parametrize("mode", ["placebo:self", "placebo:strong"])
def test_a_pilot_of_all_problems_gives_the_exact_totals(tmp_path, mode):
    conditions = [*GRID[:3], condition(mode, 60, iterations=4)]
    pilot, runner = piloted(tmp_path, conditions, FakeModel(mixed), 1000)
    found = from_pilot(conditions, pilot, SETTING)
    paid = table(
        tmp_path,
        "SELECT count(*), total(prompt_tokens), total(completion_tokens), total(cost_usd),"
        " total(seconds) FROM completions",
    )[0]
    names = ("calls", "uncached_prompt_tokens", "completion_tokens", "cost_usd", "busy_seconds")
    for name, truth in zip(names, paid, strict=True):
        each = found.ranges[name]
        assert (each.value, each.low, each.high) == (pytest.approx(truth),) * 3
    assert found.paid.calls == runner.progress.spent.calls == paid[0]
    assert whole(tmp_path, conditions, FakeModel(mixed)).spent.calls == 0


def test_a_small_pilot_holds_the_truth_in_its_interval(tmp_path):
    pilot, _ = piloted(tmp_path, GRID, FakeModel(mixed), 15)
    found = from_pilot(GRID, pilot, SETTING)
    whole(tmp_path, GRID, FakeModel(mixed))
    calls, cost = table(tmp_path, "SELECT count(*), total(cost_usd) FROM completions")[0]
    for name, truth in (("calls", calls), ("cost_usd", cost)):
        each = found.ranges[name]
        assert each.low < truth < each.high
        assert each.low < each.value < each.high < 3 * truth
    assert found.problems == {"toy": (15, 60)}


def test_the_order_in_which_calls_end_changes_no_estimate():
    parts = [Taken(*(n / 10 for n in range(at, at + 6))) for at in range(60)]
    sums = {total(random.Random(seed).sample(parts, 60)) for seed in range(20)}
    assert len(sums) == 1


def test_a_pilot_that_saw_no_failure_leaves_room_for_some(tmp_path):
    pilot, _ = piloted(tmp_path, GRID[:1], FakeModel(right_at(0)), 10)
    each = from_pilot(GRID[:1], pilot, SETTING).ranges["calls"]
    assert each.value == pytest.approx(60)
    assert each.low == pytest.approx(60)
    # ten of ten right: up to 22.7% may be wrong (Jeffreys: 21.7%), each with four calls
    assert each.high == pytest.approx(10 + 50 * (1 + 0.227 * 3), rel=0.03)


def test_an_unknown_price_gives_an_unknown_cost_not_none(tmp_path):
    prices = Prices("2025-01-01", {})
    pilot, _ = piloted(tmp_path, GRID[:2], FakeModel(mixed), 10, prices)
    setting = Setting(prices, None, 4, {})
    for found in (from_pilot(GRID[:2], pilot, setting), from_data(GRID[:2], setting)):
        assert found.ranges["cost_usd"] is None
        assert found.ranges["calls"] is not None
    assert math.isnan(from_pilot(GRID[:2], pilot, setting).paid.cost_usd)


def test_a_problem_that_failed_is_left_out_and_counted(tmp_path):
    pilot = choose(GRID[:1], 8)["toy"]
    unlucky = pilot[0].problem.id

    async def fail(model, request, number):
        if request.occasion.problem.id == unlucky:
            raise TransientError("HTTP 500, five times")

    seen, _ = piloted(tmp_path, GRID[:1], FakeModel(right_at(1), fail), 8)
    found = from_pilot(GRID[:1], seen, SETTING)
    assert (found.failed, found.problems) == (1, {"toy": (7, 60)})
    assert found.ranges["calls"].value == 120


def test_a_pilot_in_which_all_failed_gives_no_estimate(tmp_path):
    async def fail(model, request, number):
        raise TransientError("HTTP 500, five times")

    seen, _ = piloted(tmp_path, GRID[:1], FakeModel(before=fail), 3)
    with pytest.raises(FrictionError, match="every problem of toy failed in the pilot"):
        from_pilot(GRID[:1], seen, SETTING)


def test_time_is_busy_time_by_slots_but_no_less_than_the_longest_trial(tmp_path):
    pilot, _ = piloted(tmp_path, GRID[:1], FakeModel(right_at(1)), 1000)
    few = from_pilot(GRID[:1], pilot, Setting(PRICES, None, 4, {})).seconds
    many = from_pilot(GRID[:1], pilot, Setting(PRICES, None, 10_000, {})).seconds
    assert few.value == few.low == pytest.approx(60 * 2 * 0.5 / 4)
    assert few.high == pytest.approx(60 * 2 * 0.5 / 4 + 1.0)
    assert many.value == many.low == 1.0  # two calls of half a second


@pytest.mark.parametrize("answer", [right_at(0), right_at(99), mixed])
def test_without_a_pilot_the_bounds_hold_whatever_the_model_does(tmp_path, answer):
    grid = [condition(mode, 20, iterations=4) for mode in ("binary", "strong", "retry")]

    class Honest(FakeModel):
        async def generate(self, request):
            completion = await super().generate(request)
            size = sum(len(message.content) for message in request.messages)
            written = sum(len(reply.text) for reply in completion.replies)
            usage = type(completion.usage)(size // 4, written // 4 + 1)
            return type(completion)(completion.replies, usage, 0.5, "served")

    found = from_data(grid, SETTING)
    whole(tmp_path, grid, Honest(answer))
    truth = table(
        tmp_path,
        "SELECT count(*), total(prompt_tokens), total(completion_tokens), total(cost_usd)"
        " FROM completions",
    )[0]
    names = ("calls", "uncached_prompt_tokens", "completion_tokens", "cost_usd")
    for name, value in zip(names, truth, strict=True):
        each = found.ranges[name]
        assert each.value is None
        assert each.low * 0.9 <= value <= each.high
    assert found.ranges["calls"].low == 20
    assert found.ranges["calls"].high == 20 * (1 + 3 + 3 + 3 + 3)
    assert found.seconds is None


def test_draws_and_verdicts_of_a_run_that_never_succeeds_reach_the_bound_in_calls(tmp_path):
    judged = replace(toys.TUTORED, judge=judge)
    grid = [replace(condition("binary", 5, iterations=3, sampling="reject"), task=judged)]
    setting = Setting(PRICES, "fake/model", 4, {})

    def answer(request):
        return "VERDICT: NO" if request.role == "judge" else f"wrong-{request.occasion.problem.id}"

    whole(tmp_path, grid, FakeModel(answer))
    calls = dict(table(tmp_path, "SELECT role, count(*) FROM completions GROUP BY role"))
    high = from_data(grid, setting).ranges["calls"].high
    assert calls["solver"] == 5 * (1 + 2 * 5)  # 25 draws in five requests, twice
    assert high == calls["solver"] + 5 * (1 + 2 * 25)  # a verdict for every reply, were they new
    without = from_data(grid, SETTING).ranges["calls"].high
    assert without == calls["solver"]


def test_the_pilot_is_drawn_by_the_seed(tmp_path):
    def ids(seed):
        [sampled] = choose([condition("binary", 60, seed=seed)], 10).values()
        return [each.problem.id for each in sampled]

    assert ids(1) == ids(1) != ids(2)
    assert len(set(ids(1))) == 10


def test_the_fields_of_an_estimate_are_those_of_a_call():
    assert set(from_data(GRID[:1], SETTING).ranges) == set(Taken._fields)
