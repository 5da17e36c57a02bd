"""Expression grading: a table of labelled replies, real data, hostile text, and invariances."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from effort import LINEAR, growth, steps
from feedback_friction.grading import worker
from feedback_friction.grading.expression import MAX_SYMBOLIC, grade_expression
from feedback_friction.grading.verdict import Outcome
from feedback_friction.problem import Problem
from toys import accepts

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "cases" / "expression_grading.json").read_text(encoding="utf-8")
)
GOLDS: list[str] = json.loads(
    (Path(__file__).parents[1] / "cases" / "expression_golds.json").read_text(encoding="utf-8")
)
DATA = os.environ.get("FRICTION_DATA")
needs_data = pytest.mark.skipif(not DATA, reason="FRICTION_DATA is not set")


def problem(gold: str, question: str = "", aliases: tuple[str, ...] = ()) -> Problem:
    return Problem(id="1", task="math_500", question=question, gold=gold, aliases=aliases)


def rows(name: str) -> list[dict[str, Any]]:
    text = Path(str(DATA), name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n") if line]


@pytest.mark.parametrize("case", CASES, ids=[f"{c['gold']}|{c['reply'][-30:]}" for c in CASES])
def test_labelled_replies(case: dict[str, Any]) -> None:
    verdict = grade_expression(problem(case["gold"]), case["reply"])
    assert verdict.outcome == case["outcome"], verdict
    assert (verdict.prediction is None) == (verdict.outcome is Outcome.NO_ANSWER)
    if "prediction" in case:
        assert verdict.prediction == case["prediction"]
    if "rule" in case:
        assert verdict.rule == case["rule"]


def test_equal_answers_share_a_prediction_and_different_ones_do_not() -> None:
    half = [
        "\\frac12",
        "0.5",
        "1/2",
        "\\dfrac{1}{2}",
        ".5",
        "\\frac{2}{4}",
        "x = \\frac{1}{2}",
        "50\\%",
    ]
    wrong = [grade_expression(problem("7"), f"\\boxed{{{text}}}").prediction for text in half]
    assert set(wrong) == {"1/2"}
    others = ["1", "2", "-\\frac12", "\\frac13", "5", "(1,2)", "\\sqrt{2}", "x", "0.51"]
    keys = {grade_expression(problem("7"), f"\\boxed{{{text}}}").prediction for text in others}
    assert len(keys) == len(others)
    assert "1/2" not in keys


def test_where_a_percentage_is_asked_for_the_sign_does_not_matter() -> None:
    asks = problem("30", question="What percent of the students failed?")
    assert grade_expression(asks, "\\boxed{25\\%}").prediction == "25"
    assert grade_expression(asks, "\\boxed{25}").prediction == "25"


def test_aliases_are_as_good_as_gold() -> None:
    accepted = problem("\\frac{1}{2}", aliases=("\\text{half}", "x>3"))
    assert grade_expression(accepted, "\\boxed{\\text{half}}").is_correct
    assert grade_expression(accepted, "\\boxed{(3,\\infty)}").is_correct
    assert not grade_expression(accepted, "\\boxed{\\text{quarter}}").is_correct


@needs_data
def test_real_replies_agree_with_the_other_grader() -> None:
    """All disagreements are one problem, where the other grader lost the "p.m." of "4:30 p.m."."""
    replies = rows("math_responses.jsonl")
    different = [
        reply
        for reply in replies
        if grade_expression(problem(reply["answer"]), reply["response"]).is_correct
        != reply["score"]
    ]
    explained = [
        reply
        for reply in different
        if reply["answer"] == "\\text{4:30 p.m.}"
        and "\\boxed{4:30 \\text{ p.m.}}" in reply["response"]
    ]
    assert len(replies) == 300
    assert different == explained
    assert len(explained) == 5


@needs_data
def test_every_gold_answer_passes_its_own_grader_stated_and_in_its_solution() -> None:
    for row in rows("math_100.jsonl"):
        stated = grade_expression(problem(row["answer"]), f"So \\boxed{{{row['answer']}}}.")
        assert stated.is_correct, row["answer"]
        named = grade_expression(problem(row["answer"]), f"The answer is ${row['answer']}$.")
        assert named.is_correct, row["answer"]
        solved = grade_expression(problem(row["answer"]), row["solution"])
        assert solved.is_correct, row["answer"]
        assert solved.rule == "boxed"


@pytest.mark.parametrize("gold", GOLDS)
def test_gold_answers_of_many_shapes_grade_themselves_and_nothing_else(gold: str) -> None:
    for stated in (
        "\\boxed{%s}",
        "The answer is $%s$.",
        "**Answer:** \\(%s\\)",
        "So it is \\[%s\\]",
    ):
        verdict = grade_expression(problem(gold), stated % gold)
        assert verdict.is_correct, stated
        assert "symbolic" not in verdict.rule
    assert not grade_expression(problem(gold), "\\boxed{\\frac{17}{19}}").is_correct
    assert not grade_expression(problem(gold), "\\boxed{\\text{something else}}").is_correct


# Replies that grow: before, a piece repeated, after, another repeated as often.
GROWING = {
    "nested braces": ("\\boxed{", "{", "5", "}"),
    "nested fractions": ("\\boxed{", "\\frac{1}{", "5", "}"),
    "nested parentheses": ("\\boxed{", "(", "5", ")"),
    "open braces": ("\\boxed{", "{", "", ""),
    "open boxes": ("", "\\boxed{", "", ""),
    "boxes": ("", "\\boxed{6}", "", ""),
    "joined boxes": ("", "\\boxed{6} and ", "", ""),
    "digits": ("", "9", "", ""),
    "boxed digits": ("\\boxed{", "9", "}", ""),
    "phrases": ("", "the answer is ", "", ""),
    "phrases that go nowhere": ("", "the answer is obtained so. ", "", ""),
    "phrases and dollars": ("", "the answer is $", "", ""),
    "answer": ("", "answer ", "", ""),
    "headings": ("", "answer\n", "", ""),
    "spaces": ("The answer is", " ", "5", ""),
    "newlines": ("", "\n", "", ""),
    "stars": ("", "*", "", ""),
    "hashes": ("", "#", "", ""),
    "dollars": ("", "$", "", ""),
    "delimiters": ("", "\\(", "", ""),
    "displays": ("", "$$x$$", "", ""),
    "conclusions": ("", "Therefore ", "", ""),
    "a long number to conclude": ("Thus it is ", "1", "", ""),
    "environments": ("", "\\begin{align}", "\\end{align}", ""),
    "texts": ("\\boxed{", "\\text{a}", "}", ""),
    "units": ("\\boxed{5", " a", "}", ""),
    "bars": ("\\boxed{", "|", "}", ""),
    "signs": ("\\boxed{", "-", "5}", ""),
    "commas": ("\\boxed{", "1,", "}", ""),
}


def grown(kind: str, size: int) -> str:
    before, piece, middle, closing = GROWING[kind]
    times = size // len(piece + closing)
    return before + piece * times + middle + closing * times


@pytest.mark.slow
@pytest.mark.parametrize("kind", GROWING)
def test_work_grows_with_the_length_of_the_reply(kind: str) -> None:
    def given(size: int) -> tuple[Problem, str]:
        return problem("5"), grown(kind, size)

    # Shorter expressions may be compared by a worker process, whose work is bounded by its limits.
    assert growth(grade_expression, given, MAX_SYMBOLIC + 500) < LINEAR


# Expressions that blow up where they are multiplied out: what is done in this process is bounded.
DENSE = {
    "matrix": "\\begin{pmatrix}" + "1&" * 300 + "\\\\" * 300 + "\\end{pmatrix}",
    "products": "(a+b+c+d)^{9}" * 20,
    "powers of powers": "((((((x+1)^{60})^{60})^{60})^{60})^{60})^{60}",
    "roots": "1/(" + "+".join(f"\\sqrt{{{k}}}" for k in range(2, 30)) + ")",
    "towers": "9^{9^{9^{9}}}",
    "a huge root": "\\sqrt{" + "9" * 250 + "1}",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", DENSE)
def test_an_expression_that_blows_up_takes_few_steps_in_this_process(name: str) -> None:
    verdict = grade_expression(problem("5"), f"\\boxed{{{DENSE[name]}}}")
    assert verdict.outcome is Outcome.WRONG
    assert verdict.prediction is None or len(verdict.prediction) < 300
    bound = 2_000 * (1000 + len(DENSE[name]))
    assert steps(grade_expression, problem("5"), f"\\boxed{{{DENSE[name]}}}", limit=bound)


@pytest.mark.slow
@pytest.mark.parametrize("kind", GROWING)
def test_a_megabyte_is_graded_and_its_prediction_is_short(kind: str) -> None:
    verdict = grade_expression(problem("5"), grown(kind, 1_000_000))
    assert verdict.outcome is not Outcome.CORRECT or kind in ("units", "spaces")
    assert verdict.prediction is None or len(verdict.prediction) < 300


BOMB = "9^{9^{9^{9}}} - 9^{9^{9^{9}}} + 5"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Comparisons may take no time at all: whatever goes to a worker process times out."""
    workers = worker.WorkerPool(size=1, cpu_seconds=1e-4)
    monkeypatch.setattr(worker, "_pool", workers)
    worker.forget()
    yield
    workers.close()
    worker.forget()


