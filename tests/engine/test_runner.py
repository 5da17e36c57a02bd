"""The runner: every completion kept before its trial goes on, nothing asked twice, nothing lost."""

import asyncio
import sqlite3
import sys
import threading
from collections import Counter
from dataclasses import replace

import pytest

import toys
from feedback_friction.analysis.accuracy_by_attempt import read_results
from feedback_friction.engine.journal.group_commit import GroupCommit
from feedback_friction.engine.journal.keys import call_key
from feedback_friction.engine.journal.store import Journal
from feedback_friction.engine.models.base import TransientError
from feedback_friction.engine.models.price_list import Price, Prices
from feedback_friction.engine.models.remote.retry import rest
from feedback_friction.engine.run.caller import Caller
from feedback_friction.engine.run.conditions import Condition, jobs
from feedback_friction.engine.run.runner import Runner
from feedback_friction.errors import RunStoppedError
from feedback_friction.grading.verdict import Verdict
from feedback_friction.protocol.records import (
    Completion,
    Generate,
    Message,
    Occasion,
    Reply,
    Usage,
)

PRICES = Prices("2025-01-01", {"fake/model": Price(1.0, 0.5, 10.0)})


class FakeModel:
    """Answers by a function of the request; may fail first, or be interrupted."""

    name, identity, simulated = "fake/model", "fake/model", False

    def __init__(self, answer=lambda request: "The answer is 0.", before=None):
        self.answer, self.before = answer, before
        self.asked = Counter()
        self.now = self.most = 0

    async def generate(self, request):
        self.asked[call_key(self.name, request)] += 1
        number = self.asked.total()
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(0)
            if self.before is not None:
                await self.before(self, request, number)
            text = self.answer(request)
            return Completion((Reply(text),) * request.n, Usage(100, 10), 0.5, "served")
        finally:
            self.now -= 1


def condition(mode="binary", count=6, **plan):
    return Condition(
        label="toy",
        task=toys.TUTORED,
        plan=toys.plan(mode, **{"iterations": 3, **plan}),
        solver="fake/model",
        feedback_model="fake/model" if mode in ("self", "process", "strong") else None,
        grader="toy",
        epochs=1,
        problems=toys.problems(count),
    )


def run(directory, conditions, model, concurrency=4):
    async def main():
        async with Journal(directory) as journal:
            journal.add_problems(conditions[0].problems, conditions[0].task.ask)
            journal.add_now("conditions", [each.row() for each in conditions])
            models = {"solver": model, "feedback": model}
            runner = Runner(Caller(models, journal, PRICES, concurrency))
            model.runner = runner
            return await runner.run(conditions)

    return asyncio.run(main())


def result_of(directory):
    (directory / "run.json").write_text('{"schema": 1, "config": {}}')
    [result] = read_results(directory)
    return result


def table(directory, query):
    with sqlite3.connect(directory / "journal.sqlite") as db:
        return db.execute(query).fetchall()


def right_at(iteration):
    """Every solver reply is right from this iteration on."""

    def answer(request):
        if request.role == "feedback":
            return "Look again."
        occasion = request.occasion
        number = occasion.problem.id[1:]
        return f"The answer is {number if occasion.iteration >= iteration else 'x'}."

    return answer


def test_every_trial_ends_and_every_attempt_is_in_the_journal(tmp_path):
    progress = run(tmp_path, [condition()], FakeModel(right_at(1)))
    assert progress.statuses == {"solved": 6}
    assert table(tmp_path, "SELECT count(*), sum(is_correct) FROM attempts") == [(12, 6)]
    assert table(tmp_path, "SELECT count(*) FROM completions") == [(12,)]


