"""An oracle's run: every draw journaled, nothing asked twice, failures missing and asked again."""

import asyncio
import sqlite3
from collections import Counter
from dataclasses import replace

import pytest

from feedback_friction.analysis.oracle_coverage import read_oracle
from feedback_friction.engine.journal.keys import call_key
from feedback_friction.engine.journal.store import Journal
from feedback_friction.engine.models.base import TransientError
from feedback_friction.engine.models.student import StudentModel
from feedback_friction.engine.passes.oracle_requests import execute_oracle, prepare_oracle
from feedback_friction.engine.run import launch
from feedback_friction.engine.run import prepare as preparing
from feedback_friction.errors import RunStoppedError, UsageError
from feedback_friction.grading.verdict import Verdict
from feedback_friction.settings import Settings
from feedback_friction.tasks.catalog import get_page

TASKS = ("decimal_multiplication",)


class Watched(StudentModel):
    """A student whose calls are counted, and may fail."""

    def __init__(self, spec, before):
        super().__init__(spec)
        self.asked, self.before = Counter(), before

    async def generate(self, request):
        self.asked[call_key(self.identity, request)] += 1
        number = self.asked.total()
        await asyncio.sleep(0)
        self.before(request, number)
        return await super().generate(request)


def nothing(request, number):
    """Every call succeeds."""


def draw(directory, monkeypatch, before=nothing, limit=8, solver="student/default", **plan):
    model = Watched(solver, before)
    monkeypatch.setattr(launch, "open_models", lambda wanted: dict.fromkeys(wanted, model))
    settings = Settings.of(tasks=TASKS, solver=solver, temperature=0.3, limit=limit, concurrency=4)
    prepared = prepare_oracle(settings, **{"gens": 3, **plan})
    progress = asyncio.run(
        execute_oracle(prepared, directory, ["friction"], lambda batch: None, print)
    )
    return model, progress


def rows(directory):
    with sqlite3.connect(directory / "journal.sqlite") as db:
        return db.execute("SELECT * FROM oracle_draws ORDER BY problem_id, draw").fetchall()


def test_every_draw_is_in_the_journal_with_its_verdict(tmp_path, monkeypatch):
    model, progress = draw(tmp_path, monkeypatch, attempts=4)
    assert len(rows(tmp_path)) == 8 * 4 * 3
    assert set(model.asked.values()) == {1}
    assert (model.asked.total(), progress.ended) == (32, 32)
    run = read_oracle(tmp_path)
    assert (run.problems, run.missing, run.drawn) == (8, 0, (12,) * 8)
    assert sum(run.correct) == sum(row[7] == "correct" for row in rows(tmp_path))


def test_the_draws_of_a_problem_differ(tmp_path, monkeypatch):
    draw(tmp_path, monkeypatch, attempts=4, solver="student/ability=0,silent=0", limit=1)
    assert len({row[6] for row in rows(tmp_path)}) > 6


def test_the_same_command_asks_nothing_again(tmp_path, monkeypatch):
    draw(tmp_path, monkeypatch, attempts=4)
    before = rows(tmp_path)
    model, progress = draw(tmp_path, monkeypatch, attempts=4)
    assert (model.asked.total(), progress.ended) == (0, 32)
    assert rows(tmp_path) == before


@pytest.mark.parametrize("until_solved", [False, True])
def test_stopped_and_resumed_it_ends_like_one_that_ran_through(tmp_path, monkeypatch, until_solved):
    plan = {"attempts": 5, "until_solved": until_solved}
    whole, _ = draw(tmp_path / "whole", monkeypatch, **plan)

    def stop(request, number):
        if number > 7:
            raise RunStoppedError("the server is gone")

    with pytest.raises(RunStoppedError):
        draw(tmp_path / "pieces", monkeypatch, stop, **plan)
    again, _ = draw(tmp_path / "pieces", monkeypatch, **plan)
    assert rows(tmp_path / "pieces") == rows(tmp_path / "whole")
    assert again.asked.total() == whole.asked.total() - 7


def test_a_request_that_fails_leaves_its_problem_missing_until_it_is_asked_again(
    tmp_path, monkeypatch
):
    def fail(request, number):
        if number == 3:
            raise TransientError("HTTP 500, five times")

    _, progress = draw(tmp_path, monkeypatch, fail, attempts=4)
    assert progress.statuses["failed"] == 1
    run = read_oracle(tmp_path)
    assert (run.missing, run.coverage().n) == (1, 7)
    with sqlite3.connect(tmp_path / "journal.sqlite") as db:
        errors = db.execute("SELECT condition, error FROM errors").fetchall()
    assert errors == [("oracle", "HTTP 500, five times")]
    draw(tmp_path, monkeypatch, attempts=4)
    assert read_oracle(tmp_path).missing == 0