@pytest.mark.slow
@pytest.mark.usefixtures("impatient")
def test_an_answer_whose_comparison_ran_out_of_time_is_undecided_and_keeps_its_prediction() -> None:
    for answer in (BOMB, "\\frac{\\sin(2x+2y)}{\\cos(x+y)}"):
        verdict = grade_expression(problem("2\\sin(x+y)"), f"\\boxed{{{answer}}}")
        assert verdict.outcome is Outcome.UNDECIDED
        assert verdict.rule == "boxed, timeout"
        assert verdict.prediction
        assert not verdict.is_correct


@pytest.mark.usefixtures("impatient")
def test_what_exact_arithmetic_decides_needs_no_time() -> None:
    assert grade_expression(problem("5"), "\\boxed{\\frac{10}{2}}").outcome is Outcome.CORRECT
    assert grade_expression(problem("5"), "\\boxed{\\frac{11}{2}}").outcome is Outcome.WRONG


@pytest.mark.slow
@pytest.mark.usefixtures("impatient")
def test_one_alias_that_is_undecided_leaves_the_answer_undecided_unless_another_is_equal() -> None:
    reply = f"\\boxed{{{BOMB}}}"
    assert grade_expression(problem("x", aliases=("7",)), reply).outcome is Outcome.UNDECIDED
    assert grade_expression(problem("7", aliases=("x",)), reply).outcome is Outcome.UNDECIDED
    assert grade_expression(problem("7", aliases=(BOMB,)), reply).outcome is Outcome.CORRECT


