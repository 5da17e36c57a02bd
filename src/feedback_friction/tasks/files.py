"""Rows from a data file, each with the line it stands in.

A kind of file is one reader in ``READERS``, by the suffix of its name; any other name is JSONL.
Parquet needs pyarrow, which the extra ``[hub]`` brings along.
"""

from __future__ import annotations

import csv
import importlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from feedback_friction.errors import DataError, UsageError
from feedback_friction.tasks.page import Row

NumberedRow = tuple[int, Row]
Reader = Callable[[Path], Iterator[NumberedRow]]


def read_rows(path: Path) -> Iterator[NumberedRow]:
    """The rows of a data file in order, each with the number of its line, from 1.

    Raises:
        UsageError: there is no such file, or it cannot be opened.
        DataError: a line is no row; names file and line.
    """
    return READERS.get(path.suffix.lower(), read_jsonl)(path)


def read_jsonl(path: Path) -> Iterator[NumberedRow]:
    """One JSON object a line, UTF-8; blank lines are skipped. Errors as ``read_rows``."""
    try:
        with path.open("rb") as lines:
            yield from rows_of(lines, str(path))
    except OSError as error:
        why = error.strerror or str(error)
        raise UsageError(f"cannot read data file '{path}': {why}") from error


def rows_of(lines: Iterable[bytes], name: str) -> Iterator[NumberedRow]:
    """The rows of lines of JSONL from wherever they come, e.g. standard input.

    Args:
        lines: the lines as bytes, with or without their ends.
        name: what to call their source in an error.

    Raises:
        DataError: a line is no JSON object in UTF-8.
    """
    for number, line in enumerate(lines, 1):
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if line.strip():
            yield number, _parse(line, name, number)


def _parse(line: bytes, name: str, number: int) -> Row:
    try:
        row = json.loads(line.decode("utf-8"), parse_constant=_no_constant)
        if b"\\u" in line:  # half a surrogate pair would only fail when it is written
            json.dumps(row, ensure_ascii=False).encode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(name, f"not UTF-8 at byte {error.start + 1}", line=number) from error
    except UnicodeEncodeError as error:
        raise DataError(name, "half of a surrogate pair in a string", line=number) from error
    except json.JSONDecodeError as error:
        why = f"not valid JSON: {error.msg} at column {error.colno}"
        raise DataError(name, why, line=number) from error
    except RecursionError as error:
        raise DataError(name, "not valid JSON: nested too deeply", line=number) from error
    except ValueError as error:  # NaN, or an integer of thousands of digits
        raise DataError(name, f"not valid JSON: {error}", line=number) from error
    if not isinstance(row, Mapping):
        what = {list: "an array", str: "a string", type(None): "null"}.get(type(row), "a number")
        raise DataError(name, f"a JSON object is wanted, this is {what}", line=number)
    return row


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


_LONGEST_CELL = 2**31 - 1  # characters; the largest limit that csv takes on every platform


def read_csv(path: Path, delimiter: str = ",") -> Iterator[NumberedRow]:
    """One row a line, the first line names the fields; UTF-8. Cells are texts, empty ones None.

    Errors as ``read_rows``.
    """
    csv.field_size_limit(_LONGEST_CELL)
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            yield from _csv_rows(csv.reader(lines, delimiter=delimiter, strict=True), str(path))
    except OSError as error:
        why = error.strerror or str(error)
        raise UsageError(f"cannot read data file '{path}': {why}") from error
    except UnicodeDecodeError as error:
        raise DataError(str(path), f"not UTF-8 near byte {error.start + 1}") from error


def _csv_rows(lines: Any, name: str) -> Iterator[NumberedRow]:
    """The rows of a ``csv.reader``."""
    try:
        fields: list[str] = next(lines, [])
        for field in fields:
            if not field or fields.count(field) > 1:
                what = "is there twice" if field else "has no name"
                raise DataError(name, f"a column {what}", line=1, field=field or None)
        for cells in lines:
            if not cells:
                continue
            if len(cells) != len(fields):
                why = f"{len(cells)} cells, where the first line names {len(fields)} fields"
                raise DataError(name, why, line=lines.line_num)
            pairs = zip(fields, cells, strict=True)
            yield lines.line_num, {field: cell or None for field, cell in pairs}
    except csv.Error as error:
        raise DataError(name, f"not valid CSV: {error}", line=lines.line_num) from error


def read_tsv(path: Path) -> Iterator[NumberedRow]:
    """As ``read_csv``, with tabs between the cells."""
    return read_csv(path, "\t")


def read_parquet(path: Path) -> Iterator[NumberedRow]:
    """The rows of a Parquet file, numbered from 1.

    Raises:
        UsageError: pyarrow is not installed, or there is no such file, or it cannot be opened.
        DataError: it is no Parquet file.
    """
    try:
        parquet: Any = importlib.import_module("pyarrow.parquet")
        arrow: Any = importlib.import_module("pyarrow")
    except ImportError as error:
        raise UsageError(
            f"'{path}' is Parquet, which needs pip install 'feedback-friction[hub]'"
        ) from error
    number = 0
    try:
        with path.open("rb") as file:
            for batch in parquet.ParquetFile(file).iter_batches():
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except arrow.ArrowException as error:  # before OSError, which some of them are too
        why = str(error).strip().splitlines()[0]
        raise DataError(str(path), f"not valid Parquet: {why}") from error
    except OSError as error:
        why = error.strerror or str(error)
        raise UsageError(f"cannot read data file '{path}': {why}") from error


READERS: dict[str, Reader] = {
    ".jsonl": read_jsonl,
    ".csv": read_csv,
    ".tsv": read_tsv,
    ".parquet": read_parquet,
}
