"""Figures that set solvers beside each other."""

from __future__ import annotations

import polars as pl

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.tables import comparison, solvers
from feedback_friction.report import charts
from feedback_friction.report.figure import Figure
from feedback_friction.report.names_and_colours import BANDS, series

SETS_DRAWN = 24


def solvers_compared(runs: Runs) -> Figure | None:
    """Every two solvers under the same condition, paired by problem."""
    table = better_first(comparison.solvers(runs))
    if table.is_empty():
        return None
    table = table.with_columns(
        pl.format("{}, {}, {}", pl.col("task"), series(), pl.col("sampling")).alias("panel"),
        pl.format("{} − {}", pl.col("solver"), pl.col("control_solver")).alias("row"),
    )
    chart = charts.intervals(
        table, "difference", "row", "panel",
        title="difference of accuracy, paired by problem", zero_line=True,
    )  # fmt: skip
    return Figure(
        "solvers", "Solvers compared",
        "Accuracy at the last attempt, one solver minus another, paired by problem. "
        f"{BANDS} The table has McNemar's mid-p, Holm-adjusted.",
        "Forest plot of paired differences of accuracy between solvers.",
        chart, table,
    )  # fmt: skip


def better_first(table: pl.DataFrame) -> pl.DataFrame:
    """Comparisons of solvers turned so that no difference is negative, the largest first."""
    turned = table.with_columns(
        pl.col("control_solver").alias("solver"),
        pl.col("solver").alias("control_solver"),
        -pl.col("difference"),
        (-pl.col("difference_high")).alias("difference_low"),
        (-pl.col("difference_low")).alias("difference_high"),
        pl.col("treatment").alias("control"),
        pl.col("control").alias("treatment"),
        pl.col("treatment_run").alias("control_run"),
        pl.col("control_run").alias("treatment_run"),
        pl.col("only_treatment").alias("only_control"),
        pl.col("only_control").alias("only_treatment"),
    )
    behind = pl.col("difference") < 0
    both = pl.concat([table.filter(~behind), turned.filter(pl.col("difference") > 0)])
    return both.filter(pl.col("difference").is_not_nan()).sort("difference", descending=True)


def overlap(runs: Runs) -> Figure | None:
    """Problems that several solvers fail on together."""
    table = solvers.overlap_sets(runs)
    if table.is_empty():
        return None
    digits = pl.format(" ({} digits)", pl.col("digits")).fill_null("")
    table = table.with_columns(
        pl.concat_str("task", digits, pl.lit(", "), series(), pl.lit(", "), "sampling").alias(
            "panel"
        )
    )
    drawn = (
        table.sort("count", descending=True, maintain_order=True)
        .group_by("panel", maintain_order=True)
        .head(SETS_DRAWN)
        .with_columns(pl.col("solvers").str.split(", ").alias("solver"))
    )
    names = runs.conditions["solver"].unique(maintain_order=True).to_list()
    return Figure(
        "overlap", "Failures shared by solvers",
        "Problems that exactly the marked solvers fail on (an UpSet plot), at most "
        f"{SETS_DRAWN} sets, the largest first. The ratio of shared to all failures, and what "
        "chance would give, is in tables/overlap_summary.csv.",
        "UpSet plot: number of problems that exactly the marked solvers fail on. Most, "
        f"{drawn['count'][0]}: {drawn['solvers'][0]}.",
        charts.upset(drawn, "panel", "solver", "count", names), table,
    )  # fmt: skip
