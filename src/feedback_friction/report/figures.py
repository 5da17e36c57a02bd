"""Every figure of the report, from the tables; a figure without data is left out."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.stats.transitions import Move
from feedback_friction.analysis.tables import accuracy, annotation, answers, comparison, problems
from feedback_friction.analysis.tables.columns import SETTING
from feedback_friction.modes import control_modes
from feedback_friction.report import between, causes, charts
from feedback_friction.report.figure import Figure
from feedback_friction.report.naming import BANDS, last, main_sampling, named, scale

MOVES = {  # in the order of the stack, best first
    Move.CORRECT.value: "#009e73",
    Move.NEW.value: "#56b4e9",
    Move.BACK.value: "#e69f00",
    Move.SAME.value: "#d55e00",
    Move.NO_ANSWER.value: "#8c8c8c",
}


def figures(runs: Runs) -> Iterator[Figure]:
    """The figures of a report, in the order in which they are read."""
    for make in (
        curve,
        modes,
        controls,
        causes.persistent,
        sampling,
        correction,
        moves,
        causes.complexity,
        subjects,
        causes.confidence,
        causes.entropy,
        causes.in_domain,
        causes.popularity,
        causes.perception,
        causes.reader,
        between.by_solver,
        between.solvers_compared,
        between.overlap,
        tokens,
    ):
        figure = make(runs)
        if figure is not None:
            yield figure


def curve(runs: Runs) -> Figure | None:
    """Accuracy by iteration, with the target where trials were labelled."""
    table = named(accuracy.accuracy(runs))
    if table.is_empty() or table["iteration"].max() == 0:
        return None
    table, note = main_sampling(table)
    targets = annotation.target(runs).select(*SETTING, "target", "target_low", "target_high")
    table = table.join(targets, on=SETTING, how="left", nulls_equal=True)
    labelled = table["target"].is_not_null().any()
    chart = charts.curves(
        table, "iteration", "accuracy", "series", "panel",
        x_title="iteration", y_title="accuracy", scale=scale(table),
        target="target" if labelled else None,
    )  # fmt: skip
    best = last(table).filter(pl.col("accuracy").is_not_nan()).sort("accuracy", descending=True)
    dashed = (
        " Dashed: target accuracy, of a solver that took up all its feedback (our reading of it: "
        "final accuracy plus the share that stays unsolved for feedback resistance)."
    )
    return Figure(
        "accuracy", "Accuracy by iteration",
        "Share of problems solved at or before each iteration; a solved problem stays solved. "
        f"{BANDS}{dashed if labelled else ''}{note}",
        "Line chart of accuracy by iteration. Highest at the end: "
        f"{best['series'][0]} on {best['panel'][0]}, {best['accuracy'][0]:.1%}.",
        chart, table,
    )  # fmt: skip


def modes(runs: Runs) -> Figure | None:
    """Final accuracy by feedback mode."""
    table, note = main_sampling(last(named(accuracy.accuracy(runs))))
    if table["series"].n_unique() < 2:
        return None
    chart = charts.intervals(
        table, "accuracy", "series", "panel",
        title="accuracy at the last iteration", series="series", scale=scale(table),
    )  # fmt: skip
    return Figure(
        "modes", "Accuracy by kind of feedback",
        f"Share solved in the end by feedback mode. {BANDS}{note}",
        "Points with intervals: accuracy at the last iteration, one row a feedback mode.",
        chart, table,
    )  # fmt: skip


def controls(runs: Runs) -> Figure | None:
    """Gain over the controls."""
    table = named(comparison.gains(runs).with_columns(pl.col("treatment_run").alias("run")))
    if table.is_empty():
        return None
    table = table.with_columns(
        pl.format("{} − {}", pl.col("condition"), pl.col("against")).alias("row")
    )
    drawn, note = main_sampling(table)
    said = "; ".join(f"{mode.name} is {mode.controls_for}" for mode in control_modes())
    chart = charts.intervals(
        drawn, "difference", "row", "panel",
        title="difference of accuracy, paired by problem", series="against",
        scale=scale(drawn, "against"), zero_line=True,
    )  # fmt: skip
    return Figure(
        "controls", "What feedback adds to trying again",
        f"Final accuracy of each condition minus that of a control, paired by problem: {said}. "
        f"{BANDS} The table has McNemar's mid-p, Holm-adjusted.{note}",
        "Forest plot of paired differences of final accuracy between conditions and controls.",
        chart, table,
    )  # fmt: skip


def sampling(runs: Runs) -> Figure | None:
    """Final accuracy by sampling strategy."""
    table = last(named(accuracy.accuracy(runs)))
    if table["sampling"].n_unique() < 2:
        return None
    chart = charts.intervals(
        table, "accuracy", "sampling", "panel",
        title="accuracy at the last iteration", series="series", scale=scale(table),
    )  # fmt: skip
    return Figure(
        "sampling", "Accuracy by sampling strategy",
        f"Share solved in the end by sampling strategy. {BANDS}",
        "Points with intervals: accuracy at the last iteration, one row a sampling strategy.",
        chart, table,
    )  # fmt: skip


def correction(runs: Runs) -> Figure | None:
    """Hazard of correction by iteration."""
    table = named(accuracy.correction(runs)).filter(
        pl.col("iteration") > 0, pl.col("hazard").is_not_nan()
    )
    if table.is_empty():
        return None
    drawn, note = main_sampling(table)
    chart = charts.curves(
        drawn, "iteration", "hazard", "series", "panel",
        x_title="iteration", y_title="solved at this attempt", scale=scale(drawn),
    )  # fmt: skip
    return Figure(
        "correction", "Chance that the next attempt is right",
        "Share of the attempts at each iteration that solve a problem still unsolved (the hazard "
        f"of correction). {BANDS}{note}",
        "Line chart of the hazard of correction by iteration.",
        chart, table,
    )  # fmt: skip


def moves(runs: Runs) -> Figure | None:
    """How answers change from attempt to attempt."""
    table = named(answers.moves(runs)).filter(pl.col("n") > 0)
    if table.is_empty():
        return None
    table = table.with_columns(
        pl.col("move").replace_strict([*MOVES], range(len(MOVES))).alias("order")
    )
    drawn, note = main_sampling(table)
    chart = charts.stacked(
        drawn, "share", "condition", "move", "panel", title="share of the retries", order=MOVES
    )
    most = drawn.filter(pl.col("move") == Move.SAME.value).sort("share", descending=True)
    return Figure(
        "moves", "What becomes of an answer after feedback",
        f"Each retry's answer compared with those before it in the same trial.{note}",
        "Stacked bars of answer changes. The same wrong answer is repeated most under "
        f"{most['condition'][0]}: {most['share'][0]:.1%} of the retries.",
        chart, table.drop("order"),
    )  # fmt: skip


def subjects(runs: Runs) -> Figure | None:
    """Final accuracy by subject."""
    table = named(problems.subjects(runs))
    table, note = main_sampling(table)
    if table.is_empty() or table["subject"].n_unique() > 60:
        return None
    chart = charts.intervals(
        table, "final", "subject", "panel", title="accuracy at the last iteration",
        series="series", scale=scale(table),
    )  # fmt: skip
    return Figure(
        "subjects", "Accuracy by subject",
        f"Share solved in the end by subject. {BANDS} First accuracy is in the table.{note}",
        "Points with intervals: accuracy at the last iteration, one row a subject.",
        chart, table,
    )  # fmt: skip


def tokens(runs: Runs) -> Figure | None:
    """Tokens per solved problem."""
    table = named(answers.cost(runs)).filter(pl.col("tokens_per_solved") > 0)
    if table.is_empty():
        return None
    drawn, note = main_sampling(table)
    chart = charts.bars(
        drawn, "tokens_per_solved", "condition", "panel", title="tokens per solved problem"
    )
    return Figure(
        "tokens", "Tokens per solved problem",
        "Prompt and completion tokens of answers and feedback, divided by the problems solved; "
        f"calls that conditions share are counted in each.{note}",
        "Bars: tokens per solved problem, one row a condition.",
        chart, table,
    )  # fmt: skip
