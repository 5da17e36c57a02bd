"""Probes over a finished run: where they look, what they keep, and that nothing is asked twice."""

import asyncio
import json
import sqlite3
from collections import Counter
from dataclasses import replace

import pytest

from feedback_friction.engine.journal.keys import call_key
from feedback_friction.engine.journal.store import Journal
from feedback_friction.engine.models.base import TransientError
from feedback_friction.engine.models.student import StudentModel
from feedback_friction.engine.passes.probe_places import ProbeOptions, execute_probe, prepare_probe
from feedback_friction.engine.passes.reopen import read_trials, reopen
from feedback_friction.engine.run import launch
from feedback_friction.engine.run import prepare as preparing
from feedback_friction.engine.run.launch import execute
from feedback_friction.engine.run.prepare import prepare
from feedback_friction.errors import RunStoppedError, UsageError
from feedback_friction.grading.verdict import Verdict
from feedback_friction.settings import Settings
from feedback_friction.tasks.catalog import get_page

STUDENT = "student/default"
FOUR = {"concurrency": 4}


class Watched(StudentModel):
    """A student whose calls are counted, and may fail."""

    def __init__(self, before):
        super().__init__(STUDENT)
        self.asked, self.before = Counter(), before

    async def generate(self, request):
        self.asked[call_key(self.identity, request)] += 1
        number = self.asked.total()
        await asyncio.sleep(0)
        self.before(request, number)
        return await super().generate(request)


def nothing(request, number):
    """Every call succeeds."""


def run(directory, **settings):
    asked = {"limit": 12, "feedback": ("self", "binary"), "iterations": 4, **settings}
    prepared = prepare(
        Settings.of(tasks=("decimal_multiplication",), solver=STUDENT, **FOUR, **asked)
    )
    asyncio.run(execute(prepared, directory, ["friction"], lambda runner: None))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    directory = tmp_path_factory.mktemp("made") / "run"
    run(directory)
    return directory


@pytest.fixture
def finished(made, tmp_path):
    """A finished run of its own for each test."""
    with sqlite3.connect(made / "journal.sqlite") as there:
        (tmp_path / "run").mkdir()
        with sqlite3.connect(tmp_path / "run" / "journal.sqlite") as here:
            there.backup(here)
    (tmp_path / "run" / "run.json").write_bytes((made / "run.json").read_bytes())
    return tmp_path / "run"


def probe(directory, name, monkeypatch, before=nothing, **options):
    prepared = prepare_probe(directory, name, ProbeOptions(**options), **FOUR)
    model = Watched(before)
    monkeypatch.setattr(launch, "open_models", lambda wanted: dict.fromkeys(wanted, model))
    progress = asyncio.run(execute_probe(prepared, lambda batch: None, print))
    return model, progress


def query(directory, sql):
    with sqlite3.connect(directory / "journal.sqlite") as db:
        return db.execute(sql).fetchall()


def found(directory):
    return query(directory, "SELECT * FROM probes ORDER BY 1, 2, 3, 4, 5, 6")


def count(directory, where):
    return query(directory, f"SELECT count(*) FROM attempts a WHERE {where}")[0][0]


def test_the_trials_of_a_run_are_rebuilt_as_they_were(finished):
    prepared = reopen(finished, **FOUR)
    condition = prepared.conditions[0]
    trials = list(read_trials(finished, condition))
    assert [each.problem for each in trials] == list(condition.problems)
    responses = [each.reply.text for trial in trials for each in trial.attempts]
    where = f"SELECT response FROM attempts WHERE condition = '{condition.id}'"
    assert Counter(responses) == Counter(row[0] for row in query(finished, where))
    assert all(each.attempts[-1].feedback is None for each in trials)


PLACES = {
    "entropy": "iteration = 0 AND feedback IS NOT NULL",
    "in-domain": "iteration = 0",
    "reader": "feedback IS NOT NULL",
    "self-perception": "feedback IS NOT NULL",
}


