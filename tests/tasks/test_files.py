"""Rows of JSONL files, and what is said of a file that has none."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedback_friction.errors import DataError, UsageError
from feedback_friction.tasks.files import read_rows, rows_of


def _write(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    return path


def test_rows_come_with_their_lines_and_blank_lines_are_skipped(tmp_path: Path) -> None:
    path = _write(tmp_path, b'\xef\xbb\xbf{"a": 1}\n\n  \r\n{"a": "\xc3\xa9"}\r\n{"a": null}')
    assert list(read_rows(path)) == [(1, {"a": 1}), (4, {"a": "é"}), (5, {"a": None})]


def test_large_integers_are_exact(tmp_path: Path) -> None:
    path = _write(tmp_path, b'{"answer": 123456789012345678901234567890}\n')
    assert list(read_rows(path)) == [(1, {"answer": 123456789012345678901234567890})]


def test_any_other_name_is_jsonl(tmp_path: Path) -> None:
    path = tmp_path / "rows.txt"
    path.write_text('{"a": 1}\n')
    assert list(read_rows(path)) == [(1, {"a": 1})]


@pytest.mark.parametrize(
    ("second_line", "says"),
    [
        (b"{'a': 1}", "not valid JSON"),
        (b'{"a": 1} {"b": 2}', "not valid JSON: Extra data at column 10"),
        (b'{"a": ', "not valid JSON"),
        (b"[1, 2]", "a JSON object is wanted, this is an array"),
        (b'"text"', "this is a string"),
        (b"null", "this is null"),
        (b"7", "this is a number"),
        (b'{"a": NaN}', "NaN is no JSON"),
        (b'{"a": "\xff\xfe"}', "not UTF-8 at byte 8"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b'{"a": ' + b"[" * 100_000, "nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not valid JSON"),
    ],
)
def test_a_line_that_is_no_row_is_named(tmp_path: Path, second_line: bytes, says: str) -> None:
    path = _write(tmp_path, b'{"a": 1}\n' + second_line + b"\n")
    with pytest.raises(DataError, match=says) as raised:
        list(read_rows(path))
    assert raised.value.line == 2
    assert str(raised.value).startswith(f"{path}:2: ")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_a_file_that_cannot_be_opened_is_one_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot read data file"):
        list(read_rows(tmp_path / name))


def test_lines_from_anywhere_are_named_as_told() -> None:
    with pytest.raises(DataError, match="standard input:1: not valid JSON"):
        list(rows_of([b"nonsense\n"], "standard input"))
