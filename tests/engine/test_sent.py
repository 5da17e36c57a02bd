"""Reproduced prompts of a trial are those that were sent: the journal has their digests."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest
from click.testing import CliRunner

from feedback_friction.cli.main import friction
from feedback_friction.engine.passes.reopen import Prompts
from feedback_friction.errors import UsageError
from feedback_friction.ways import SOLVES
from unsolved import make_run

CHOICES = [
    {"question": f"Which one, {n}?", "choices": ["stone", "apple", "cloud", "sea"], "answer": "B"}
    for n in range(3)
]


def every(run):
    """The prompts of every trial of a run, by condition."""
    prompts = Prompts(run)
    with closing(sqlite3.connect(run / "journal.sqlite")) as db:
        trials = db.execute("SELECT DISTINCT condition, problem_id, epoch FROM attempts").fetchall()
    return [(trial, prompts.of(*trial)) for trial in trials]


def attempts(run, role="solver"):
    with closing(sqlite3.connect(run / "journal.sqlite")) as db:
        what = "feedback IS NOT NULL" if role == "feedback" else "1"
        return db.execute(f"SELECT count(*) FROM attempts WHERE {what}").fetchone()[0]


@pytest.mark.parametrize("history", ["transcript", "chat", "foreign", "clean"])
@pytest.mark.parametrize("mode", ["self", "process", "binary", "retry", "placebo"])
def test_every_prompt_is_one_that_was_paid_for(tmp_path, mode, history):
    run = make_run(
        tmp_path / "run", feedback=(mode,), history=(history,), limit=3, iterations=4, epochs=2,
        sampling=("greedy", "heat+reject"), solver="student/ability=0.3,resistant=0.5",
    )  # fmt: skip
    found = every(run)
    sent = [each for _, prompts in found for each in prompts]
    assert [each for each in sent if not each.proved] == []
    solver = [each for each in sent if each.request.role == "solver"]
    assert len(solver) == attempts(run)
    written = [each for each in sent if each.request.role == "feedback"]
    assert len(written) == (attempts(run, "feedback") if mode in ("self", "process") else 0)


def test_every_word_that_a_solver_writes_to_itself_is_one_that_was_paid_for(tmp_path):
    made = {
        "feedback": ("binary", "retry"), "solve": tuple(SOLVES), "limit": 3, "iterations": 3,
        "history": ("transcript", "clean"), "solver": "student/ability=0.3,resistant=0.5",
    }  # fmt: skip
    run = make_run(tmp_path / "run", **made)
    sent = [each for _, prompts in every(run) for each in prompts]
    assert [each for each in sent if not each.proved] == []
    shown = CliRunner().invoke(friction, ["show", str(run), sent[0].request.occasion.problem.id])
    assert "the notes that the solver kept" in shown.stdout
    thoughts = {each.request.occasion.thought for each in sent}
    assert thoughts == {"", "restated", "notes", "check"}
    with closing(sqlite3.connect(run / "journal.sqlite")) as db:
        asked = {row[0] for row in db.execute("SELECT DISTINCT history FROM conditions")}
        paid = db.execute("SELECT count(*) FROM completions").fetchone()
        make_run(run, **made)
        assert db.execute("SELECT count(*) FROM completions").fetchone() == paid
    assert asked == {
        "transcript", "clean", "notes", "notes:blank",
        *(f"{history}+{name}" for history in ("transcript", "clean")
          for name in ("restate", "restate:question", "check", "check:nothing")),
    }  # fmt: skip


def test_the_prompts_of_shuffled_choices_are_those_of_their_attempt(tmp_path):
    data = tmp_path / "q.jsonl"
    data.write_text("\n".join(map(json.dumps, CHOICES)))
    run = make_run(
        tmp_path / "run", tasks=("custom",), data=data, limit=None, feedback=("self",),
        solver="student/ability=0,resistant=1", shuffle=True, binary_hint=True,
    )  # fmt: skip
    assert all(each.proved for _, prompts in every(run) for each in prompts)


def test_a_prompt_that_was_not_sent_is_not_proved(tmp_path):
    run = make_run(tmp_path / "run", limit=6, iterations=3)
    with sqlite3.connect(run / "journal.sqlite") as db:
        db.execute("UPDATE attempts SET feedback = feedback || ' (changed)'")
    db.close()
    by_iteration = {
        (each.iteration, each.request.role): each.proved
        for _, prompts in every(run)
        for each in prompts
    }
    assert by_iteration[0, "solver"]
    assert not by_iteration[1, "solver"]


def test_data_that_changed_are_told_and_no_prompt_is_guessed(tmp_path):
    data = tmp_path / "q.jsonl"
    data.write_text("\n".join(map(json.dumps, CHOICES)))
    run = make_run(tmp_path / "run", tasks=("custom",), data=data, limit=None)
    data.write_text(json.dumps(CHOICES[0]))
    with pytest.raises(UsageError, match="no longer those"):
        Prompts(run)


def test_what_is_not_in_the_run_is_one_line(tmp_path):
    run = make_run(tmp_path / "run", limit=2, iterations=2)
    prompts = Prompts(run)
    ((condition, *_), _), *_ = every(run)
    with pytest.raises(UsageError, match="no condition 'x'"):
        prompts.of("x", "p", 0)
    with pytest.raises(UsageError, match="no problem 'x'"):
        prompts.of(condition, "x", 0)


@pytest.mark.parametrize("mode", ["misled", "delay:1:self", "noisy:0.5:process", "denial@peer"])
def test_the_prompts_of_challenges_and_doses_are_proved_too(tmp_path, mode):
    run = make_run(
        tmp_path / "run", tasks=("primer",), feedback=(mode,), limit=4, iterations=4,
        solver="student/ability=0.4,resistant=0.5,blurt=0",
    )  # fmt: skip
    sent = [each for _, prompts in every(run) for each in prompts]
    assert [each for each in sent if not each.proved] == []
    written = [each for each in sent if each.request.role == "feedback"]
    assert bool(written) == (mode != "denial@peer")