@pytest.mark.parametrize("name", PLACES)
def test_a_probe_looks_everywhere_it_should_and_keeps_one_finding_a_place(
    finished, name, monkeypatch
):
    model, progress = probe(finished, name, monkeypatch)
    assert len(found(finished)) == progress.ended == count(finished, PLACES[name]) > 10
    assert set(model.asked.values()) == {1}
    again, _ = probe(finished, name, monkeypatch)
    assert again.asked.total() == 0


@pytest.mark.parametrize("name", ["entropy", "reader"])
def test_what_cannot_be_graded_in_time_is_left_out_and_graded_anew(finished, name, monkeypatch):
    page = get_page("decimal_multiplication")
    unlike = replace(page.task, grade=lambda problem, text: Verdict.of(None, "5", "timeout"))
    with monkeypatch.context() as patched:
        patched.setattr(preparing, "get_page", lambda name: replace(page, task=unlike))
        first, progress = probe(finished, name, patched)
    assert progress.statuses["undecided"] > 10
    assert len(found(finished)) == progress.statuses.get("unsolved", 0)
    again, progress = probe(finished, name, monkeypatch)
    assert len(found(finished)) == progress.ended == progress.statuses["unsolved"]
    assert not set(first.asked) & set(again.asked)


def test_entropy_keeps_the_draws_by_answer(finished, monkeypatch):
    probe(finished, "entropy", monkeypatch, draws=20)
    for row in found(finished):
        value = json.loads(row[6])
        assert sum(number for _, number in value["counts"]) + value["no_answer"] == 20
        assert json.loads(row[1]) == {"draws": 20, "temperature": 0.7}
    assert max(len(json.loads(row[6])["counts"]) for row in found(finished)) > 1


def test_conditions_share_the_draws_of_their_first_prompt(finished, monkeypatch):
    model, progress = probe(finished, "in-domain", monkeypatch)
    assert progress.ended == 24
    assert model.asked.total() == 12 * 2  # 100 draws in two requests for each problem


def test_other_settings_are_other_findings(finished, monkeypatch):
    probe(finished, "entropy", monkeypatch, draws=5)
    places = len(found(finished))
    probe(finished, "entropy", monkeypatch, draws=10)
    assert len(found(finished)) == 2 * places


def test_a_solver_that_reads_does_so_at_its_own_temperature(tmp_path, monkeypatch):
    run(tmp_path, limit=4, temperature=1.0)
    warm = prepare_probe(tmp_path, "reader", ProbeOptions(), **FOUR)
    other = prepare_probe(tmp_path, "reader", ProbeOptions(reader_model="student/keen"), **FOUR)
    assert (warm.temperature, other.temperature) == (1.0, 0.0)
    probe(tmp_path, "reader", monkeypatch)
    asked = query(tmp_path, "SELECT DISTINCT temperature FROM completions WHERE role = 'reader'")
    assert asked == [(1.0,)]


def test_a_larger_sample_holds_the_smaller_one(finished, monkeypatch):
    probe(finished, "in-domain", monkeypatch, sample=3, draws=5)
    few = {row[3] for row in found(finished)}
    assert len(few) == 3
    model, _ = probe(finished, "in-domain", monkeypatch, sample=5, draws=5)
    assert few < {row[3] for row in found(finished)}
    assert model.asked.total() == 2


def test_one_condition_can_be_asked_alone(finished, monkeypatch):
    name = "decimal_multiplication | student/default | binary | greedy"
    probe(finished, "entropy", monkeypatch, conditions=(name,), draws=5)
    assert {row[2] for row in found(finished)} == {name}


def test_stopped_and_resumed_it_finds_what_one_that_ran_through_finds(
    finished, made, monkeypatch, tmp_path
):
    def stop(request, number):
        if number > 5:
            raise RunStoppedError("the server is gone")

    with pytest.raises(RunStoppedError):
        probe(finished, "self-perception", monkeypatch, stop)
    kept = query(finished, "SELECT count(*) FROM completions WHERE role = 'perception'")[0][0]
    model, _ = probe(finished, "self-perception", monkeypatch)
    pieces = found(finished)
    with sqlite3.connect(finished / "journal.sqlite") as db:
        db.execute("DELETE FROM probes")
        db.execute("DELETE FROM completions WHERE role = 'perception'")
    whole, _ = probe(finished, "self-perception", monkeypatch)
    assert found(finished) == pieces
    assert kept + model.asked.total() == whole.asked.total()


