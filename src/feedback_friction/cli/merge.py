"""``friction merge``: the parts of a run, made on several machines, as one run."""

from __future__ import annotations

from pathlib import Path

import click

from feedback_friction.cli.click_options import PATH
from feedback_friction.cli.drive import command_line
from feedback_friction.cli.results import print_results
from feedback_friction.engine.machines.merging import merge


@click.command("merge")
@click.argument("parts", nargs=-1, required=True, type=PATH, metavar="DIR...")
@click.option("--out", type=PATH, required=True, help="The run directory.")
def command(parts: tuple[Path, ...], out: Path) -> None:
    """Combine the parts in DIR... into one run; the parts are not changed.

    The parts have one configuration, each with its own --part. What several parts have is taken
    once. Repeat the command to add what the parts have gained since.
    """
    counts = merge(parts, out, command_line())
    told = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    click.echo(f"{sum(counts.values())} trials in {out}: {told}", err=True)
    print_results([out])
