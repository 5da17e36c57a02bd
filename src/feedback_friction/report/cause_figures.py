"""Figures of what goes with friction: categories, confidence, entropy, familiarity, size."""

from __future__ import annotations

import polars as pl

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.tables import (
    accuracy_table,
    annotation_table,
    model,
    probe_table,
    problems,
)
from feedback_friction.analysis.tables import persistent as tables
from feedback_friction.analysis.tables.persistent import Ending
from feedback_friction.report import charts
from feedback_friction.report.figure import Figure
from feedback_friction.report.names_and_colours import (
    BANDS,
    last,
    main_sampling,
    named,
    panel_of,
    scale,
)

MOST_ODDS = (0.01, 100.0)  # drawn: a term that hardly varies has limits beyond all sense
AXES = {"gain": "gain", "final": "solved at the last attempt"}
CATEGORIES = {  # in the order of the stack
    "resistance": "#d55e00",
    "quality": "#0072b2",
    "other": "#8c8c8c",
}


def complexity(runs: Runs) -> Figure | None:
    """First and final accuracy by number of digits and base."""
    table = named(accuracy_table.accuracy(runs)).filter(pl.col("digits").is_not_null())
    table, note = main_sampling(table)
    sizes = table.group_by("series").agg(pl.struct("task", "digits").n_unique().alias("sizes"))
    compared = sizes.filter(pl.col("sizes") > 1)["series"].to_list()
    table = table.filter(pl.col("series").is_in(compared))
    if table.is_empty():
        return None
    ends = pl.concat(
        [
            table.filter(pl.col("iteration") == 0).with_columns(pl.lit("first").alias("attempt")),
            last(table).with_columns(pl.lit("last").alias("attempt")),
        ]
    ).with_columns(pl.format("{} digits, {}", pl.col("digits"), pl.col("task")).alias("size"))
    chart = charts.intervals(
        ends, "accuracy", "size", "condition", title="accuracy", series="attempt"
    )
    return Figure(
        "complexity", "Number of digits and base",
        "First and final accuracy by number of digits and by base, one panel a condition. "
        f"{BANDS}{note}",
        "Points with intervals: accuracy at the first and the last attempt by size of the factors.",
        chart, ends,
    )  # fmt: skip


ENDINGS = {  # in the order of the stack
    Ending.SAME_ANSWER.value: "#d55e00",
    Ending.SAME_OPTION.value: "#d55e00",
    Ending.SAME_LINE.value: "#e69f00",
    Ending.OTHER.value: "#56b4e9",
    Ending.FORMAT.value: "#8c8c8c",
    Ending.CUT_OFF.value: "#b8a800",
    Ending.REFUSAL.value: "#cc79a7",
}


def endings(runs: Runs) -> Figure | None:
    """What trials that stay unsolved end with, told without a judge."""
    table = named(tables.persistent(runs))
    if table.is_empty():
        return None
    given = table.filter(pl.col("count") > 0)["ending"].unique().to_list()
    shown = {name: ink for name, ink in ENDINGS.items() if name in given}
    table = table.with_columns(
        pl.col("ending").replace_strict([*ENDINGS], range(len(ENDINGS))).alias("order")
    )
    drawn, note = main_sampling(table.filter(pl.col("ending").is_in([*shown])))
    chart = charts.stacked(
        drawn, "share", "condition", "ending", "panel",
        title="share of the unsolved trials", order=shown,
    )  # fmt: skip
    return Figure(
        "persistent", "How unsolved trials end",
        "The last attempt of each unsolved trial, compared with the one before it, by a "
        f"program without a judge.{note}",
        "Stacked bars: how unsolved trials end, one row a kind of feedback.",
        chart, table.drop("order"),
    )  # fmt: skip


