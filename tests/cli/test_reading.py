"""Verbs that read a run: results, show, export, and what they say of what is no run."""

import json

import pytest
from test_run import STUDENT

import journals
from commands import friction


@pytest.fixture(scope="module")
def run_directory(tmp_path_factory):
    directory = tmp_path_factory.mktemp("run") / "run"
    friction(
        "run", "decimal_multiplication", *STUDENT, "--feedback", "strong", "--feedback", "retry",
        "--feedback-model", "student/blurt=1", "--temperature", "1", "--out", directory,
    )  # fmt: skip
    return directory


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def test_results_are_one_json_object(run_directory):
    results = json.loads(friction("results", run_directory, "--json").stdout)
    assert {each["feedback"] for each in results["conditions"]} == {"strong", "retry"}
    for each in results["conditions"]:
        assert {"task", "solver", "feedback", "sampling", "n", "missing", "usage"} <= each.keys()
    assert results["paid"]["calls"] > 0


def test_results_are_a_table_for_people(run_directory):
    table = friction("results", run_directory).stdout
    for word in ("first %", "missing", "leaks", "retry", "SIMULATION", "95% intervals"):
        assert word in table


def test_export_is_the_reference_format(run_directory):
    rows = lines(friction("export", run_directory, "--to", "jsonl").stdout)
    results = json.loads(friction("results", run_directory, "--json").stdout)["conditions"]
    for row in rows:
        assert {
            "question", "normalized_answer", "normalized_prediction", "full_response", "feedback",
            "response_probs", "is_correct", "iteration",
        } <= row.keys()  # fmt: skip
    for result in results:
        own = [row for row in rows if row["condition"] == result["condition"]]
        firsts = [row["is_correct"] for row in own if row["iteration"] == 0]
        assert sum(firsts) / len(firsts) == result["accuracy"][0]
        solved = {row["problem_id"] for row in own if row["is_correct"]}
        assert len(solved) / 12 == pytest.approx(result["accuracy"][-1])


def test_export_shows_the_whole_interaction_as_the_solver_saw_it(run_directory):
    rows = lines(friction("export", run_directory).stdout)
    later = [row for row in rows if row["iteration"] == 2 and "strong" in row["condition"]]
    assert later
    for row in later:
        assert "### Feedback on attempt 2" in row["question"]
        assert row["normalized_answer"] not in row["question"]
    retries = [row for row in rows if row["iteration"] == 2 and "retry" in row["condition"]]
    assert retries
    assert all("Attempt" not in row["question"] for row in retries)


@pytest.mark.slow
def test_export_to_a_file_writes_it_whole(run_directory, tmp_path):
    friction("export", run_directory, "--out", tmp_path / "log.jsonl")
    assert (tmp_path / "log.jsonl").read_text() == friction("export", run_directory).stdout


def test_show_prints_a_trial_with_its_verdicts_and_masks(run_directory):
    rows = lines(friction("export", run_directory).stdout)
    wrong = next(
        row["problem_id"]
        for row in rows
        if row["verdict"] == "wrong" and "strong" in row["condition"] and row["iteration"] == 0
    )
    shown = friction("show", run_directory, wrong, "--feedback", "strong").stdout
    for word in ("attempt 1", "wrong", "[masked]", "SIMULATION", "gold"):
        assert word in shown


def test_a_trial_in_flight_is_shown_as_such_and_not_exported(tmp_path):
    arms = {"binary": journals.trials(("3", journals.IN_FLIGHT), ("3", journals.RIGHT))}
    journals.write_run(tmp_path / "run", arms)
    assert "not ended: 1 attempt so far" in friction("show", tmp_path / "run", "p0").stdout
    assert "solved after 2 attempts" in friction("show", tmp_path / "run", "p1").stdout
    assert "not run yet" in friction("show", tmp_path / "run", "p2").stdout
    exported = lines(friction("export", tmp_path / "run").stdout)
    assert [row["problem_id"] for row in exported] == ["p1", "p1"]


def test_show_names_some_problems_when_asked_for_one_that_is_not_there(run_directory):
    done = friction("show", run_directory, "nothing", code=2)
    assert "has no problem 'nothing'; it has " in done.stderr


@pytest.mark.parametrize("verb", ["results", "export"])
def test_a_directory_that_is_no_run_is_refused(verb, tmp_path):
    assert "not a run directory" in friction(verb, tmp_path, code=2).stderr


def test_an_unknown_verb_is_refused_with_those_there_are():
    assert "unknown command 'fly'; allowed: run, " in friction("fly", code=2).stderr


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("show RUN 13118x15370 --epoch 9", "there is no epoch 9; allowed: 0 to 0"),
        ("show RUN 13118x15370 --feedback hint", "no condition has --feedback hint; allowed: "),
        ("annotate RUN", "give one with --judge-model"),
        ("doctor --solver student/default", "a simulation: there is no server to check"),
        ("oracle primer --solver student/default --frozen core", "No such option '--frozen'"),
        ("oracle decimal_multiplication --solver student/default --out RUN", "of another kind"),
        ("export RUN --out /nowhere/x.jsonl", "write /nowhere/x.jsonl: No such file or directory"),
        ("mask /nowhere/x.jsonl --task primer", "read /nowhere/x.jsonl: No such file or directory"),
        ("report RUN --out /dev/null", "cannot write the report to /dev/null: File exists"),
    ],
)
def test_a_wrong_command_is_refused_in_one_line(run_directory, command, message):
    words = command.replace("RUN", str(run_directory)).split()
    done = friction(*words, code=2)
    lines = [line for line in done.stderr.splitlines() if not line.startswith("note:")]
    assert len(lines) == 1
    assert message in lines[0]
