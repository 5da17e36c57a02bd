"""Rows of CSV and Parquet files."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from feedback_friction.errors import DataError, UsageError
from feedback_friction.problem import Problem
from feedback_friction.settings import Selection
from feedback_friction.tasks.catalog import PAGES, get_page, load_problems
from feedback_friction.tasks.files import read_rows
from feedback_friction.tasks.page import Page, Row
from task_rows import ROWS

TASKS = [name for name in PAGES if "multiplication" not in name]


def test_the_first_line_of_csv_names_the_fields_and_cells_are_texts(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('\ufeffa,b\n1,"x, y"\n\n,"two\nlines"\n3,é\n', encoding="utf-8")
    assert list(read_rows(path)) == [
        (2, {"a": "1", "b": "x, y"}),
        (5, {"a": None, "b": "two\nlines"}),
        (6, {"a": "3", "b": "é"}),
    ]


def test_tabs_part_the_cells_of_tsv(tmp_path: Path) -> None:
    path = tmp_path / "rows.TSV"
    path.write_text('a\tb\n1\t"[""x"", ""y""]"\n')
    assert list(read_rows(path)) == [(2, {"a": "1", "b": '["x", "y"]'})]


def test_a_cell_may_be_long(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(f"a\n{'x' * 500_000}\n")
    assert len(next(read_rows(path))[1]["a"]) == 500_000


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a,b\n1\n", "2: 1 cells, where the first line names 2 fields"),
        (b"a,b\n1,2\n1,2,3\n", "3: 3 cells"),
        (b"a,a\n1,2\n", "field 'a': a column is there twice"),
        (b"a,\n1,2\n", "a column has no name"),
        (b'a\n"open\n', "not valid CSV"),
        (b"a\n\xff\n", "not UTF-8"),
    ],
)
def test_a_broken_csv_is_named(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=says) as raised:
        list(read_rows(path))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet"])
def test_a_missing_file_is_named(tmp_path: Path, suffix: str) -> None:
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
    with pytest.raises(UsageError, match="cannot read data file"):
        list(read_rows(tmp_path / f"rows.{suffix}"))


def test_a_broken_parquet_file_is_named(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    path = tmp_path / "rows.parquet"
    path.write_bytes(b"PAR1 no")
    with pytest.raises(DataError, match="not valid Parquet"):
        list(read_rows(path))


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(UsageError, match=r"feedback-friction\[hub\]"):
        list(read_rows(tmp_path / "rows.parquet"))


def problems(page: Page, rows: Iterable[Row]) -> list[Problem]:
    """The rows as problems, with the hints that any row may have."""
    return [replace(page.to_problem(row), hints=tuple(row.get("hints", ()))) for row in rows]


@pytest.mark.parametrize("name", TASKS)
def test_every_task_loads_from_parquet(tmp_path: Path, name: str) -> None:
    pytest.importorskip("pyarrow")
    page = get_page(name)
    path = tmp_path / "rows.parquet"
    rows = [dict(row) for row in ROWS[page.name]]
    for field in ("Answer", "answer"):  # a column has one type, which these two need not have
        for row in rows:
            if name in ("aime_2024", "custom") and row.get(field) is not None:
                row[field] = str(row[field])
    pl.DataFrame(rows, infer_schema_length=None).write_parquet(path)
    assert load_problems(page, Selection(data=path)) == problems(page, rows)


@pytest.mark.parametrize("name", TASKS)
def test_every_task_loads_from_csv(tmp_path: Path, name: str) -> None:
    page = get_page(name)
    path = tmp_path / "rows.csv"
    fields = list({field: None for row in ROWS[page.name] for field in row})
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(fields)
        for row in ROWS[page.name]:
            cells = [row.get(field, "") for field in fields]
            writer.writerow(
                [json.dumps(cell) if isinstance(cell, list | dict) else cell for cell in cells]
            )
    assert load_problems(page, Selection(data=path)) == problems(page, ROWS[page.name])
