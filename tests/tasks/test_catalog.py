"""Which problems a command gets: by name, from a file, a share of them, a limit."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from feedback_friction.errors import DataError, UsageError
from feedback_friction.settings import Selection
from feedback_friction.tasks.catalog import PAGES, get_page, load_problems
from feedback_friction.tasks.multiplication import generate
from feedback_friction.tasks.page import Row

DECIMAL = "decimal_multiplication"


def _file(tmp_path: Path, rows: list[Row]) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _ids(selection: Selection) -> list[str]:
    return [problem.id for problem in load_problems(get_page(DECIMAL), selection)]


def test_every_page_answers_to_its_name() -> None:
    assert {DECIMAL, "hex_multiplication"} <= set(PAGES)
    assert all(get_page(name).name == name for name in PAGES)


def test_an_unknown_task_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(UsageError, match=r"unknown task 'multiplication'; allowed: .*decimal_mult"):
        get_page("multiplication")


def test_names_are_known_without_importing_a_page() -> None:
    code = (
        "import sys; from feedback_friction.tasks.catalog import PAGES; list(PAGES); "
        "print([m for m in sys.modules if m.endswith('multiplication')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_without_a_file_the_pages_own_rows_are_taken() -> None:
    assert len(_ids(Selection())) == get_page(DECIMAL).size
    assert _ids(Selection(limit=4)) == _ids(Selection())[:4]
    assert _ids(Selection(seed=1)) != _ids(Selection())
    assert all(len(name) == 13 for name in _ids(Selection(digits=6, limit=20)))


@pytest.mark.slow
def test_a_fraction_is_stable_when_rows_are_added_or_reordered(tmp_path: Path) -> None:
    rows = generate("decimal", 5, 300, seed=0)
    chosen = _ids(Selection(data=_file(tmp_path, rows[:200]), fraction=0.3))
    assert 40 <= len(chosen) <= 80
    random.Random(0).shuffle(rows)
    more = _ids(Selection(data=_file(tmp_path, rows), fraction=0.3))
    assert set(chosen) < set(more)
    wider = _ids(Selection(data=_file(tmp_path, rows), fraction=0.6))
    assert set(more) < set(wider)
    assert _ids(Selection(data=_file(tmp_path, rows), fraction=0.3, seed=1)) != more


def test_a_repeated_row_keeps_an_id_of_its_own(tmp_path: Path) -> None:
    one, other = generate("decimal", 5, 2, seed=0)
    ids = _ids(Selection(data=_file(tmp_path, [one, other, one, one])))
    assert ids == [ids[0], ids[1], f"{ids[0]}#2", f"{ids[0]}#3"]


def test_two_problems_with_one_id_are_refused(tmp_path: Path) -> None:
    (row,) = generate("decimal", 5, 1, seed=0)
    asked_otherwise = {**row, "question": str(row["question"]).replace("Calculate", "Find")}
    with pytest.raises(DataError, match=r"rows\.jsonl:2: another problem than line 1 with id"):
        _ids(Selection(data=_file(tmp_path, [row, asked_otherwise])))


def test_a_wrong_row_is_named_by_file_line_and_field(tmp_path: Path) -> None:
    rows = generate("decimal", 5, 2, seed=0)
    path = _file(tmp_path, [rows[0], {**rows[1], "answer": 12}])
    with pytest.raises(DataError, match=r"rows\.jsonl:2: field 'answer': is 12, but") as raised:
        _ids(Selection(data=path))
    assert (raised.value.line, raised.value.field) == (2, "answer")


@pytest.mark.parametrize(
    ("selection", "says"),
    [
        (Selection(fraction=1e-9), "no problems left"),
        (Selection(digits=7), "allowed: 2, 3, 4, 5, 6"),
        (Selection(data=Path("/nowhere/rows.jsonl")), "cannot read data file"),
    ],
)
def test_a_selection_that_leaves_nothing_is_refused(selection: Selection, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        _ids(selection)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no problems left .*rows\.jsonl has none"):
        _ids(Selection(data=_file(tmp_path, [])))
