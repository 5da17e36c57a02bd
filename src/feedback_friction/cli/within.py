"""``friction results --within``: conditions beside each other at equal numbers of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from pathlib import Path
from typing import Any

import click

from feedback_friction.caveats import caveats, provisional
from feedback_friction.cli.grid import columns, differing, print_json, print_tables
from feedback_friction.extras import need
from feedback_friction.report.overview import Column, in_cell

TITLE = "Solved within a token budget"
NOTES = (
    "tokens: read and written by solver and feedback writer, from a trial's first call to the end "
    "of its right attempt",
    "brackets: 95% intervals; adds: difference from the first condition, paired by problem",
    "ended short: trials that ended unsolved with fewer tokens; more attempts might have solved "
    "some of them, so that the share says too little where there are many",
)


def print_within(
    directories: Sequence[Path], levels: tuple[int, ...], form: str, *, as_json: bool
) -> None:
    """Print the share of trials solved within each number of tokens, as ``results.FORMATS``."""
    need("report", "polars", "scipy")
    import polars as pl

    from feedback_friction.analysis.frames import load_runs
    from feedback_friction.analysis.tables.spending import solved_within
    from feedback_friction.report.safe import csv_of

    runs = load_runs(directories)
    table = solved_within(runs, levels).sort("tokens", maintain_order=True)
    named = pl.Series([runs.names[run] for run in table["run"]], dtype=pl.String)
    table = table.with_columns(run=named)
    rows = table.to_dicts()
    if as_json:
        print_json({"within": table})
    elif form == "csv":  # every column, shares from 0 to 1
        click.echo(csv_of(table), nl=False)
    else:
        unfinished = sum(map(runs.unfinished, range(len(directories))))
        notes = [
            *NOTES,
            *([provisional(unfinished)] if unfinished else []),
            *caveats({row["solver"]: row["simulated"] for row in rows}),
        ]
        headings = [f"at most {row['tokens']:,} tokens" for row in rows]

        def sectioned(table: list[Column]) -> tuple[list[str], list[Column]]:
            return headings, [column for column in table if column.name != "tokens"]

        print_tables({TITLE: _columns(rows)}, notes, form, sectioned)


_LABELS = ("run", "task", "solver", "feedback", "sampling", "history")


def _columns(rows: Sequence[dict[str, Any]]) -> list[Column]:
    """Columns of what differs between the rows, and the numbers."""
    cells = [
        (
            f"{row['tokens']:,}",
            in_cell(row, "solved"),
            "" if isnan(row["difference"]) else in_cell(row, "difference", sign="+"),
            f"{row['short']:,}",
            f"{row['n']:,}",
        )
        for row in rows
    ]
    headings = ("tokens", "solved %", "adds, points", "ended short", "n")
    labels = {name: [str(row[name]) for row in rows] for name in _LABELS}
    return [*differing(labels), *columns(headings, cells, texts=0)]
