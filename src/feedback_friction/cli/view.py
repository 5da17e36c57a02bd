"""``friction view``: a local page over run directories, also while they run."""

from __future__ import annotations

import asyncio
import signal
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import click

from feedback_friction.cli.extras import needs

if TYPE_CHECKING:
    from feedback_friction.view.server import Viewing


@click.command("view")
@click.argument(
    "directories", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIR..."
)
@click.option("--port", default=0, show_default=True, help="0 takes a free one.")
@click.option("--no-open", is_flag=True, help="Do not open a browser.")
def command(directories: tuple[Path, ...], port: int, no_open: bool) -> None:
    """Show the runs in DIR... in the browser, until Ctrl-C.

    Conditions with their accuracy, live while a run goes on; problems by condition; filters and
    search; each trial with the exact prompts, the feedback before and after the mask, and what
    changed from attempt to attempt; two conditions side by side. By keyboard: ? lists the keys.
    """
    with needs("view"):
        from feedback_friction.view.server import Viewing
    asyncio.run(serve(Viewing(directories, port), browser=not no_open))


async def serve(asked: Viewing, *, browser: bool) -> None:
    """Serve the page until Ctrl-C, in a browser if asked for."""
    from feedback_friction.view.server import serving

    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with serving(asked) as server:
        trials = f"{len(server.to_label)} trials to review; " if asked.labelling else ""
        click.echo(f"{trials}Ctrl-C ends{', labels are kept at once' if trials else ''}")
        click.echo(server.url)
        if browser:
            await asyncio.to_thread(webbrowser.open, server.url)
        await stopped.wait()
