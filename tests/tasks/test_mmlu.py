"""MMLU and MMLU-Pro: what is particular about their rows."""

from __future__ import annotations

from feedback_friction.tasks import mmlu, mmlu_pro
from feedback_friction.tasks.fewshot import worked
from task_rows import ROWS


def test_the_subject_may_be_called_type():
    row = dict(ROWS["mmlu"][0])
    subject = row.pop("subject")
    assert mmlu.to_problem({**row, "type": subject}) == mmlu.to_problem({**row, "subject": subject})


def test_the_id_is_a_hash_of_the_contents():
    row = ROWS["mmlu"][0]
    other = {**row, "choices": [*reversed(row["choices"])]}
    assert mmlu.to_problem(row).id != mmlu.to_problem(other).id
    assert mmlu.to_problem(row).id == mmlu.to_problem({**row, "answer": 0}).id


def test_cells_of_a_csv_file_are_read():
    row = {**ROWS["mmlu"][0], "choices": '["a", "b", "c", "d"]', "answer": "2"}
    problem = mmlu.to_problem(row)
    assert (problem.choices, problem.gold) == (("a", "b", "c", "d"), "C")


def test_an_example_shows_the_worked_answer_where_there_is_one():
    task = mmlu_pro.PAGE.task
    full, bare = (mmlu_pro.to_problem(row) for row in ROWS["mmlu_pro"][:2])
    assert worked(task, full).startswith("Let's think step by step. Charge is current")
    assert worked(task, full).endswith("The answer is (C).")
    assert worked(task, bare) == "The answer is (J)."
    for problem in (full, bare):
        assert task.grade(problem, worked(task, problem)).is_correct
