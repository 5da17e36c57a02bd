"""Why trials stay unsolved, and what a solver that took up its feedback would have reached."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from feedback_friction.analysis.annotations import CLASSES, labels, usual_annotator
from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.stats.arrays import UNSOLVED, IntArray
from feedback_friction.analysis.stats.categories import Category
from feedback_friction.analysis.stats.friction import (
    OTHER_REASON,
    RESISTANT,
    UNLABELLED,
    friction,
)
from feedback_friction.analysis.stats.proportions import class_shares
from feedback_friction.analysis.tables.columns import (
    SETTING_SCHEMA,
    Row,
    conditions,
    frame,
    missing,
    setting,
    spread,
    spread_schema,
)

_UNREADABLE = "unreadable"
_ANNOTATOR_SCHEMA: dict[str, type[pl.DataType]] = {
    "annotator": pl.String,
    "annotator_kind": pl.String,
    "annotator_simulated": pl.Boolean,
}
_COUNTS: dict[str, type[pl.DataType]] = {
    "n": pl.Int64,
    "unsolved": pl.Int64,
    "stopped": pl.Int64,
    "unreadable": pl.Int64,
    "missing": pl.Int64,
}


def categories(runs: Runs, annotator: str | None = None) -> pl.DataFrame:
    """Shares of resistance, quality and other among labelled trials: a row a condition and class.

    Columns: the condition, ``annotator`` (whose labels these are) with ``annotator_kind`` and
    ``annotator_simulated``, ``category``, ``count``, ``share`` with limits of its own and ``joint``
    limits that hold for all three at once, ``n`` labelled trials, ``unsolved`` trials in all, of
    which ``stopped`` ones (a model refused to go on) are never labelled, ``unreadable`` labels
    (within "other": no answer of the judge could be read), ``missing`` trials. The shares speak for
    the unsolved trials as far as the labelled ones are a random sample of them.

    Args:
        annotator: whose labels; by default, for each run, the annotator with most labels.
    """
    rows = []
    for condition, first, codes, counts in _labelled(runs, annotator):
        table = np.stack([(codes == index).sum(axis=1) for index in range(len(CLASSES))], axis=1)
        for name, found in zip(CLASSES, class_shares(table.astype(np.float64)), strict=True):
            rows.append(
                setting(condition)
                | {key: counts[key] for key in _ANNOTATOR_SCHEMA}
                | {"category": name, "count": found.count}
                | spread("share", found.share)
                | {"joint_low": found.joint.low, "joint_high": found.joint.high}
                | _counts(counts, found.share.n, first)
            )
    shares: dict[str, type[pl.DataType]] = {"category": pl.String, "count": pl.Int64}
    limits: dict[str, type[pl.DataType]] = {"joint_low": pl.Float64, "joint_high": pl.Float64}
    schema = SETTING_SCHEMA | _ANNOTATOR_SCHEMA | shares | spread_schema("share") | limits
    return frame(rows, schema | _COUNTS)


def target(runs: Runs, annotator: str | None = None) -> pl.DataFrame:
    """Target accuracy, friction and relative friction: one row a condition.

    Columns: the condition, the annotator as in ``categories``, ``initial``, ``final``,
    ``resistance`` (share of the labelled trials), ``target``, ``friction`` and ``relative`` with
    limits that hold the sampling of problems and of labels, ``annotation_low`` and
    ``annotation_high`` (where the target of these very trials may come to lie once all unsolved
    ones are labelled), ``annotated`` trials, ``n`` trials, and the counts of ``categories``.
    Stopped trials count as unsolved and as not labelled. See ``stats.friction`` for the reading of
    the paper's target accuracy that this is.

    Args:
        annotator: whose labels; by default, for each run, the annotator with most labels.
    """
    rows = []
    names = ("initial", "final", "resistance", "target", "friction", "relative")
    for condition, first, codes, counts in _labelled(runs, annotator):
        resistant = CLASSES.index(Category.RESISTANCE)
        marks = np.where(codes == resistant, RESISTANT, OTHER_REASON)
        found = friction(first, np.where(codes < 0, UNLABELLED, marks))
        row = setting(condition) | {key: counts[key] for key in _ANNOTATOR_SCHEMA}
        for name in names:
            row |= spread(name, getattr(found, name))
        rows.append(
            row
            | {
                "annotation_low": found.annotation.low,
                "annotation_high": found.annotation.high,
                "annotated": found.annotated,
            }
            | _counts(counts, found.final.n, first)
        )
    schema = SETTING_SCHEMA | _ANNOTATOR_SCHEMA
    for name in names:
        schema |= spread_schema(name)
    ending: dict[str, type[pl.DataType]] = {
        "annotation_low": pl.Float64,
        "annotation_high": pl.Float64,
        "annotated": pl.Int64,
    }
    return frame(rows, schema | ending | _COUNTS)


def _counts(counts: Row, n: int, first: IntArray) -> Row:
    return {
        "n": n,
        "unsolved": int((first == UNSOLVED).sum()),
        "stopped": counts["stopped"],
        "unreadable": counts[_UNREADABLE],
        "missing": missing(first),
    }


def _labelled(runs: Runs, annotator: str | None) -> Iterator[tuple[Row, IntArray, IntArray, Row]]:
    """Every condition that has labels: its first-solved array, its labels, and what goes with them.

    The labels are an index of ``CLASSES`` in an array of the same shape, -1 where there is none.
    """
    every = labels(runs)
    for condition, ids, first in conditions(runs):
        in_run = every.filter(pl.col("run") == condition["run"])
        name = annotator or usual_annotator(in_run)
        own = in_run.filter(
            pl.col("condition") == condition["condition"], pl.col("annotator") == (name or "")
        )
        if own.is_empty():
            continue
        codes = _codes(own, ids, first)
        counts: Row = {
            "annotator": name,
            "annotator_kind": own["kind"][0],
            "annotator_simulated": bool(own["simulated"].max()),
            _UNREADABLE: own.filter(pl.col("round").is_null(), pl.col("kind") == "judge").height,
            "stopped": _stopped(runs, condition),
        }
        yield condition, first, codes, counts


def _codes(own: pl.DataFrame, ids: list[str], first: IntArray) -> IntArray:
    codes = np.full(first.shape, -1, dtype=np.int64)
    position = {problem: index for index, problem in enumerate(ids)}
    for problem, epoch, category in own.select("problem_id", "epoch", "category").iter_rows():
        # A trial that was run anew since, and solved, is no longer one to explain.
        if problem in position and first[position[problem], epoch] == UNSOLVED:
            codes[position[problem], epoch] = CLASSES.index(category)
    return codes


def _stopped(runs: Runs, condition: Row) -> int:
    return runs.trials.filter(
        pl.col("run") == condition["run"],
        pl.col("condition") == condition["condition"],
        pl.col("status") == "stopped",
    ).height
