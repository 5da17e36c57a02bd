"""Rows from a data file, each with the line it stands in.

A kind of file is one reader in ``READERS``, by the suffix of its name, ``.gz`` left out; any other
name is JSONL. ``hf:OWNER/NAME:SPLIT`` is no file: its rows come from the Hugging Face hub.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from feedback_friction.errors import DataError
from feedback_friction.tasks.page import Row
from feedback_friction.tasks.tables import NumberedRow, opened, read_csv, read_parquet, read_tsv

Reader = Callable[[Path], Iterator[NumberedRow]]
HUB = "hf:"
_MARK = b"\xef\xbb\xbf"  # of UTF-8, as some programs write it


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


READERS: dict[str, Reader] = {
    ".jsonl": read_jsonl,
    ".json": read_json,
    ".csv": read_csv,
    ".tsv": read_tsv,
    ".parquet": read_parquet,
}
