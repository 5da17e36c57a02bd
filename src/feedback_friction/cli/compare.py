"""``friction compare``: conditions against each other, paired by problem."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from feedback_friction.caveats import provisional
from feedback_friction.cli.click_options import JSON, PATH
from feedback_friction.cli.grid import columns, print_columns, print_json
from feedback_friction.errors import UsageError
from feedback_friction.extras import need
from feedback_friction.report.overview import Column, in_cell

if TYPE_CHECKING:
    import polars as pl


@click.command("compare")
@click.argument("first", type=PATH, metavar="A")
@click.argument("second", type=PATH, metavar="[B]", required=False)
@JSON
def command(first: Path, second: Path | None, as_json: bool) -> None:
    """Compare the conditions of run A with each other, or those of run B with those of run A.

    Within a run: every pair of conditions of a solver, and every pair of solvers under one
    condition.

    Differences are in accuracy at the last iteration, on the problems that both have, with a score
    interval; p-values are McNemar's (mid-p), with several epochs or clusters a sign-flip test's,
    adjusted by Holm over the whole table. An unfinished run is compared at the last iteration that
    every trial begun has reached.
    """
    need("report", "polars", "scipy")
    import polars as pl

    from feedback_friction.analysis.frames import load_runs
    from feedback_friction.analysis.tables.comparison import across, within

    runs = load_runs([first] if second is None else [first, second])
    table = within(runs) if second is None else across(runs)
    if table.is_empty():
        raise UsageError("there are no two conditions of the same task to compare")
    unfinished = sum(map(runs.unfinished, range(len(runs.directories))))
    if as_json:
        print_json(table.with_columns(provisional=pl.lit(unfinished > 0)))
        return
    print_columns(_shown(table))
    if unfinished:
        click.echo(provisional(unfinished))


def _shown(table: pl.DataFrame) -> list[Column]:
    headings = ("task", "condition", "against", "difference, points", "won / lost", "p (Holm)", "n")
    several = len({*table["solver"], *table["control_solver"]}) > 1
    rows = []
    for row in table.iter_rows(named=True):
        one, other = row["solver"], row["control_solver"]
        solvers = one if one == other else f"{one} minus {other}"
        digits = f" ({row['digits']} digits)" if row["digits"] else ""
        rows.append(
            (
                row["task"] + digits,
                *([solvers] if several else []),
                row["treatment"],
                row["control"],
                in_cell(row, "difference", sign="+"),
                _discordant(row),
                "< 0.0001" if row["p_holm"] < 1e-4 else f"{row['p_holm']:.4f}",
                str(row["n"]),
                str(row["missing"]),
            )
        )
    named = (headings[0], *(["solver"] if several else []), *headings[1:], "missing")
    return columns(named, rows, texts=3 + several)


def _discordant(row: dict[str, Any]) -> str:
    """Problems that only the one and only the other solves; empty with several epochs."""
    if row["only_treatment"] is None:
        return ""
    return f"{row['only_treatment']} / {row['only_control']}"
