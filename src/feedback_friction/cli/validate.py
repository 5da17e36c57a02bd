"""``friction validate``: is a data set fit to be run, row by row, without a model."""

from __future__ import annotations

from pathlib import Path

import click

from feedback_friction.tasks.catalog import get_page, load_problems
from feedback_friction.tasks.columns import parse_columns
from feedback_friction.tasks.page import Selection
from feedback_friction.tasks.validate import validate


@click.command("validate")
@click.argument("name", metavar="TASK")
@click.option("--data", type=click.Path(path_type=Path), help="A file in the task's own schema.")
@click.option("--map", "columns", multiple=True, metavar="FIELD=COLUMN", help="As in friction run.")
@click.option("--digits", type=int, default=5, show_default=True, help="Multiplication: 2 to 6.")
def command(name: str, data: Path | None, columns: tuple[str, ...], digits: int) -> int:
    """Check every row of TASK, and print what fails.

    Every gold answer must pass its own grader, be masked where feedback states it and be masked
    out of its own worked solution, no hint may give it away or spell it, and every prompt must keep
    within the length limit. The exit code is 1 when a row fails. A warning names what is no failure
    and makes verdicts doubtful all the same, such as options that are equal.
    """
    page = get_page(name)
    selection = Selection(data=data, digits=digits, columns=parse_columns(columns))
    report = validate(page, load_problems(page, selection))
    for doubt in report.warnings:
        click.echo(f"{doubt.problem_id}: warning: {doubt.check} {doubt.detail}")
    for failure in report.failures:
        click.echo(f"{failure.problem_id}: {failure.check}: {failure.detail}")
    found = f"{len(report.failures)} failures"
    found += f", {len(report.warnings)} warnings" if report.warnings else ""
    click.echo(f"{report.checked} problems checked, {found}")
    return 1 if report.failures else 0
