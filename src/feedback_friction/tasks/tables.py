"""Data files opened, packed ones too, and the rows of tables: CSV, TSV and Parquet (pyarrow)."""

from __future__ import annotations

import codecs
import csv
import gzip
import importlib
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from feedback_friction.errors import DataError, UsageError
from feedback_friction.tasks.page import Row

NumberedRow = tuple[int, Row]
_LONGEST_CELL = 2**31 - 1  # characters; the largest limit that csv takes on every platform


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A data file's bytes, unpacked where its name ends in ``.gz``.

    Raises:
        UsageError: there is no such file, or it cannot be read.
        DataError: it is not packed as its name says.
    """
    packed = path.suffix.lower() == ".gz"
    try:
        with cast(BinaryIO, gzip.open(path) if packed else path.open("rb")) as file:
            yield file
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(str(path), f"not valid gzip: {error}") from error
    except OSError as error:
        why = error.strerror or str(error)
        raise UsageError(f"cannot read data file '{path}': {why}") from error


def read_csv(path: Path, delimiter: str = ",") -> Iterator[NumberedRow]:
    """One row a line, the first line names the fields; UTF-8, or UTF-16 as spreadsheets write it.

    Cells are texts, empty ones None. Errors as ``read_rows``.
    """
    csv.field_size_limit(_LONGEST_CELL)
    with (
        opened(path) as file,
        io.TextIOWrapper(file, encoding=_encoding(file), newline="") as lines,
    ):
        try:
            if delimiter == ",":
                delimiter = _delimiter(lines.readline())
                lines.seek(0)
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            yield from _csv_rows(reader, path)
        except UnicodeDecodeError as error:
            raise DataError(str(path), f"not UTF-8 near byte {error.start + 1}") from error


def _encoding(file: BinaryIO) -> str:
    """By the mark at the beginning, which UTF-16 always has."""
    begin = file.read(2)
    file.seek(0)
    return "utf-16" if begin in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"


def _delimiter(header: str) -> str:
    """What parts the names in a first line: spreadsheets of many countries write semicolons."""
    bare = re.sub(r'"[^"]*"', "", header)
    return max(",;\t|", key=bare.count)


def _csv_rows(lines: Any, path: Path) -> Iterator[NumberedRow]:
    """The rows of a ``csv.reader``."""
    name = str(path)
    try:
        first: list[str] = next(lines, [])
        if _is_mmlu(first):
            yield lines.line_num, _mmlu_row(first, path)
            yield from ((lines.line_num, _mmlu_row(cells, path)) for cells in lines if cells)
            return
        # pandas writes its index as a first column without a name
        index = 1 if first[:1] in ([""], ["Unnamed: 0"]) and len(first) > 1 else 0
        fields = first[index:]
        for field in fields:
            if not field or fields.count(field) > 1:
                what = "is there twice" if field else "has no name"
                raise DataError(name, f"a column {what}", line=1, field=field or None)
        for cells in lines:
            if not cells:
                continue
            if len(cells) != len(first):
                why = f"{len(cells)} cells, where the first line names {len(first)} fields"
                raise DataError(name, why, line=lines.line_num)
            pairs = zip(fields, cells[index:], strict=True)
            yield lines.line_num, {field: cell or None for field, cell in pairs}
    except csv.Error as error:
        raise DataError(name, f"not valid CSV: {error}", line=lines.line_num) from error


def _is_mmlu(cells: Sequence[str]) -> bool:
    """Whether a line is a question, its options and the letter of one of them: no names at all."""
    options = len(cells) - 2
    letters = [chr(ord("A") + number) for number in range(options)]
    return 2 <= options <= 10 and cells[-1].strip() in letters and cells[1:-1] != letters


def _mmlu_row(cells: Sequence[str], path: Path) -> Row:
    """A line of MMLU's own files, which name the subject and the split in their names."""
    if not _is_mmlu(cells):
        raise DataError(str(path), f"no question with options and a letter: {cells[0][:40]!r}")
    subject = re.sub(r"_(?:test|val|dev|train)$", "", path.name.partition(".")[0])
    question, *choices, answer = cells
    return {
        "question": question,
        "choices": choices,
        "answer": answer.strip(),
        "subject": subject,
    }


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
    try:
        with opened(path) as file:
            batches = parquet.ParquetFile(file).iter_batches()
            yield from enumerate((row for batch in batches for row in batch.to_pylist()), 1)
    except arrow.ArrowException as error:  # before OSError, which some of them are too
        why = str(error).strip().splitlines()[0]
        raise DataError(str(path), f"not valid Parquet: {why}") from error
