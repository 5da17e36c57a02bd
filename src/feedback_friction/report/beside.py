"""Tables of the report that stand below accuracy: over tasks, where it varies, labels, gold."""

from __future__ import annotations

import polars as pl

from feedback_friction.analysis.annotations import CLASSES
from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.tables import annotation_table, gold, overall
from feedback_friction.report.names_and_colours import named
from feedback_friction.report.overview import Column, in_cell, number_column

SUSPECTS_SHOWN = 20
LONGEST = 30  # characters of a cell; its file has it whole


def beside(runs: Runs) -> dict[str, list[Column]]:
    """By title, the tables that have rows."""
    made = {
        "Differences over tasks": _pooled(runs),
        "Where accuracy varies": _variance(runs),
        "People's labels of the trials that the judge labelled": _confusion(runs),
        "Problems whose gold answer is in doubt": _suspects(runs),
        "Friction without these problems": _without(runs),
    }
    return {title: columns for title, columns in made.items() if columns and columns[0].cells}


def _texts(table: pl.DataFrame, **headings: str) -> list[Column]:
    return [
        Column(heading, tuple(_shortened(str(cell)) for cell in table[name]))
        for name, heading in headings.items()
    ]


def _shortened(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 1].rstrip()}…"


def _estimates(table: pl.DataFrame, name: str, sign: str = "") -> list[str]:
    """A column with its limits as tables have it."""
    return [in_cell(row, name, sign=sign) for row in table.iter_rows(named=True)]


def _pooled(runs: Runs) -> list[Column]:
    table = overall.pooled(runs)
    return [
        *_texts(table, solver="solver", treatment="feedback", control="against", measure="of"),
        number_column("mean over tasks, points", _estimates(table, "difference", "+")),
        number_column(
            "tasks differ by (SD), points", [f"{100 * each:.1f}" for each in table["spread"]]
        ),
        number_column("tasks", [str(each) for each in table["tasks"]]),
    ]


def _variance(runs: Runs) -> list[Column]:
    """One row a task and solvers, the components in a row: they add up to 100%."""
    table = overall.variance(runs).with_columns(
        pl.format("{}{}", "task", pl.format(" ({} digits)", "digits").fill_null("")).alias("about")
    )
    alone = pl.col("solvers").str.count_matches(", ", literal=True) == 0
    several = pl.format("{} solvers", pl.col("solvers").str.count_matches(", ", literal=True) + 1)
    table = table.with_columns(pl.when(alone).then("solvers").otherwise(several).alias("solvers"))
    about = ["about", "solvers"]
    wide = table.unique(about, keep="first", maintain_order=True)
    columns = _texts(wide, about="task", solvers="solvers")
    for component in table["component"].unique(maintain_order=True):
        part = table.filter(pl.col("component") == component).select(*about, "share")
        shares = wide.select(about).join(part, on=about, how="left", maintain_order="left")["share"]
        shown = ["-" if share is None else f"{100 * share:.0f}" for share in shares]
        columns.append(number_column(f"{component} %", shown))
    if not wide["icc"].is_nan().all():
        columns.append(number_column("ICC %", _estimates(wide, "icc")))
        columns.append(number_column("ICC of a difference %", _estimates(wide, "icc_difference")))
    return columns


def _confusion(runs: Runs) -> list[Column]:
    """One row a condition and label of the judge, a column for each label of people."""
    table = annotation_table.confusion(runs)
    if table.is_empty():
        return []
    wide = named(runs, table).pivot(
        "said", index=["panel", "condition", "annotator", "judged"], values="count",
        maintain_order=True,
    )  # fmt: skip
    return [
        *_texts(wide, panel="task", condition="feedback", annotator="judge", judged="judge says"),
        *(number_column(f"people say {each}", [str(n) for n in wide[each]]) for each in CLASSES),
    ]


def _suspects(runs: Runs) -> list[Column]:
    table = gold.suspect_gold(runs).head(SUSPECTS_SHOWN)
    agreeing = table.select(pl.format("{} of {}", "voices", "all_voices"))
    return [
        *_texts(table, task="task", problem_id="problem", gold="gold", answer="they say"),
        number_column("answers that agree", agreeing.to_series()),
        number_column("solvers", [str(each) for each in table["solvers"]]),
    ]


def _without(runs: Runs) -> list[Column]:
    table = annotation_table.without_suspects(runs)
    if table.is_empty():
        return []
    shown = named(runs, table)
    return [
        *_texts(shown, panel="task", condition="feedback"),
        number_column("friction, points", _estimates(shown, "friction")),
        number_column("without, points", _estimates(shown, "without")),
        number_column("problems left out", [str(each) for each in shown["suspects"]]),
    ]
