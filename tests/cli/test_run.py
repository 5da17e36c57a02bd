"""``friction run`` as a user meets it: with the simulated student, from options to a table."""

import json
import shlex
import sqlite3
from pathlib import Path

import pytest

from commands import friction
from feedback_friction.settings import Selection
from feedback_friction.tasks.catalog import get_page, load_problems
from feedback_friction.ways import HISTORIES
from task_rows import ROWS

STUDENT = ("--solver", "student/default", "--limit", "12", "--quiet")


def run_json(*arguments, **more):
    return json.loads(friction("run", *arguments, "--json", **more).stdout)


@pytest.mark.slow
def test_a_grid_of_conditions_gives_one_result_each_with_intervals(tmp_path):
    results = run_json(
        "decimal_multiplication", "hex_multiplication", *STUDENT,
        "--feedback", "binary", "--feedback", "tutor", "--feedback", "retry",
        "--sampling", "greedy", "--sampling", "heat+reject", "--out", tmp_path / "run",
    )["conditions"]  # fmt: skip
    assert len(results) == 2 * 3 * 2
    for result in results:
        assert (result["n"], result["missing"], result["simulated"]) == (12, 0, True)
        assert len(result["accuracy"]) == len(result["ci_low"]) == len(result["ci_high"]) == 10
        assert result["accuracy"] == sorted(result["accuracy"])
        for low, share, high in zip(
            result["ci_low"], result["accuracy"], result["ci_high"], strict=True
        ):
            assert 0 <= low <= share <= high <= 1
    firsts = {(each["task"], each["accuracy"][0]) for each in results}
    assert len(firsts) == 2  # conditions of a task share their first attempts


@pytest.mark.slow
def test_the_same_command_resumes_and_asks_nothing_again(tmp_path):
    arguments = ("decimal_multiplication", *STUDENT, "--feedback", "self", "--out", tmp_path / "r")
    assert run_json(*arguments) == run_json(*arguments)


@pytest.mark.slow
def test_the_same_command_without_out_finds_its_own_directory(tmp_path):
    arguments = ("decimal_multiplication", *STUDENT)
    assert run_json(*arguments, cwd=tmp_path) == run_json(*arguments, cwd=tmp_path)
    assert len(list((tmp_path / "runs").iterdir())) == 1


@pytest.mark.slow
def test_another_command_is_refused_with_the_difference_named(tmp_path):
    friction("run", "decimal_multiplication", *STUDENT, "--out", tmp_path / "r")
    done = friction(
        "run", "decimal_multiplication", *STUDENT, "--iterations", "3", "--out", tmp_path / "r",
        code=2,
    )  # fmt: skip
    assert "iterations was 10, now 3" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("history", HISTORIES)
def test_every_feedback_mode_runs(tmp_path, history):
    modes = ("binary", "self", "process", "strong", "tutor", "retry", "placebo", "placebo:tutor")
    options = [word for mode in modes for word in ("--feedback", mode)]
    results = run_json(
        "hex_multiplication", *STUDENT, *options, "--feedback-model", "student/default",
        "--history", history, "--out", tmp_path / "run",
    )["conditions"]  # fmt: skip
    assert [result["feedback"] for result in results] == list(modes)
    assert all(result["missing"] == 0 for result in results)
    assert all(result["leaks"] == 0 for result in results)


@pytest.mark.slow
def test_histories_make_a_grid_that_a_mode_without_any_does_not_join(tmp_path):
    grid = (
        "decimal_multiplication", *STUDENT, "--feedback", "tutor", "--feedback", "retry",
        "--history", "transcript", "--history", "clean", "--sampling", "heat",
    )  # fmt: skip
    results = run_json(*grid, "--out", tmp_path / "run")["conditions"]
    found = [(each["condition"].split(" | ")[2:], each["history"]) for each in results]
    assert found == [
        (["tutor", "heat", "transcript"], "transcript"),
        (["tutor", "heat", "clean"], "clean"),
        (["retry", "heat"], "transcript"),
    ]
    assert results[0]["accuracy"][0] == results[1]["accuracy"][0]
    lines = [json.loads(line) for line in friction("export", tmp_path / "run").stdout.splitlines()]
    second = {
        line["condition"].rpartition(" | ")[2]: line["question"]
        for line in lines
        if line["iteration"] == 1
    }
    assert "### Attempt 1" in second["transcript"]
    assert "### Attempt" not in second["clean"]
    assert "### Feedback" in second["clean"]
    pairs = json.loads(friction("compare", tmp_path / "run", "--json").stdout)
    names = {row["treatment"] for row in pairs}
    assert names == {"tutor, heat", "tutor, heat, clean"}
    assert " history " in friction("results", tmp_path / "run").stdout
    friction("report", tmp_path / "run", "--out", tmp_path / "report")
    series = (tmp_path / "report" / "figures" / "accuracy.csv").read_text("utf-8")
    assert {"tutor, clean", "tutor", "retry"} <= {*series.replace("\n", ",").split(",")} | {
        row.split('"')[1] for row in series.splitlines() if '"' in row
    }


