"""How estimates become columns, and which columns say what a row is about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

import polars as pl

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.stats.arrays import MISSING, IntArray
from feedback_friction.analysis.stats.intervals import Estimate

Row = dict[str, Any]
_P = ParamSpec("_P")
_T = TypeVar("_T")

ALIKE = ("run", "task", "digits", "solver", "sampling", "history")  # but for the feedback
SETTING = ("run", "task", "digits", "solver", "feedback", "sampling", "history", "simulated")
SETTING_SCHEMA: dict[str, type[pl.DataType]] = {
    "run": pl.Int64,
    "task": pl.String,
    "digits": pl.Int64,
    "solver": pl.String,
    "feedback": pl.String,
    "sampling": pl.String,
    "history": pl.String,
    "simulated": pl.Boolean,
}


def spread(name: str, estimate: Estimate) -> Row:
    """An estimate as three columns: the value and its limits."""
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def spread_schema(*names: str) -> dict[str, type[pl.DataType]]:
    """The schema of ``spread`` for each of some names."""
    columns = (column for name in names for column in (name, f"{name}_low", f"{name}_high"))
    return dict.fromkeys(columns, pl.Float64)


def setting(condition: Row) -> Row:
    """The columns that say which condition a row is about."""
    return {name: condition[name] for name in SETTING} | {"simulated": bool(condition["simulated"])}


def frame(rows: Sequence[Row], schema: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    """Rows as a frame with the schema, also when there are none."""
    return pl.DataFrame(rows, schema=schema, orient="row")


def once(make: Callable[Concatenate[Runs, _P], _T]) -> Callable[Concatenate[Runs, _P], _T]:
    """Make a table once for the same runs and arguments: figures, findings and files share it.

    The arguments after the runs must be hashable. What is kept goes with the runs.
    """
    kept: WeakKeyDictionary[Runs, dict[object, _T]] = WeakKeyDictionary()

    @wraps(make)
    def table(runs: Runs, /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        made = kept.setdefault(runs, {})
        key = (args, tuple(sorted(kwargs.items())))
        if key not in made:
            made[key] = make(runs, *args, **kwargs)
        return made[key]

    return table


@once
def conditions(runs: Runs) -> tuple[tuple[Row, list[str], IntArray], ...]:
    """Every condition with its problem ids and first-solved array, in the order of the runs."""
    return tuple(
        (condition, *runs.first_solved(condition["run"], condition["condition"]))
        for condition in runs.conditions.iter_rows(named=True)
    )


def grouped(rows: Iterable[Row], names: Sequence[str]) -> list[list[Row]]:
    """Conditions by what they have in common, in the order of the first of each."""
    groups: dict[tuple[object, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[name] for name in names)].append(row)
    return [*groups.values()]


def without_nan(row: Row) -> Row:
    """The row with null where there was nothing to measure."""
    return {name: None if value != value else value for name, value in row.items()}


def missing(first: IntArray) -> int:
    """Number of trials that failed or have not run."""
    return int((first == MISSING).sum())
