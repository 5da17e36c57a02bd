"""Figures of experiments that separate causes, and of what happens inside the solver."""

from __future__ import annotations

import json

import altair as alt
import polars as pl

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.stats.detection import ellipse
from feedback_friction.analysis.table import estimate_of
from feedback_friction.analysis.tables.dose_response import doses
from feedback_friction.analysis.tables.histories import histories
from feedback_friction.analysis.tables.inside_cuts import knockout
from feedback_friction.analysis.tables.inside_samples import ALL
from feedback_friction.analysis.tables.inside_table import attention
from feedback_friction.analysis.tables.selectivity import selectivity
from feedback_friction.analysis.tables.teachers import teachers
from feedback_friction.report import charts
from feedback_friction.report.figure import Figure, NothingToDrawError, some
from feedback_friction.report.names_and_colours import BANDS, named, scale
from feedback_friction.report.theme import PANEL_HEIGHT, PANEL_WIDTH

_SIDE = 2 * PANEL_HEIGHT  # of a square
# one fewer than there are colours, so that a pair's colour and shape come back together late
_SHAPES = ["circle", "square", "cross", "diamond", "triangle-up", "triangle-down", "wedge"]
_MEASURES = {
    "right": "right",
    "repeated": "the same wrong answer",
    "distance": "words of the working changed",
}


def drag(runs: Runs) -> Figure:
    """How second attempts resemble the first, by history."""
    table = some(named(runs, histories(runs)))
    several = table["panel"].n_unique() > 1
    rows = pl.concat(
        table.select(
            "panel", "series", "feedback", "history",
            (pl.format("{}\n{}", pl.lit(said), "panel") if several else pl.lit(said))
            .alias("measure"),
            *(pl.col(f"{name}{end}").alias(f"share{end}") for end in ("", "_low", "_high")),
            pl.col("n"),
        )
        for name, said in _MEASURES.items()
    )  # fmt: skip
    chart = charts.intervals(
        rows, "share", "series", "measure", title="second attempts",
        series="series", scale=scale(rows),
    )  # fmt: skip
    most = table.sort("repeated", descending=True)
    return Figure(
        "histories", "The effect of seeing its own attempts",
        "Second attempts after a wrong first one, by what was shown of it: the share that is "
        "right, the share that gives the same wrong answer, and the share of the working's words "
        f"that changed. {BANDS}",
        "Points with intervals. The same wrong answer comes back most often with "
        f"{most['series'][0]}: {most['repeated'][0]:.1%}.",
        chart, table,
    )  # fmt: skip


def selective(runs: Runs) -> Figure:
    """Uptake against compliance, a point a pair of conditions with its ellipse."""
    table = some(named(runs, selectivity(runs)))
    given = pl.when(pl.col("given_on") == "right").then(pl.lit("right answers"))
    series = pl.format(
        "{} (wrong ones) against {} ({})",
        "signal",
        "feedback",
        given.otherwise(pl.lit("wrong ones")),
    ).alias("pair")
    table = table.with_columns(series)
    points, outlines = table.select("pair", "panel", "hit", "false_alarm"), []
    for row in table.iter_rows(named=True):
        across, up = (estimate_of(row, name) for name in ("false_alarm", "hit"))
        outlines += [
            {"pair": row["pair"], "panel": row["panel"], "order": at, "x": x, "y": y}
            for at, (x, y) in enumerate(ellipse(across, up))
        ]
    best = table.sort("sensitivity", descending=True)
    return Figure(
        "selectivity", "Uptake against compliance",
        "How often the next attempt gives another answer: upwards after right feedback on wrong "
        "answers, to the right after wrong feedback. On the dashed line the solver does not "
        "distinguish the two. Outlines are joint 95% regions of both shares.",
        "Points with outlines. Furthest above the diagonal: "
        f"{best['pair'][0]}, d' {best['sensitivity'][0]:.2f}.",
        _scatter(points, pl.DataFrame(outlines)), table,
    )  # fmt: skip