@pytest.mark.slow
@pytest.mark.parametrize("probe", ["entropy", "self-perception"])
def test_probes_ask_as_the_condition_of_each_history_did(tmp_path, probe):
    histories = [word for name in HISTORIES for word in ("--history", name)]
    run = ("decimal_multiplication", *STUDENT, *histories, "--out", tmp_path / "run")
    named = {each["condition"] for each in run_json(*run)["conditions"]}
    draws = ("--draws", "2") if probe == "entropy" else ()
    friction("probe", tmp_path / "run", probe, *draws, "--quiet")
    with sqlite3.connect(tmp_path / "run" / "journal.sqlite") as db:
        asked = {row[0] for row in db.execute("SELECT DISTINCT condition FROM probes")}
    assert asked == named
    assert {name.rpartition(" | ")[2] for name in asked} == {*HISTORIES}


@pytest.mark.slow
def test_a_run_of_one_history_is_kept_as_it_always_was(tmp_path):
    arguments = ("decimal_multiplication", *STUDENT, "--history", "chat", "--out", tmp_path / "run")
    (condition,) = run_json(*arguments)["conditions"]
    assert condition["condition"].endswith("| binary | greedy")
    assert json.loads((tmp_path / "run" / "run.json").read_text())["config"]["history"] == "chat"
    assert run_json(*arguments)["conditions"] == [condition]


