"""``friction freeze``: a run's first attempts and their masked feedback as a benchmark."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from feedback_friction.cli.click_options import PATH, RUN
from feedback_friction.engine.passes.reopen import freeze
from feedback_friction.engine.run.frozen_sets import write_frozen


@click.command("freeze")
@RUN
@click.option(
    "--out",
    type=PATH,
    required=True,
    metavar="FILE",
    help="The set, as JSON Lines; compressed where the name ends in .gz.",
)
@click.option("--name", help="Name of the set.  [the file's name]")
def command(directory: Path, out: Path, name: str | None) -> None:
    """Save the first attempts of the run in DIR and their masked feedback as a frozen set.

    'friction run --frozen FILE --solver MODEL' then gives any solver the same feedback on the same
    attempts, with one call per item and no teacher. Right answers are included where the run
    challenged them (doubt, denial, misled).
    """
    about, items = freeze(directory)
    write_frozen(out, {"name": name or out.name.partition(".")[0], **about}, items)
    modes = Counter(item.mode for item in items)
    parts = ", ".join(f"{count} {mode}" for mode, count in modes.items())
    click.echo(f"{len(items)} items in {out}: {parts}")
