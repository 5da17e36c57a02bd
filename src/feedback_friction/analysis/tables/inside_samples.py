"""What the tables of ``friction inside`` share: means by problem, tests, groups by outcome."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import polars as pl

from feedback_friction.analysis.stats.clusters import student_value
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.analysis.stats.significance import holm, sign_flip
from feedback_friction.analysis.tables.probe_table import Findings
from feedback_friction.analysis.tables.shared_columns import SETTING_SCHEMA, Row, frame

ALL = "all"
Schema = dict[str, Any]
Sample = list[tuple[str, float]]  # problem, value
ABOUT: Schema = {**SETTING_SCHEMA, "settings": pl.String, "outcome": pl.String}
TEST: Schema = {"n": pl.Int64, "p": pl.Float64, "holm": pl.Float64}
FLIPS = 10_000


def mean(sample: Sample) -> Estimate:
    """The mean over problems of their means, with Student's interval; n is the problems."""
    means = _by_problem(sample)
    n = len(means)
    if n < 2:
        value = means[0] if means else math.nan
        return Estimate(value, math.nan, math.nan, n)
    middle = float(np.mean(means))
    half = student_value(0.95, n - 1) * float(np.std(means, ddof=1)) / math.sqrt(n)
    return Estimate(middle, middle - half, middle + half, n)


def p_value(sample: Sample) -> float:
    """That the problems' means are centred on 0."""
    means = _by_problem(sample)
    if not means:
        return math.nan
    return sign_flip(np.array(means), np.random.default_rng(0), FLIPS)


def _by_problem(sample: Sample) -> list[float]:
    found: dict[str, list[float]] = defaultdict(list)
    for problem, value in sample:
        found[problem].append(value)
    return [math.fsum(each) / len(each) for each in found.values()]


def groups(each: Findings) -> Iterator[tuple[Row, list[tuple[str, Mapping[str, Any]]]]]:
    """By what became of the feedback, and all: the columns of a group, and its places."""
    places = [(place[0], value) for place, value in sorted(each.found.items())]
    for outcome in (ALL, *sorted({value["outcome"] for _, value in places})):
        mine = [one for one in places if outcome in (ALL, one[1]["outcome"])]
        yield each.about | {"outcome": outcome}, mine


def tested(
    rows: list[Row], family: Callable[[Row], tuple[Any, ...]], schema: Schema
) -> pl.DataFrame:
    """Rows as a frame, with Holm's correction over each family."""
    families: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        families[family(row)].append(row)
    for mine in families.values():
        for row, value in zip(mine, holm([row["p"] for row in mine]), strict=True):
            row["holm"] = value
    return frame(rows, schema)


def which(each: Findings) -> str:
    """The setting of findings, by which those of two probes are put together."""
    return json.dumps(each.about, sort_keys=True, default=str)