def hinted(path, *hints):
    rows = [
        {"question": f"What is {n} + {n}?", "answer": 2 * n, "id": f"q{n}", "hints": found}
        for n, found in enumerate(hints, 11)
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


@pytest.mark.slow
def test_hints_are_given_in_their_order_and_the_last_one_stays(tmp_path):
    data = hinted(tmp_path / "data.jsonl", ["Add.", "Double."], ["Try 24, no.", "Count."])
    friction(
        "run", "custom", "--data", data, "--solver", "student/ability=0,uptake.hint=0", "--quiet",
        "--feedback", "hint", "--feedback", "hint:2", "--feedback", "placebo:hint",
        "--iterations", "4", "--out", tmp_path / "run",
    )  # fmt: skip
    told = {}
    for line in friction("export", tmp_path / "run").stdout.splitlines():
        row = json.loads(line)
        told.setdefault((row["condition"].split(" | ")[2], row["problem_id"]), []).append(
            row["feedback"]
        )
    assert told["hint", "q11"] == ["Add.", "Double.", "Double.", ""]
    assert told["hint", "q12"][:2] == ["Try [masked], no.", "Count."]
    assert told["hint:2", "q11"] == ["Double.", "Double.", "Double.", ""]
    assert told["placebo:hint", "q12"][0] == "Add."


@pytest.mark.parametrize(
    ("hints", "says"),
    [
        ((["Add."], []), "1 of 2 rows of custom have none, such as 'q12'"),
        ((["Add."], None), "needs rows with a field 'hints'"),
        ((["Add."], "Add."), "field 'hints': must be a list of texts"),
    ],
)
@pytest.mark.parametrize("mode", ["hint", "placebo:hint"])
def test_rows_without_hints_are_refused_in_one_line(tmp_path, hints, says, mode):
    data = hinted(tmp_path / "data.jsonl", *hints)
    words = ("custom", "--data", data, "--solver", "student/default", "--feedback", mode)
    done = friction("run", *words, "--out", tmp_path / "run", code=2)
    assert says in done.stderr
    assert len(done.stderr.splitlines()) <= 2  # a note that a student is none
    assert not (tmp_path / "run").exists()


def test_the_rows_of_every_task_may_have_hints(tmp_path):
    row = {**ROWS["math_500"][0], "hints": ["Look at the units."]}
    data = tmp_path / "data.jsonl"
    data.write_text(json.dumps(row))
    (problem,) = load_problems(get_page("math_500"), Selection(data=data))
    assert problem.hints == ("Look at the units.",)
    friction("validate", "math_500", "--data", data)


def test_the_table_says_that_a_simulation_is_one(tmp_path):
    done = friction("run", "decimal_multiplication", *STUDENT, "--out", tmp_path / "r")
    assert "SIMULATION" in done.stdout
    assert "simulated student" in done.stderr


BAD = json.loads((Path(__file__).parents[1] / "cases" / "bad_commands.json").read_text())


@pytest.mark.slow
@pytest.mark.parametrize("name", BAD)
def test_a_wrong_command_gets_one_line_and_exit_code_2(name, tmp_path):
    command, message = BAD[name]
    done = friction(
        "run", *shlex.split(command), code=2, cwd=tmp_path, OPENAI_API_KEY="", FRICTION_API_KEY=""
    )
    lines = [line for line in done.stderr.splitlines() if not line.startswith("note:")]
    assert len(lines) == 1
    assert message in lines[0]
    assert not list(tmp_path.rglob("journal.sqlite"))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{", "data.jsonl:2: not valid JSON"),
        ("[]", "data.jsonl:2"),
        ('{"answer": 1}', "data.jsonl:2: field 'question'"),
        ('{"question": "Calculate the following question: 12345 * 23456."}', "field 'answer'"),
        (
            '{"question": "Calculate the following question: 12345 * 23456.", "answer": 7}',
            "field 'answer'",
        ),
    ],
)
def test_bad_data_is_named_by_file_line_and_field(tmp_path, row, message):
    good = '{"question": "Calculate the following question: 12345 * 10000.", "answer": 123450000}'
    (tmp_path / "data.jsonl").write_text(f"{good}\n{row}\n")
    done = friction(
        "run", "decimal_multiplication", "--solver", "student/default", "--data", "data.jsonl",
        code=2, cwd=tmp_path,
    )  # fmt: skip
    assert message in done.stderr


def test_a_directory_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    done = friction(
        "run", "decimal_multiplication", *STUDENT, "--out", tmp_path / "file" / "run", code=2
    )
    assert "cannot write to the run directory" in done.stderr


def test_the_command_alone_prints_its_help_line_by_line():
    done = friction(code=2)
    assert done.stdout == ""
    assert done.stderr.startswith("Usage: friction")
    assert max(map(len, done.stderr.splitlines())) <= 100


def test_a_budget_in_dollars_needs_the_price_of_a_judge_that_judges(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    data = tmp_path / "mine.jsonl"
    data.write_text('{"question": "2 + 3?", "answer": "5"}\n')
    asked = (
        "run", "custom", "--data", data, "--solver", "student/default", "--feedback", "binary",
        "--judge-model", "openai/nobodys", "--budget-usd", "1", "--out", tmp_path / "run",
    )  # fmt: skip
    refused = friction(*asked, "--grader", "rubric:Is it five?", code=2).stderr
    assert "--budget-usd needs the price of openai/nobodys" in refused
    assert "custom needs no judge: --judge-model changes nothing" in friction(*asked).stderr


def test_what_changes_nothing_for_a_task_is_said(tmp_path):
    data = tmp_path / "mine.jsonl"
    data.write_text(
        '{"question": "2 + 3?", "answer": "5"}\n'
        '{"question": "2 + 4?", "answer": "6", "solution": "4 and 2 are 6."}\n'
    )
    said = friction(
        "run", "custom", "--data", data, "--solver", "student/default", "--feedback", "process",
        "--feedback", "self", "--digits", "4", "--iterations", "2", "--out", tmp_path / "run",
    ).stderr  # fmt: skip
    assert "note: custom is not a multiplication: --digits changes nothing" in said
    assert (
        "note: 1 of 2 problems of custom have no worked solution: there process knows the gold "
        "answer alone\n"
    ) in said
