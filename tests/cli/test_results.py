"""``friction results``: one table over runs and models, in every format."""

import csv
import io
import json
import sqlite3

import pytest
from click.testing import CliRunner

from feedback_friction.cli.results import command
from journals import IN_FLIGHT, NOTHING, RIGHT, trials, write_run

RETRY = trials((RIGHT,), ("a", "a", "a"), ("a", "b", "b"))
BINARY = trials((RIGHT,), ("a", RIGHT), ("a", NOTHING, "a"))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    root = tmp_path_factory.mktemp("runs")
    one = write_run(
        root / "one", {"retry": RETRY, "binary": BINARY}, problems=3, leaks=("x",), iterations=3
    )
    other = write_run(
        root / "other", {"binary": BINARY}, problems=3, solver="openai/a_b", finish_reason="length"
    )
    return one, other


def results(*words, code=0):
    done = CliRunner().invoke(command, [str(word) for word in words], standalone_mode=False)
    assert (done.exit_code == 0) == (code == 0), done.output
    return done.output if not code else str(done.exception)


def test_one_run_shows_what_differs_and_says_the_rest_below(runs):
    text = results(runs[0])
    lines = text.splitlines()
    assert " ".join(lines[lines.index("Accuracy") + 1].split()) == (
        "feedback first % last % n missing last % without leaks no answer % leaks % gain % "
        "repeats % area % tokens"
    )
    assert "0% in every row: cut off" in text
    (same,) = [line for line in text.splitlines() if line.startswith("run: ")]
    assert same == (
        "run: one; task: decimal_multiplication (5 digits); solver: student/default; 3 attempts; "
        "sampling: greedy; history: transcript"
    )


def test_several_runs_stand_in_one_table_under_headings(runs):
    lines = results(*runs).splitlines()
    lines = lines[lines.index("Accuracy") :]
    assert lines.index("one, student/default") < lines.index("other, openai/a_b")
    assert sum(line.startswith("binary ") for line in lines) == 2
    assert "simulated student answered, not a language model (student/default)" in lines[-1]


def test_rows_that_only_their_model_tells_apart_have_no_headings(tmp_path):
    both = [
        write_run(tmp_path / name, {"binary": BINARY}, problems=3, solver=f"openai/{name}")
        for name in ("one", "two")
    ]
    lines = results(*both).splitlines()
    rows = [line for line in lines[lines.index("Accuracy") :] if "openai/" in line]
    assert [row.split()[:2] for row in rows[:2]] == [["one", "openai/one"], ["two", "openai/two"]]
    assert all("[" in row for row in rows[:2])


def test_one_round_of_feedback_against_its_controls_leads(runs):
    lines = results(runs[0]).splitlines()
    assert lines[0] == "After one round of feedback, on the problems missed at first under both"
    (row,) = [line for line in lines[: lines.index("Accuracy")] if line.startswith("binary")]
    assert " ".join(row.split()).startswith("binary retry 50.0 / 0.0 +50.0 [")
    assert row.endswith(" 2")


def test_an_accuracy_that_trials_are_missing_from_has_bounds(tmp_path):
    arm = {("p0", 0): (RIGHT,), ("p1", 0): ("a", "a", "a"), ("p2", 0): "failed"}
    found = results(write_run(tmp_path / "run", {"binary": arm}, problems=3))
    assert "bounds of last %" in found
    assert "bounds: the range of accuracy over all outcomes of the missing trials" in found


def test_health_is_a_share_of_the_replies_and_warned_of_above_a_tenth(runs):
    text = results(*runs)
    (no_answer,) = [line for line in text.splitlines() if "no readable answer" in line]
    assert "one, student/default, binary (17%)" in no_answer
    assert "retry" not in no_answer
    (cut_off,) = [line for line in text.splitlines() if "cut off at the token limit" in line]
    assert "other, openai/a_b, binary (100%)" in cut_off
    (leaks,) = [line for line in text.splitlines() if "gives the answer away" in line]
    assert "one, student/default, binary (100%)" in leaks


def test_what_is_solved_after_a_leak_does_not_count_without_leaks(runs):
    found = {
        each["feedback"]: each for each in json.loads(results(runs[0], "--json"))["conditions"]
    }
    assert found["binary"]["accuracy"][-1] == pytest.approx(2 / 3)  # one after a leak
    assert found["binary"]["without_leaks"]["value"] == pytest.approx(1 / 3)
    assert found["binary"]["without_leaks"]["ci_high"] == 1  # the others may be solved all the same
    assert found["retry"]["without_leaks"]["value"] == found["retry"]["accuracy"][-1]
    assert "a trial counts up to the first feedback in which the audit found" in results(runs[0])


