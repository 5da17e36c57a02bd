"""What kind of problem is solved: by subject, popularity, size, base and first confidence."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.stats.arrays import MISSING, BoolArray, FloatArray, IntArray
from feedback_friction.analysis.stats.association import auroc, spearman
from feedback_friction.analysis.stats.buckets import bucketed, equal_count, equal_width
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.analysis.stats.proportions import clustered
from feedback_friction.analysis.tables.shared_columns import (
    SETTING_SCHEMA,
    Row,
    conditions,
    frame,
    missing,
    once,
    setting,
    spread,
    spread_schema,
)

BUCKETS = 10


def _counts(first: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """By problem: trials, trials right at first, trials solved in the end."""
    trials = (first != MISSING).sum(axis=1).astype(np.float64)
    initial = (first == 0).sum(axis=1).astype(np.float64)
    final = (first >= 0).sum(axis=1).astype(np.float64)
    return trials, initial, final


def _gain(
    trials: FloatArray, initial: FloatArray, final: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Successes and weights of (final - initial) / (1 - initial)."""
    return final - initial, trials - initial


def _by_problem(successes: FloatArray, trials: FloatArray) -> Estimate:
    """The mean of the problems' shares, of those that have trials."""
    has = trials > 0
    return clustered(successes[has] / trials[has], has[has].astype(np.float64), trials[has])


@once
def subjects(runs: Runs) -> pl.DataFrame:
    """Accuracy by subject, at the first and the last attempt: one row a condition and subject.

    Every problem weighs the same, however many of its trials are missing.
    """
    rows = []
    for condition, ids, first in conditions(runs):
        known = runs.problems.filter(
            pl.col("run") == condition["run"], pl.col("task") == condition["task"]
        )
        by_id = dict(known.select("problem_id", "subject").iter_rows())
        names = np.array([by_id[problem] or "" for problem in ids])
        for name in sorted({*names} - {""}):
            part = first[names == name]
            trials, initial, final = _counts(part)
            rows.append(
                setting(condition)
                | {"subject": str(name)}
                | spread("initial", _by_problem(initial, trials))
                | spread("final", _by_problem(final, trials))
                | {"n": int(trials.sum()), "missing": missing(part)}
            )
    schema = SETTING_SCHEMA | {"subject": pl.String} | spread_schema("initial")
    counts = {"n": pl.Int64, "missing": pl.Int64}
    return frame(rows, schema | spread_schema("final") | counts)


@once
def popularity(runs: Runs) -> pl.DataFrame:
    """Gain by entity popularity (PopQA), in buckets of equal count of s_pop and of o_pop."""
    rows = []
    for condition, ids, first in conditions(runs):
        for field in ("s_pop", "o_pop"):
            values = _values(runs, condition, ids, field)
            if np.isnan(values).all():
                continue
            edges = equal_count(values, BUCKETS)
            rows += list(_bucket_rows(condition, field, values, edges, first))
    return frame(rows, _BUCKET_SCHEMA)


@once
def confidence(runs: Runs) -> pl.DataFrame:
    """First accuracy and gain by the first answer's confidence, in buckets of 0.1.

    Confidence is exp(mean token log-probability) of the first attempt (paper, section 5).
    """
    rows = []
    for condition, ids, first in conditions(runs):
        values = first_confidence(runs, condition, ids)
        if np.isnan(values).all():
            continue
        rows += list(_bucket_rows(condition, "confidence", values, equal_width(values, 0.1), first))
    return frame(rows, _BUCKET_SCHEMA)


@once
def confidence_summary(runs: Runs) -> pl.DataFrame:
    """Does confidence predict first accuracy and gain: AUROC and Spearman, one row a condition."""
    rows = []
    for condition, ids, first in conditions(runs):
        values = first_confidence(runs, condition, ids)
        trials, initial, final = _counts(first)
        known = ~np.isnan(values) & (trials > 0)
        unsolved = known & (trials > initial)
        if known.sum() < 2:
            continue
        right: BoolArray = initial[known] / trials[known] > 0.5
        gained, left = _gain(trials, initial, final)
        rows.append(
            setting(condition)
            | spread("auroc", auroc(values[known], right))
            | spread("spearman_first", spearman(values[known], initial[known] / trials[known]))
            | spread(
                "spearman_gain",
                spearman(values[unsolved], gained[unsolved] / left[unsolved]),
            )
            | {"n": int(known.sum()), "missing": missing(first)}
        )
    schema = SETTING_SCHEMA | spread_schema("auroc", "spearman_first")
    counts = {"n": pl.Int64, "missing": pl.Int64}
    return frame(rows, schema | spread_schema("spearman_gain") | counts)


def first_confidence(runs: Runs, condition: Row, ids: list[str]) -> FloatArray:
    """exp(mean token log-probability) of the first attempts, a mean over epochs; nan if unknown."""
    firsts = (
        runs.attempts.filter(
            pl.col("run") == condition["run"],
            pl.col("condition") == condition["condition"],
            pl.col("iteration") == 0,
            pl.col("mean_logprob").is_not_null(),
        )
        .group_by("problem_id")
        .agg(pl.col("mean_logprob").exp().mean())
    )
    by_id = dict(firsts.iter_rows())
    return np.array([by_id.get(problem, np.nan) for problem in ids], dtype=np.float64)


def _values(runs: Runs, condition: Row, ids: list[str], field: str) -> FloatArray:
    known = runs.problems.filter(
        pl.col("run") == condition["run"], pl.col("task") == condition["task"]
    )
    by_id = dict(known.select("problem_id", field).iter_rows())
    values = [by_id[problem] for problem in ids]
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


_BUCKET_SCHEMA: dict[str, type[pl.DataType]] = (
    SETTING_SCHEMA
    | {"field": pl.String, "low": pl.Float64, "high": pl.Float64}
    | spread_schema("initial")
    | spread_schema("gain")
    | {"problems": pl.Int64, "few": pl.Boolean, "missing": pl.Int64}
)


def _bucket_rows(
    condition: Row, field: str, values: FloatArray, edges: FloatArray, first: IntArray
) -> Iterator[Row]:
    trials, initial, final = _counts(first)
    firsts = bucketed(values, initial, trials, edges)
    gains = bucketed(values, *_gain(trials, initial, final), edges)
    for one, gain in zip(firsts, gains, strict=True):
        yield (
            setting(condition)
            | {"field": field, "low": one.low, "high": one.high}
            | spread("initial", one.share)
            | spread("gain", gain.share)
            | {"problems": one.problems, "few": one.few, "missing": missing(first)}
        )