def persistent(runs: Runs) -> Figure | None:
    """Why trials stay unsolved, by the labels of a judge or of people."""
    table = named(annotation_table.categories(runs))
    if table.is_empty():
        return None
    order = {name: place for place, name in enumerate(CATEGORIES)}
    table = table.with_columns(pl.col("category").replace_strict(order).alias("order"))
    drawn, note = main_sampling(table)
    chart = charts.stacked(
        drawn, "share", "condition", "category", "panel",
        title="share of the labelled unsolved trials", order=CATEGORIES,
    )  # fmt: skip
    simulated = (
        " The judge is simulated: it knows the causes that were planted in a student, and labels "
        "the trials of others at random."
        if table["annotator_simulated"].max()
        else ""
    )
    labellers = ", ".join(table["annotator"].unique().sort())
    resisted = drawn.filter(pl.col("category") == "resistance", pl.col("share").is_not_nan())
    most = resisted.sort("share", descending=True)
    return Figure(
        "categories", "Why trials stay unsolved",
        "Categories of persistent errors among the labelled unsolved trials, by "
        f"{labellers}.{simulated} The table has intervals, and how many trials were labelled."
        f"{note}",
        "Stacked bars of resistance, feedback quality and other. Resistance is largest under "
        f"{most['condition'][0]}: {most['share'][0]:.1%}.",
        chart, table.drop("order"),
    )  # fmt: skip


def odds(runs: Runs) -> Figure | None:
    """Odds ratios of a right attempt after the first."""
    table = model.uptake_model(runs)
    if table.is_empty():
        return None
    kept = [each for each in ("task", "solver") if each == "task" or table[each].n_unique() > 1]
    limits = (f"odds_ratio{end}" for end in ("", "_low", "_high"))
    drawn = table.with_columns(
        panel_of(kept).alias("panel"), *(pl.col(each).clip(*MOST_ODDS) for each in limits)
    )
    chart = charts.intervals(
        drawn, "odds_ratio", "term", "panel", title="odds ratio of a right attempt", ratio=True
    )
    return Figure(
        "odds", "Predictors of a right attempt",
        "Odds ratios of the attempts after the first, each with the others held, from a logistic "
        "model in which every problem has an effect of its own. Right of the dashed line an "
        "attempt is right more often: under that feedback, per attempt, per doubling of the "
        "feedback's length, per masked span, after a leak, after a repeated answer, in that "
        f"subject. {BANDS} Beyond {MOST_ODDS[0]:g} and {MOST_ODDS[1]:g} they are cut.",
        "Forest plot of odds ratios, one row a term.",
        chart, table,
    )  # fmt: skip


def entropy(runs: Runs) -> Figure | None:
    """Gain by semantic entropy after the first feedback."""
    table = named(probe_table.entropy(runs))
    drawn = table.filter(pl.col("estimate") == "plug-in")
    chart = _bucket_chart(drawn, "gain")
    if chart is None:
        return None
    return Figure(
        "entropy", "Semantic entropy after feedback",
        "Share of the trials wrong at first that are solved later, by the entropy (nats) of the "
        "answers drawn after the first feedback, in buckets of 0.2; buckets with fewer than 10 "
        f"problems are left out here, and marked few in the table. {BANDS}",
        "Points with intervals: gain by bucket of semantic entropy.",
        chart, table,
    )  # fmt: skip


def in_domain(runs: Runs) -> Figure | None:
    """Final accuracy by accuracy over many draws of the first prompt."""
    table = named(probe_table.in_domain(runs))
    chart = _bucket_chart(table, "final")
    if chart is None:
        return None
    return Figure(
        "in_domain", "Accuracy by familiarity",
        "Share solved in the end by the share of right answers among many draws of the first "
        f"prompt; buckets with fewer than 10 problems are left out. {BANDS}",
        "Points with intervals: final accuracy by bucket of in-domain accuracy.",
        chart, table,
    )  # fmt: skip


PERCEIVED = {
    "understood": "says it understood",
    "updated": "says it updated its answer",
    "repeated": "repeats its wrong answer",
    "repeated_though_updated": "says it updated, and repeats",
}


