"""``friction export``: attempts in the reference format."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import orjson

from feedback_friction.bridges.reference import export
from feedback_friction.errors import UsageError


@click.command("export")
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--to", "form", type=click.Choice(["jsonl"]), default="jsonl", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="A file.  [standard output]")
def command(directory: Path, form: str, out: Path | None) -> None:
    """Write the attempts of the run in DIR, one JSON line each."""
    rows = export(directory)
    if out is None:
        for row in rows:
            sys.stdout.buffer.write(orjson.dumps(row) + b"\n")
        sys.stdout.buffer.flush()
    else:
        click.echo(f"{write_jsonl(rows, out)} attempts in {out}")


def write_jsonl(rows: Iterable[dict[str, Any]], out: Path) -> int:
    """Write rows to a file that is there whole or not at all; returns how many.

    Raises:
        UsageError: the file cannot be written.
    """
    count = 0
    partial = out.with_name(f"{out.name}.partial")
    try:
        with partial.open("wb") as file:
            for row in rows:
                file.write(orjson.dumps(row) + b"\n")
                count += 1
        os.replace(partial, out)
    except OSError as error:
        raise UsageError(f"cannot write {out}: {error}") from error
    return count
