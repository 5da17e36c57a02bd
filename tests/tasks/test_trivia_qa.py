"""TriviaQA: which aliases count."""

from __future__ import annotations

from feedback_friction.tasks.trivia_qa import PAGE, to_problem


def row(value: str, aliases: list[str], normalized: list[str]) -> dict[str, object]:
    answer = {"value": value, "aliases": aliases, "normalized_aliases": normalized}
    return {"question_id": "own", "question": "Which vitamin is it?", "answer": answer}


def test_aliases_are_told_apart_and_do_not_repeat_gold():
    problem = to_problem(row("Mars", ["Mars", "Planet Mars", "Planet Mars", " "], ["mars"]))
    assert (problem.gold, problem.aliases) == ("Mars", ("Planet Mars",))


def test_a_normalised_alias_that_the_aliases_lack_counts():
    problem = to_problem(row("Mars", ["Mars"], ["mars", "red planet"]))
    assert problem.aliases == ("red planet",)


def test_the_data_sets_own_normalisation_does_not_accept_half_a_name():
    problem = to_problem(row("Vitamin A", ["Vitamin A"], ["vitamin"]))
    assert not PAGE.task.grade(problem, "vitamin K").is_correct
    assert PAGE.task.grade(problem, "vitamin a").is_correct


def test_an_answer_object_in_a_csv_cell_is_read():
    text = '{"value": "Mars", "aliases": ["Mars"]}'
    assert to_problem({"question": "Which planet?", "answer": text}).gold == "Mars"
