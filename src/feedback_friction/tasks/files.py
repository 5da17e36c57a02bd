"""Rows from a data file, each with the line it stands in.

A kind of file is one reader in ``READERS``, by the suffix of its name; any other name is JSONL.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NoReturn

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


READERS: dict[str, Reader] = {".jsonl": read_jsonl}
