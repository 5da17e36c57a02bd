"""``friction review``: people label unsolved trials on the page of ``friction view``."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from feedback_friction.cli.extras import needs
from feedback_friction.cli.view import serve


@click.command("review")
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "--annotator", default="", metavar="NAME", help="Your name; without it the page asks."
)
@click.option("--sample", type=click.IntRange(min=1), help="At most this many trials of each task.")
@click.option("--seed", default=0, show_default=True, help="Seed of the sample.")
@click.option(
    "--every",
    is_flag=True,
    help="Choose from all unsolved trials, not only those that judges labelled.",
)
@click.option("--port", default=0, show_default=True, help="0 takes a free one.")
@click.option("--no-open", is_flag=True, help="Do not open a browser.")
def command(
    directory: Path,
    annotator: str,
    sample: int | None,
    seed: int,
    every: bool,
    port: int,
    no_open: bool,
) -> None:
    """Label the unsolved trials in DIR in the browser, on the page of `friction view`.

    One trial at a time, by keyboard: 1 resistance, 2 feedback quality, 3 other. The labels of
    judges and other people stay hidden until you have labelled a trial. Labels are saved
    immediately. If judges labelled a sample, people label the same sample. Ctrl-C stops the server.
    """
    with needs("view"):
        from feedback_friction.view.labelling import Asked
        from feedback_friction.view.server import Viewing

    asked = Asked(annotator, sample, seed, every)
    asyncio.run(serve(Viewing((directory,), port, asked), browser=not no_open))
