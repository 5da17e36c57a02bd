"""Few-shot examples: fixed by seed, of the same subject, and never what is asked."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from feedback_friction.errors import DataError, UsageError
from feedback_friction.settings import Selection
from feedback_friction.tasks.catalog import PAGES, get_page
from feedback_friction.tasks.fewshot import with_examples
from feedback_friction.tasks.page import Page, Row
from task_rows import ROWS

FEW_SHOT = {"trivia_qa", "pop_qa", "mmlu", "mmlu_pro"}


def rows(count: int, subjects: tuple[str, ...] = ("physics", "law")) -> list[Row]:
    row = ROWS["mmlu"][0]
    return [
        {**row, "question": f"Question {n}?", "subject": subjects[n % len(subjects)]}
        for n in range(count)
    ]


def page(pool: list[Row]) -> Page:
    mmlu = get_page("mmlu")
    assert mmlu.examples is not None
    return replace(mmlu, examples=replace(mmlu.examples, rows=lambda selection: pool))


def questions(task, problem) -> list[str]:
    messages = task.examples(problem)
    assert [message.role for message in messages] == ["user", "assistant"] * (len(messages) // 2)
    return [message.content.split("\n")[0] for message in messages[::2]]


def test_the_tasks_that_the_paper_asks_few_shot_have_examples_and_so_has_our_own():
    having = {name for name in PAGES if get_page(name).examples is not None}
    assert having == FEW_SHOT | {"primer"}


def test_five_examples_of_the_same_subject_precede_a_question():
    mmlu = page(rows(40))
    asked = [mmlu.to_problem(row) for row in rows(42)[40:]]
    task, note = with_examples(mmlu, Selection(), asked)
    assert note.startswith("mmlu: 5 examples from cais/mmlu, all, dev")
    for problem, others in zip(asked, (range(0, 40, 2), range(1, 40, 2)), strict=True):
        shown = questions(task, problem)
        assert len(set(shown)) == 5
        assert set(shown) <= {f"Question {n}?" for n in others}
        assert task.examples(problem)[1].content == "The answer is (B)."


def test_examples_are_fixed_by_seed_and_not_by_the_order_of_rows():
    pool = rows(40)
    asked = page(pool).to_problem(rows(42)[41])

    def shown(pool: list[Row], seed: int) -> list[str]:
        return questions(with_examples(page(pool), Selection(seed=seed), [asked])[0], asked)

    assert shown(pool, 0) == shown(pool, 0)
    assert set(shown(pool[::-1], 0)) == set(shown(pool, 0))
    assert shown(pool, 0) != shown(pool, 1)


def test_what_is_asked_is_never_an_example():
    pool = rows(40)
    asked = [page(pool).to_problem(row) for row in pool[:36]]
    task, _ = with_examples(page(pool), Selection(), asked)
    assert questions(task, asked[0]) == ["Question 36?", "Question 38?"]


def test_the_same_question_under_another_id_is_no_example():
    pool = rows(12, ("physics",))
    asked = replace(page(pool).to_problem(pool[3]), id="elsewhere")
    task, _ = with_examples(page(pool), Selection(), [asked])
    assert "Question 3?" not in questions(task, asked)


def test_when_everything_is_asked_there_are_no_examples_left():
    pool = rows(4)
    asked = [page(pool).to_problem(row) for row in pool]
    with pytest.raises(UsageError, match="no examples for mmlu"):
        with_examples(page(pool), Selection(), asked)


def test_a_subject_without_examples_is_asked_without():
    mmlu = page(rows(10, ("physics",)))
    asked = mmlu.to_problem(rows(1, ("virology",))[0])
    assert with_examples(mmlu, Selection(), [asked])[0].examples(asked) == ()


def test_the_note_says_for_how_many_problems_there_are_fewer_examples():
    mmlu = page(rows(40, ("physics",)))
    asked = [mmlu.to_problem(row) for row in rows(46)[40:]]
    _, note = with_examples(mmlu, Selection(), asked)
    assert note.endswith(", fewer for 3 of 6 problems")
    _, note = with_examples(mmlu, Selection(), asked[::2])
    assert "fewer" not in note


def test_with_a_data_file_the_task_is_asked_zero_shot_and_a_note_says_so(tmp_path):
    for name in FEW_SHOT:
        task, note = with_examples(get_page(name), Selection(data=tmp_path / "rows.jsonl"), [])
        assert task is get_page(name).task
        assert "zero-shot" in note
        assert "--examples FILE" in note


def test_examples_may_come_from_a_file(tmp_path):
    path = tmp_path / "dev.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows(10, ("physics",))))
    mmlu = get_page("mmlu")
    asked = mmlu.to_problem(rows(11, ("physics",))[10])
    selection = Selection(data=tmp_path / "rows.jsonl", examples=path)
    task, note = with_examples(mmlu, selection, [asked])
    assert len(questions(task, asked)) == 5
    assert note == f"mmlu: 5 examples from {path}"


def test_a_wrong_row_in_a_file_of_examples_is_named(tmp_path):
    path = tmp_path / "dev.jsonl"
    path.write_text(json.dumps({**rows(1)[0], "answer": 9}) + "\n")
    selection = Selection(data=tmp_path / "rows.jsonl", examples=path)
    with pytest.raises(DataError, match=r"dev\.jsonl:1: field 'answer'"):
        with_examples(get_page("mmlu"), selection, [])


def test_a_task_that_is_asked_zero_shot_takes_no_examples(tmp_path):
    page = get_page("gpqa")
    assert with_examples(page, Selection(), []) == (page.task, "")
    with pytest.raises(UsageError, match="takes no --examples"):
        with_examples(page, Selection(examples=tmp_path / "dev.jsonl"), [])
