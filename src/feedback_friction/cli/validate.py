"""``friction validate``: is a data set fit to be run, row by row, without a model."""

from __future__ import annotations

from pathlib import Path

import click

from feedback_friction.tasks.catalog import get_page, load_problems
from feedback_friction.tasks.page import Selection
from feedback_friction.tasks.validate import validate


@click.command("validate")
@click.argument("name", metavar="TASK")
@click.option("--data", type=click.Path(path_type=Path), help="A file in the task's own schema.")
@click.option("--digits", type=int, default=5, show_default=True, help="Multiplication: 2 to 6.")
def command(name: str, data: Path | None, digits: int) -> int:
    """Check every row of TASK, and print what fails.

    Every gold answer must pass its own grader, be masked where feedback states it and be masked
    out of its own worked solution, no hint may give it away or spell it, and every prompt must keep
    within the length limit. The exit code is 1 when a row fails.
    """
    page = get_page(name)
    report = validate(page, load_problems(page, Selection(data=data, digits=digits)))
    for failure in report.failures:
        click.echo(f"{failure.problem_id}: {failure.check}: {failure.detail}")
    click.echo(f"{report.checked} problems checked, {len(report.failures)} failures")
    return 1 if report.failures else 0
