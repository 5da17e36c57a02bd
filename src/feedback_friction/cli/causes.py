"""``friction causes``: what runs say of the causes of friction, an experiment a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from feedback_friction.analysis.journal import open_journal
from feedback_friction.caveats import caveats, provisional
from feedback_friction.cli.click_options import JSON, RUNS
from feedback_friction.cli.grid import frame_columns, print_columns, print_json, print_lines
from feedback_friction.errors import DataError, UsageError
from feedback_friction.problem import Problem
from feedback_friction.report.overview import in_cell
from feedback_friction.tasks.catalog import get_page
from feedback_friction.tasks.page import RowError

if TYPE_CHECKING:
    import polars as pl

    from feedback_friction.analysis.frames import Runs

_ABOUT = ("task", "digits", "solver", "student", "sampling", "history", "feedback", "kind", "dose")
_ON_Z = ("sensitivity", "criterion", "half", "kappa", "rank")  # no shares: printed as they are
_NAMES = {
    "control": "right after wrong feedback",
    "uptake": "right after right feedback",
    "signal": "right feedback",
    "signals": "n right",
    "noises": "n wrong",
}

Table = tuple[str, str, "pl.DataFrame"]  # its name, what it is about, and its rows


@click.command("causes")
@RUNS
@JSON
def command(directories: tuple[Path, ...], as_json: bool) -> None:
    """Separate the causes of friction, from runs whose conditions differ in one of them.

    \b
    histories     several --history or --solve: the cost of seeing its own attempts, and the
                  benefit of restating, notes or a check, each against its control
    challenges    --feedback doubt, denial, misled: are right answers kept?
    selectivity   the same beside right feedback: does the solver distinguish the two (d')?
    doses         partial:P, noisy:P, hint:L, delay:N: dose and response, dose of half the effect
    teachers      several --feedback-model, or several runs: what does a teacher add?
    frozen        --frozen: uptake, repetition and selectivity over a frozen set; beside a run of
                  the loop, the agreement of the two
    """
    from feedback_friction.analysis.frames import load_runs

    runs = load_runs(directories)
    tables = list(_tables(runs))
    unfinished = sum(map(runs.unfinished, range(len(directories))))
    if as_json:
        print_json({name: each for name, _, each in tables} | {"provisional": unfinished > 0})
        return
    shown = [table for table in tables if not table[2].is_empty()]
    if not shown:
        raise UsageError(
            "these runs vary no cause; 'friction causes --help' lists the conditions to run"
        )
    for _, title, table in shown:
        _print(title, _with_runs_named(table, runs))
    print_lines(["brackets: 95% intervals; shares and differences in percent and points"])
    if unfinished:
        click.echo(provisional(unfinished))
    for line in caveats(dict(runs.conditions.select("solver", "simulated").iter_rows())):
        click.echo(line)


def _tables(runs: Runs) -> Iterator[Table]:
    """Every experiment's table, empty where the runs do not hold it."""
    from feedback_friction.analysis.tables import (
        dose_response,
        frozen_table,
        histories,
        selectivity,
        teachers,
    )

    yield from (
        ("histories", "Effect of --history and --solve (less: minus the reference)",
         histories.histories(runs, locator(runs))),
        ("challenges", "Outcomes of challenged answers", selectivity.challenges(runs)),
        ("selectivity", "Does the solver act on right feedback more than on wrong? (hit: another "
         "answer after right feedback)", selectivity.selectivity(runs)),
        ("doses", "Response to each dose, on the problems missed at first",
         dose_response.doses(runs)),
        ("teachers", "Gain of students from teachers, on the problems missed at first",
         teachers.teachers(runs)),
        ("teaching_variance", "Variance of the gain by source", teachers.teaching_variance(runs)),
        ("frozen", "The frozen set, all its tasks: right after right feedback, kept after wrong",
         frozen_table.frozen(runs)),
        ("frozen_beside_live", "Agreement of the frozen set with the loop",
         frozen_table.beside_live(runs)),
    )  # fmt: skip


def print_frozen(directory: Path) -> None:
    """What a solver did with a frozen set, all its tasks together."""
    from feedback_friction.analysis.frames import load_runs
    from feedback_friction.analysis.tables.frozen_table import frozen

    table = frozen(load_runs([directory]))
    if not table.is_empty():
        click.echo()
        _print("The frozen set: right after right feedback, kept after wrong", table)


def locator(runs: Runs) -> Callable[[str, str, str], str | None]:
    """A function that finds the first wrong line of a reply, where a program can find it."""
    problems = {}
    for directory in runs.directories:
        with open_journal(directory) as db:
            for row in db.execute("SELECT task, problem_id, question, gold FROM problems"):
                problems[row["task"], row["problem_id"]] = (row["question"], row["gold"])

    @cache
    def problem_of(task: str, problem_id: str) -> Problem | None:
        question, gold = problems[task, problem_id]
        try:
            return get_page(task).to_problem({"question": question, "answer": gold})
        except (RowError, DataError):
            return None

    def locate(task: str, problem_id: str, text: str) -> str | None:
        find = get_page(task).task.locate
        problem = problem_of(task, problem_id) if find is not None else None
        return find(problem, text) if find is not None and problem is not None else None

    return locate


def _with_runs_named(table: pl.DataFrame, runs: Runs) -> pl.DataFrame:
    """The table with names in place of the runs' numbers, where there are several."""
    if len(runs.directories) == 1:
        return table
    names = dict(enumerate(runs.names))
    return table.with_columns(
        table[name].replace_strict(names) for name in ("run", "frozen_run") if name in table.columns
    )


def _print(title: str, table: pl.DataFrame) -> None:
    """One table: what differs between its rows, then its numbers with their intervals."""
    import polars as pl

    texts = table.select(pl.col(pl.String)).columns
    about = [name for name in table.columns if name in (*_ABOUT, *texts)]
    differing = [
        name for name in about if table[name].n_unique() > 1 and table[name].null_count() == 0
    ]
    same = [
        f"{name}: {table[name][0]}"
        for name in about
        if table[name].n_unique() == 1 and table[name][0]
    ]
    numbers = [
        name
        for name in table.columns
        if name not in (*about, *_SILENT) and table[name].null_count() < table.height
    ]
    named = table.with_columns(pl.col(differing).cast(pl.String))
    shown = frame_columns(named, [*differing, *numbers], _cell)
    print_columns(
        [replace(each, name=_NAMES.get(each.name, each.name)) for each in shown], title=title
    )
    print_lines(["; ".join(same), ""])


_SILENT = ("run", "frozen_run", "simulated")


def _cell(row: dict[str, Any], name: str) -> str:
    sign = "+" if name.endswith(("_less", "over_self", "effect")) else ""
    return in_cell(row, name, _plain, sign=sign, is_share=name not in _ON_Z)


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"