@pytest.mark.parametrize(("retried", "warned"), [(0, False), (1, False), (3, True)])
def test_calls_that_were_tried_again_are_counted_and_warned_of_above_a_tenth(
    tmp_path, retried, warned
):
    run = write_run(tmp_path / "run", {"binary": BINARY}, problems=3)
    with sqlite3.connect(run / "journal.sqlite") as db:
        for number in range(20):
            db.execute(
                "INSERT INTO completions VALUES (?, 't', 'p', 0, 0, 'solver', 'm', 'm', 0, 0, '[]',"
                " 1, 1, 0, 0, 0, 0, '')",
                (bytes([number]),),
            )
        db.executemany("INSERT INTO retried VALUES (?, 2)", [(bytes([n]),) for n in range(retried)])
    text = results(run)
    assert (f"20 calls ({retried} of them, {5 * retried}.0%, tried again)" in text) == (retried > 0)
    assert ("of the calls failed before they succeeded" in text) == warned
    assert json.loads(results(run, "--json"))["paid"]["retried"] == retried


def test_numbers_of_an_unfinished_run_are_provisional(tmp_path):
    run = write_run(tmp_path / "run", {"binary": trials((RIGHT,), ("a", IN_FLIGHT))}, problems=2)
    text = results(run)
    assert "first %, provisional" in text
    assert "last %, provisional" in text
    assert "PROVISIONAL: 1 trials have not ended" in text


def test_csv_has_every_column_and_shares_from_0_to_1(runs):
    rows = list(csv.DictReader(io.StringIO(results(*runs, "--format", "csv"))))
    assert [(row["run"], row["feedback"], row["n"], row["no_answer"]) for row in rows] == [
        ("one", "retry", "3", "0"), ("one", "binary", "3", "1"), ("other", "binary", "3", "1"),
    ]  # fmt: skip
    assert (float(rows[1]["first"]), float(rows[1]["last"])) == pytest.approx((1 / 3, 2 / 3), 1e-4)


def test_markdown_and_latex_hold_the_same_numbers(runs):
    shown = ["33.3", "66.7"]
    marked = results(*runs, "--format", "markdown")
    assert all(number in marked for number in shown)
    assert "| one | student/default | binary | 33.3 \\[" in marked
    set_in = results(*runs, "--format", "latex")
    assert "one & student/default & binary & 33.3 [" in set_in
    assert r"openai/a\_b" in set_in
    assert all(line.startswith("%") for line in set_in[: set_in.index("\\begin")].splitlines())


def test_json_is_one_object_over_all_runs(runs):
    found = json.loads(results(*runs, "--json"))
    assert [row["run"] for row in found["conditions"]] == ["one", "one", "other"]
    alone = json.loads(results(runs[0], "--json"))
    assert alone["conditions"] == found["conditions"][:2]


def test_runs_of_the_same_name_are_told_apart(tmp_path):
    paths = [write_run(tmp_path / name / "run", {"binary": BINARY}, problems=3) for name in "ab"]
    found = json.loads(results(*paths, "--json"))
    assert [row["run"] for row in found["conditions"]] == ["a/run", "b/run"]


def test_json_has_a_format_of_its_own(runs):
    assert "exclude each other" in results(runs[0], "--json", "--format", "csv", code=2)


@pytest.mark.parametrize(("retried", "shown", "warned"), [(0, False, False), (2, True, True)])
def test_retries_stand_beside_each_condition(tmp_path, retried, shown, warned):
    run = write_run(tmp_path / "run", {"retry": RETRY, "binary": BINARY}, problems=3)
    before = json.loads(results(run, "--json"))["conditions"][0]
    assert (before["calls"], before["retries"]) == (None, None)  # the journal does not tell
    with sqlite3.connect(run / "journal.sqlite") as db:
        names = [row[0] for row in db.execute("SELECT condition FROM conditions ORDER BY rowid")]
        rows = [(names[0], "p0", 0, 10, retried), (names[1], "p0", 0, 20, 0)]
        db.executemany("INSERT INTO calls VALUES (?, ?, ?, ?, ?)", rows)
    text = results(run)
    assert ("retries %" in text) == shown
    assert ("those that conditions share count in each" in text) == shown
    assert ("WARNING: many calls failed before they succeeded" in text) == warned
    assert ("'friction doctor'): retry (20%)" in text) == warned
    found = json.loads(results(run, "--json"))["conditions"]
    assert [each["retries"] for each in found] == [retried, 0]
