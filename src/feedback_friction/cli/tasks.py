"""``friction tasks``, ``validate``, ``generate``: what there is to run, and whether it is sound."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from feedback_friction.bridges.replies import read_replies
from feedback_friction.cli.click_options import PATH
from feedback_friction.cli.grid import columns, print_columns
from feedback_friction.engine.models.remote.faults import one_line
from feedback_friction.modes import MODES
from feedback_friction.problem import Problem
from feedback_friction.settings import Selection
from feedback_friction.tasks.catalog import FAMILIES, PAGES, get_page, load_problems
from feedback_friction.tasks.multiplication import KINDS, existing
from feedback_friction.tasks.multiplication import generate as generated
from feedback_friction.tasks.page import Page, Row
from feedback_friction.tasks.validation import grade_replies
from feedback_friction.tasks.validation import validate as validated
from feedback_friction.writing import write_jsonl, write_lines

_SHAPES = 20
_WIDTH = 60


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
    print_columns(columns(headings, rows, texts=6))


def _modes(page: Page) -> str:
    has = {"program": page.task.tutor is not None, "question": page.hints}
    without = [each.name for each in MODES.values() if not has.get(each.writer, True)]
    return f"all but {', '.join(without)}" if without else "all"


def _data(page: Page) -> str:
    if page.cached is None:
        return "generated" if page.size else "--data"
    return "in the cache" if page.cached() else "not in the cache"


@click.command("validate")
@click.argument("name", metavar="TASK")
@click.option("--data", type=PATH, help="A file in the task's own schema.")
@click.option("--map", "columns", multiple=True, metavar="FIELD=COLUMN", help="As in friction run.")
@click.option("--digits", type=int, default=5, show_default=True, help="Multiplication: 2 to 6.")
@click.option(
    "--replies",
    type=PATH,
    metavar="FILE",
    help="Grade a file of replies (as for friction adopt) and list those without an answer.",
)
def validate(
    name: str,
    data: Path | None,
    columns: tuple[str, ...],
    digits: int,
    replies: Path | None,
) -> int:
    """Check every row of TASK, and print what fails.

    Every gold answer must pass its own grader, and must be masked in feedback and in its own worked
    solution. No hint may give it away or spell it, and every prompt must fit the length limit. The
    exit code is 1 when a row fails. A warning is not a failure, but names something that makes
    verdicts doubtful, such as identical options.
    """
    page = get_page(name)
    selection = Selection(data=data, digits=digits, columns=columns)
    problems = load_problems(page, selection)
    if replies is not None:
        _print_graded(page, problems, replies)
        return 0
    report = validated(page, problems)
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


@click.command("generate")
@click.argument("kind", type=click.Choice([*KINDS, *FAMILIES]))
@click.option("--digits", type=int, default=5, show_default=True, help="Multiplication: 2 to 6.")
@click.option("--count", type=click.IntRange(min=1), help="[1000, or all that there are]")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--out", type=PATH, help="A file.  [standard output]")
def generate(kind: str, digits: int, count: int | None, seed: int, out: Path | None) -> None:
    """Write generated problems of KIND as JSONL: multiplications in the reference schema, or a
    task."""
    rows = _rows(kind, digits, count, seed)
    if out is None:
        write_lines(rows, sys.stdout.buffer)
        return
    write_jsonl(rows, out)
    click.echo(f"{len(rows)} problems in {out}")


def _rows(kind: str, digits: int, count: int | None, seed: int) -> list[Row]:
    if kind in KINDS:
        return generated(kind, digits, count or min(1000, existing(kind, digits)), seed)
    family = importlib.import_module(f"feedback_friction.tasks.{kind}").FAMILY
    rows: list[Row] = family.generate(count or 1000, seed)
    return rows
