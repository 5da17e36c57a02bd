"""``friction generate``: problems by seed, with worked solutions."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import click

from feedback_friction.cli.click_options import PATH
from feedback_friction.tasks.catalog import FAMILIES
from feedback_friction.tasks.multiplication import KINDS, existing, generate
from feedback_friction.tasks.page import Row
from feedback_friction.writing import write_jsonl, write_lines


@click.command("generate")
@click.argument("kind", type=click.Choice([*KINDS, *FAMILIES]))
@click.option("--digits", type=int, default=5, show_default=True, help="Multiplication: 2 to 6.")
@click.option("--count", type=click.IntRange(min=1), help="[1000, or all that there are]")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--out", type=PATH, help="A file.  [standard output]")
def command(kind: str, digits: int, count: int | None, seed: int, out: Path | None) -> None:
    """Write generated problems of KIND as JSONL: multiplications in the reference schema, or a
    task."""
    rows = _rows(kind, digits, count, seed)
    if out is None:
        write_lines(rows, sys.stdout.buffer)
        return
    write_jsonl(rows, out)
    click.echo(f"{len(rows)} problems in {out}")


def _rows(kind: str, digits: int, count: int | None, seed: int) -> list[Row]:
    if kind in KINDS:
        return generate(kind, digits, count or min(1000, existing(kind, digits)), seed)
    family = importlib.import_module(f"feedback_friction.tasks.{kind}").FAMILY
    rows: list[Row] = family.generate(count or 1000, seed)
    return rows
