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
from feedback_friction.report.figure import Figure, some
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


def complexity(runs: Runs) -> Figure:
    """First and final accuracy by number of digits and base."""
    table = named(runs, accuracy_table.accuracy(runs)).filter(pl.col("digits").is_not_null())
    table, note = main_sampling(table)
    sizes = table.group_by("series").agg(pl.struct("task", "digits").n_unique().alias("sizes"))
    compared = sizes.filter(pl.col("sizes") > 1)["series"].to_list()
    table = some(table.filter(pl.col("series").is_in(compared)))
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


def endings(runs: Runs) -> Figure:
    """What trials that stay unsolved end with, told without a judge."""
    table = some(named(runs, tables.persistent(runs)))
    occurring = (pl.col("count") > 0).any().over("ending")
    drawn, note = main_sampling(table.filter(occurring))
    chart = charts.stacked(drawn, "ending", title="share of the unsolved trials", order=ENDINGS)
    return Figure(
        "persistent", "How unsolved trials end",
        "The last attempt of each unsolved trial, compared with the one before it, by a "
        f"program without a judge.{note}",
        "Stacked bars: how unsolved trials end, one row a kind of feedback.",
        chart, table,
    )  # fmt: skip


def persistent(runs: Runs) -> Figure:
    """Why trials stay unsolved, by the labels of a judge or of people."""
    table = some(named(runs, annotation_table.categories(runs)))
    drawn, note = main_sampling(table)
    chart = charts.stacked(
        drawn, "category", title="share of the labelled unsolved trials", order=CATEGORIES
    )
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
        chart, table,
    )  # fmt: skip


def odds(runs: Runs) -> Figure:
    """Odds ratios of a right attempt after the first."""
    table = some(model.uptake_model(runs))
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
        f"subject. {BANDS} Beyond {MOST_ODDS[0]:g} and {MOST_ODDS[1]:g} they are cut; where there "
        "is no point, all such attempts came out alike, and the data cannot tell.",
        "Forest plot of odds ratios, one row a term.",
        chart, table,
    )  # fmt: skip


BUCKETS = {  # probe or quantity -> table, value, and the words of the figure
    "confidence": (
        problems.confidence, "gain", "Confidence of the first answer",
        "Gain, (final - initial) / (1 - initial), by exp(mean token log-probability) of the first "
        "answer, in buckets of 0.1; buckets with fewer than 10 problems are left out.",
        "gain by bucket of confidence of the first answer",
    ),
    "entropy": (
        probe_table.entropy, "gain", "Semantic entropy after feedback",
        "Share of the trials wrong at first that are solved later, by the entropy (nats) of the "
        "answers drawn after the first feedback, in buckets of 0.2; buckets with fewer than 10 "
        "problems are left out here, and marked few in the table.",
        "gain by bucket of semantic entropy",
    ),
    "in_domain": (
        probe_table.in_domain, "final", "Accuracy by familiarity",
        "Share solved in the end by the share of right answers among many draws of the first "
        "prompt; buckets with fewer than 10 problems are left out.",
        "final accuracy by bucket of in-domain accuracy",
    ),
    "popularity": (
        problems.popularity, "gain", "Popularity of the entity",
        "Gain, (final - initial) / (1 - initial), by monthly page views of the entity, in buckets "
        "of equal count; buckets with fewer than 10 problems are left out.",
        "gain by bucket of popularity of the entity",
    ),
}  # fmt: skip


def buckets(name: str, runs: Runs) -> Figure:
    """A share by bucket of what ``BUCKETS`` names."""
    made, value, title, caption, alt = BUCKETS[name]
    table = named(runs, made(runs))
    # Of several estimates of the same quantity the study's is drawn.
    drawn = table.filter(estimate="plug-in") if "estimate" in table.columns else table
    chart = _bucket_chart(drawn, value)
    words = f"Points with intervals: {alt}."
    return Figure(name, title, f"{caption} {BANDS}", words, chart, table)


SHARES = {  # probe -> table, its shares in words, the axis, and the words of the figure
    "self_perception": (
        probe_table.self_perception,
        {
            "understood": "says it understood",
            "updated": "says it updated its answer",
            "repeated": "repeats its wrong answer",
            "repeated_though_updated": "says it updated, and repeats",
        },
        "share of the feedback texts", "What solvers say after feedback, and what they do",
        "The solver's answer when asked whether it understood the feedback and updated its answer, "
        "beside whether the next attempt repeats the wrong answer.",
        "share that says it understood, says it updated, and repeats",
    ),
    "reader": (
        probe_table.reader,
        {"named": "this problem's feedback", "chance": "another problem's feedback"},
        "answers named by a reader", "What the masked feedback gives away",
        "How often a reader of the masked feedback alone names the right answer, beside "
        "the same reader with another problem's feedback.",
        "share of answers named, beside the control",
    ),
}  # fmt: skip


def shares(name: str, runs: Runs) -> Figure:
    """The shares that ``SHARES`` names below each other, one panel a task and solver."""
    made, names, axis, title, caption, alt = SHARES[name]
    table = some(named(runs, made(runs)))
    rows = [
        table.select(
            "panel", "series", "condition", pl.lit(words).alias("row"),
            pl.col(name).alias("share"),
            pl.col(f"{name}_low").alias("share_low"), pl.col(f"{name}_high").alias("share_high"),
        )
        for name, words in names.items()
    ]  # fmt: skip
    drawn = pl.concat(rows).filter(pl.col("share").is_not_nan())
    chart = charts.intervals(
        drawn, "share", "row", "panel", title=axis, series="series", scale=scale(drawn)
    )
    words = f"Points with intervals: {alt}."
    return Figure(name, title, f"{caption} {BANDS}", words, chart, table)


def _bucket_chart(table: pl.DataFrame, value: str) -> charts.Spec:
    """A share by bucket, those with few problems left out."""
    told = some(table.filter(~pl.col("few"), pl.col(value).is_not_nan()))
    shown, _ = main_sampling(told)
    limits = (pl.col(end).round(2).cast(pl.String) for end in ("low", "high"))
    shown = shown.with_columns(pl.format("{} to {}", *limits).alias("bucket"))
    panel = pl.col("panel")
    if "field" in shown.columns and shown["field"].n_unique() > 1:
        panel = pl.format("{}, {}", panel, pl.col("field"))
    return charts.intervals(
        shown.with_columns(panel.alias("panel")).sort("low", maintain_order=True),
        value, "bucket", "panel", title=AXES[value], series="series", scale=scale(shown),
    )  # fmt: skip
