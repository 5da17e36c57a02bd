"""``friction generate``: multiplication problems by seed."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import orjson

from feedback_friction.errors import UsageError
from feedback_friction.tasks.multiplication import existing, generate


@click.command("generate")
@click.argument("kind", type=click.Choice(["decimal", "hex"]))
@click.option("--digits", type=int, default=5, show_default=True, help="2 to 6.")
@click.option("--count", type=click.IntRange(min=1), help="[1000, or all that there are]")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="A file.  [standard output]")
def command(kind: str, digits: int, count: int | None, seed: int, out: Path | None) -> None:
    """Write COUNT problems with worked solutions, in the reference schema (JSONL)."""
    rows = generate(kind, digits, count or min(1000, existing(kind, digits)), seed)
    lines = b"".join(orjson.dumps(row) + b"\n" for row in rows)
    if out is None:
        sys.stdout.buffer.write(lines)
        return
    try:
        out.write_bytes(lines)
    except OSError as error:
        raise UsageError(f"cannot write {out}: {error}") from error
    click.echo(f"{len(rows)} problems in {out}")
