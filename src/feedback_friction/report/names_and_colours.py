"""How rows are named and coloured, alike in every figure."""

from __future__ import annotations

import polars as pl

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.table import SETTING
from feedback_friction.report.theme import Scale, feedback_scale
from feedback_friction.ways import GREEDY, condition_name

BANDS = "Bands and bars are 95% intervals."


def named(runs: Runs, table: pl.DataFrame) -> pl.DataFrame:
    """With ``panel``, ``series`` and ``condition`` in words.

    A panel is a task, its digits and the solver; a series a feedback mode, and its history where
    that is not the usual one; a condition is a series and its sampling.

    Where two runs hold the same condition, the panel says which run it is.
    """
    subjects = ["task", "solver"] if table["solver"].n_unique() > 1 else ["task"]
    run = pl.lit(", ") + run_name(runs) if _collide(table) else pl.lit("")
    greedy = pl.col("sampling") == GREEDY.name
    return table.with_columns(
        (panel_of(subjects) + run).alias("panel"), series().alias("series")
    ).with_columns(
        pl.when(greedy)
        .then("series")
        .otherwise(pl.format("{}, {}", pl.col("series"), pl.col("sampling")))
        .alias("condition")
    )


def run_name(runs: Runs) -> pl.Expr:
    """The name of the run whose number the column ``run`` holds."""
    return pl.col("run").replace_strict(dict(enumerate(runs.names)), return_dtype=pl.String)


def panel_of(names: list[str]) -> pl.Expr:
    """Some columns in words, joined; a task with its digits."""
    digits = pl.format(" ({} digits)", pl.col("digits")).fill_null("")
    words = [pl.col(name) + digits if name == "task" else pl.col(name) for name in names]
    return pl.concat_str(*words, separator=", ")


def beside(table: pl.DataFrame) -> str:
    """Words for what is drawn beside accuracy, where any of it is."""
    said = ""
    if (table["bound_low"] < table["accuracy_low"]).any():
        said += " Thin lines: where accuracy lies whatever became of the missing trials."
    if table["guess"].count():
        said += (
            " Grey: what a guesser reaches that reads nothing, with and without options that it "
            "tried before in mind."
        )
    return said


def series() -> pl.Expr:
    """Feedback, and the history where it is shown otherwise than as a transcript."""
    return pl.struct("feedback", "history").map_elements(
        lambda row: condition_name(**row), pl.String
    )


def _collide(table: pl.DataFrame) -> bool:
    """Whether two runs hold the same condition."""
    if "run" not in table.columns or table.is_empty():
        return False
    alike = [name for name in SETTING if name not in ("run", "simulated")]
    return int(table.group_by(alike).agg(pl.col("run").n_unique())["run"].max() or 0) > 1  # type: ignore[arg-type]  # a count


def scale(table: pl.DataFrame, column: str = "series") -> Scale:
    """How the series in a column are drawn, or the feedback modes."""
    return feedback_scale(table[column].to_list())


def last(table: pl.DataFrame) -> pl.DataFrame:
    """The rows of each condition's last iteration; where answers are challenged it is another."""
    return table.filter(pl.col("iteration") == pl.col("iteration").max().over(SETTING))


def main_sampling(table: pl.DataFrame) -> tuple[pl.DataFrame, str]:
    """The rows of one sampling strategy of each run, task and solver, and words to say so.

    It is greedy where there are rows of it, else the first.
    """
    about = [name for name in ("run", "task", "digits", "solver") if name in table.columns]
    greedy = pl.col("sampling") == GREEDY.name
    first = pl.col("sampling").first().over(about)
    drawn = table.filter(
        pl.when(greedy.any().over(about)).then(greedy).otherwise(pl.col("sampling") == first)
    )
    if drawn.height == table.height:
        return table, ""
    names = " or ".join(drawn["sampling"].unique(maintain_order=True))
    return drawn, f" The figure shows {names} sampling; the table has the other strategies."