def test_an_undecided_trial_is_kept_apart_and_a_resume_decides_it_without_a_call(tmp_path):
    def solver(request):
        number = request.occasion.problem.id
        if number == "p0":
            return "The answer is open."
        return right_at(1)(request)

    first = FakeModel(solver)
    progress = run(tmp_path, [condition()], first)
    assert progress.statuses == {"solved": 5, "undecided": 1}
    query = "SELECT status, reason, verdict, prediction, is_correct FROM trials JOIN attempts"
    query += " USING (condition, problem_id, epoch) WHERE problem_id = 'p0'"
    assert table(tmp_path, query) == [("undecided", "timeout", "undecided", "open", 0)]
    result = result_of(tmp_path)
    assert (result.n, result.missing, result.undecided, result.failed) == (5, 1, 1, 0)
    assert result.as_json()["undecided"] == 1

    def patient(problem, response):
        found = toys.grade(problem, response)
        return Verdict.of(found.is_correct, found.prediction or "", found.rule)

    asked = first.asked.total()
    resumed = condition()
    resumed = replace(resumed, task=replace(resumed.task, grade=patient))
    progress = run(tmp_path, [resumed], again := FakeModel(solver))
    assert progress.statuses == {"solved": 5, "unsolved": 1}
    assert (again.asked.total(), progress.spent.reused) == (2, 1)  # its later attempts are new
    assert asked == 11
    result = result_of(tmp_path)
    assert (result.n, result.missing, result.undecided) == (6, 0, 0)


def test_conditions_that_begin_alike_share_their_first_attempts(tmp_path):
    model = FakeModel(right_at(9))
    run(tmp_path, [condition("binary"), condition("tutor"), condition("retry")], model)
    assert set(model.asked.values()) == {1}
    # 6 problems: one first attempt for all three, then two more attempts for each
    assert model.asked.total() == 6 * (1 + 3 * 2)


def test_a_condition_added_by_name_starts_from_the_journal(tmp_path):
    first, second = FakeModel(right_at(9)), FakeModel(right_at(9))
    run(tmp_path, [condition("binary")], first)
    progress = run(tmp_path, [condition("binary"), condition("tutor")], second)
    assert second.asked.total() == 6 * 2
    assert progress.spent.reused == 6


def test_requests_in_flight_are_bounded(tmp_path):
    model = FakeModel()
    run(tmp_path, [condition(count=30)], model, concurrency=3)
    assert model.most == 3


@pytest.mark.parametrize("concurrency", [1, 3, 16])
def test_a_kill_at_any_moment_would_lose_at_most_the_requests_in_flight(tmp_path, concurrency):
    """What another connection reads is what would be there after SIGKILL."""
    lost = []

    async def look(model, request, number):
        with sqlite3.connect(tmp_path / "journal.sqlite") as db:
            kept = db.execute("SELECT count(*) FROM completions").fetchone()[0]
        lost.append(number - kept)

    run(tmp_path, [condition(count=60)], FakeModel(before=look), concurrency)
    assert len(lost) > 100
    assert max(lost) <= concurrency


def test_a_call_ends_when_its_completion_is_on_the_disk(tmp_path, monkeypatch):
    blocked, write = threading.Event(), GroupCommit._write

    def held_up(journal, writes):
        assert blocked.wait(60)
        return write(journal, writes)

    monkeypatch.setattr(GroupCommit, "_write", held_up)
    asked, occasion = (Message("user", "1 + 1?"),), Occasion(toys.PROBLEM, 0, 0, "binary")
    request = Generate("solver", "solver", asked, 0.0, 10, 1, occasion)

    async def main():
        async with Journal(tmp_path) as journal:
            model = FakeModel()
            caller = Caller({"solver": model}, journal, PRICES, concurrency=1)
            call = asyncio.create_task(caller.complete(request))
            while not model.asked:
                await asyncio.sleep(0.001)
            await asyncio.sleep(0.05)
            assert not call.done()
            blocked.set()
            await call
            assert len(table(tmp_path, "SELECT key FROM completions")) == 1

    asyncio.run(main())


@pytest.mark.parametrize("failing", [0, 1])
def test_two_that_ask_the_same_at_once_pay_once_and_a_failure_is_of_one_of_them_alone(
    tmp_path, failing
):
    async def fail(model, request, number):
        if number <= failing:
            raise TransientError("HTTP 500")

    occasion = Occasion(toys.PROBLEM, 0, 0, "binary")
    request = Generate("solver", "solver", (Message("user", "1 + 1?"),), 0.0, 10, 1, occasion)
    model = FakeModel(before=fail)

    async def main():
        async with Journal(tmp_path) as journal:
            caller = Caller({"solver": model}, journal, PRICES, concurrency=4)
            both = [caller.complete(request) for _ in range(2)]
            return await asyncio.gather(*both, return_exceptions=True), caller.spent

    (first, second), spent = asyncio.run(main())
    assert isinstance(first, TransientError) == bool(failing)
    assert second.replies == (Reply("The answer is 0."),)
    assert (model.asked.total(), spent.calls) == (1 + failing, 1)
    assert spent.reused == 1 - failing


