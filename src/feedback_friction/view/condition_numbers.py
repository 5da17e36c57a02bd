"""Accuracy and what else stands beside a condition, from the rows of the index.

The numbers are those of ``friction results``, by the same estimator, without what only the whole
table needs (contrasts between conditions), so that they can be made anew while a run goes on.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass
from math import isnan

from feedback_friction.analysis.journal import ENDED, Condition, read_aligned
from feedback_friction.analysis.retries import as_seen
from feedback_friction.analysis.stats.censored import Seen, censored_curve
from feedback_friction.analysis.stats.intervals import Estimate


@dataclass(frozen=True, slots=True)
class Numbers:
    """A condition's numbers so far."""

    condition: Condition
    trials: int  # that the run is to make
    n: int  # trials that ended
    failed: int  # resuming runs them again
    unfinished: int
    curve: tuple[Estimate, ...]  # accuracy by attempt; empty while nothing is known
    no_answer: int  # replies
    cut_off: int
    leaks: int  # feedback texts
    aligned: int  # that repeat a part of the answer which the solver had worked out itself


def read_numbers(db: sqlite3.Connection, arm: int, condition: Condition) -> Numbers:
    """The numbers of the condition with that number in the run, from its index."""
    statuses: Counter[str] = Counter()
    seen: dict[int, list[Seen]] = {}
    for place, status, known, solved in db.execute(
        "SELECT place, status, known, solved FROM cells WHERE arm = ?", (arm,)
    ):
        statuses[status] += 1
        found = as_seen(status, known, bool(solved), condition.iterations)
        seen.setdefault(place, []).append(found)
    curve = censored_curve(list(seen.values()), condition.iterations)
    counts = db.execute(
        "SELECT total(no_answer), total(cut_off), total(leaks) FROM cells WHERE arm = ?", (arm,)
    ).fetchone()
    n = sum(statuses[status] for status in ENDED)
    failed = statuses["failed"]
    return Numbers(
        condition,
        condition.problems,
        n,
        failed,
        condition.problems - n - failed - statuses["undecided"],
        tuple(point for point in curve if not isnan(point.value)),
        int(counts[0]),
        int(counts[1]),
        int(counts[2]),
        len(read_aligned(db, condition.condition)),
    )
