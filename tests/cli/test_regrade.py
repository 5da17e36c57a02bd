"""Verbs that judge a finished run anew: what they find, what they keep, and how a run goes on."""

import json
import shutil
import sqlite3
from contextlib import closing

import pytest
from click.testing import CliRunner

from feedback_friction.cli.main import friction as group

RUN = (
    "decimal_multiplication", "--solver", "student/ability=0.3,blurt=1", "--limit", "8",
    "--feedback", "strong", "--feedback", "placebo", "--feedback-model", "student/blurt=1",
    "--iterations", "3", "--quiet",
)  # fmt: skip
STRONG = "decimal_multiplication | student/ability=0.3,blurt=1 | strong | greedy"
PLACEBO = STRONG.replace("strong", "placebo")
ATTEMPTS = "SELECT * FROM attempts ORDER BY condition, problem_id, epoch, iteration"
TRIALS = (
    "SELECT condition, problem_id, epoch, status, reason, attempts FROM trials ORDER BY 1, 2, 3"
)


def friction(*arguments, code=0):
    done = CliRunner().invoke(group, [str(each) for each in arguments])
    if code:
        assert done.exception is not None, done.output
        return str(done.exception)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    directory = tmp_path_factory.mktemp("regrade") / "run"
    friction("run", *RUN, "--out", directory)
    return directory


@pytest.fixture
def run(made, tmp_path):
    return shutil.copytree(made, tmp_path / "run")


def rows(directory, query, *values):
    with closing(sqlite3.connect(directory / "journal.sqlite")) as db:
        return db.execute(query, values).fetchall()


def change(directory, *statements):
    with closing(sqlite3.connect(directory / "journal.sqlite")) as db, db:
        for statement, values in statements:
            db.execute(statement, values)


def long_trial(directory, condition=STRONG):
    """The id of a problem whose trial has three attempts."""
    found = rows(
        directory, "SELECT problem_id FROM trials WHERE condition = ? AND attempts = 3", condition
    )
    return found[0][0]


def end_early(directory, problem, verdict="correct", status="solved"):
    """As a program that judged the first attempt otherwise would have left the trial."""
    where = (STRONG, problem)
    change(
        directory,
        ("DELETE FROM attempts WHERE condition = ? AND problem_id = ? AND iteration > 0", where),
        (
            "UPDATE attempts SET verdict = ?, is_correct = ?, feedback = NULL, feedback_raw = NULL,"
            " masked_spans = 0, leaks = '[]' WHERE condition = ? AND problem_id = ?",
            (verdict, verdict == "correct", *where),
        ),
        (
            "UPDATE trials SET status = ?, attempts = 1 WHERE condition = ? AND problem_id = ?",
            (status, *where),
        ),
    )


def test_a_run_of_this_program_keeps_all_its_verdicts_and_masks(run):
    before = rows(run, ATTEMPTS), rows(run, TRIALS)
    assert json.loads(friction("regrade", run, "--json", "--accept")) == []
    assert json.loads(friction("remask", run, "--json", "--accept")) == []
    assert (rows(run, ATTEMPTS), rows(run, TRIALS)) == before
    assert json.loads(friction("results", run, "--json"))["judged_anew"]["regrades"] == 0


@pytest.mark.parametrize(("verdict", "status"), [("correct", "solved"), ("undecided", "undecided")])
def test_a_trial_that_should_have_gone_on_does_so_when_resumed(made, run, verdict, status):
    problem = long_trial(run)
    end_early(run, problem, verdict, status)
    shown = json.loads(friction("regrade", run, "--json"))
    assert [(row["problem_id"], row["before"], row["after"]) for row in shown] == [
        (problem, verdict, "wrong")
    ]
    assert shown[0]["marked"]
    assert rows(run, "SELECT count(*) FROM layers") == [(0,)]
    friction("regrade", run, "--accept")
    assert rows(run, "SELECT status FROM trials WHERE status = 'failed'") == [("failed",)]
    marked = "SELECT problem_id FROM marked WHERE condition = ?"
    assert rows(run, marked, STRONG) == [(problem,)]
    assert json.loads(friction("results", run, "--json"))["judged_anew"]["marked"] >= 1
    assert f"judged before: {verdict}" in friction("show", run, problem)
    calls = rows(run, "SELECT count(*) FROM completions")
    friction("run", *RUN, "--out", run)
    assert rows(run, "SELECT count(*) FROM completions") == calls
    assert rows(run, TRIALS) == rows(made, TRIALS)
    assert rows(run, marked, STRONG) == []


def test_a_person_overrules_a_verdict_and_results_say_so(run):
    problem = long_trial(run)
    mine = ("--overrule", "correct", "--problem", problem, "--reason", "it is there, in words")
    before = rows(run, ATTEMPTS)
    assert "nothing is written" in CliRunner().invoke(group, ["regrade", str(run), *mine]).output
    assert rows(run, ATTEMPTS) == before
    friction("regrade", run, *mine, "--accept")
    where = "problem_id = ? AND iteration = 0"
    assert set(rows(run, f"SELECT verdict, rule FROM attempts WHERE {where}", problem)) == {
        ("correct", "overruled")
    }
    assert set(rows(run, "SELECT status, attempts FROM trials WHERE problem_id = ?", problem)) == {
        ("solved", 1)
    }
    assert rows(run, "SELECT reason, verdict FROM overruled") == [
        ("it is there, in words", "correct")
    ]
    said = json.loads(friction("results", run, "--json"))["judged_anew"]
    assert said["overruled"] == 2  # both conditions share the first attempt
    assert "OVERRULED: 2 verdicts" in friction("results", run)
    kept = rows(run, "SELECT was FROM replaced WHERE iteration = 2 AND problem_id = ?", problem)
    assert json.loads(kept[0][0])["verdict"] in ("wrong", "correct", "no-answer")
    assert json.loads(friction("regrade", run, "--json")) == []