@pytest.mark.slow
def test_an_undecided_answer_is_compared_again_when_a_run_begins(impatient: None) -> None:
    gold, reply = "2\\sin(x+y)", "\\boxed{\\frac{\\sin(2x+2y)}{\\cos(x+y)}}"
    assert grade_expression(problem(gold), reply).outcome is Outcome.UNDECIDED
    worker.stop_workers()  # the next one starts with the usual limits
    assert grade_expression(problem(gold), reply).outcome is Outcome.UNDECIDED
    worker.forget()
    assert grade_expression(problem(gold), reply).outcome is Outcome.CORRECT


ANSWERS = st.sampled_from(
    [
        "5",
        "\\frac{3}{4}",
        "-2",
        "x^2+1",
        "(1, 2)",
        "7\\pi",
        "2\\sqrt{3}",
        "\\{1, 2\\}",
        "25\\%",
        "10{,}000",
    ]
)
PROSE = st.sampled_from(
    [
        "",
        "Let us see.\n\n",
        "We add 2 and 3 to get 5.\n",
        "First, $x = 7$.\n\n",
        "**Step 1.** Add.\n",
    ]
)
CLOSING = st.sampled_from(["", " I hope it is correct.", "\n\nThis completes the work.", "  \n"])
STATED = st.sampled_from(
    [
        "\\boxed{%s}",
        "$\\boxed{%s}$.",
        "The answer is $%s$.",
        "**Answer:** $%s$",
        "**The final answer is \\(%s\\).**",
        "The answer is\n\n\\[\n%s\n\\]",
        "*The answer is* **$%s$**.",
        "\\[ \\boxed{ %s } \\]",
    ]
)


@given(gold=ANSWERS, other=ANSWERS, before=PROSE, after=CLOSING, stated=STATED)
def test_prose_space_and_markdown_around_an_answer_do_not_matter(
    gold: str, other: str, before: str, after: str, stated: str
) -> None:
    reply = before + stated % other + after
    verdict = grade_expression(problem(gold), reply)
    plain = grade_expression(problem(gold), f"\\boxed{{{other}}}")
    assert (verdict.outcome, verdict.prediction) == (plain.outcome, plain.prediction)
    assert verdict.is_correct == (gold == other)


@given(
    answer=st.sampled_from(["\\frac{3}{4}", "x^2+1", "(1,2)", "2\\sqrt{3}", "[2,5)", "-7"]),
    spaces=st.lists(st.sampled_from(["", " ", "  ", "\\,", "\\;", "\n"]), min_size=20, max_size=20),
)
def test_spacing_within_an_answer_does_not_matter(answer: str, spaces: list[str]) -> None:
    tokens = ["\\frac", "\\sqrt"]
    pieces: list[str] = []
    at = 0
    while at < len(answer):
        command = next((token for token in tokens if answer.startswith(token, at)), answer[at])
        pieces.append(command)
        at += len(command)
    spaced = "".join(piece + space for piece, space in zip(pieces, spaces, strict=False))
    assert grade_expression(problem(answer), f"\\boxed{{{spaced}}}").is_correct


@given(reply=st.text(max_size=200) | st.text(alphabet="\\boxed{}()$^_5,=x frac.-% answer is\n"))
def test_no_text_makes_the_grader_raise(reply: str) -> None:
    verdict = grade_expression(problem("\\frac{3}{4}"), reply)
    assert (verdict.prediction is None) == (verdict.outcome is Outcome.NO_ANSWER)


@given(st.fractions(max_denominator=10**6), st.fractions(max_denominator=10**6))
def test_numbers_are_equal_exactly_when_they_are(left: Any, right: Any) -> None:
    assert accepts(problem(str(left)), f"\\frac{{{left.numerator}}}{{{left.denominator}}}")
    assert accepts(problem(str(left)), str(right)) == (left == right)