def test_a_call_that_fails_for_good_leaves_its_trial_missing_and_resuming_runs_it(tmp_path):
    async def fail(model, request, number):
        if request.occasion.problem.id == "p2" and request.occasion.iteration == 1:
            raise TransientError("HTTP 500, five times")

    progress = run(tmp_path, [condition()], FakeModel(right_at(2), fail))
    assert progress.statuses == {"solved": 5, "failed": 1}
    query = "SELECT problem_id, status, reason FROM trials WHERE status = 'failed'"
    assert table(tmp_path, query) == [("p2", "failed", "HTTP 500, five times")]
    kept = table(tmp_path, "SELECT iteration, verdict FROM attempts WHERE problem_id = 'p2'")
    assert kept == [(0, "wrong")]  # what it made before it failed is known all the same
    again = FakeModel(right_at(2))
    assert run(tmp_path, [condition()], again).statuses == {"solved": 6}
    assert again.asked.total() == 2  # the first attempt was kept
    assert table(tmp_path, "SELECT error FROM errors") == [("HTTP 500, five times",)]


def at_p2(fault, function):
    """The function, but for problem p2, where it does something else."""
    return lambda problem, text: fault() if problem.id == "p2" else function(problem, text)


@pytest.mark.parametrize("slow", [False, True])
@pytest.mark.parametrize("fault", [lambda: sys.exit(3), lambda: next(iter(()))])
@pytest.mark.parametrize("name", ["grade", "mask", "tutor"])
def test_what_is_no_usual_error_fails_one_trial_too_and_a_mended_task_ends_it(
    tmp_path, name, fault, slow
):
    mended = condition("tutor")
    changes = {name: at_p2(fault, getattr(toys.TUTORED, name))}
    broken = replace(mended, task=replace(mended.task, slow=slow, **changes))
    first, second = FakeModel(right_at(1)), FakeModel(right_at(1))
    assert run(tmp_path, [broken], first).statuses == {"solved": 5, "failed": 1}
    assert run(tmp_path, [mended], second).statuses == {"solved": 6}
    assert second.asked.total() == 1  # what had not been asked yet


def test_a_stopped_run_loses_nothing_and_resumes(tmp_path):
    async def stop(model, request, number):
        if number == 10:
            raise RunStoppedError("the server is gone")

    first = FakeModel(right_at(2), stop)
    with pytest.raises(RunStoppedError, match="the server is gone"):
        run(tmp_path, [condition()], first)
    kept = table(tmp_path, "SELECT count(*) FROM completions")[0][0]
    assert kept == first.asked.total() - 1  # those under way were kept as well
    second = FakeModel(right_at(2))
    assert run(tmp_path, [condition()], second).statuses == {"solved": 6}
    assert kept + second.asked.total() == 18


IN_FLIGHT = (
    "SELECT problem_id, iteration, is_correct, feedback FROM attempts a WHERE NOT EXISTS ("
    " SELECT 1 FROM trials t WHERE (t.condition, t.problem_id, t.epoch)"
    " = (a.condition, a.problem_id, a.epoch)) ORDER BY 1, 2"
)


def stop_at(iteration, problem="p2"):
    async def stop(model, request, number):
        if (request.occasion.iteration, request.occasion.problem.id) == (iteration, problem):
            raise RunStoppedError("the server is gone")

    return stop


def test_the_attempts_of_a_trial_in_flight_are_in_the_journal(tmp_path):
    with pytest.raises(RunStoppedError):
        run(tmp_path, [condition(iterations=5)], FakeModel(right_at(4), stop_at(2)), concurrency=1)
    kept = [row for row in table(tmp_path, IN_FLIGHT) if row[0] == "p2"]
    assert kept == [("p2", 0, 0, None), ("p2", 1, 0, None)]
    run(tmp_path, [condition(iterations=5)], FakeModel(right_at(4)))
    assert table(tmp_path, IN_FLIGHT) == []


