"""The study's published numbers beside ours: laid side by side, and tested against nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from importlib import resources
from typing import Any

import polars as pl

from feedback_friction.analysis.annotations import CLASSES
from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.table import Row, frame
from feedback_friction.analysis.tables import (
    accuracy_table,
    annotation_table,
    comparison,
    probe_table,
    solvers,
)
from feedback_friction.modes import BINARY, STRONG
from feedback_friction.report import charts
from feedback_friction.report.figure import Figure, some
from feedback_friction.report.names_and_colours import last
from feedback_friction.report.theme import SERIES, Scale

PUBLISHED, OURS = "published", "this report"


def paper(runs: Runs) -> Figure:
    """The study's numbers on the tasks of these runs, and ours."""
    table = some(reference_table(runs))
    drawn = table.with_columns(
        pl.format("{}: {}", "task", "quantity").alias("panel"),
        pl.when(pl.col("origin") == PUBLISHED)
        .then(pl.format("{} (published)", "who"))
        .otherwise("who")
        .alias("row"),
    )
    looks = Scale([PUBLISHED, OURS], [SERIES[4], SERIES[0]], ["circle", "square"], [[], []])
    chart = charts.intervals(
        drawn, "value", "row", "panel", title="share", series="origin", scale=looks
    )
    published = table.filter(pl.col("origin") == PUBLISHED).height
    return Figure(
        "reference_paper", "The study's published numbers beside ours",
        f"{_document()['citation']}. Published numbers stand without an interval; where a rule "
        "has no point, the study gives a range, not an interval. Bars of ours are 95% intervals. "
        "Not comparable like with like: the solvers, the feedback model, the prompts and the "
        "samples of problems differ, and target accuracy is computed by our reading of it. No "
        "difference is tested.",
        f"Points: {published} published numbers, and ours where these runs have the same quantity.",
        chart, table,
    )  # fmt: skip


def reference_table(runs: Runs) -> pl.DataFrame:
    """Published numbers on the tasks of the runs, each group followed by ours.

    Numbers that the study gives for all tasks stand with every task on which we have them, too.
    """
    rows: list[Row] = []
    here = {*runs.conditions.select("task", "digits").iter_rows()}
    tasks = {task for task, _ in here}
    groups: dict[tuple[str, str, int | None], list[Row]] = {}
    for number in _document()["numbers"]:
        for task in [number["task"]] if "task" in number else sorted(tasks):
            digits = number.get("digits")
            if task in tasks and (digits is None or (task, digits) in here):
                key = (task, number["quantity"], digits)
                groups.setdefault(key, []).append(number)
    for (task, quantity, digits), numbers in groups.items():
        ours = [
            row | {"task": task, "quantity": quantity, "origin": OURS}
            for row in _OURS[quantity](runs)
            if row.pop("on") == task and (digits is None or row["digits"] == digits)
        ]
        if "task" not in numbers[0] and not ours:
            continue
        rows += [_published(task, number) for number in numbers] + ours
    table = frame(
        rows,
        "quantity text, task text, digits int, origin text, who text, value float, value_low float",
        "value_high float, n int, missing int, simulated bool, source text, note text",
    )
    return table.with_columns(pl.col("value").fill_nan(None))


def _document() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("paper.json").read_text("utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


def _published(task: str, number: Row) -> Row:
    limits = {f"value_{end}": number.get(end) for end in ("low", "high")}
    return {**number, **limits, "task": task, "origin": PUBLISHED}


def _rows(table: pl.DataFrame, value: str) -> Iterator[Row]:
    for row in table.iter_rows(named=True):
        yield {
            "on": row["task"],
            "digits": row["digits"],
            "who": ", ".join(filter(None, (row["solver"], row["feedback"], row["sampling"]))),
            "value": row[value],
            "value_low": row[f"{value}_low"],
            "value_high": row[f"{value}_high"],
            "n": row["n"],
            "missing": row["missing"],
            "simulated": row["simulated"],
        }


def _strong(table: pl.DataFrame) -> pl.DataFrame:
    """The study's F3; every mode where a run has no strong feedback model would mislead."""
    return table.filter(pl.col("feedback") == STRONG.name)


def _first(runs: Runs) -> Iterator[Row]:
    firsts = accuracy_table.accuracy(runs).filter(pl.col("iteration") == 0)
    return _rows(firsts.unique(["task", "digits", "solver"], maintain_order=True), "accuracy")


def _gain(runs: Runs) -> Iterator[Row]:
    table = _strong(comparison.gains(runs)).filter(pl.col("against") == BINARY.name)
    return _rows(table, "difference")


def _category(name: str, runs: Runs) -> Iterator[Row]:
    return _rows(annotation_table.categories(runs).filter(pl.col("category") == name), "share")


def _overlap(runs: Runs) -> Iterator[Row]:
    table = solvers.overlap_summary(runs).filter(pl.col("union") > 0)
    simulated = bool(runs.conditions["simulated"].max())
    return _rows(table.with_columns(solver="solvers", simulated=pl.lit(simulated)), "ratio")


_OURS: dict[str, Callable[[Runs], Iterator[Row]]] = {
    "first": _first,
    "final": lambda runs: _rows(_strong(last(accuracy_table.accuracy(runs))), "accuracy"),
    "gain over binary": _gain,
    "friction": lambda runs: _rows(annotation_table.target(runs), "friction"),
    **{name: partial(_category, name) for name in CLASSES},
    "failure overlap": _overlap,
    "says it understood": lambda runs: _rows(probe_table.self_perception(runs), "understood"),
    "says it updated": lambda runs: _rows(probe_table.self_perception(runs), "updated"),
}
