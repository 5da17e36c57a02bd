"""Figures that set solvers beside each other."""

from __future__ import annotations

import polars as pl

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.tables import accuracy, comparison, solvers
from feedback_friction.report import charts
from feedback_friction.report.figure import Figure
from feedback_friction.report.naming import BANDS, last, named


def by_solver(runs: Runs) -> Figure | None:
    """Final accuracy by solver, where there are several."""
    table = last(named(accuracy.accuracy(runs)))
    if table["solver"].n_unique() < 2:
        return None
    table = table.with_columns(
        pl.format("{}, {}", pl.col("task"), pl.col("condition")).alias("panel")
    )
    chart = charts.intervals(
        table, "accuracy", "solver", "panel", title="accuracy at the last iteration"
    )
    return Figure(
        "by_solver", "Accuracy by solver",
        f"Share solved in the end by each solver. {BANDS}",
        "Points with intervals: accuracy at the last iteration, one row a solver.",
        chart, table,
    )  # fmt: skip


def solvers_compared(runs: Runs) -> Figure | None:
    """Every two solvers under the same condition, paired by problem."""
    table = comparison.solvers(runs)
    if table.is_empty():
        return None
    table = table.with_columns(
        pl.format("{}, {}, {}", pl.col("task"), pl.col("feedback"), pl.col("sampling")).alias(
            "panel"
        ),
        pl.format("{} − {}", pl.col("solver"), pl.col("control_solver")).alias("row"),
    )
    chart = charts.intervals(
        table, "difference", "row", "panel",
        title="difference of accuracy, paired by problem", zero_line=True,
    )  # fmt: skip
    return Figure(
        "solvers", "Solvers compared",
        "Accuracy at the last iteration, one solver minus another, paired by problem. "
        f"{BANDS} The table has McNemar's mid-p, Holm-adjusted.",
        "Forest plot of paired differences of accuracy between solvers.",
        chart, table,
    )  # fmt: skip


def overlap(runs: Runs) -> Figure | None:
    """Problems that several solvers fail on together."""
    table = solvers.overlap_sets(runs)
    if table.is_empty():
        return None
    table = table.with_columns(
        pl.format("{}, {}", pl.col("task"), pl.col("feedback")).alias("panel"),
        pl.when(pl.col("size") == 1)
        .then(pl.format("only {}", pl.col("solvers")))
        .otherwise(pl.col("solvers"))
        .alias("who"),
    )
    chart = charts.bars(table, "count", "who", "panel", title="problems")
    return Figure(
        "overlap", "Failures that solvers share",
        "Problems that exactly these solvers fail on (an UpSet plot's bars). The ratio of shared "
        "to all failures, and what chance would give, is in overlap_summary.csv.",
        "Bars: number of problems that exactly the named solvers fail on.",
        chart, table,
    )  # fmt: skip
