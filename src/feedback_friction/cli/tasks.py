"""``friction tasks``: what there is to run."""

from __future__ import annotations

import click

from feedback_friction.cli.grid import print_rows
from feedback_friction.modes import MODES
from feedback_friction.tasks.catalog import PAGES, get_page
from feedback_friction.tasks.page import Page


@click.command("tasks")
def command() -> None:
    """List the tasks: size, licence, grader, modes, and whether the data is on this machine."""
    headings = ("task", "title", "licence", "grader", "modes", "data", "problems")
    rows = [
        (
            name,
            page.title,
            page.licence,
            page.grader,
            _modes(page),
            _data(page),
            f"{page.size:,}" if page.size else "your own",
        )
        for name, page in ((name, get_page(name)) for name in PAGES)
    ]
    print_rows(headings, rows, texts=6)


def _modes(page: Page) -> str:
    has = {"program": page.task.tutor is not None, "question": page.hints}
    # a model misleads where no program can
    without = [m.name for m in MODES.values() if not m.misleads and not has.get(m.writer, True)]
    return f"all but {', '.join(without)}" if without else "all"


def _data(page: Page) -> str:
    if page.cached is None:
        return "generated" if page.size else "--data"
    return "in the cache" if page.cached() else "not in the cache"