@pytest.mark.parametrize("until_solved", [False, True])
def test_undecided_draws_leave_their_problem_missing_until_they_are_graded_anew(
    tmp_path, monkeypatch, until_solved
):
    page = get_page("decimal_multiplication")

    def impatient(problem, response):
        found = page.task.grade(problem, response)
        if problem.id in ("13118x15370", "47001x49763"):
            return Verdict.of(None, found.prediction or "", "timeout")
        return found

    plan = {"attempts": 4, "until_solved": until_solved, "solver": "student/ability=0,silent=0"}
    with monkeypatch.context() as patched:
        slow = replace(page, task=replace(page.task, grade=impatient))
        patched.setattr(preparing, "get_page", lambda name: slow)
        _, progress = draw(tmp_path, patched, **plan)
    before = read_oracle(tmp_path)
    assert progress.statuses["undecided"] == (2 if until_solved else 8)
    assert (before.missing, before.undecided) == (2, 24)
    model, progress = draw(tmp_path, monkeypatch, **plan)
    assert (model.asked.total(), progress.statuses.get("undecided", 0)) == (0, 0)
    after = read_oracle(tmp_path)
    assert (after.missing, after.undecided) == (0, 0)


def test_drawing_until_solved_covers_the_same_problems_with_fewer_draws(tmp_path, monkeypatch):
    draw(tmp_path / "all", monkeypatch, attempts=6, limit=30)
    draw(tmp_path / "few", monkeypatch, attempts=6, limit=30, until_solved=True)
    every, few = read_oracle(tmp_path / "all"), read_oracle(tmp_path / "few")
    assert every.coverage() == few.coverage()
    assert few.replies < every.replies
    with pytest.raises(UsageError, match="needs all draws"):
        few.pass_at(1)


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ({"ks": (31,)}, "--k 31 is impossible with 30 draws a problem"),
        ({"ks": (0,)}, "--k 0 is impossible"),
        ({"ks": (1,), "until_solved": True}, "--k cannot go with --until-solved"),
        ({"attempts": 0}, "--attempts must be at least 1"),
        ({"gens": -1}, "--gens must be at least 1"),
    ],
)
def test_what_cannot_be_drawn_is_refused_before_any_call(tmp_path, monkeypatch, plan, message):
    with pytest.raises(UsageError, match=message):
        draw(tmp_path / "run", monkeypatch, **plan)
    assert not (tmp_path / "run").exists()


def test_temperature_0_is_refused(monkeypatch):
    settings = Settings.of(tasks=TASKS, solver="student/default", limit=2)
    with pytest.raises(UsageError, match="the same reply again and again"):
        prepare_oracle(settings)


@pytest.mark.slow
def test_pass_at_k_is_the_closed_form_for_a_student_of_known_ability(tmp_path, monkeypatch):
    ability, k = 0.2, 5
    solver = f"student/ability={ability},spread=0"
    draw(tmp_path, monkeypatch, attempts=4, gens=5, limit=150, solver=solver)
    run = read_oracle(tmp_path)
    for draws, truth in ((1, ability), (k, 1 - (1 - ability) ** k)):
        found = run.pass_at(draws)
        assert found.low <= truth <= found.high
        assert found.high - found.low < 0.1
    coverage = run.coverage()
    assert coverage.low <= 1 - (1 - ability) ** 20 <= coverage.high
    assert run.pass_at(20).value == pytest.approx(coverage.value)


def test_a_journal_from_before_there_were_oracles_and_probes_opens_and_gets_their_tables(tmp_path):
    Journal(tmp_path).close()
    with sqlite3.connect(tmp_path / "journal.sqlite") as db:
        db.executescript("DROP TABLE oracle_draws; DROP TABLE probes; PRAGMA user_version = 1")
    journal = Journal(tmp_path)
    assert journal.drawn() == {}
    assert journal.probed("entropy", "{}") == set()
    journal.close()


def test_an_oracle_that_is_still_drawing_does_not_leave_the_unsolved_out(tmp_path, monkeypatch):
    plan = {"attempts": 6, "gens": 1, "until_solved": True, "limit": 60}
    draw(tmp_path / "whole", monkeypatch, **plan)
    truth = read_oracle(tmp_path / "whole")
    assert not truth.provisional

    def stop(request, number):
        if number > 120:
            raise RunStoppedError("the server is gone")

    with pytest.raises(RunStoppedError):
        draw(tmp_path / "pieces", monkeypatch, stop, **plan)
    run = read_oracle(tmp_path / "pieces")
    assert run.provisional
    assert len(run.seen) > len(run.correct)  # some are known to be unsolved so far
    assert run.coverage().value < 1
    assert run.coverage().low <= truth.coverage().value <= run.coverage().high
