"""``friction tasks``: what there is to run."""

from __future__ import annotations

import click
from rich.table import Table

from feedback_friction.cli.table import wide_console
from feedback_friction.modes import MODES
from feedback_friction.tasks.catalog import PAGES, get_page
from feedback_friction.tasks.page import Page


@click.command("tasks")
def command() -> None:
    """List the tasks: size, licence, grader, modes, and whether the data is on this machine."""
    table = Table(pad_edge=False)
    for name in ("task", "title", "problems", "licence", "grader", "modes", "data"):
        table.add_column(name, justify="right" if name == "problems" else "left", overflow="fold")
    for name in PAGES:
        page = get_page(name)
        table.add_row(
            name,
            page.title,
            f"{page.size:,}" if page.size else "your own",
            page.licence,
            page.grader,
            _modes(page),
            _data(page),
        )
    wide_console().print(table)


def _modes(page: Page) -> str:
    hints = any("hints" in row for row in page.fixture)
    has = {"program": page.task.tutor is not None, "question": hints}
    without = [each.name for each in MODES.values() if not has.get(each.writer, True)]
    return f"all but {', '.join(without)}" if without else "all"


def _data(page: Page) -> str:
    if page.cached is None:
        return "generated" if page.size else "--data"
    return "in the cache" if page.cached() else "not in the cache"
