"""GPQA: the order of the choices belongs to the problem, and nothing quotes a question."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from feedback_friction.errors import DataError
from feedback_friction.settings import Selection
from feedback_friction.tasks.catalog import load_problems
from feedback_friction.tasks.gpqa import CORRECT, INCORRECT, PAGE, to_problem
from task_rows import ROWS


def test_the_order_is_the_same_at_every_load_and_gold_is_the_correct_answer():
    for row in ROWS[PAGE.name]:
        problem = to_problem(row)
        assert problem == to_problem(dict(row))
        assert problem.gold_text == row[CORRECT]
        assert set(problem.choices) == {row[field] for field in (CORRECT, *INCORRECT)}


def test_over_many_problems_gold_stands_everywhere():
    row = ROWS[PAGE.name][0]
    golds = Counter(to_problem({**row, "Record ID": f"r{n}"}).gold for n in range(2000))
    assert set(golds) == set("ABCD")
    assert all(400 < count < 600 for count in golds.values())


def test_rows_without_a_record_id_have_one_by_their_contents():
    rows = [
        {field: value for field, value in row.items() if field != "Record ID"}
        for row in ROWS[PAGE.name]
    ]
    ids = [to_problem(row).id for row in rows]
    assert len(set(ids)) == len(rows)
    assert to_problem({**rows[0], "Explanation": "another"}).id == ids[0]


def test_white_space_around_answers_is_no_hint():
    row = {**ROWS[PAGE.name][0], CORRECT: " the gluon\n"}
    assert "the gluon" in to_problem(row).choices


@pytest.mark.parametrize("field", ["Question", CORRECT, INCORRECT[0]])
def test_an_error_quotes_nothing_of_the_row(tmp_path, field):
    path = tmp_path / "gpqa.jsonl"
    path.write_text(json.dumps({**ROWS[PAGE.name][0], field: ["secret words"]}) + "\n")
    with pytest.raises(DataError) as raised:
        load_problems(PAGE, Selection(data=path))
    message = str(raised.value)
    assert f"gpqa.jsonl:1: field '{field}'" in message
    assert not any(str(value) in message for value in ROWS[PAGE.name][0].values())
    assert "secret" not in message
