"""How rows are named and coloured, alike in every figure."""

from __future__ import annotations

import polars as pl

from feedback_friction.analysis.tables.columns import SETTING
from feedback_friction.modes import GREEDY
from feedback_friction.report.theme import Scale, feedback_scale

BANDS = "Bands and bars are 95% intervals."


def named(table: pl.DataFrame) -> pl.DataFrame:
    """With ``panel`` (task, digits, solver) and ``condition`` (feedback, sampling) in words.

    Where two runs hold the same condition, the panel says which run it is, counting from 1.
    """
    digits = (
        pl.when(pl.col("digits").is_null())
        .then(pl.lit(""))
        .otherwise(pl.format(" ({} digits)", pl.col("digits")))
    )
    several = table["solver"].n_unique() > 1
    solver = pl.format(", {}", pl.col("solver")) if several else pl.lit("")
    run = pl.format(", run {}", pl.col("run") + 1) if _collide(table) else pl.lit("")
    greedy = pl.col("sampling") == GREEDY.name
    return table.with_columns(
        (pl.col("task") + digits + solver + run).alias("panel"),
        pl.when(greedy)
        .then(pl.col("feedback"))
        .otherwise(pl.format("{}, {}", pl.col("feedback"), pl.col("sampling")))
        .alias("condition"),
    )


def _collide(table: pl.DataFrame) -> bool:
    """Whether two runs hold the same condition."""
    if "run" not in table.columns or table.is_empty():
        return False
    alike = [name for name in SETTING if name not in ("run", "simulated")]
    return int(table.group_by(alike).agg(pl.col("run").n_unique())["run"].max() or 0) > 1  # type: ignore[arg-type]  # a count


def scale(table: pl.DataFrame, column: str = "feedback") -> Scale:
    """How the feedback modes in a column are drawn."""
    return feedback_scale(table[column].to_list())


def last(table: pl.DataFrame) -> pl.DataFrame:
    """The rows of each run's last iteration."""
    return table.filter(pl.col("iteration") == pl.col("iteration").max().over("run"))


def main_sampling(table: pl.DataFrame) -> tuple[pl.DataFrame, str]:
    """The rows of one sampling strategy, greedy where there is it, and words to say so."""
    names = table["sampling"].unique(maintain_order=True).to_list()
    if len(names) < 2:
        return table, ""
    chosen = GREEDY.name if GREEDY.name in names else names[0]
    words = f" Drawn is {chosen} sampling; the table has the other strategies."
    return table.filter(pl.col("sampling") == chosen), words
