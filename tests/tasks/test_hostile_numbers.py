"""Numbers of any size and form go through every grader, mask and tutor."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from feedback_friction.grading import worker
from feedback_friction.grading.verdict import Outcome
from feedback_friction.problem import Problem
from feedback_friction.protocol.masking.gate import MASK
from feedback_friction.tasks.catalog import PAGES, get_page
from feedback_friction.tasks.page import Page, RowError
from feedback_friction.tasks.validation import validate
from task_rows import ROWS

TABLE = json.loads(
    (Path(__file__).parents[1] / "cases" / "hostile_numbers.json").read_text("utf-8")
)
LONG = [
    frame.format(each["text"] * each["times"])
    for each in TABLE["repeated"]
    for frame in TABLE["frames"]
]
REPLIES = [*TABLE["replies"], *LONG]
CUSTOM: dict[str, dict[str, object]] = {
    "year": {"answer": "1984", "grader": "text"},
    "band": {"answers": ["The 1975", "1975"], "grader": "text"},
    "decimal": {"answer": "3.5"},
    "grouped": {"answer": "1,234"},
    "grouped decimal": {"answer": "1,234.5"},
    "negative": {"answer": "-1,234.50"},
    "small negative": {"answer": -7},
    "point first": {"answer": ".5", "grader": "number"},
    "integer": {"answer": "8", "grader": "integer"},
    "huge integer": {"answer": "1" + "0" * 150, "grader": "integer"},
    "huge power": {"answer": "2^{100000}", "grader": "expression"},
    "exponent": {"answer": "1e5000", "grader": "expression"},
    "pi": {"answer": "\\pi", "grader": "expression"},
}


def problems() -> Iterator[object]:
    """Each with its replies: every third of them, the next problem of a task the next third."""
    for name in PAGES:
        page = get_page(name)
        for number, row in enumerate(ROWS[page.name]):
            replies = REPLIES[number % 3 :: 3]
            yield pytest.param(page, page.to_problem(row), replies, id=f"{name} {number}")
    custom = get_page("custom")
    for number, (name, row) in enumerate(CUSTOM.items()):
        problem = custom.to_problem({"question": "What?", **row})
        yield pytest.param(custom, problem, REPLIES[number % 3 :: 3], id=name)


@pytest.fixture(scope="module")
def impatient() -> Iterator[None]:
    """What no time would be enough for is given up after a second of CPU, and not after twenty."""
    worker.stop_workers()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worker, "_pool", worker.WorkerPool(cpu_seconds=1.0))
        yield
        worker.stop_workers()
    worker.forget()


@pytest.mark.slow
@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("page", "problem", "replies"), list(problems()))
def test_every_reply_gets_a_verdict_a_masked_text_and_the_tutors_words(
    page: Page, problem: Problem, replies: list[str]
) -> None:
    task = page.task
    for reply in replies:
        verdict = task.grade(problem, reply)
        assert (verdict.prediction is None) == (verdict.outcome is Outcome.NO_ANSWER)
        masked = task.mask(problem, reply)
        assert task.mask(problem, masked.text).text == masked.text
        if task.tutor is not None:
            assert task.tutor(problem, reply)


FORMS = {
    "3.5": ["3.5", "3.50", "**3.5**", "\\boxed{3.5}", "35e-1", "7/2", "３.５"],
    "1,234": ["1234", "1,234", "1 234", "1'234", "1_234", "1234.0"],
    "1,234.5": ["1234.5", "1,234.5", "1'234.5", "1_234.5", "1,234.50", "1.2345e3"],
    "-1,234.50": ["-1234.5", "−1,234.50", "-1'234.5", "-1_234.5", "-1.2345e3", "\\boxed{-1234.5}"],
    "-7": ["-7", "−7", "-07", "-7.0", "minus seven"],
}


@pytest.mark.parametrize(
    ("gold", "form"), [(gold, form) for gold, forms in FORMS.items() for form in forms]
)
def test_a_number_of_any_form_is_masked_in_every_form(gold: str, form: str) -> None:
    page = get_page("custom")
    problem = page.to_problem({"question": "How much is it?", "answer": gold, "grader": "number"})
    masked = page.task.mask(problem, f"You forgot a digit. It should be {form}, as I said.")
    assert masked.text in (
        f"You forgot a digit. It should be {MASK}, as I said.",
        f"You forgot a digit. It should be \\boxed{{{MASK}}}, as I said.",
        f"You forgot a digit. It should be **{MASK}**, as I said.",
    )
    assert masked.leaks == ()


@pytest.mark.parametrize("gold", FORMS)
@pytest.mark.parametrize("other", ["13.5", "3.55", "12345", "1,234,500", "71", "-17", "2 * 8 = 16"])
def test_other_numbers_stay(gold: str, other: str) -> None:
    page = get_page("custom")
    problem = page.to_problem({"question": "How much is it?", "answer": gold, "grader": "number"})
    text = f"You wrote {other} there."
    assert page.task.mask(problem, text).text == text


@pytest.mark.parametrize("name", CUSTOM)
def test_what_validate_calls_fit_is_graded_and_masked(name: str) -> None:
    page = get_page("custom")
    problem = page.to_problem({"question": "What?", **CUSTOM[name]})
    assert validate(page, [problem]).failures == ()


@pytest.mark.parametrize("answer", ["1" * 200, "0." + "3" * 200, "1e999", "1e5000"])
def test_a_number_that_cannot_be_compared_to_its_last_digit_is_refused(answer: str) -> None:
    with pytest.raises(RowError, match="at most 199 digits"):
        get_page("custom").to_problem({"question": "?", "answer": answer, "grader": "number"})


@pytest.mark.parametrize(
    ("gold", "reply", "right"),
    [
        (".5", "5", False),
        (".5", "\\boxed{0.5}", True),
        ("-0", "0", True),
        ("5", "\\boxed{.5}", False),
    ],
)
def test_a_point_before_the_first_digit_and_the_sign_of_zero_are_read(
    gold: str, reply: str, right: bool
) -> None:
    page = get_page("custom")
    problem = page.to_problem({"question": "?", "answer": gold, "grader": "number"})
    assert page.task.grade(problem, reply).is_correct == right