def perception(runs: Runs) -> Figure | None:
    """What solvers say about taking up feedback, beside what they do."""
    table = named(probe_table.self_perception(runs))
    if table.is_empty():
        return None
    chart = _shares_chart(table, PERCEIVED, "share of the feedback texts")
    return Figure(
        "self_perception", "What solvers say after feedback, and what they do",
        "The solver's answer when asked whether it understood the feedback and updated its answer, "
        f"beside whether the next attempt repeats the wrong answer. {BANDS}",
        "Points with intervals: share that says it understood, says it updated, and repeats.",
        chart, table,
    )  # fmt: skip


def reader(runs: Runs) -> Figure | None:
    """How often the masked feedback alone gives the answer away."""
    table = named(probe_table.reader(runs))
    if table.is_empty():
        return None
    rows = {"named": "this problem's feedback", "chance": "another problem's feedback"}
    chart = _shares_chart(table, rows, "answers named by a reader")
    return Figure(
        "reader", "What the masked feedback gives away",
        "How often a reader of the masked feedback alone names the right answer, beside "
        f"the same reader with another problem's feedback. {BANDS}",
        "Points with intervals: share of answers named, beside the control.",
        chart, table,
    )  # fmt: skip


def _shares_chart(table: pl.DataFrame, names: dict[str, str], title: str) -> charts.Spec:
    """Several shares of a table below each other, one panel a task and solver."""
    rows = [
        table.select(
            "panel", "series", "condition", pl.lit(words).alias("row"),
            pl.col(name).alias("share"),
            pl.col(f"{name}_low").alias("share_low"), pl.col(f"{name}_high").alias("share_high"),
        )
        for name, words in names.items()
    ]  # fmt: skip
    drawn = pl.concat(rows).filter(pl.col("share").is_not_nan())
    return charts.intervals(
        drawn, "share", "row", "panel", title=title, series="series", scale=scale(drawn)
    )


def confidence(runs: Runs) -> Figure | None:
    """Gain by the first answer's confidence."""
    table = named(problems.confidence(runs))
    return _bucket_figure(
        table, "confidence", "Confidence of the first answer",
        "Gain, (final - initial) / (1 - initial), by exp(mean token log-probability) of the first "
        "answer, in buckets of 0.1; buckets with fewer than 10 problems are left out.",
    )  # fmt: skip


def popularity(runs: Runs) -> Figure | None:
    """Gain by entity popularity."""
    table = named(problems.popularity(runs))
    return _bucket_figure(
        table, "popularity", "Popularity of the entity",
        "Gain, (final - initial) / (1 - initial), by monthly page views of the entity, in buckets "
        "of equal count; buckets with fewer than 10 problems are left out.",
    )  # fmt: skip


def _bucket_figure(table: pl.DataFrame, name: str, title: str, caption: str) -> Figure | None:
    chart = _bucket_chart(table, "gain")
    if chart is None:
        return None
    alt = f"Points with intervals: gain by bucket of {title.lower()}."
    return Figure(name, title, f"{caption} {BANDS}", alt, chart, table)


def _bucket_chart(table: pl.DataFrame, value: str) -> charts.Spec | None:
    """A share by bucket, those with few problems left out; None when nothing is left."""
    shown, _ = main_sampling(table.filter(~pl.col("few"), pl.col(value).is_not_nan()))
    if shown.is_empty():
        return None
    limits = (pl.col(end).round(2).cast(pl.String) for end in ("low", "high"))
    shown = shown.with_columns(pl.format("{} to {}", *limits).alias("bucket"))
    panel = pl.col("panel")
    if "field" in shown.columns and shown["field"].n_unique() > 1:
        panel = pl.format("{}, {}", panel, pl.col("field"))
    return charts.intervals(
        shown.with_columns(panel.alias("panel")).sort("low", maintain_order=True),
        value, "bucket", "panel", title=AXES[value], series="series", scale=scale(shown),
    )  # fmt: skip
