"""Rows of other people's logs, as ``friction mask`` and ``friction grade`` read them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

from feedback_friction.errors import DataError, UsageError
from feedback_friction.problem import Problem
from feedback_friction.tasks.foreign_rows import to_problem
from feedback_friction.tasks.page import Page, Row, RowError

Work = Callable[[Problem, str, Row], dict[str, Any]]


def convert(page: Page, file: Path, field: str, work: Work) -> None:
    """Write one JSON line for each line of a file, in the same order.

    Args:
        file: JSONL; ``-`` is standard input.
        field: the field with the text to work on.
        work: the answer for a problem, its text and the whole line.

    Raises:
        DataError: a line is not as the contract wants it; the lines before it are written.
    """
    for number, line in _lines(file):
        try:
            row = orjson.loads(line)
        except ValueError as error:
            raise DataError(str(file), f"not JSON: {error}", line=number) from error
        if not isinstance(row, dict):
            raise DataError(str(file), "not a JSON object", line=number)
        text = row.get(field)
        if not isinstance(text, str):
            raise DataError(str(file), "must be a text", line=number, field=field)
        try:
            problem = to_problem(page, row)
        except RowError as error:
            raise DataError(str(file), error.problem, line=number, field=error.field) from error
        sys.stdout.buffer.write(orjson.dumps(work(problem, text, row)) + b"\n")
    sys.stdout.buffer.flush()


def _lines(file: Path) -> Iterator[tuple[int, bytes]]:
    try:
        source = sys.stdin.buffer if str(file) == "-" else file.open("rb")
        with source:
            for number, line in enumerate(source, 1):
                if line.strip():
                    yield number, line
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error}") from error