def test_a_run_that_is_resumed_keeps_to_a_persons_verdict(run):
    problem = long_trial(run)
    mine = ("--overrule", "correct", "--problem", problem, "--reason", "r", "--accept")
    friction("regrade", run, *mine)
    change(run, ("UPDATE trials SET status = 'failed' WHERE problem_id = ?", (problem,)))
    friction("run", *RUN, "--out", run)
    assert set(rows(run, "SELECT status, attempts FROM trials WHERE problem_id = ?", problem)) == {
        ("solved", 1)
    }


def test_placebo_trials_are_marked_where_a_donor_would_be_another(run):
    donor, problem = rows(
        run,
        "SELECT feedback_donor, problem_id FROM attempts WHERE condition = ? AND iteration = 0"
        " AND feedback_donor IS NOT NULL",
        PLACEBO,
    )[0]
    assert donor != problem
    mine = ("--overrule", "correct", "--problem", donor, "--reason", "r", "--accept")
    friction("regrade", run, *mine)
    marked = rows(run, "SELECT problem_id FROM marked WHERE condition = ?", PLACEBO)
    assert {(donor,), (problem,)} <= set(marked)


def test_feedback_that_was_shown_unmasked_counts_as_a_leak_once_the_mask_knows(run):
    where = "condition = ? AND feedback LIKE '%[masked]%' AND feedback_donor IS NULL"
    problem, iteration, raw, shown = rows(
        run,
        f"SELECT problem_id, iteration, feedback_raw, feedback FROM attempts WHERE {where}",
        STRONG,
    )[0]
    change(
        run,
        (
            "UPDATE attempts SET feedback = feedback_raw WHERE condition = ? AND problem_id = ?"
            " AND iteration = ?",
            (STRONG, problem, iteration),
        ),
    )
    (found,) = json.loads(friction("remask", run, "--json"))
    assert (found["shown"], found["masked"], found["marked"]) == (raw, shown, True)
    assert found["leaks_after"]
    friction("remask", run, "--accept")
    place = "condition = ? AND problem_id = ? AND iteration = ?"
    attempt = f"SELECT feedback, leaks FROM attempts WHERE {place}"
    (text, leaks), *_ = rows(run, attempt, STRONG, problem, iteration)
    assert text == raw  # what the solver was shown stays
    assert json.loads(leaks) == found["leaks_after"]
    assert rows(run, "SELECT feedback FROM remasked") == [(shown,)]
    assert json.loads(friction("results", run, "--json"))["judged_anew"]["remasks"] == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--overrule", "correct"], "needs --problem and --reason"),
        (["--reason", "r"], "need --overrule"),
        (["--overrule", "wrong", "--problem", "1x1", "--reason", "r"], "no ended trial of '1x1'"),
        (
            ["--overrule", "wrong", "--problem", "1x1", "--reason", "r", "--condition", "c"],
            "no condition 'c'",
        ),
    ],
)
def test_what_nobody_can_overrule_is_refused(run, arguments, says):
    assert says in friction("regrade", run, *arguments, code=2)


def test_runs_of_earlier_versions_are_judged_anew_too(run):
    tables = ("layers", "replaced", "marked", "remasked", "overruled")
    change(run, *((f"DROP TABLE {name}", ()) for name in tables), ("PRAGMA user_version = 2", ()))
    assert json.loads(friction("results", run, "--json"))["judged_anew"]["overruled"] == 0
    problem = long_trial(run)
    end_early(run, problem)
    friction("regrade", run, "--accept")
    assert rows(run, "SELECT kind FROM layers") == [("regrade",)]


def test_a_challenged_trial_keeps_what_came_after_a_right_answer(tmp_path):
    run = tmp_path / "challenged"
    friction(
        "run", "decimal_multiplication", "--solver", "student/ability=0.6,obey.denial=0.5",
        "--limit", "8", "--feedback", "denial", "--rounds", "2", "--quiet", "--out", run,
    )  # fmt: skip
    (problem,) = rows(run, "SELECT problem_id FROM trials WHERE status = 'unsolved' LIMIT 1")[0]
    condition = rows(run, "SELECT condition FROM conditions")[0][0]
    before = rows(run, "SELECT count(*) FROM attempts")
    change(run, ("UPDATE attempts SET verdict = 'correct', is_correct = 1, rule = 'by hand'"
                 " WHERE problem_id = ? AND iteration = 0", (problem,)),
           ("UPDATE trials SET status = 'solved' WHERE problem_id = ?", (problem,)))  # fmt: skip
    friction("regrade", run, "--accept")
    assert rows(run, "SELECT count(*) FROM attempts") == before
    status = "SELECT status, attempts FROM trials WHERE condition = ? AND problem_id = ?"
    assert rows(run, status, condition, problem) == [("unsolved", 3)]
    told = "SELECT count(*) FROM attempts WHERE feedback IS NULL AND iteration < 2"
    assert rows(run, told) == [(0,)]
