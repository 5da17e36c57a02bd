"""PopQA: answers in a JSON string, five rows set apart, and a judge."""

from __future__ import annotations

import pytest

from feedback_friction.protocol.judge import judge
from feedback_friction.settings import Selection
from feedback_friction.tasks import pop_qa
from feedback_friction.tasks.page import Row
from feedback_friction.tasks.pop_qa import PAGE, to_problem
from task_rows import ROWS


@pytest.fixture
def hub(monkeypatch) -> list[Row]:
    rows: list[Row] = [
        {**ROWS[PAGE.name][0], "id": number, "question": f"Question {number}?"}
        for number in range(200)
    ]
    monkeypatch.setattr(pop_qa, "load_rows", lambda source: rows)
    return rows


def test_possible_answers_are_read_from_json_and_from_a_list():
    row = ROWS[PAGE.name][0]
    assert to_problem(row).aliases == ("computer scientist",)
    listed = {**row, "possible_answers": ["mathematician", "computer scientist"]}
    assert to_problem(listed) == to_problem(row)


def test_popularity_and_relation_are_kept():
    problem = to_problem(ROWS[PAGE.name][1])
    assert (problem.s_pop, problem.o_pop, problem.subject) == (60_000, 300_000, "country")


def test_five_rows_are_set_apart_and_never_asked(hub):
    for seed in (0, 1):
        asked = pop_qa.rows(Selection(seed=seed))
        apart = pop_qa.examples(Selection(seed=seed))
        assert (len(asked), len(apart)) == (195, 5)
        assert not {row["id"] for row in asked} & {row["id"] for row in apart}


def test_which_are_set_apart_depends_on_the_seed_and_not_on_the_order(hub):
    before = pop_qa.examples(Selection(seed=0))
    hub.reverse()
    assert pop_qa.examples(Selection(seed=0)) == before
    assert pop_qa.examples(Selection(seed=1)) != before


def test_a_judge_decides_where_there_is_one_and_an_alias_where_there_is_none():
    assert PAGE.task.judge is judge
    assert PAGE.grader == "alias"
    assert PAGE.task.grade(to_problem(ROWS[PAGE.name][0]), "computer scientist").rule == "alias"
