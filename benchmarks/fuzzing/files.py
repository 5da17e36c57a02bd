"""Data files and rows: what is not read is refused with one line; what is read can be run."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from benchmarks.fuzzing import Target
from benchmarks.fuzzing.corpus import cases, mutated, texts
from benchmarks.fuzzing.texts import check_grade, check_mask
from feedback_friction.errors import UsageError
from feedback_friction.problem import Problem
from feedback_friction.settings import Selection
from feedback_friction.tasks.catalog import PAGES, foreign_problem, get_page, load_problems
from feedback_friction.tasks.files import READERS, read_rows
from feedback_friction.tasks.page import Page, RowError

_ASKED = {
    "question": "Calculate the following question: 12 * 34.",
    "gold": "408",
    "aliases": ["four hundred and eight"],
    "choices": ["408", "18"],
    "solution": "12 * 34 = 408",
    "grader": "number",
}


def targets() -> Iterator[Target]:
    """The readers of files by suffix, of every task's rows, and of rows from elsewhere."""
    lines = [json.dumps(row) for row in cases("fuzz_questions")]
    for suffix in READERS:
        if suffix != ".parquet":
            content = texts(*lines, ",", '"', "\t", "\r\n", "{", "}").map(_bytes)
            yield Target(f"file {suffix}", content | st.binary(max_size=300), _file(suffix))
    for name in PAGES:
        page = get_page(name)
        rows = [dict(row) for row in cases("rows")[name]]
        if name == "custom":
            rows += cases("fuzz_questions")
        yield Target(f"rows of {name}", mutated([[row] for row in rows]), _rows(page))
        yield Target(f"foreign rows of {name}", mutated(_foreign_rows(rows)), _foreign(page))


def _foreign_rows(rows: list[dict[str, Any]]) -> list[Any]:
    with_gold = [{**row, "gold": row.get("answer", "5")} for row in rows if "question" in row]
    return [_ASKED, *with_gold, *({**_ASKED, **row} for row in with_gold)]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _file(suffix: str) -> Callable[[bytes], None]:
    def check(content: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder, suppress(UsageError):
            path = Path(folder, f"data{suffix}")
            path.write_bytes(content)
            for _, row in read_rows(path):
                assert isinstance(row, dict)

    return check


def _rows(page: Page) -> Callable[[Any], None]:
    def check(rows: Any) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "data.jsonl")
            lines = rows if isinstance(rows, list) else [rows]
            path.write_bytes("\n".join(map(json.dumps, lines)).encode("utf-8", "replace"))
            with suppress(UsageError):
                for problem in load_problems(page, Selection(data=path)):
                    _is_usable(page, problem)

    return check


def _foreign(page: Page) -> Callable[[Any], None]:
    def check(row: Any) -> None:
        with suppress(RowError):
            if isinstance(row, dict):
                _is_usable(page, foreign_problem(page, row))

    return check


def _is_usable(page: Page, problem: Problem) -> None:
    """A problem that was accepted can be asked, graded and masked."""
    task = page.task
    assert isinstance(task.ask(problem), str)
    for answer in (problem.gold, *problem.aliases):
        stated = task.state_answer(problem, answer)
        check_grade(task, problem, stated)
        check_mask(task, problem, stated)
