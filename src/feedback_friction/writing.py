"""Files that are there whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import orjson

from feedback_friction.errors import UsageError, reason

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
        raise UsageError(f"cannot write {out}: {reason(error)}") from error
    return result


def write_text(text: str, out: Path) -> None:
    """Write a text; errors as ``whole``."""
    whole(out, lambda partial: partial.write_text(text, "utf-8"))


def write_json(document: Any, out: Path) -> None:
    """Write a JSON document that people can read; errors as ``whole``."""
    write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", out)


def write_jsonl(rows: Iterable[Mapping[str, Any]], out: Path) -> int:
    """Write rows as JSON lines; returns how many. Errors as ``whole``."""

    def written(partial: Path) -> int:
        with partial.open("wb") as file:
            return write_lines(rows, file)

    return whole(out, written)


def write_lines(rows: Iterable[Mapping[str, Any]], file: BinaryIO) -> int:
    """Write rows as JSON lines; returns how many."""
    count = 0
    for row in rows:
        file.write(orjson.dumps(row) + b"\n")
        count += 1
    return count
