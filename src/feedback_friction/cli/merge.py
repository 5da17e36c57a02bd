"""``friction merge``: the parts of a run, made on several machines, as one run."""

from __future__ import annotations

from pathlib import Path

import click

from feedback_friction.cli.drive import command_line
from feedback_friction.cli.results_table import print_results
from feedback_friction.engine.machines.merging import merge


@click.command("merge")
@click.argument("parts", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIR...")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The run directory.")
def command(parts: tuple[Path, ...], out: Path) -> None:
    """Make one run of the parts in DIR..., which stay as they are.

    They are of one configuration, each run with its own --part. What several hold is taken once;
    the same command takes in what has been added since.
    """
    counts = merge(parts, out, command_line())
    told = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    click.echo(f"{sum(counts.values())} trials in {out}: {told}", err=True)
    print_results([out])