def test_a_resume_replaces_the_attempts_of_a_trial_in_flight_and_leaves_none_behind(tmp_path):
    """By another grader the trial goes another way: nothing of the first one may stay."""

    def lenient(problem, response):
        return replace(toys.grade(problem, response), rule="lenient")

    before = condition(iterations=5)
    after = replace(before, task=replace(before.task, grade=lenient))
    with pytest.raises(RunStoppedError):
        run(tmp_path, [before], FakeModel(right_at(4), stop_at(3)), concurrency=1)
    table(tmp_path, "DELETE FROM completions WHERE problem_id = 'p2' AND iteration > 0")
    with pytest.raises(RunStoppedError):  # at the second attempt, which has to be asked again
        run(tmp_path, [after], FakeModel(right_at(4), stop_at(1)), concurrency=1)
    rules = "SELECT iteration, rule FROM attempts WHERE problem_id = 'p2'"
    assert table(tmp_path, rules) == [(0, "lenient")]


def test_a_failed_trial_that_runs_again_is_in_flight_and_no_longer_failed(tmp_path):
    async def fail(model, request, number):
        if request.occasion.problem.id == "p2" and request.occasion.iteration == 1:
            raise TransientError("HTTP 500, five times")

    run(tmp_path, [condition()], FakeModel(right_at(2), fail))
    with pytest.raises(RunStoppedError):
        run(tmp_path, [condition()], FakeModel(right_at(2), stop_at(1)))
    assert table(tmp_path, "SELECT status FROM trials WHERE problem_id = 'p2'") == []
    assert table(tmp_path, IN_FLIGHT) == [("p2", 0, 0, None)]


def test_draining_keeps_the_calls_under_way_and_starts_no_other(tmp_path):
    async def drain(model, request, number):
        if number == 5:
            model.runner.caller.drain()
        await asyncio.sleep(0.01)

    model = FakeModel(right_at(2), drain)
    progress = run(tmp_path, [condition(count=40)], model)
    assert progress.ended < 40
    kept = table(tmp_path, "SELECT count(*) FROM completions")[0][0]
    assert kept == model.asked.total()


def results(directory):
    return table(
        directory,
        "SELECT condition, problem_id, epoch, iteration, response, verdict, feedback, prompt_tokens"
        " FROM attempts ORDER BY 1, 2, 3, 4",
    )


def test_an_interrupted_and_resumed_run_ends_like_an_uninterrupted_one(tmp_path):
    whole, pieces = tmp_path / "whole", tmp_path / "pieces"
    whole.mkdir()
    pieces.mkdir()
    conditions = [condition("strong"), condition("retry"), condition("placebo:tutor")]
    run(whole, conditions, FakeModel(right_at(2)))
    for limit in (3, 5, 8, 6):

        async def stop(model, request, number, limit=limit):
            if number > limit:
                raise RunStoppedError("stop")

        with pytest.raises(RunStoppedError):
            run(pieces, conditions, FakeModel(right_at(2), stop))
    run(pieces, conditions, FakeModel(right_at(2)))
    assert results(pieces) == results(whole)


def test_costs_are_counted_by_call_and_by_attempt(tmp_path):
    progress = run(tmp_path, [condition("strong", count=1)], FakeModel(right_at(1)))
    one = (100 * 1.0 + 10 * 10.0) / 1e6
    assert progress.spent.cost == pytest.approx(3 * one)  # answer, feedback, answer
    costs = [row[0] for row in table(tmp_path, "SELECT cost_usd FROM attempts ORDER BY iteration")]
    assert costs == pytest.approx([2 * one, one])


def test_a_model_without_a_price_costs_an_unknown_amount_not_nothing(tmp_path):
    model = FakeModel(right_at(0))
    model.name = "fake/unpriced"
    progress = run(tmp_path, [replace(condition(), solver="fake/unpriced")], model)
    assert progress.spent.unpriced
    assert table(tmp_path, "SELECT DISTINCT cost_usd FROM attempts") == [(None,)]


