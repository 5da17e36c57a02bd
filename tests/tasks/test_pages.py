"""What holds for every page: its rows become problems, gold passes, solutions do not leak."""

from __future__ import annotations

import importlib
import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from feedback_friction.grading.verdict import Outcome
from feedback_friction.problem import Problem
from feedback_friction.protocol.records import Masked
from feedback_friction.settings import Selection
from feedback_friction.tasks.catalog import PAGES, get_page, load_problems
from feedback_friction.tasks.page import RowError
from feedback_friction.tasks.validation import validate
from task_rows import ROWS

CASES = Path(__file__).parent.parent / "cases"
HUB = [name for name in PAGES if get_page(name).cached is not None]
WORDED = [name for name in PAGES if not name.endswith("_multiplication")]  # a tutor checks those
DATA = os.environ.get("FRICTION_DATA")
FILES = {
    "aime_2024": "aime_2024.jsonl",
    "math_500": "math_100.jsonl",
    "mmlu": "mmlu_stem_300.jsonl",
    "mmlu_pro": "mmlu_pro_350.jsonl",
    "decimal_multiplication": "decimal_5d_authors_450.jsonl",
    "hex_multiplication": "hex_5d_authors_300.jsonl",
}


def fixture(name: str) -> list[Problem]:
    page = get_page(name)
    return [page.to_problem(row) for row in ROWS[page.name]]


@pytest.mark.parametrize("name", PAGES)
def test_gold_passes_its_own_grader_and_no_solution_leaks(name):
    report = validate(get_page(name), fixture(name))
    assert report.checked >= 3
    assert report.failures == ()


@pytest.mark.slow
@pytest.mark.skipif(DATA is None, reason="needs FRICTION_DATA")
@pytest.mark.parametrize("name", FILES)
def test_gold_passes_and_no_solution_leaks_on_real_data(name):
    page = get_page(name)
    problems = load_problems(page, Selection(data=Path(DATA or "", FILES[name])))
    report = validate(page, problems)
    rows = Path(DATA or "", FILES[name]).read_text().splitlines()
    assert report.checked == len(rows)
    assert report.failures == ()


@pytest.mark.parametrize("name", WORDED)
def test_feedback_that_blurts_the_answer_out_is_masked(name):
    task = get_page(name).task
    for problem in fixture(name):
        for answer in (problem.gold, *problem.aliases, problem.gold_text):
            masked = task.mask(problem, f"Look again. The answer is {answer}. Check each step.")
            assert masked.spans, answer
            assert masked.leaks == ()
            assert not task.grade(problem, masked.text).is_correct


@pytest.mark.parametrize("name", WORDED)
def test_feedback_without_the_answer_is_not_touched(name):
    task = get_page(name).task
    text = "Go through your reasoning once more: a condition in the question was overlooked."
    for problem in fixture(name):
        assert task.mask(problem, text).text == text


@pytest.mark.parametrize("name", WORDED)
def test_an_empty_reply_is_no_answer(name):
    task = get_page(name).task
    for problem in fixture(name):
        assert task.grade(problem, "").outcome is Outcome.NO_ANSWER
        assert task.grade(problem, "[masked]").outcome is not Outcome.CORRECT


@pytest.mark.parametrize("name", WORDED)
def test_the_question_is_put_word_for_word_as_before(name):
    page = get_page(name)
    golden = json.loads((CASES / "task_prompts.json").read_text())
    problem = fixture(name)[0]
    put = {
        "system": page.task.system,
        "ask": page.task.ask(problem),
        "gold": page.task.state_answer(problem, problem.gold),
    }
    assert put == golden[name]


@pytest.mark.parametrize("name", HUB)
def test_the_source_is_pinned_to_a_commit_and_named_in_the_page(name):
    module = importlib.import_module(f"feedback_friction.tasks.{name}")
    assert re.fullmatch("[0-9a-f]{40}", module.SOURCE.revision)
    assert module.SOURCE.id in module.__doc__
    assert "Licence: " in module.__doc__
    assert module.SOURCE.revision[:8] in get_page(name).source


@pytest.mark.parametrize("name", PAGES)
def test_ids_are_distinct_and_do_not_depend_on_other_rows(name):
    page = get_page(name)
    ids = [page.to_problem(row).id for row in ROWS[page.name]]
    assert len(set(ids)) == len(ids)
    assert [page.to_problem(row).id for row in reversed(ROWS[page.name])] == ids[::-1]


def bad_rows() -> list[object]:
    cases = json.loads((CASES / "bad_rows.json").read_text())
    return [pytest.param(case, id=f"{case['task']}: {case['why']}") for case in cases]


@pytest.mark.parametrize("case", bad_rows())
def test_a_wrong_row_is_refused_by_the_name_of_its_field(case):
    page = get_page(case["task"])
    row = {**ROWS[page.name][case.get("row", 0)], **case["with"]}
    row = {field: value for field, value in row.items() if field not in case.get("without", ())}
    with pytest.raises(RowError, match=re.escape(case["says"])) as raised:
        page.to_problem(row)
    assert raised.value.field == case["field"]


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_validate_finds_a_wrong_gold_a_leaking_solution_and_a_long_question(name):
    page, problem = get_page(name), fixture(name)[0]
    broken = replace(page.task, grade=lambda problem, text: page.task.grade(problem, ""))
    failures = validate(replace(page, task=broken), [problem]).failures
    assert {failure.check for failure in failures} >= {"gold"}
    open_gate = replace(page.task, mask=lambda problem, text: Masked(text))
    failures = validate(replace(page, task=open_gate), [problem]).failures
    assert {failure.check for failure in failures} == {"mask", *["solution"] * page.own}
    long = replace(problem, question=problem.question + " x" * 20_000)
    assert {failure.check for failure in validate(page, [long]).failures} == {"prompt"}


def test_validate_quotes_nothing_of_confidential_data():
    page = get_page("gpqa")
    problem = fixture("gpqa")[0]
    masked = page.task.mask(problem, "nothing")
    leaking = replace(
        page.task,
        mask=lambda problem, text: replace(masked, leaks=(problem.gold_text,)),
        grade=lambda problem, text: page.task.grade(problem, ""),
    )
    for confidential in (True, False):
        report = validate(replace(page, task=leaking, confidential=confidential), [problem])
        assert {failure.check for failure in report.failures} == {"gold", "mask", "solution"}
        shown = " ".join(failure.detail for failure in report.failures)
        assert (problem.gold_text in shown) is not confidential
