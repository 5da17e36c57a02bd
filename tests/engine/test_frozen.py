"""Frozen sets: what is kept of a run, that one call an item goes on from it, what is refused."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections import Counter
from contextlib import closing

import pytest

from commands import friction
from feedback_friction.analysis.frames import load_runs
from feedback_friction.analysis.tables.frozen_table import beside_live, frozen
from feedback_friction.engine.passes.reopen import Prompts
from feedback_friction.engine.run.frozen_sets import CORE, packed, read_frozen
from feedback_friction.protocol.frozen import ItemError, from_row, to_row
from unsolved import make_run

STUDENT = "student/ability=0.5,spread=0,resistant=0.2,repeat=0.5"


def rows(run, what):
    with closing(sqlite3.connect(run / "journal.sqlite")) as db:
        return db.execute(what).fetchall()


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    return make_run(
        tmp_path_factory.mktemp("live") / "run", tasks=("decimal_multiplication", "sum_chains"),
        feedback=("tutor", "misled", "retry"), limit=20, iterations=3, rounds=1, solver=STUDENT,
    )  # fmt: skip


@pytest.fixture(scope="module")
def made(live):
    """The set of the live run, and the run of it by the same student."""
    file, run = live.parent / "set.jsonl.gz", live.parent / "frozen"
    done = friction("freeze", live, "--out", file)
    friction("run", "--frozen", file, "--solver", STUDENT, "--out", run, "--quiet")
    return file, run, done.stdout


def test_a_set_holds_every_first_attempt_that_got_feedback(live, made):
    file, _, told = made
    kept = read_frozen(str(file))
    found = rows(live, "SELECT count(*) FROM attempts WHERE iteration = 0 AND feedback NOT NULL")
    assert len(kept.items) == found[0][0]
    assert {item.mode for item in kept.items} == {"tutor", "misled"}
    assert kept.about["licence"] == {"decimal_multiplication": "CC0", "sum_chains": "CC0"}
    assert kept.about["solvers"] == [STUDENT]
    assert f"{len(kept.items)} items" in told


def test_it_asks_one_call_an_item_and_none_when_it_is_run_again(made):
    file, run, _ = made
    [(paid,)] = rows(run, "SELECT count(*) FROM completions")
    assert paid <= len(read_frozen(str(file)).items)  # two conditions may ask the same
    assert {row[0] for row in rows(run, "SELECT attempts FROM trials")} == {2}
    friction("run", "--frozen", file, "--solver", STUDENT, "--out", run, "--quiet")
    assert rows(run, "SELECT count(*) FROM completions") == [(paid,)]
    assert rows(run, "SELECT count(*) FROM completions WHERE role != 'solver'") == [(0,)]


def test_the_same_solver_answers_a_frozen_set_as_it_answered_in_the_loop(live, made):
    second = "SELECT condition, problem_id, response FROM attempts WHERE iteration = 1"
    in_loop = {row[:2]: row[2] for row in rows(live, second)}
    alone = {row[:2]: row[2] for row in rows(made[1], second)}
    assert alone
    assert all(in_loop[key] == text for key, text in alone.items())
    [row] = beside_live(load_runs([live, made[1]])).iter_rows(named=True)
    assert row["kappa"] == 1
    assert row["n"] > 5
    told = friction("causes", live, made[1]).stdout
    assert "run: run; frozen_run: frozen" in told


def test_its_prompts_are_those_that_were_paid_for(made):
    prompts = Prompts(made[1])
    trials = rows(made[1], "SELECT DISTINCT condition, problem_id, epoch FROM attempts")
    sent = [prompts.of(*trial) for trial in trials]
    assert all(len(each) == 1 and each[0].proved for each in sent)


def test_uptake_repetition_and_what_is_kept_are_counted_over_all_tasks(made):
    [row] = frozen(load_runs([made[1]])).iter_rows(named=True)
    wrong = [each for each in read_frozen(str(made[0])).items if each.mode == "tutor"]
    assert row["wrong"] == len(wrong)
    assert 0 <= row["uptake_low"] <= row["uptake"] <= row["uptake_high"] <= 1
    assert 0 <= row["kept_low"] <= row["kept"] <= row["kept_high"] <= 1
    told = friction("causes", made[1], "--json").stdout
    assert json.loads(told)["frozen"][0]["uptake"] == pytest.approx(row["uptake"])


def test_a_part_of_a_set_is_run_by_the_names_of_its_tasks_and_with_other_ways(made, tmp_path):
    run = tmp_path / "run"
    friction(
        "run", "sum_chains", "--frozen", made[0], "--solver", STUDENT, "--out", run, "--quiet",
        "--history", "clean", "--solve", "plain", "--solve", "restate",
    )  # fmt: skip
    asked = set(rows(run, "SELECT DISTINCT task, history FROM conditions"))
    assert asked == {("sum_chains", "clean"), ("sum_chains", "clean+restate")}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--feedback", "tutor"], "brings its own feedback"),
        (["--history", "foreign"], "needs other problems' attempts"),
        (["--sampling", "reject"], "asks once"),
        (["--limit", "3"], "brings its own problems"),
        (["gpqa"], "has no items of these tasks; it has base_conversion"),
    ],
)
def test_what_a_frozen_set_decides_by_itself_cannot_be_asked_for(words, says, tmp_path):
    done = friction(
        "run", *words, "--frozen", CORE, "--solver", STUDENT, "--out", tmp_path / "x", code=2
    )
    assert says in done.stderr


@pytest.mark.parametrize(
    ("contents", "says"),
    [
        (b"", "is not a frozen set"),
        (b"{}\n", "is not a frozen set"),
        (b"[1, 2", "cannot read the frozen set"),
        (b"\x1f\x8b\x00", "cannot read the frozen set"),
        (b'{"format": "friction frozen 1"}\n', "without items"),
        (b'{"format": "friction frozen 1"}\n{"mode": "tutor"}\n', "'problem' must be an object"),
        (b'{"format": "friction frozen 1"}\nnonsense\n', "set.jsonl:2: "),
    ],
)
def test_a_file_that_is_none_is_refused_in_one_line(contents, says, tmp_path):
    file = tmp_path / "set.jsonl"
    file.write_bytes(contents)
    done = friction("run", "--frozen", file, "--solver", STUDENT, code=2)
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_estimate_of_a_frozen_set_is_its_number_of_items():
    done = friction("estimate", "--frozen", CORE, "--solver", STUDENT, "--pilot", 0, code=2)
    assert "one call for each of its 400 items" in done.stderr


GOOD = to_row(read_frozen(CORE).items[0])


@pytest.mark.parametrize(
    "change",
    [
        {"mode": 3},
        {"problem": []},
        {"problem": GOOD["problem"] | {"gold": None}},
        {"problem": GOOD["problem"] | {"choices": "ABC"}},
        {"problem": GOOD["problem"] | {"strange": "x"}},
        {"problem": {key: each for key, each in GOOD["problem"].items() if key != "gold"}},
        {"attempts": []},
        {"attempts": ["x"]},
        {"attempts": [GOOD["attempts"][0] | {"verdict": "maybe"}]},
        {"attempts": [GOOD["attempts"][0] | {"text": None}]},
    ],
)
def test_a_row_with_a_wrong_field_is_no_item(change):
    assert to_row(from_row(GOOD)) == GOOD
    with pytest.raises(ItemError):
        from_row(GOOD | change)


def test_the_shipped_set_is_balanced_and_its_items_are_read_back_as_they_were():
    kept = read_frozen(CORE)
    assert len(kept.items) == 400
    counts = Counter(
        (item.problem.task, item.attempts[0].verdict.is_correct) for item in kept.items
    )
    tasks = {task for task, _ in counts}
    assert len(tasks) == 7
    assert all(counts[task, True] == counts[task, False] >= 20 for task in tasks)
    assert kept.about["licence"] == "CC0"
    about = {name: value for name, value in kept.about.items() if name not in ("format", "items")}
    again = packed(about, kept.items)
    assert [json.loads(line)["mode"] for line in again.splitlines()[1:3]] == ["tutor", "tutor"]
    assert len(gzip.compress(again)) < 60_000


@pytest.mark.slow
def test_the_command_that_made_the_shipped_set_makes_it_again():
    from training.core import items

    kept = read_frozen(CORE).items
    assert [*map(to_row, items())] == [*map(to_row, kept)]
