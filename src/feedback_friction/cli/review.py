"""``friction review``: people label unsolved trials on a local page."""

from __future__ import annotations

import asyncio
import signal
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from feedback_friction.review.server import Reviewing


@click.command("review")
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--annotator", default="", metavar="NAME", help="Who labels; else the page asks.")
@click.option("--sample", type=click.IntRange(min=1), help="At most this many trials of each task.")
@click.option("--seed", default=0, show_default=True, help="Seed of the sample.")
@click.option(
    "--every", is_flag=True, help="Choose from all unsolved trials, not only those judges labelled."
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
    """Open a local page on which the unsolved trials in DIR are labelled, until Ctrl-C.

    One trial at a time, by keyboard: 1 resistance, 2 feedback quality, 3 other. What judges and
    other people said stays hidden until a trial is labelled. Labels are kept at once. Where judges
    labelled a sample, people are shown trials of that sample.
    """
    from feedback_friction.review.server import Reviewing

    asked = Reviewing(directory, annotator, sample, seed, every, port)
    asyncio.run(_serve(asked, browser=not no_open))


async def _serve(asked: Reviewing, *, browser: bool) -> None:
    from feedback_friction.review.server import serving

    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with serving(asked) as server:
        click.echo(f"{len(server.trials)} trials to review; Ctrl-C ends, labels are kept at once")
        click.echo(server.url)
        if browser:
            await asyncio.to_thread(webbrowser.open, server.url)
        await stopped.wait()
