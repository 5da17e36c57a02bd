"""Rows of other people's logs become problems, or are refused by field."""

import pytest

from feedback_friction.tasks.catalog import foreign_problem, get_page
from feedback_friction.tasks.page import RowError

DECIMAL = "Calculate the following question: 77970 * 74153."
CHOICES = ["stone", "apple"]


@pytest.mark.parametrize("gold", [5781709410, "5781709410", "5,781,709,410", " 5781709410 "])
def test_a_gold_number_may_be_written_in_any_form(gold):
    problem = foreign_problem(
        get_page("decimal_multiplication"), {"question": DECIMAL, "gold": gold}
    )
    assert (problem.gold, problem.operands) == ("5781709410", ("77970", "74153"))


@pytest.mark.parametrize(
    ("gold", "letter"), [("B", "B"), ("(b)", "B"), ("apple", "B"), ("stone", "A")]
)
def test_a_gold_choice_is_a_letter_or_its_text(gold, letter):
    row = {"question": "Which is a fruit?", "gold": gold, "choices": CHOICES}
    assert foreign_problem(get_page("mmlu"), row).gold == letter


@pytest.mark.parametrize(
    ("task", "row", "field"),
    [
        ("decimal_multiplication", {"question": DECIMAL, "gold": "abc"}, "gold"),
        ("decimal_multiplication", {"question": "What is love?", "gold": "1"}, "question"),
        ("mmlu", {"question": "Which?", "gold": "B"}, "choices"),
        ("mmlu", {"question": "Which?", "gold": "C", "choices": CHOICES}, "gold"),
        ("mmlu", {"question": "Which?", "gold": "A", "choices": "AB"}, "choices"),
        ("trivia_qa", {"question": "Who?", "gold": ""}, "gold"),
        ("trivia_qa", {"gold": "me"}, "question"),
    ],
)
def test_what_is_wrong_is_named_by_field(task, row, field):
    with pytest.raises(RowError) as refused:
        foreign_problem(get_page(task), row)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"gold": "Paris", "grader": "number"}, "gold"),
        ({"gold": "5", "grader": "choice"}, "choices"),
        ({"gold": "5", "choices": ["5", "6"], "grader": "number"}, "choices"),
        ({"gold": "5", "grader": "oracle"}, "grader"),
    ],
)
def test_a_row_whose_grader_cannot_take_its_answer_is_refused(more, field):
    with pytest.raises(RowError) as refused:
        foreign_problem(get_page("custom"), {"question": "What?", **more})
    assert refused.value.field == field


def test_a_product_that_is_no_whole_number_is_refused():
    row = {"question": "Calculate the following question: 12 * 34.", "gold": "40.8"}
    with pytest.raises(RowError, match="is not a number"):
        foreign_problem(get_page("decimal_multiplication"), row)
