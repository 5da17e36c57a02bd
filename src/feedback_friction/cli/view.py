"""``friction view``, ``friction review``: a local page over run directories, until Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from feedback_friction.cli.click_options import RUN, RUNS
from feedback_friction.extras import need

if TYPE_CHECKING:
    from feedback_friction.view.labelling import Asked

_PORT = click.option("--port", default=0, show_default=True, help="0 takes a free one.")
_NO_OPEN = click.option("--no-open", is_flag=True, help="Do not open a browser.")


@click.command("view")
@RUNS
@_PORT
@_NO_OPEN
def command(directories: tuple[Path, ...], port: int, no_open: bool) -> None:
    """Show the runs in DIR... in the browser, until Ctrl-C.

    Conditions with their accuracy, live while a run goes on; problems by condition; filters and
    search; each trial with the exact prompts, the feedback before and after the mask, and what
    changed from attempt to attempt; two conditions side by side. By keyboard: ? lists the keys.
    """
    need("view", *_PACKAGES)
    asyncio.run(_serve(directories, port, None, browser=not no_open))


@click.command("review")
@RUN
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
@_PORT
@_NO_OPEN
def review(directory: Path, port: int, no_open: bool, **asked: Any) -> None:
    """Label the unsolved trials in DIR in the browser, on the page of `friction view`.

    One trial at a time, by keyboard: 1 resistance, 2 feedback quality, 3 other. The labels of
    judges and other people stay hidden until you have labelled a trial. Labels are saved
    immediately. If judges labelled a sample, people label the same sample. Ctrl-C stops the server.
    """
    need("view", *_PACKAGES)
    from feedback_friction.view.labelling import Asked

    asyncio.run(_serve((directory,), port, Asked(**asked), browser=not no_open))


_PACKAGES = ("jinja2", "starlette", "uvicorn")


async def _serve(
    directories: tuple[Path, ...], port: int, labelling: Asked | None, *, browser: bool
) -> None:
    """Serve the page until Ctrl-C, in a browser if asked for."""
    from feedback_friction.view.server import serving

    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with serving(directories, port, labelling) as (url, to_label):
        trials = f"{to_label} trials to review; " if labelling else ""
        click.echo(f"{trials}Ctrl-C ends{', labels are kept at once' if trials else ''}")
        click.echo(url)
        if browser:
            await asyncio.to_thread(webbrowser.open, url)
        await stopped.wait()
