"""Your own questions: which grader a row gets, and that its prompt, mask and grader agree."""

from __future__ import annotations

import pytest

from feedback_friction.errors import UsageError
from feedback_friction.settings import Selection
from feedback_friction.tasks.custom import PAGE, to_problem


@pytest.mark.parametrize(
    ("answer", "grader"),
    [
        (42, "number"),
        ("42", "number"),
        ("-1,234.5", "number"),
        (2.5, "number"),
        ("\\frac{3}{4}", "expression"),
        ("3/4", "expression"),
        ("x^2 + 1", "expression"),
        ("2x", "expression"),
        ("-x", "expression"),
        ("Reykjavik", "text"),
        ("The 39 Steps", "text"),
        ("AC/DC", "text"),
        ("Spider-Man", "text"),
        ("9 November 1989", "text"),
    ],
)
def test_the_grader_follows_from_the_answer(answer, grader):
    assert to_problem({"question": "What is it?", "answer": answer}).grader == grader


def test_choices_make_a_multiple_choice_question():
    row = {"question": "Which?", "choices": ["one", "two", "three"]}
    for answer in ("B", "(B)", "b", "two"):
        problem = to_problem({**row, "answer": answer})
        assert (problem.grader, problem.gold) == ("choice", "B")


def test_a_letter_that_is_also_an_options_text_means_the_text():
    problem = to_problem({"question": "Which vitamin?", "choices": ["B", "A"], "answer": "A"})
    assert problem.gold == "B"


def test_several_answers_are_each_right():
    task = PAGE.task
    problem = to_problem({"question": "Which?", "answers": ["1/2", "1/3"], "grader": "expression"})
    assert task.grade(problem, "\\boxed{0.5}").is_correct
    assert task.grade(problem, "\\boxed{\\frac13}").is_correct
    assert not task.grade(problem, "\\boxed{\\frac14}").is_correct


@pytest.mark.parametrize(
    ("row", "right", "wrong"),
    [
        ({"answer": "Reykjavik"}, "The answer is Reykjavik.", "The answer is Oslo."),
        ({"answer": 56088}, "\\boxed{56,088}", "\\boxed{56089}"),
        ({"answer": "8", "grader": "integer"}, "\\boxed{08}", "\\boxed{7}"),
        ({"answer": "\\frac{3}{4}"}, "\\boxed{0.75}", "\\boxed{0.7}"),
        ({"answer": "B", "choices": ["x", "y"]}, "The answer is (B).", "The answer is (A)."),
    ],
)
def test_each_row_has_its_own_grader_mask_and_format(row, right, wrong):
    task = PAGE.task
    problem = to_problem({"question": "What is it?", **row})
    assert task.grade(problem, right).is_correct
    assert task.grade(problem, wrong).prediction is not None
    assert not task.grade(problem, wrong).is_correct
    assert not task.grade(problem, task.mask(problem, right).text).is_correct
    assert task.grade(problem, task.state_answer(problem, problem.gold)).is_correct
    wanted = {"text": "The answer is ...", "choice": "The answer is (X)."}
    assert wanted.get(problem.grader or "", "\\boxed{}") in task.ask(problem)


def test_several_numbers_are_each_right_and_all_masked():
    task = PAGE.task
    row = {"question": "How much?", "answers": ["3.5", "1,234", "-7"], "grader": "number"}
    problem = to_problem(row)
    assert {task.grade(problem, f"\\boxed{{{each}}}").prediction for each in ("3.50", "1234")} == {
        "3.5"
    }
    assert task.grade(problem, "\\boxed{1 234}").is_correct
    assert not task.grade(problem, "\\boxed{7}").is_correct
    assert task.mask(problem, "3.5, or 1234, or -7, not 7").text == (
        "[masked], or [masked], or [masked], not 7"
    )


def test_without_a_file_there_are_no_rows():
    with pytest.raises(UsageError, match="--data FILE"):
        PAGE.rows(Selection())
