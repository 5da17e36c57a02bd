"""MMLU and MMLU-Pro: what is particular about their rows."""

from __future__ import annotations

from feedback_friction.tasks import mmlu, mmlu_pro


def test_the_subject_may_be_called_type():
    row = dict(mmlu.PAGE.fixture[0])
    subject = row.pop("subject")
    assert mmlu.to_problem({**row, "type": subject}) == mmlu.to_problem({**row, "subject": subject})


def test_the_id_is_a_hash_of_the_contents():
    row = mmlu.PAGE.fixture[0]
    other = {**row, "choices": [*reversed(row["choices"])]}
    assert mmlu.to_problem(row).id != mmlu.to_problem(other).id
    assert mmlu.to_problem(row).id == mmlu.to_problem({**row, "answer": 0}).id


def test_cells_of_a_csv_file_are_read():
    row = {**mmlu.PAGE.fixture[0], "choices": '["a", "b", "c", "d"]', "answer": "2"}
    problem = mmlu.to_problem(row)
    assert (problem.choices, problem.gold) == (("a", "b", "c", "d"), "C")


def test_an_example_shows_the_worked_answer_where_there_is_one():
    worked, bare = (mmlu_pro.to_problem(row) for row in mmlu_pro.PAGE.fixture[:2])
    assert mmlu_pro.answer(worked).startswith("Let's think step by step. Charge is current")
    assert mmlu_pro.answer(worked).endswith("The answer is (C).")
    assert mmlu_pro.answer(bare) == "The answer is (J)."
    for problem in (worked, bare):
        assert mmlu_pro.PAGE.task.grade(problem, mmlu_pro.answer(problem)).is_correct
