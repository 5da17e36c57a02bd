"""Accuracy by iteration, per condition: what ``friction results`` prints.

Acc_k is the share of problems solved at or before iteration k (paper, section 2); a solved trial
stays solved. With several epochs a problem counts with the share of its trials that are, and every
problem counts the same. The report's ``stats.curve.accuracy_curve`` is the same estimate with the
same interval; here it is made without numpy.

A trial that failed for reasons of infrastructure, that is undecided, or that has not run yet, is
missing: in no numerator, in no denominator, and counted. A trial that stopped because a model
refused to go on is not solved.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from feedback_friction.analysis.journal import Condition, open_journal, read_conditions
from feedback_friction.analysis.stats.clusters import clustered_share
from feedback_friction.analysis.stats.intervals import Estimate

USAGE_COLUMNS = (
    "prompt_tokens",
    "completion_tokens",
    "cached_tokens",
    "reasoning_tokens",
    "feedback_prompt_tokens",
    "feedback_completion_tokens",
    "feedback_cached_tokens",
    "feedback_reasoning_tokens",
)


@dataclass(frozen=True, slots=True)
class ConditionResult:
    """One condition's results.

    Attributes:
        condition: what was run.
        n: trials that ended.
        missing: trials that failed, are undecided or have not run.
        failed: the part of the missing that failed; resuming runs them again.
        undecided: the part whose last answer could not be compared with gold in time; resuming
            compares again.
        stopped: trials in which a model refused to go on; part of ``n``, not solved.
        accuracy: Acc_k for k = 0, 1, ...; empty when ``n`` is 0.
        ci_low, ci_high: 95% Wilson intervals; with epochs, at the number of trials that they are
            worth (``stats.clusters``).
        usage: tokens of the condition's attempts, calls that it shares with others included.
        cost_usd: what these tokens cost; None where a price is not known.
        leaks: feedback texts in which the audit found the answer.
        feedbacks: feedback texts in all.
    """

    condition: Condition
    n: int
    missing: int
    failed: int
    undecided: int
    stopped: int
    accuracy: tuple[float, ...]
    ci_low: tuple[float, ...]
    ci_high: tuple[float, ...]
    usage: dict[str, int]
    cost_usd: float | None
    leaks: int
    feedbacks: int

    def as_json(self) -> dict[str, object]:
        """The object that ``friction results --json`` prints."""
        condition = self.condition
        return {
            "condition": condition.condition,
            "task": condition.task,
            "digits": condition.digits,
            "solver": condition.solver,
            "feedback": condition.feedback,
            "feedback_model": condition.feedback_model,
            "sampling": condition.sampling,
            "history": condition.history,
            "grader": condition.grader,
            "simulated": bool(condition.simulated),
            "epochs": condition.epochs,
            "n": self.n,
            "missing": self.missing,
            "failed": self.failed,
            "undecided": self.undecided,
            "stopped": self.stopped,
            "accuracy": list(self.accuracy),
            "ci_low": list(self.ci_low),
            "ci_high": list(self.ci_high),
            "usage": {**self.usage, "cost_usd": self.cost_usd},
            "feedbacks": self.feedbacks,
            "leaks": self.leaks,
        }


@dataclass(frozen=True, slots=True)
class Paid:
    """What a run really paid for: every model call once, however many conditions share it."""

    calls: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    cost_usd: float | None


def read_results(directory: Path) -> list[ConditionResult]:
    """The results of every condition of a run directory.

    Raises:
        UsageError: it is no run directory, or cannot be read.
    """
    with open_journal(directory) as db:
        return [_result(db, condition) for condition in read_conditions(db)]


def read_paid(directory: Path) -> Paid:
    """What the run in a directory paid for so far; the cost is None when a price is not known."""
    with open_journal(directory) as db:
        row = db.execute(
            "SELECT count(*), total(prompt_tokens), total(completion_tokens),"
            " total(cached_tokens), CASE WHEN count(*) = count(cost_usd) THEN total(cost_usd) END"
            " FROM completions"
        ).fetchone()
    return Paid(row[0], int(row[1]), int(row[2]), int(row[3]), row[4])


def _result(db: sqlite3.Connection, condition: Condition) -> ConditionResult:
    solved_at: dict[str, list[int | None]] = defaultdict(list)
    failed = undecided = stopped = 0
    for row in db.execute(
        "SELECT problem_id, status, attempts FROM trials WHERE condition = ?",
        (condition.condition,),
    ):
        if row["status"] == "failed":
            failed += 1
            continue
        if row["status"] == "undecided":
            undecided += 1
            continue
        stopped += row["status"] == "stopped"
        solved = row["status"] == "solved"
        solved_at[row["problem_id"]].append(row["attempts"] - 1 if solved else None)
    n = sum(len(trials) for trials in solved_at.values())
    curve = _curve(list(solved_at.values()), condition.iterations) if n else []
    sums = ", ".join(f"total({name})" for name in USAGE_COLUMNS)
    totals = db.execute(
        f"SELECT {sums}, CASE WHEN count(*) = count(cost_usd) THEN total(cost_usd) END,"
        " count(feedback), total(leaks != '[]') FROM attempts WHERE condition = ?",
        (condition.condition,),
    ).fetchone()
    return ConditionResult(
        condition,
        n,
        condition.problems - n,
        failed,
        undecided,
        stopped,
        *_columns(curve),
        {name: int(total) for name, total in zip(USAGE_COLUMNS, totals, strict=False)},
        totals[-3],
        int(totals[-1]),
        int(totals[-2]),
    )


def _columns(
    curve: list[Estimate],
) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]:
    return (
        tuple(point.value for point in curve),
        tuple(point.low for point in curve),
        tuple(point.high for point in curve),
    )


def _curve(solved_at: list[list[int | None]], iterations: int) -> list[Estimate]:
    """Acc_k for each k; one inner list a problem, one entry an epoch."""
    trials = [float(len(problem)) for problem in solved_at]
    curve = []
    for k in range(iterations):
        solved = [sum(at is not None and at <= k for at in problem) for problem in solved_at]
        means = [number / of for number, of in zip(solved, trials, strict=True)]
        curve.append(clustered_share(means, [1.0] * len(means), trials))
    return curve