def _scatter(points: pl.DataFrame, outlines: pl.DataFrame) -> charts.Spec:
    whole = alt.Scale(domain=[0, 1], nice=False)
    axis = alt.Axis(format="~%", tickCount=5)

    def place(x: str, y: str) -> dict[str, alt.X | alt.Y]:
        return {
            "x": alt.X(f"{x}:Q", title="acts on wrong feedback", scale=whole, axis=axis),
            "y": alt.Y(f"{y}:Q", title="acts on right feedback", scale=whole, axis=axis),
        }

    key = alt.Legend(columns=1, orient="bottom", labelLimit=400, symbolLimit=0)
    pairs = points["pair"].unique(maintain_order=True).to_list()  # one domain, so one legend
    inks, shapes = alt.Scale(domain=pairs), alt.Scale(domain=pairs, range=_SHAPES)
    shade = alt.Color("pair:N", title=None, legend=key, scale=inks)
    mark = alt.Shape("pair:N", title=None, legend=key, scale=shapes)
    made = []
    for name in points["panel"].unique(maintain_order=True):
        own = points.filter(pl.col("panel") == name)
        ring = outlines.filter(pl.col("panel") == name)
        ends = pl.DataFrame({"x": [0.0, 1.0], "y": [0.0, 1.0]})
        diagonal = alt.Chart(charts.data(ends)).mark_line(strokeDash=[4, 4], color="#8c8c8c")
        rings = alt.Chart(charts.data(ring)).mark_line(strokeWidth=1, interpolate="linear-closed")
        dots = alt.Chart(charts.data(own)).mark_point(filled=True, size=70, opacity=1)
        made.append(
            alt.layer(
                diagonal.encode(**place("x", "y")),
                rings.encode(**place("x", "y"), color=shade, order="order:Q", detail="pair:N"),
                dots.encode(**place("false_alarm", "hit"), color=shade, shape=mark),
            ).properties(width=_SIDE, height=_SIDE, title=str(name))
        )
    return charts.side_by_side(made, columns=2)


def responses(runs: Runs) -> Figure:
    """The response to doses, with the fit that only rises or only falls."""
    table = named(runs, some(doses(runs))).with_columns(pl.col("kind").alias("series"))
    made = []
    for panel, kind in table.select("panel", "kind").unique(maintain_order=True).iter_rows():
        own = table.filter(pl.col("panel") == panel, pl.col("kind") == kind)
        base = alt.Chart(charts.data(own)).encode(x=alt.X("dose:Q", title=f"dose of {kind}"))
        at = alt.Scale(domain=[0, 1], nice=False)
        shown = alt.Y("right:Q", title="right after it", axis=charts.PERCENT, scale=at)
        fit = alt.Y("fitted:Q", axis=charts.PERCENT, scale=at)
        made.append(
            alt.layer(
                base.mark_area(opacity=0.2).encode(y="fitted_low:Q", y2="fitted_high:Q"),
                base.mark_line().encode(y=fit),
                base.mark_rule().encode(y="right_low:Q", y2="right_high:Q"),
                base.mark_point(filled=True, size=60, opacity=1).encode(y=shown),
            ).properties(width=PANEL_WIDTH, height=PANEL_HEIGHT, title=f"{kind}, {panel}")
        )
    first = table.row(0, named=True)
    return Figure(
        "doses", "Response to the dose of feedback",
        "Of the problems missed at first, the share solved at each dose (at the second attempt; "
        "with a delay, by the last), and the best monotone fit (isotonic regression), "
        f"with its 95% band. {BANDS}",
        f"Points and a line. {first['kind']}: effect {first['effect']:.1%} from the first dose to "
        "the last.",
        charts.side_by_side(made, columns=2), table,
    )  # fmt: skip


