"""Replies from elsewhere: what goes wrong with one of them is its own trial's failure."""

import json
from dataclasses import replace

import pytest

from feedback_friction.analysis.journal import open_journal
from feedback_friction.bridges.replies import import_replies, read_replies
from feedback_friction.errors import DataError
from feedback_friction.grading.verdict import Verdict
from feedback_friction.settings import Selection
from feedback_friction.tasks.catalog import get_page, load_problems

PAGE = get_page("decimal_multiplication")
PROBLEMS = load_problems(PAGE, Selection(limit=3))


def replies(directory):
    said = [f"It is \\boxed{{{each.gold}}}." for each in PROBLEMS]
    rows = [
        {"id": each.id, "model": "m", "response": text}
        for each, text in zip(PROBLEMS, said, strict=True)
    ]
    file = directory / "replies.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    return read_replies(file, PROBLEMS)


def adopted(directory, grade):
    page = replace(PAGE, task=replace(PAGE.task, grade=grade))
    settled = import_replies(page, PROBLEMS, replies(directory), directory / "run", ["friction"])
    with open_journal(directory / "run") as db:
        rows = db.execute("SELECT status, count(*) FROM trials GROUP BY status").fetchall()
    return settled, dict(map(tuple, rows))


@pytest.mark.parametrize("fault", [ValueError("no"), StopIteration(), SystemExit(3)], ids=repr)
def test_a_reply_that_breaks_the_grader_fails_alone_and_is_graded_by_the_next_try(tmp_path, fault):
    def grade(problem, text):
        if problem.id == PROBLEMS[1].id:
            raise fault
        return PAGE.task.grade(problem, text)

    settled, statuses = adopted(tmp_path, grade)
    assert (settled, statuses) == (False, {"solved": 2, "failed": 1})
    assert type(fault).__name__ in (tmp_path / "run" / "errors.log").read_text()
    settled, statuses = adopted(tmp_path, PAGE.task.grade)
    assert (settled, statuses) == (True, {"solved": 3})


def test_a_comparison_that_ran_out_of_time_is_no_verdict(tmp_path):
    settled, statuses = adopted(tmp_path, lambda problem, text: Verdict.of(None, "5", "timeout"))
    assert (settled, statuses) == (False, {"undecided": 3})


def test_a_row_without_an_id_names_its_problem_by_the_question(tmp_path):
    file = tmp_path / "replies.jsonl"
    said = [{"question": f" {each.question}\n", "model": "m", "response": "r"} for each in PROBLEMS]
    file.write_text("\n".join(map(json.dumps, said)))
    assert {name for name, _ in read_replies(file, PROBLEMS)["m"]} == {p.id for p in PROBLEMS}
    twins = [replace(each, question="The same?") for each in PROBLEMS]
    file.write_text(json.dumps({"question": "The same?", "model": "m", "response": "r"}))
    with pytest.raises(DataError, match="names no problem"):
        read_replies(file, twins)