def test_text_that_utf8_cannot_hold_is_kept_replaced(tmp_path):
    run(tmp_path, [condition(count=1)], FakeModel(lambda request: "broken \ud800 \x00 text"))
    assert table(tmp_path, "SELECT DISTINCT response FROM attempts") == [("broken ? \x00 text",)]


def test_a_slow_grader_runs_off_the_event_loop(tmp_path):
    import threading

    threads = set()

    def grade(problem, response):
        threads.add(threading.current_thread().name)
        return toys.grade(problem, response)

    slow = replace(toys.TUTORED, grade=grade, slow=True)
    run(tmp_path, [replace(condition(), task=slow)], FakeModel(right_at(1)))
    assert "MainThread" not in threads


def test_jobs_stand_problem_by_problem_and_leave_out_what_is_finished():
    both = [condition("binary", 3), condition("retry", 3)]
    finished = {both[0].id: {("p0", 0)}, both[1].id: set()}
    order = [(job.problem.id, job.condition.plan.mode.name) for job in jobs(both, finished)]
    assert order == [
        ("p0", "retry"),
        ("p1", "binary"),
        ("p1", "retry"),
        ("p2", "binary"),
        ("p2", "retry"),
    ]


def broken(task, problem_id, error):
    """The task, with a grader that breaks on one problem."""

    def grade(problem, response):
        if problem.id == problem_id:
            raise error
        return task.grade(problem, response)

    return replace(task, grade=grade)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("Exceeds the limit (4300 digits)"),
        RecursionError(),
        OverflowError("int\ntoo large"),
    ],
)
def test_whatever_goes_wrong_in_one_trial_fails_that_trial_alone(tmp_path, error):
    whole = condition()
    model = FakeModel(right_at(1))
    hurt = replace(whole, task=broken(whole.task, "p2", error))
    progress = run(tmp_path, [hurt], model)
    assert progress.statuses == {"solved": 5, "failed": 1}
    [(reason,)] = table(tmp_path, "SELECT reason FROM trials WHERE problem_id = 'p2'")
    assert reason.startswith(f"unexpected {type(error).__name__}: ")
    assert "\n" not in reason
    assert "Traceback" in (tmp_path / "errors.log").read_text()
    asked = model.asked.total()
    assert run(tmp_path, [hurt], model).statuses == {"solved": 5, "failed": 1}
    assert model.asked.total() == asked  # the reply that breaks it is in the journal
    assert run(tmp_path, [whole], model).statuses == {"solved": 6}
    assert set(model.asked.values()) == {1}


def test_a_broken_mask_or_tutor_fails_its_trials_alone(tmp_path):
    def breaks(*of):
        raise KeyError("p")

    whole = condition("tutor", count=3)
    for number, task in enumerate(
        (replace(whole.task, mask=breaks), replace(whole.task, tutor=breaks))
    ):
        (tmp_path / str(number)).mkdir()
        progress = run(tmp_path / str(number), [replace(whole, task=task)], FakeModel(right_at(1)))
        assert progress.statuses == {"failed": 3}


def test_a_row_that_the_journal_cannot_hold_fails_its_trial_alone(tmp_path):
    whole = condition()

    def grade(problem, response):
        found = whole.task.grade(problem, response)
        return replace(found, rule=2**70) if problem.id == "p2" else found

    hurt = replace(whole, task=replace(whole.task, grade=grade))
    progress = run(tmp_path, [hurt], FakeModel(right_at(1)))
    assert progress.statuses == {"solved": 5, "failed": 1}
    assert table(tmp_path, "SELECT count(*) FROM trials WHERE status = 'solved'") == [(5,)]
    assert run(tmp_path, [whole], FakeModel(right_at(1))).statuses == {"solved": 6}


def test_the_trials_of_one_unforeseen_place_leave_one_traceback(tmp_path):
    whole = condition(count=6)

    def breaks(problem, response):
        raise ZeroDivisionError

    run(tmp_path, [replace(whole, task=replace(whole.task, grade=breaks))], FakeModel())
    assert (tmp_path / "errors.log").read_text().count("Traceback") == 1