def teaching(runs: Runs) -> Figure:
    """What each student gains from each teacher, as a heat map."""
    table = teachers(runs)
    if table["teacher"].n_unique() < 2:
        raise NothingToDrawError
    made = []
    for task, feedback in table.select("task", "feedback").unique(maintain_order=True).iter_rows():
        own = table.filter(pl.col("task") == task, pl.col("feedback") == feedback)
        own = own.with_columns((pl.col("gain") * 100).round(0).alias("percent"))
        base = alt.Chart(charts.data(own)).encode(
            x=alt.X("teacher:N", title="teacher", axis=alt.Axis(labelAngle=-30)),
            y=alt.Y("student:N", title="student"),
        )
        shade = alt.Color(
            "gain:Q", title="gain", scale=alt.Scale(domain=[0, 1], scheme="blues"),
            legend=alt.Legend(format="~%"),
        )  # fmt: skip
        dark = alt.condition("datum.gain > 0.5", alt.value("#ffffff"), alt.value("#1b1b1b"))
        squares = base.mark_rect().encode(color=shade)
        numbers = base.mark_text().encode(text="percent:Q", color=dark)
        sides = {"width": 60 * own["teacher"].n_unique(), "height": 40 * own["student"].n_unique()}
        made.append(alt.layer(squares, numbers).properties(title=f"{task}, {feedback}", **sides))
    best = table.sort("gain", descending=True)
    return Figure(
        "teachers", "Gain of students from teachers",
        "Of the problems that a student missed at first, the share solved by the last attempt "
        "with each teacher, in percent; the table has the intervals, and the gain over the "
        "student's own feedback.",
        f"A heat map. Most is gained by {best['student'][0]} from {best['teacher'][0]}: "
        f"{best['gain'][0]:.1%}.",
        charts.side_by_side(made, columns=1), table,
    )  # fmt: skip


_OF = {
    "attention": "attention beyond share of tokens",
    "reply": "loss of the reply under a cut, nats",
    "margin": "loss of the margin under a cut, nats",
}


def inside(runs: Runs) -> Figure:
    """Layer by segment: where the reply looks, beside what it loses where it may not look."""
    cut = knockout(runs).filter(pl.col("scope") == "layer", pl.col("outcome") == ALL)
    seen = attention(runs).filter(pl.col("head").is_null(), pl.col("outcome") == ALL)
    parts = [
        seen.select(*_SHARED, pl.lit("attention").alias("of"), pl.col("beyond").alias("value")),
        *(
            cut.filter(pl.col("of") == of).select(*_SHARED, "of", pl.col("taken").alias("value"))
            for of in ("reply", "margin")
        ),
    ]
    # What the reply sees of itself is not cut, and all of the feedback is no part beside its parts.
    kept = ~pl.col("segment").is_in(["reply", "frame", "feedback"])
    table = some(pl.concat(parts).filter(kept))
    about = [json.loads(each) for each in table["settings"]]
    told = (pl.Series(name, [each[name] for each in about]) for name in ("model", "as_is"))
    table = named(runs, table.with_columns(told))
    told_apart = [name for name in ("panel", "model") if table[name].n_unique() > 1]
    whose = pl.concat_str(*told_apart, "series", separator=", ")
    table = table.with_columns(
        pl.format("{}\n{}", whose, pl.col("of").replace_strict(_OF)).alias("map")
    ).sort(
        whose, pl.col("of").replace_strict({of: n for n, of in enumerate(_OF)}), maintain_order=True
    )
    notes = "".join(
        f" {name} is not shown to be the solver of its run."
        for name in sorted({each["model"] for each in about if each["as_is"]})
    )
    return Figure(
        "inside", "What a reply attends to, and what it loses without it",
        "By layer and part of the prompt, over all attempts after feedback: mean attention of "
        "the reply beyond the part's share of tokens, beside the log-probability (nats) that the "
        "recorded reply, and the margin of the right over the repeated answer, lose where "
        "attention from the reply to that part is cut in that layer. Each map has its own scale; "
        f"a dot is where p is below 0.05 after Holm's correction over the layers.{notes}",
        "Maps of layers by parts of the prompt: attention, and two effects of cutting it.",
        charts.maps(table, "map", "layer", "segment", "value", "holm"),
        table.drop("settings"),
    )  # fmt: skip


_SHARED = (
    "run", "task", "digits", "solver", "feedback", "sampling", "history", "settings", "segment",
    "layer", "n", "holm",
)  # fmt: skip
