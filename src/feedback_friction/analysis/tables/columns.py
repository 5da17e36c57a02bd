"""How estimates become columns, and which columns say what a row is about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.stats.arrays import MISSING, IntArray
from feedback_friction.analysis.stats.intervals import Estimate

Row = dict[str, Any]

SETTING = ("run", "task", "digits", "solver", "feedback", "sampling", "simulated")
SETTING_SCHEMA: dict[str, type[pl.DataType]] = {
    "run": pl.Int64,
    "task": pl.String,
    "digits": pl.Int64,
    "solver": pl.String,
    "feedback": pl.String,
    "sampling": pl.String,
    "simulated": pl.Boolean,
}


def spread(name: str, estimate: Estimate) -> Row:
    """An estimate as three columns: the value and its limits."""
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def spread_schema(name: str) -> dict[str, type[pl.DataType]]:
    """The schema of ``spread``."""
    return {name: pl.Float64, f"{name}_low": pl.Float64, f"{name}_high": pl.Float64}


def setting(condition: Row) -> Row:
    """The columns that say which condition a row is about."""
    return {name: condition[name] for name in SETTING} | {"simulated": bool(condition["simulated"])}


def frame(rows: Sequence[Row], schema: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    """Rows as a frame with the schema, also when there are none."""
    return pl.DataFrame(rows, schema=schema, orient="row")


def conditions(runs: Runs) -> Iterator[tuple[Row, list[str], IntArray]]:
    """Every condition with its problem ids and first-solved array, in the order of the runs."""
    for condition in runs.conditions.iter_rows(named=True):
        ids, first = runs.first_solved(condition["run"], condition["condition"])
        yield condition, ids, first


def missing(first: IntArray) -> int:
    """Number of trials that failed or have not run."""
    return int((first == MISSING).sum())
