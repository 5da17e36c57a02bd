"""Every example runs, and shows what it says it shows."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from blocks import ROOT

pytestmark = pytest.mark.slow

EXAMPLES = ROOT / "examples"


def run(name, *arguments):
    done = subprocess.run(
        [sys.executable, EXAMPLES / name, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    return folder, run("own_task.py", folder)


def test_every_example_is_run_here():
    here = set(re.findall(r'run\("(\w+\.py)"', Path(__file__).read_text("utf-8")))
    assert {path.name for path in EXAMPLES.glob("*.py")} == here


def test_a_run_from_python_prints_its_tables(tmp_path):
    said = run("from_python.py", tmp_path)
    assert re.search(r"student/keen, tutor: \d+%, then \d+%", said)
    assert re.search(r"student/default: tutor adds \+0\.\d+ \[\+0\.\d+, \+0\.\d+\]", said)
    assert "the report: report.html" in said
    assert (tmp_path / "report.html").read_text("utf-8").startswith("<!doctype html>")


def test_objects_of_your_own_run_within_an_event_loop(tmp_path):
    said = run("own_objects.py", tmp_path)
    assert "python/guesser, retry: 0%, 0%, 0%, 0%; missing 0" in said
    assert "python/guesser, high-or-low: 0%, 0%, 100%, 100%; missing 0" in said
    assert "python/echo, high-or-low: 0%, 0%, 0%, 0%; missing 0" in said


def test_a_task_file_is_run_from_the_command_line(tmp_path):
    assert run("task_file.py") == ""
    done = subprocess.run(
        [
            Path(sys.executable).with_name("friction"), "run", "roots",
            "--task-file", EXAMPLES / "task_file.py", "--solver", "python/newton",
            "--feedback", "digits", "--iterations", "6", "--json", "--quiet",
            "--out", tmp_path / "run",
        ],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    [found] = json.loads(done.stdout)["conditions"]
    assert (found["solver"], found["feedback"]) == ("python/newton", "digits")
    assert (found["accuracy"][0], found["accuracy"][-1]) == (0, 1)


@pytest.mark.slow
def test_own_task_checks_its_file_and_prints_each_condition(own):
    folder, said = own
    assert "4 problems checked, 0 failures" in said
    for mode in ("binary", "self"):
        assert re.search(rf"{mode}: \d+% at first, \d+% at the end .* n = 4, missing 0", said)
    assert (folder / "run" / "journal.sqlite").exists()


def test_read_journal_counts_the_answers_that_come_back(own):
    said = run("read_journal.py", own[0] / "run")
    for retries, repeated in re.findall(r": (\d+) of (\d+) retries", said):
        assert int(retries) <= int(repeated)
    assert "custom | student/default" in said


@pytest.mark.slow
def test_drive_a_trial_masks_the_answer_and_solves_at_the_second_attempt():
    said = run("drive_a_trial.py")
    assert "A is wrong" in said
    assert "B is correct" in said
    shown = re.search(r"shown: (.*)", said)[1]
    assert "[masked]" in shown
    assert "neon" not in shown
    assert said.endswith("the trial is solved\n")
