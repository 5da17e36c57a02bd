"""``friction validate``: is a data set fit to be run, row by row, without a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from feedback_friction.bridges.replies import read_replies
from feedback_friction.cli.click_options import PATH, generated
from feedback_friction.engine.models.remote.faults import one_line
from feedback_friction.problem import Problem
from feedback_friction.settings import Selection
from feedback_friction.tasks.catalog import get_page, load_problems
from feedback_friction.tasks.page import Page
from feedback_friction.tasks.validation import grade_replies, validate

_SHAPES = 20
_WIDTH = 60


@click.command("validate", params=generated(Selection, only=("data", "columns", "digits")))
@click.argument("name", metavar="TASK")
@click.option(
    "--replies",
    type=PATH,
    metavar="FILE",
    help="Grade a file of replies (as for friction adopt) and list those without an answer.",
)
def command(name: str, replies: Path | None, **selection: Any) -> int:
    """Check every row of TASK, and print what fails.

    Every gold answer must pass its own grader, and must be masked in feedback and in its own worked
    solution. No hint may give it away or spell it, and every prompt must fit the length limit. The
    exit code is 1 when a row fails. A warning is not a failure, but names something that makes
    verdicts doubtful, such as identical options.
    """
    page = get_page(name)
    problems = load_problems(page, Selection(**selection))
    if replies is not None:
        _print_graded(page, problems, replies)
        return 0
    report = validate(page, problems)
    for doubt in report.warnings:
        click.echo(f"{doubt.problem_id}: warning: {doubt.check} {doubt.detail}")
    for failure in report.failures:
        click.echo(f"{failure.problem_id}: {failure.check}: {failure.detail}")
    found = f"{len(report.failures)} failures"
    found += f", {len(report.warnings)} warnings" if report.warnings else ""
    click.echo(f"{report.checked} problems checked, {found}")
    return 1 if report.failures else 0


def _print_graded(page: Page, problems: Sequence[Problem], file: Path) -> None:
    """What became of a file of replies; the shapes of those that state no answer, commonest first.

    The lines are other people's words.
    """
    by_model = read_replies(file, problems)
    every = (
        (problem, talk[0].whole)
        for talks in by_model.values()
        for (problem, _), talk in talks.items()
    )
    graded = grade_replies(page.task, {each.id: each for each in problems}, every)
    said = ", ".join(f"{n} {outcome.value}" for outcome, n in graded.verdicts.most_common())
    click.echo(f"{graded.verdicts.total()} replies: {said}")
    for shape, times, line in graded.shapes[:_SHAPES]:
        click.echo(f"{times:6}  {one_line(shape)}    such as: {one_line(line)[:_WIDTH]}")
