"""How a table is declared: its columns once, and a function that yields its rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
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
_KINDS = {"int": pl.Int64, "float": pl.Float64, "text": pl.String, "bool": pl.Boolean}

# The columns that say which condition a row is about.
CONDITION = (
    "run int, task text, digits int, solver text, feedback text, sampling text, history text, "
    "simulated bool"
)
SETTING = tuple(column.split()[0] for column in CONDITION.split(","))
ALIKE = ("run", "task", "digits", "solver", "sampling", "history")  # but for the feedback


def table(
    *columns: str,
) -> Callable[
    [Callable[Concatenate[Runs, _P], Iterable[Row]]], Callable[Concatenate[Runs, _P], pl.DataFrame]
]:
    """Make a table, once for the same runs and arguments, of the rows that a function yields.

    Args:
        columns: what the table holds; see ``frame``.
    """

    def decorated(
        rows: Callable[Concatenate[Runs, _P], Iterable[Row]],
    ) -> Callable[Concatenate[Runs, _P], pl.DataFrame]:
        @once
        @wraps(rows)
        def make(runs: Runs, /, *args: _P.args, **kwargs: _P.kwargs) -> pl.DataFrame:
            return frame(rows(runs, *args, **kwargs), *columns)

        return make

    return decorated


def frame(rows: Iterable[Row], *columns: str) -> pl.DataFrame:
    """Rows as a frame with these columns, also when there are no rows.

    Args:
        rows: what a row does not hold is null, and what is no column is left out.
        columns: names and kinds in order, as in SQL: ``"task text, n int, gain estimate"``. Kinds
            are ``int``, ``float``, ``text`` and ``bool``; an ``estimate`` becomes three columns:
            its value, and its limits with ``_low`` and ``_high`` after the name.
    """
    kinds = dict(column.split() for column in ", ".join(columns).split(", "))
    schema: dict[str, type[pl.DataType]] = {}
    for name, kind in kinds.items():
        if kind == "estimate":
            schema |= dict.fromkeys((name, f"{name}_low", f"{name}_high"), pl.Float64)
        else:
            schema[name] = _KINDS[kind]
    return pl.DataFrame([_cells(row, kinds) for row in rows], schema=schema, orient="row")


def _cells(row: Row, kinds: dict[str, str]) -> list[Any]:
    cells = list[Any]()
    for name, kind in kinds.items():
        value = row.get(name)
        if kind != "estimate":
            cells.append(value)
        else:
            cells += (None, None, None) if value is None else (value.value, value.low, value.high)
    return cells


def fields_of(found: Any) -> Row:
    """The fields of a dataclass as cells of a row."""
    return {each.name: getattr(found, each.name) for each in fields(found)}


def estimate_of(row: Row, name: str) -> Estimate:
    """An estimate that a row of a table holds in three columns; n is not among them."""
    return Estimate(row[name], row[f"{name}_low"], row[f"{name}_high"], 0)


def once(make: Callable[Concatenate[Runs, _P], _T]) -> Callable[Concatenate[Runs, _P], _T]:
    """Make something once for the same runs and arguments: figures, findings and files share it.

    The arguments after the runs must be hashable. What is kept goes with the runs.
    """
    kept: WeakKeyDictionary[Runs, dict[object, _T]] = WeakKeyDictionary()

    @wraps(make)
    def made_once(runs: Runs, /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        made = kept.setdefault(runs, {})
        key = (args, tuple(sorted(kwargs.items())))
        if key not in made:
            made[key] = make(runs, *args, **kwargs)
        return made[key]

    return made_once


@once
def conditions(runs: Runs) -> tuple[tuple[Row, list[str], IntArray], ...]:
    """Every condition with its problem ids and first-solved array, in the order of the runs.

    Its row has ``missing``, too: its trials that failed or have not run.
    """
    found = []
    for row in runs.conditions.with_columns(pl.col("simulated").cast(pl.Boolean)).to_dicts():
        ids, first = runs.first_solved(row["run"], row["condition"])
        found.append((row | {"missing": missing(first)}, ids, first))
    return tuple(found)


def rows_of(frame: pl.DataFrame, condition: Row) -> pl.DataFrame:
    """The rows of one of the runs' frames that are of a condition."""
    return frame.filter(
        pl.col("run") == condition["run"], pl.col("condition") == condition["condition"]
    )


def grouped(rows: Iterable[Row], names: Sequence[str]) -> list[list[Row]]:
    """Conditions by what they have in common, in the order of the first of each."""
    groups: dict[tuple[object, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[name] for name in names)].append(row)
    return [*groups.values()]


def missing(first: IntArray) -> int:
    """Number of trials that failed or have not run."""
    return int((first == MISSING).sum())
