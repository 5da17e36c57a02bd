"""Every figure of the report, from the tables; a figure without data is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

import polars as pl

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.stats.transitions import Move
from feedback_friction.analysis.table import SETTING
from feedback_friction.analysis.tables import (
    accuracy_table,
    annotation_table,
    answers,
    comparison,
    problems,
    solvers,
)
from feedback_friction.modes import control_modes
from feedback_friction.report import adapting, cause_figures, charts, experiments, published
from feedback_friction.report.figure import Figure, NothingToDrawError, some
from feedback_friction.report.names_and_colours import (
    BANDS,
    beside,
    last,
    main_sampling,
    named,
    panel_of,
    scale,
    series,
)

SETS_DRAWN = 24
MOST_SUBJECTS = 60
MOVES = {  # in the order of the stack, best first
    Move.CORRECT.value: "#009e73",
    Move.NEW.value: "#56b4e9",
    Move.BACK.value: "#e69f00",
    Move.SAME.value: "#d55e00",
    Move.NO_ANSWER.value: "#8c8c8c",
}


def figures(runs: Runs, *, reference: bool = False) -> Iterator[Figure]:
    """The figures of a report, in the order in which they are read.

    Args:
        reference: whether the study's published numbers are laid beside ours.
    """
    every: list[Callable[[Runs], Figure]] = [
        curve, uptake, ends, controls, moves,
        experiments.drag, experiments.selective, experiments.responses, experiments.teaching,
        cause_figures.endings, cause_figures.persistent,
        adapting.what_helps, adapting.foreseen, adapting.equal_cost,
        correction, cause_figures.odds, cause_figures.complexity, subjects,
        *(partial(cause_figures.buckets, name) for name in cause_figures.BUCKETS),
        *(partial(cause_figures.shares, name) for name in cause_figures.SHARES),
        experiments.inside, solvers_compared, overlap,
        *([published.paper] if reference else []),
    ]  # fmt: skip
    for make in every:
        with suppress(NothingToDrawError):
            yield make(runs)


def curve(runs: Runs) -> Figure:
    """Accuracy by attempt, with the target where trials were labelled."""
    table = some(named(runs, accuracy_table.accuracy(runs)))
    if table["iteration"].max() == 0:
        raise NothingToDrawError
    table, note = main_sampling(table)
    targets = annotation_table.target(runs).select(*SETTING, "target", "target_low", "target_high")
    table = table.join(targets, on=SETTING, how="left", nulls_equal=True).with_columns(
        (pl.col("iteration") + 1).alias("attempt")
    )
    labelled = table["target"].is_not_null().any()
    chart = charts.curves(
        table, "attempt", "accuracy", x_title="attempt", y_title="solved so far",
        scale=scale(table), target="target" if labelled else None,
    )  # fmt: skip
    best = last(table).filter(pl.col("accuracy").is_not_nan()).sort("accuracy", descending=True)
    dashed = (
        " Dashed: target accuracy, of a solver that took up all its feedback (our reading of it: "
        "final accuracy plus the share that stays unsolved because feedback was resisted)."
    )
    return Figure(
        "accuracy", "Accuracy by attempt",
        "Share of problems solved at or before each attempt, a panel for each kind of feedback; "
        f"grey lines are the other kinds. {BANDS}{beside(table)}{dashed if labelled else ''}{note}",
        "Line chart of accuracy by attempt. Highest at the end: "
        f"{best['series'][0]} on {best['panel'][0]}, {best['accuracy'][0]:.1%}.",
        chart, table,
    )  # fmt: skip


def uptake(runs: Runs) -> Figure:
    """What one round of feedback adds to a control."""
    table = comparison.uptake(runs)
    return _over_controls(
        runs, table, "uptake", "What one round of feedback adds",
        "Of the problems whose first attempt was wrong, the share that the second attempt solves, "
        "minus that under a control, on the same problems"
        + (", less what a guesser would gain" if (table["guess"] > 0).any() else ""),
        "difference after one round",
    )  # fmt: skip


def controls(runs: Runs) -> Figure:
    """What all attempts add to a control."""
    return _over_controls(
        runs, comparison.gains(runs), "controls", "What feedback adds in the end",
        "Accuracy at the last attempt minus that under a control, on the same problems",
        "difference at the last attempt",
    )  # fmt: skip


def _over_controls(
    runs: Runs, table: pl.DataFrame, name: str, title: str, what: str, axis: str
) -> Figure:
    """A forest plot of differences from the controls."""
    table = some(table.filter(pl.col("difference").is_not_nan()))
    table = named(runs, table.with_columns(pl.col("treatment_run").alias("run"))).with_columns(
        pl.format("{} − {}", pl.col("condition"), pl.col("against")).alias("row")
    )
    drawn, note = main_sampling(table)
    said = "; ".join(f"{mode.name} is {mode.controls_for}" for mode in control_modes())
    chart = charts.intervals(
        drawn, "difference", "row", "panel", title=axis, series="against",
        scale=scale(drawn, "against"), zero_line=True,
    )  # fmt: skip
    return Figure(
        name, title,
        f"{what} ({said}). {BANDS} The table has p-values adjusted by Holm.{note}",
        f"Forest plot: {axis}, each kind of feedback minus a control.",
        chart, table,
    )  # fmt: skip


def ends(runs: Runs) -> Figure:
    """Accuracy of every condition at the first and at the last attempt."""
    every = named(runs, accuracy_table.accuracy(runs))
    firsts = every.filter(pl.col("iteration") == 0)
    first = firsts.select(*SETTING, pl.col("accuracy").alias("first"))
    table = last(every).join(first, on=SETTING, how="left", nulls_equal=True)
    table = table.filter(pl.col("accuracy").is_not_nan())
    if table.height < 2:
        raise NothingToDrawError
    table = _by_task(table)
    moved = (table["iteration"] > 0).any()
    chart = charts.intervals(
        table, "accuracy", "row", "task_panel",
        title="solved at the last attempt" if moved else "solved at the first attempt",
        start="first" if moved else None,
    )  # fmt: skip
    return Figure(
        "ends", "Accuracy at the first and the last attempt" if moved else "Accuracy",
        f"Share of problems solved. {'Open circle: at the first attempt. ' if moved else ''}{BANDS}"
        f"{beside(table)}",
        "Points with intervals: accuracy of each condition, the highest first.",
        chart, table,
    )  # fmt: skip


def _by_task(table: pl.DataFrame) -> pl.DataFrame:
    """With ``task_panel`` and ``row``: what differs between the conditions of a task in words."""
    parts = [
        pl.when(pl.col(name).n_unique().over("task", "digits") > 1).then(pl.col(name))
        for name in ("solver", "condition")
    ]
    row = pl.concat_str(*parts, separator="; ", ignore_nulls=True)
    return table.with_columns(
        panel_of(["task"]).alias("task_panel"),
        pl.when(row == "").then("condition").otherwise(row).alias("row"),
    ).sort("accuracy", descending=True, maintain_order=True)


def correction(runs: Runs) -> Figure:
    """Hazard of correction by iteration."""
    table = named(runs, accuracy_table.correction(runs))
    table = some(table.filter(pl.col("iteration") > 0, pl.col("hazard").is_not_nan()))
    drawn, note = main_sampling(table)
    drawn = drawn.with_columns((pl.col("iteration") + 1).alias("attempt"))
    chart = charts.curves(
        drawn, "attempt", "hazard", x_title="attempt", y_title="solved at this attempt",
        scale=scale(drawn),
    )  # fmt: skip
    return Figure(
        "correction", "Probability that the next attempt is right",
        "Of the problems still unsolved, the share that each attempt solves (the hazard of "
        f"correction). {BANDS}{note}",
        "Line chart of the hazard of correction by attempt.",
        chart, table,
    )  # fmt: skip


def moves(runs: Runs) -> Figure:
    """How answers change from attempt to attempt."""
    table = some(named(runs, answers.moves(runs)).filter(pl.col("n") > 0))
    drawn, note = main_sampling(table)
    chart = charts.stacked(drawn, "move", title="share of the retries", order=MOVES)
    most = drawn.filter(pl.col("move") == Move.SAME.value).sort("share", descending=True)
    return Figure(
        "moves", "How answers change after feedback",
        f"Each retry's answer compared with those before it in the same trial.{note}",
        "Stacked bars of answer changes. The same wrong answer is repeated most under "
        f"{most['condition'][0]}: {most['share'][0]:.1%} of the retries.",
        chart, table,
    )  # fmt: skip


def subjects(runs: Runs) -> Figure:
    """Final accuracy by subject."""
    table, note = main_sampling(some(named(runs, problems.subjects(runs))))
    if table["subject"].n_unique() > MOST_SUBJECTS:
        raise NothingToDrawError
    chart = charts.intervals(
        table, "final", "subject", "panel", title="solved at the last attempt",
        series="series", scale=scale(table),
    )  # fmt: skip
    return Figure(
        "subjects", "Accuracy by subject",
        f"Share solved in the end by subject. {BANDS} First accuracy is in the table.{note}",
        "Points with intervals: accuracy at the last attempt, one row a subject.",
        chart, table,
    )  # fmt: skip


def solvers_compared(runs: Runs) -> Figure:
    """Every two solvers under the same condition, paired by problem."""
    table = some(_better_first(comparison.solvers(runs))).with_columns(
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
        f"{BANDS} The table has p-values adjusted by Holm.",
        "Forest plot of paired differences of accuracy between solvers.",
        chart, table,
    )  # fmt: skip


def _better_first(table: pl.DataFrame) -> pl.DataFrame:
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


def overlap(runs: Runs) -> Figure:
    """Problems that several solvers fail on together."""
    table = some(solvers.overlap_sets(runs))
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
        charts.upset(drawn, names), table,
    )  # fmt: skip