def test_draining_drops_calls_that_wait_to_be_tried_again_and_keeps_those_under_way(tmp_path):
    resting, answering = asyncio.Event(), asyncio.Event()

    async def before(model, request, number):
        if request.occasion.problem.id == "p0":
            resting.set()
            await rest(3600)
        await resting.wait()
        if not answering.is_set():
            answering.set()
            model.runner.caller.drain()
        await asyncio.sleep(0)

    progress = run(tmp_path, [condition(count=2)], FakeModel(right_at(0), before))
    assert progress.statuses == {"solved": 1}  # the call under way ended, and its trial with it
    assert progress.running == 0
    assert table(tmp_path, "SELECT problem_id FROM completions") == [("p1",)]


def test_the_progress_knows_why_trials_failed(tmp_path):
    async def fail(model, request, number):
        raise TransientError("HTTP 500" if request.occasion.problem.id == "p0" else "HTTP 503")

    progress = run(tmp_path, [condition(count=4)], FakeModel(before=fail))
    assert progress.reasons == {"HTTP 500": 1, "HTTP 503": 3}


@pytest.mark.parametrize("error", [sqlite3.OperationalError("disk is full"), OSError(28, "full")])
@pytest.mark.parametrize("place", range(1, 6))
def test_a_full_disk_at_any_write_stops_the_run_in_one_line_and_nothing_is_lost(
    tmp_path, monkeypatch, error, place
):
    for name in ("whole", "full"):
        (tmp_path / name).mkdir()
    run(tmp_path / "whole", [condition()], FakeModel(right_at(1)))
    write, calls = GroupCommit._write, Counter()

    def full(journal, writes):
        calls["write"] += 1
        if calls["write"] >= place:
            raise error
        return write(journal, writes)

    with monkeypatch.context() as patched:
        patched.setattr(GroupCommit, "_write", full)
        with pytest.raises(RunStoppedError, match=r"cannot write .*journal\.sqlite"):
            run(tmp_path / "full", [condition()], FakeModel(right_at(1)))
    kept = table(tmp_path / "full", "SELECT key FROM completions")
    again = FakeModel(right_at(1))
    assert run(tmp_path / "full", [condition()], again).statuses == {"solved": 6}
    assert not {bytes(key) for (key,) in kept} & set(again.asked)
    rows = "SELECT problem_id, iteration, response, verdict FROM attempts ORDER BY 1, 2"
    assert table(tmp_path / "full", rows) == table(tmp_path / "whole", rows)


def test_a_damaged_completion_fails_the_trial_that_needs_it(tmp_path):
    run(tmp_path, [condition()], FakeModel(right_at(1)))
    with sqlite3.connect(tmp_path / "journal.sqlite") as db:
        db.execute("UPDATE completions SET replies = x'00' WHERE problem_id = 'p2'")
        db.execute("DELETE FROM trials WHERE problem_id = 'p2'")
    progress = run(tmp_path, [condition()], FakeModel(right_at(1)))
    assert progress.statuses == {"solved": 5, "failed": 1}
    assert "is damaged" in next(iter(progress.reasons))


class Unsteady(FakeModel):
    """Every call about a first attempt failed once before it succeeded."""

    async def generate(self, request):
        completion = await super().generate(request)
        return replace(completion, failures=int(request.occasion.iteration == 0))


def test_calls_tried_again_count_in_every_condition_that_uses_them(tmp_path):
    both = [condition("retry"), condition("binary")]
    run(tmp_path, both, Unsteady(right_at(1)))
    expected = [(12, 6), (12, 6)]  # two attempts a problem, of which the first is shared
    query = "SELECT sum(calls), sum(retried) FROM calls GROUP BY condition"
    assert table(tmp_path, query) == expected
    assert table(tmp_path, "SELECT count(*) FROM retried") == [(6,)]
    with sqlite3.connect(tmp_path / "journal.sqlite") as db:  # as if it had been interrupted
        db.executescript("DELETE FROM trials; DELETE FROM attempts; DELETE FROM calls")
    model = FakeModel()
    run(tmp_path, both, model)
    assert not model.asked
    assert table(tmp_path, query) == expected
