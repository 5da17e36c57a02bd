"""What the tables of ``friction inside`` share: means by problem, tests, groups by outcome."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from typing import Any

import numpy as np
import polars as pl

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.stats.clusters import cluster_means, student_value
from feedback_friction.analysis.stats.differences import holm
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.analysis.stats.paired import sign_flip
from feedback_friction.analysis.table import CONDITION, SETTING, Row, grouped, table
from feedback_friction.analysis.tables.probe_table import Findings, findings

ALL = "all"
Sample = list[tuple[str, float]]  # problem, value
Placed = tuple[str, Mapping[str, Any]]  # problem, what was found at one of its places
TEST = "n int, p float, holm float"
_ABOUT = (*SETTING, "settings", "outcome")
FLIPS = 10_000


def tested(
    *columns: str,
) -> Callable[[Callable[[Runs], Iterable[Row]]], Callable[[Runs], pl.DataFrame]]:
    """Make a table of the rows that a function yields, as ``analysis.table.table``, with ``holm``.

    That is Holm's correction of ``p`` over the rows that have the condition, the settings, the
    outcome, and what the rows hold as ``family`` in common.
    """

    def decorated(rows: Callable[[Runs], Iterable[Row]]) -> Callable[[Runs], pl.DataFrame]:
        @table(CONDITION, "settings text, outcome text", *columns)
        @wraps(rows)
        def make(runs: Runs) -> list[Row]:
            made = [row | {"family": row.get("family")} for row in rows(runs)]
            for mine in grouped(made, (*_ABOUT, "family")):
                for row, value in zip(mine, holm([row["p"] for row in mine]), strict=True):
                    row["holm"] = value
            return made

        return make

    return decorated


def measured(name: str, sample: Sample) -> Row:
    """The columns of a mean over problems, and of the test that it is 0."""
    found = mean(sample)
    return {name: found, "n": found.n, "p": p_value(sample)}


def mean(sample: Sample) -> Estimate:
    """The mean over problems of their means, with Student's interval; n is the problems."""
    means, _ = cluster_means(sample)
    n = len(means)
    if n < 2:
        value = means[0] if means else math.nan
        return Estimate(value, math.nan, math.nan, n)
    middle = float(np.mean(means))
    half = student_value(n - 1) * float(np.std(means, ddof=1)) / math.sqrt(n)
    return Estimate(middle, middle - half, middle + half, n)


def p_value(sample: Sample) -> float:
    """That the problems' means are centred on 0."""
    means, _ = cluster_means(sample)
    if not means:
        return math.nan
    return sign_flip(np.array(means), np.random.default_rng(0), FLIPS)


def groups(runs: Runs, probe: str) -> Iterator[tuple[Findings, Row, list[Placed]]]:
    """What a probe found, by what became of the feedback, and all.

    Yields:
        The findings, the columns of a group of them, and its places.
    """
    for each in findings(runs, probe):
        places = [(place[0], value) for place, value in sorted(each.found.items())]
        for outcome in (ALL, *sorted({value["outcome"] for _, value in places})):
            mine = [one for one in places if outcome in (ALL, one[1]["outcome"])]
            yield each, each.about | {"outcome": outcome}, mine


def which(each: Findings) -> str:
    """The setting of findings, by which those of two probes are put together."""
    return json.dumps(each.about, sort_keys=True, default=str)
