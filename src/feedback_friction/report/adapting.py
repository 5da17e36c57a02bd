"""Figures of feedback that adapts: what helps whom, and whether its uselessness was foreseen."""

from __future__ import annotations

import polars as pl

from feedback_friction.analysis.choices import WHENEVER
from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.tables import form_effects, spending
from feedback_friction.report import charts
from feedback_friction.report.figure import Figure, NothingToDrawError, some
from feedback_friction.report.names_and_colours import (
    BANDS,
    main_sampling,
    named,
    panel_of,
    run_name,
    scale,
)

SHORTENED = 30  # characters of a condition's name within a title
SHORT = 0.1  # of a condition's trials: where more had no attempts left, its line ends


def _about(table: pl.DataFrame, before: str) -> pl.Expr:
    """The task and the solver, where there are several."""
    several = table.select("task", "digits", "solver").unique().height > 1
    return pl.lit(before) + panel_of(["task", "solver"]) if several else pl.lit("")


def what_helps(runs: Runs) -> Figure:
    """What each form adds to the plainest, by solver and state."""
    table = form_effects.forms(runs)
    table = table.filter(
        pl.col("horizon") == "next attempt",
        pl.col("effect").is_not_nan(),
        pl.col("effect_low") > -1,
    )
    several = some(table).select("run", "feedback").unique().height > 1
    more = pl.format(", {}, {}", run_name(runs), "feedback")
    run = more if several else pl.lit("")
    # Errors by kind are many: they are in the table.
    table = table.filter(~pl.col("state").str.starts_with("error: ")).with_columns(
        (pl.col("state") + _about(table, ": ") + run).alias("panel")
    )
    against = ", ".join(table["against"].unique().sort())
    best = table.filter(pl.col("state") == WHENEVER).sort("effect", descending=True)
    chart = charts.intervals(
        table, "effect", "form", "panel", title=f"added to {against}", zero_line=True
    )
    return Figure(
        "what_helps", "Which form helps in which state",
        f"Share of next attempts that are right after each form of feedback, less that after "
        f"{against}, where the form was drawn at random; doubly robust. {BANDS} Feedback that "
        "adapts needs effects that differ from state to state; intervals that overlap do not show "
        "it. Two attempts later, by kind of error, and by weights alone: in the table.",
        "Forest plot of the effects of forms of feedback. Largest in any state: "
        f"{best['form'][0]}, {100 * best['effect'][0]:+.1f} points.",
        chart, table,
    )  # fmt: skip


def foreseen(runs: Runs) -> Figure:
    """Reliability of the predicted chance that the next answer repeats the last."""
    table = some(form_effects.repetition_predicted(runs))
    table = table.with_columns(
        (
            pl.format(
                "{} (Brier {}, AUROC {})", pl.col("feedback").str.head(SHORTENED),
                pl.col("brier").round(3), pl.col("auroc").round(2),
            ) + _about(table, ", ")
        ).alias("panel"),
        pl.format(
            "predicted {} to {}%",
            (100 * pl.col("low")).round().cast(pl.Int64),
            (100 * pl.col("high")).round().cast(pl.Int64),
        ).alias("row"),
    )  # fmt: skip
    chart = charts.intervals(
        table, "repeated", "row", "panel", title="next answers that repeat the last",
        start="predicted",
    )  # fmt: skip
    return Figure(
        "foreseen", "Predicting useless feedback",
        "Share of next answers that repeat the last, by the probability predicted before the "
        f"feedback; open circle: the mean prediction. {BANDS} Brier: mean squared error; AUROC: "
        "0.5 tells nothing, 1 tells all.",
        "Points with intervals: repeated answers by predicted chance.",
        chart, table,
    )  # fmt: skip


def equal_cost(runs: Runs) -> Figure:
    """What is solved within so many tokens: conditions beside each other at equal cost."""
    table = spending.solved_within(runs)
    table = some(table.filter(pl.col("short") <= SHORT * pl.col("n")))
    if table["tokens"].n_unique() == 1:
        raise NothingToDrawError
    table, note = main_sampling(named(runs, table))
    chart = charts.curves(
        table, "tokens", "solved", x_title="tokens", y_title="solved", scale=scale(table)
    )
    return Figure(
        "solved_within", "Solved within a token budget",
        "Share of problems that are solved with at most so many tokens each, read and written by "
        "solver and feedback writer: conditions at equal cost. A line ends where more than a tenth "
        "of its trials had used up their attempts: with more attempts, it might have gone on. "
        f"{BANDS}{note}",
        "Line chart of the share solved by tokens.",
        chart, table,
    )  # fmt: skip
