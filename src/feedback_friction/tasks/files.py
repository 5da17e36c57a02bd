"""Rows from a data file, each with the line it stands in.

A kind of file is one reader in ``READERS``, by the suffix of its name, ``.gz`` left out; any other
name is JSONL. ``hf:OWNER/NAME:SPLIT`` is no file: its rows come from the Hugging Face hub.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import importlib
import io
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, cast

from feedback_friction.errors import DataError, UsageError, reason
from feedback_friction.tasks.page import Row

NumberedRow = tuple[int, Row]
Reader = Callable[[Path], Iterator[NumberedRow]]
HUB = "hf:"
_MARK = b"\xef\xbb\xbf"  # of UTF-8, as some programs write it


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
        raise UsageError(f"cannot read data file '{path}': {reason(error)}") from error


def read_rows(path: Path) -> Iterator[NumberedRow]:
    """The rows of a data file in order, each with the number of its line, from 1.

    Raises:
        UsageError: there is no such file, or it cannot be opened.
        DataError: a line is no row; names file and line.
    """
    if str(path).startswith(HUB):
        from feedback_friction.tasks.hub_rows import load_rows, source_of

        yield from enumerate(load_rows(source_of(str(path))), 1)
        return
    suffix = path.with_suffix("").suffix if path.suffix.lower() == ".gz" else path.suffix
    yield from READERS.get(suffix.lower(), read_jsonl)(path)


def read_jsonl(path: Path) -> Iterator[NumberedRow]:
    """One JSON object a line, UTF-8; blank lines are skipped. Errors as ``read_rows``.

    A file that begins with a bracket is an array, whatever its name.
    """
    with opened(path) as lines:
        begin = lines.read(4096).removeprefix(_MARK).lstrip()
        lines.seek(0)
        if begin.startswith(b"["):
            yield from _objects(_parsed(lines.read(), str(path)), str(path))
        else:
            yield from rows_of(lines, str(path))


def read_json(path: Path) -> Iterator[NumberedRow]:
    """An array of objects, or an object with one array of them; JSONL under this name, too.

    An object of columns (pandas, datasets) and one of rows by their ids will do as well.
    """
    with opened(path) as file:
        body, name = file.read(), str(path)
        try:
            data = _parsed(body, name)
        except DataError:
            if body.removeprefix(_MARK).lstrip().startswith(b"["):
                raise
            data = None
        if isinstance(data, Mapping):
            data = _only_array(data) or _turned(data)
        if isinstance(data, list):
            yield from _objects(data, name)
        else:
            yield from rows_of(body.splitlines(), name)


def _only_array(data: Mapping[str, object]) -> list[object] | None:
    """The one array of objects that an object holds: ``{"version": 1, "data": [...]}``."""
    arrays = [v for v in data.values() if isinstance(v, list) and v and isinstance(v[0], Mapping)]
    if len(arrays) != 1:
        return None
    inner = [each.get("row") if isinstance(each, Mapping) else None for each in arrays[0]]
    # the hub's own server wraps each row: {"rows": [{"row_idx": 0, "row": {...}}]}
    return inner if all(isinstance(each, Mapping) for each in inner) else arrays[0]


def _turned(data: Mapping[str, object]) -> list[object] | None:
    """The rows of an object of columns, as lists or by row number, or of one of rows by id."""
    values = list(data.values())
    if all(isinstance(each, list) for each in values):
        lists = [each for each in values if isinstance(each, list)]
        if not lists or len({len(each) for each in lists}) != 1:
            return None
        return [dict(zip(data, row, strict=True)) for row in zip(*lists, strict=True)]
    inner = [each for each in values if isinstance(each, Mapping)]
    if len(inner) < len(values):
        return None
    names = {name for each in inner for name in each}
    if names and all(name.isdecimal() for name in names):  # pandas: {"question": {"0": ...}}
        rows = [[each.get(number) for each in inner] for number in sorted(names, key=int)]
        return [dict(zip(data, row, strict=True)) for row in rows]
    if inner and set.intersection(*(set(each) for each in inner)):
        return [{"id": name, **row} for name, row in zip(data, inner, strict=True)]
    return None


def _objects(rows: Iterable[object], name: str) -> Iterator[NumberedRow]:
    """The objects of an array, numbered from 1; each is held to what a line is held to."""
    for number, row in enumerate(rows, 1):
        yield number, _object(row, name, number)


def rows_of(lines: Iterable[bytes], name: str) -> Iterator[NumberedRow]:
    """The rows of lines of JSONL from wherever they come, e.g. standard input.

    Args:
        lines: the lines as bytes, with or without their ends.
        name: what to call their source in an error.

    Raises:
        DataError: a line is no JSON object in UTF-8.
    """
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield number, _object(_parsed(line, name, number), name, number)


def _parsed(body: bytes, name: str, number: int | None = None) -> Any:
    """What JSON in UTF-8 says; ``number`` is that of the line, where it is one."""
    line = number
    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        why = f"not UTF-8 at byte {error.start + 1}"
    except json.JSONDecodeError as error:
        line = number or error.lineno
        why = f"not valid JSON: {error.msg} at column {error.colno}"
    except RecursionError:
        why = "not valid JSON: nested too deeply"
    except ValueError as error:  # NaN, or an integer of thousands of digits
        why = f"not valid JSON: {error}"
    raise DataError(name, why, line=line)


def _object(row: object, name: str, number: int) -> Row:
    if not isinstance(row, Mapping):
        what = {list: "an array", str: "a string", type(None): "null"}.get(type(row), "a number")
        raise DataError(name, f"a JSON object is wanted, this is {what}", line=number)
    try:  # half a surrogate pair would only fail when it is written
        json.dumps(row, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise DataError(name, "half of a surrogate pair in a string", line=number) from error
    return row


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


# --- tables --------------------------------------------------------------------------------------

_LONGEST_CELL = 2**31 - 1  # characters; the largest limit that csv takes on every platform


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


READERS: dict[str, Reader] = {
    ".jsonl": read_jsonl,
    ".json": read_json,
    ".csv": read_csv,
    ".tsv": read_tsv,
    ".parquet": read_parquet,
}
