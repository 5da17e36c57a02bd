"""What kind of problem is solved: by subject, popularity, size, base and first confidence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.stats.arrays import MISSING, FloatArray, IntArray
from feedback_friction.analysis.stats.association import auroc, spearman
from feedback_friction.analysis.stats.buckets import bucketed, equal_count, equal_width
from feedback_friction.analysis.stats.clusters import clustered_share
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.analysis.table import (
    CONDITION,
    Row,
    conditions,
    fields_of,
    missing,
    rows_of,
    table,
)

BUCKETS = 10


def first_and_final(first: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """By problem: trials, trials right at first, trials solved in the end."""
    trials = (first != MISSING).sum(axis=1).astype(np.float64)
    initial = (first == 0).sum(axis=1).astype(np.float64)
    final = (first >= 0).sum(axis=1).astype(np.float64)
    return trials, initial, final


def _by_problem(successes: FloatArray, trials: FloatArray) -> Estimate:
    """The mean of the problems' shares, of those that have trials."""
    has = trials > 0
    return clustered_share(successes[has] / trials[has], np.ones(has.sum()), trials[has])


@table(CONDITION, "subject text, initial estimate, final estimate, n int, missing int")
def subjects(runs: Runs) -> Iterator[Row]:
    """Accuracy by subject, at the first and the last attempt: one row a condition and subject.

    Every problem weighs the same, however many of its trials are missing.
    """
    for condition, ids, first in conditions(runs):
        by_id = _by_id(runs, condition, "subject")
        names = np.array([by_id[problem] or "" for problem in ids])
        for name in sorted({*names} - {""}):
            part = first[names == name]
            trials, initial, final = first_and_final(part)
            yield condition | {
                "subject": str(name),
                "initial": _by_problem(initial, trials),
                "final": _by_problem(final, trials),
                "n": int(trials.sum()),
                "missing": missing(part),
            }


_BUCKETS = (
    "field text, low float, high float, initial estimate, gain estimate, problems int, few bool, "
    "missing int"
)


@table(CONDITION, _BUCKETS)
def popularity(runs: Runs) -> Iterator[Row]:
    """Gain by entity popularity (PopQA), in buckets of equal count of s_pop and of o_pop."""
    for condition, ids, first in conditions(runs):
        for field in ("s_pop", "o_pop"):
            by_id = _by_id(runs, condition, field)
            values = np.array([by_id[problem] for problem in ids], dtype=np.float64)
            if not np.isnan(values).all():
                edges = equal_count(values, BUCKETS)
                yield from _buckets(condition | {"field": field}, values, edges, first)


@table(CONDITION, _BUCKETS)
def confidence(runs: Runs) -> Iterator[Row]:
    """First accuracy and gain by the first answer's confidence, in buckets of 0.1.

    Confidence is exp(mean token log-probability) of the first attempt (paper, section 5).
    """
    for condition, ids, first in conditions(runs):
        values = first_confidence(runs, condition, ids)
        if not np.isnan(values).all():
            edges = equal_width(values, 0.1)
            yield from _buckets(condition | {"field": "confidence"}, values, edges, first)


@table(
    CONDITION, "auroc estimate, spearman_first estimate, spearman_gain estimate, n int, missing int"
)
def confidence_summary(runs: Runs) -> Iterator[Row]:
    """Does confidence predict first accuracy and gain: AUROC and Spearman, one row a condition."""
    for condition, ids, first in conditions(runs):
        values = first_confidence(runs, condition, ids)
        trials, initial, final = first_and_final(first)
        known = ~np.isnan(values) & (trials > 0)
        unsolved = known & (trials > initial)
        if known.sum() < 2:
            continue
        right = initial[known] / trials[known]
        gained = (final - initial)[unsolved] / (trials - initial)[unsolved]
        yield condition | {
            "auroc": auroc(values[known], right > 0.5),
            "spearman_first": spearman(values[known], right),
            "spearman_gain": spearman(values[unsolved], gained),
            "n": int(known.sum()),
        }


def first_confidence(runs: Runs, condition: Row, ids: list[str]) -> FloatArray:
    """exp(mean token log-probability) of the first attempts, a mean over epochs; nan if unknown."""
    firsts = (
        rows_of(runs.attempts, condition)
        .filter(pl.col("iteration") == 0, pl.col("mean_logprob").is_not_null())
        .group_by("problem_id")
        .agg(pl.col("mean_logprob").exp().mean())
    )
    by_id = dict(firsts.iter_rows())
    return np.array([by_id.get(problem, np.nan) for problem in ids], dtype=np.float64)


def _by_id(runs: Runs, condition: Row, column: str) -> dict[str, Any]:
    """By problem id, a column of the problems of a condition's task."""
    known = runs.problems.filter(
        pl.col("run") == condition["run"], pl.col("task") == condition["task"]
    )
    return dict(known.select("problem_id", column).iter_rows())


def _buckets(about: Row, values: FloatArray, edges: FloatArray, first: IntArray) -> Iterator[Row]:
    """First accuracy and gain, (final - initial) / (1 - initial), in each bucket."""
    trials, initial, final = first_and_final(first)
    gain = final - initial, trials - initial
    return bucket_rows(about, values, edges, initial=(initial, trials), gain=gain)


def bucket_rows(
    about: Row, values: FloatArray, edges: FloatArray, **shares: tuple[FloatArray, FloatArray]
) -> Iterator[Row]:
    """A row a bucket of the problems' values.

    Args:
        shares: by column, the successes and the weights of the problems; ``n`` is of the first.
    """
    found = [bucketed(values, *share, edges) for share in shares.values()]
    for row in zip(*found, strict=True):
        values_of = {name: each.share for name, each in zip(shares, row, strict=True)}
        yield about | fields_of(row[0]) | {"n": row[0].share.n} | values_of
