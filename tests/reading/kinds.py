"""How a row of ``cases/reading_*.json`` is graded and masked: with the page of its task."""

from __future__ import annotations

from typing import Any

from feedback_friction.problem import Problem
from feedback_friction.tasks.catalog import foreign_problem, get_page
from feedback_friction.tasks.custom import to_problem


def problem_of(case: dict[str, Any]) -> Problem:
    """The problem that a case asks."""
    if case["task"] == "custom":
        return to_problem({"question": case["question"], "answer": case["gold"]})
    return foreign_problem(get_page(case["task"]), case)


def graded_as(case: dict[str, Any]) -> str:
    """The verdict on a case's response."""
    return get_page(case["task"]).task.grade(problem_of(case), case["response"]).outcome.value


def masked_text(case: dict[str, Any]) -> str:
    """A case's feedback, masked."""
    return get_page(case["task"]).task.mask(problem_of(case), case["feedback"]).text


def passes_the_mask(case: dict[str, Any]) -> bool:
    """Whether a case's response, given as feedback, is still graded right once masked."""
    masked = masked_text({**case, "feedback": case["response"]})
    return graded_as({**case, "response": masked}) == "correct"