def test_a_place_whose_call_fails_is_left_out_and_asked_again(finished, monkeypatch):
    def fail(request, number):
        if number == 2:
            raise TransientError("HTTP 500, five times")

    _, progress = probe(finished, "entropy", monkeypatch, fail, draws=5)
    assert progress.statuses["failed"] == 1
    assert [row[3] for row in query(finished, "SELECT * FROM errors")] == ["HTTP 500, five times"]
    model, _ = probe(finished, "entropy", monkeypatch, draws=5)
    assert model.asked.total() == 1


def test_attempts_and_trials_are_left_as_they_are(finished, monkeypatch):
    before = query(finished, "SELECT * FROM attempts"), query(finished, "SELECT * FROM trials")
    for name in PLACES:
        probe(finished, name, monkeypatch, sample=3)
    assert before == (query(finished, "SELECT * FROM attempts"),
                      query(finished, "SELECT * FROM trials"))  # fmt: skip


def test_the_readers_control_is_another_problems_feedback(finished, monkeypatch):
    probe(finished, "reader", monkeypatch)
    for row in found(finished):
        assert json.loads(row[6])["donor"] not in (None, row[3])


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("bogus", {}, "unknown probe 'bogus'; allowed: entropy"),
        ("entropy", {"conditions": ("x",)}, "unknown condition 'x'; allowed: 'decimal"),
        ("entropy", {"draws": 0}, "--draws must be at least 1"),
        ("entropy", {"sample": 0}, "--sample must be at least 1"),
        ("entropy", {"temperature": 0.0}, "at temperature 0 every draw is the same"),
        ("entropy", {"temperature": 3.0}, "--temperature must be from 0 to 2"),
        ("self-perception", {"temperature": 1.0}, "asks at the run's own temperature"),
        ("reader", {"draws": 3}, "asks once and takes no --draws"),
        ("entropy", {"reader_model": "student/keen"}, "has no reader"),
        ("reader", {"reader_model": "nobody/x"}, "unknown model provider 'nobody'"),
    ],
)
def test_a_wrong_probe_is_refused(finished, name, options, message):
    with pytest.raises(UsageError, match=message):
        prepare_probe(finished, name, ProbeOptions(**options), **FOUR)


@pytest.mark.parametrize("name", ["entropy", "reader", "self-perception"])
@pytest.mark.parametrize("settings", [{"feedback": ("retry",)}, {"iterations": 1}])
def test_a_run_without_feedback_is_refused(tmp_path, name, settings):
    run(tmp_path, limit=2, **settings)
    with pytest.raises(UsageError, match=f"'{name}' has nothing to ask"):
        prepare_probe(tmp_path, name, ProbeOptions(), **FOUR)


ROW = '{{"question": "Calculate the following question: 12345 * {b}.", "answer": {product}}}\n'


def test_data_that_are_gone_or_changed_are_named(tmp_path):
    data = tmp_path / "data.jsonl"
    lines = [ROW.format(b=b, product=12345 * b) for b in range(20001, 20009)]
    data.write_text("".join(lines))
    run(tmp_path / "run", data=data)
    prepare_probe(tmp_path / "run", "in-domain", ProbeOptions(), **FOUR)
    data.write_text("".join(lines[1:]))
    with pytest.raises(UsageError, match="are no longer those that it was run with"):
        prepare_probe(tmp_path / "run", "in-domain", ProbeOptions(), **FOUR)
    data.unlink()
    with pytest.raises(UsageError, match="cannot ask more about"):
        prepare_probe(tmp_path / "run", "in-domain", ProbeOptions(), **FOUR)


def test_no_run_and_a_run_of_another_kind_are_refused(tmp_path):
    with pytest.raises(UsageError, match="is not a run directory"):
        prepare_probe(tmp_path, "entropy", ProbeOptions(), **FOUR)
    (tmp_path / "run.json").write_text('{"schema": 2, "config": {"kind": "oracle"}}')
    Journal(tmp_path).close()
    with pytest.raises(UsageError, match="holds no trials"):
        prepare_probe(tmp_path, "entropy", ProbeOptions(), **FOUR)
