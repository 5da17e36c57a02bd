"""What a reader of a run must be told: the order that an attempt saw, and which grader it was."""

import json
import re
import sqlite3
from contextlib import closing

import pytest

from commands import friction
from feedback_friction.tasks.mmlu import PAGE
from task_rows import ROWS


@pytest.fixture(scope="module")
def shuffled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shuffled")
    data = folder / "mmlu.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in ROWS[PAGE.name]))
    solver = "student/ability=0.05,resistant=1"
    options = ("--shuffle", "--iterations", "4", "--out", folder / "run", "--quiet")
    printed = friction("run", "mmlu", "--data", data, "--solver", solver, *options).stdout
    return folder / "run", printed


def test_show_names_the_order_and_the_gold_letter_that_a_shuffled_attempt_saw(shuffled):
    directory, _ = shuffled
    with closing(sqlite3.connect(directory / "journal.sqlite")) as db:
        found = db.execute(
            "SELECT a.problem_id, a.gold, a.choices FROM attempts a JOIN problems p"
            " USING (problem_id) WHERE a.gold != p.gold ORDER BY a.iteration"
        ).fetchall()
    problem, gold, choices = found[0]
    said = friction("show", directory, problem).stdout
    panels = re.findall(r"─ choices, shuffled ─(.*?)╰", said, re.DOTALL)
    text = " ".join(re.sub(r"[│╮─]", " ", panels[0]).split())
    right = json.loads(choices)["ABCD".index(gold)]
    assert f"({gold}) {right[:20]}" in text
    assert text.endswith(f"gold: {gold}")


def test_show_names_no_order_where_the_attempt_saw_the_problem_s_own(shuffled):
    directory, _ = shuffled
    with closing(sqlite3.connect(directory / "journal.sqlite")) as db:
        [[problem]] = db.execute(
            "SELECT problem_id FROM trials WHERE attempts > 1 ORDER BY rowid LIMIT 1"
        ).fetchall()
        own = db.execute(
            "SELECT count(*) FROM attempts a JOIN problems p USING (problem_id)"
            " WHERE problem_id = ? AND a.choices = p.choices",
            (problem,),
        ).fetchone()[0]
        every = db.execute(
            "SELECT count(*) FROM attempts WHERE problem_id = ?", (problem,)
        ).fetchone()[0]
    said = friction("show", directory, problem).stdout
    assert own >= 1
    assert said.count("choices, shuffled") == every - own


def test_the_printed_results_say_which_grader_it_was(shuffled):
    directory, printed = shuffled
    assert "graders: mmlu: choice" in printed
    assert "graders: mmlu: choice" in friction("results", directory).stdout
