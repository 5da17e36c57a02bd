"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import orjson

from feedback_friction.errors import UsageError

Result = TypeVar("Result")


def whole(out: Path, write: Callable[[Path], Result]) -> Result:
    """Write a file under another name, and give it its own when it is complete.

    Raises:
        UsageError: it cannot be written.
    """
    partial = out.with_name(f"{out.name}.partial")
    try:
        result = write(partial)
        os.replace(partial, out)
    except OSError as error:
        raise UsageError(f"cannot write {out}: {error}") from error
    return result


def write_jsonl(rows: Iterable[dict[str, Any]], out: Path) -> int:
    """Write rows as JSON lines to a file; returns how many.

    Raises:
        UsageError: the file cannot be written.
    """

    def written(partial: Path) -> int:
        with partial.open("wb") as file:
            return write_lines(rows, file)

    return whole(out, written)


def write_lines(rows: Iterable[dict[str, Any]], file: BinaryIO) -> int:
    """Write rows as JSON lines; returns how many."""
    count = 0
    for row in rows:
        file.write(orjson.dumps(row) + b"\n")
        count += 1
    return count
