"""Figures of what happens inside the solver: attention beside what a cut of it does."""

from __future__ import annotations

import json

import polars as pl

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.tables.inside_cuts import knockout
from feedback_friction.analysis.tables.inside_samples import ALL
from feedback_friction.analysis.tables.inside_table import attention
from feedback_friction.report import charts
from feedback_friction.report.figure import Figure
from feedback_friction.report.names_and_colours import named

_OF = {
    "attention": "attention beyond share of tokens",
    "reply": "loss of the reply under a cut, nats",
    "margin": "loss of the margin under a cut, nats",
}


def maps(runs: Runs) -> Figure | None:
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
    table = pl.concat(parts).filter(~pl.col("segment").is_in(["reply", "frame", "feedback"]))
    if table.is_empty():
        return None
    about = [json.loads(each) for each in table["settings"]]
    table = named(
        table.with_columns(
            pl.Series(name, [each[name] for each in about]) for name in ("model", "as_is")
        )
    )
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
