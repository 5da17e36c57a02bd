"""Accuracy by iteration, per condition: what ``friction results`` prints.

Acc_k is the share of problems solved at or before iteration k (paper, section 2); a solved trial
stays solved. With several epochs a problem counts with the share of its trials that are, and every
problem counts the same. The report prints the same estimate with the same interval.

A trial counts as far as it is known (``stats.censored``): one that is in flight, that failed, or
whose last answer is undecided counts with the attempts that it has made, and what would have come
after them is unknown, not unsolved. A trial that has not made an attempt is missing: in no
numerator, in no denominator, and counted. A trial that stopped because a model refused to go on is
not solved. While any trial of a condition has still to end, its numbers are provisional.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from feedback_friction.analysis.journal import (
    ENDED,
    IN_FLIGHT,
    KNOWN_TRIALS,
    Condition,
    open_journal,
    read_conditions,
)
from feedback_friction.analysis.stats.censored import Seen, censored_curve
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
        missing: trials that failed, are undecided, or have not ended.
        failed: the part of the missing that failed; resuming runs them again.
        undecided: the part whose last answer could not be compared with gold in time; resuming
            compares again.
        in_flight: the part that has made attempts and has not ended.
        stopped: trials in which a model refused to go on; part of ``n``, not solved.
        known: for each k, the trials of which it is known whether they are solved by then.
        accuracy: Acc_k for k = 0, 1, ...; empty when nothing is known.
        ci_low, ci_high: 95% Wilson intervals; with epochs or censored trials, at the number of
            trials that they are worth (``stats.clusters``, ``stats.censored``).
        usage: tokens of the condition's attempts, calls that it shares with others included.
        cost_usd: what these tokens cost; None where a price is not known.
        leaks: feedback texts in which the audit found the answer.
        feedbacks: feedback texts in all.
        replies: the solver's graded replies, one an attempt.
        no_answer: those in which no answer could be read.
        cut_off: those that ended at the limit on tokens.
    """

    condition: Condition
    n: int
    missing: int
    failed: int
    undecided: int
    in_flight: int
    stopped: int
    known: tuple[int, ...]
    accuracy: tuple[float, ...]
    ci_low: tuple[float, ...]
    ci_high: tuple[float, ...]
    usage: dict[str, int]
    cost_usd: float | None
    leaks: int
    feedbacks: int
    replies: int
    no_answer: int
    cut_off: int

    @property
    def unfinished(self) -> int:
        """Trials that have still to end: those in flight, and those that have not begun."""
        return self.missing - self.failed - self.undecided

    @property
    def provisional(self) -> bool:
        """Whether trials have still to end, so that the numbers will change."""
        return self.unfinished > 0

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
            "in_flight": self.in_flight,
            "stopped": self.stopped,
            "provisional": self.provisional,
            "known": list(self.known),
            "accuracy": list(self.accuracy),
            "ci_low": list(self.ci_low),
            "ci_high": list(self.ci_high),
            "usage": {**self.usage, "cost_usd": self.cost_usd},
            "feedbacks": self.feedbacks,
            "leaks": self.leaks,
            "replies": self.replies,
            "no_answer": self.no_answer,
            "cut_off": self.cut_off,
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
    statuses: Counter[str] = Counter()
    seen: dict[str, list[Seen]] = defaultdict(list)
    for row in db.execute(
        f"SELECT * FROM ({KNOWN_TRIALS}) WHERE condition = ?", (condition.condition,)
    ):
        statuses[row["status"]] += 1
        seen[row["problem_id"]].append(
            as_seen(row["status"], row["known"], bool(row["solved"]), condition.iterations)
        )
    curve = censored_curve(list(seen.values()), condition.iterations)
    n = sum(statuses[status] for status in ENDED)
    sums = ", ".join(f"total({name})" for name in USAGE_COLUMNS)
    totals = db.execute(
        f"SELECT {sums}, CASE WHEN count(*) = count(cost_usd) THEN total(cost_usd) END,"
        " count(feedback), total(leaks != '[]'), count(*), total(verdict = 'no-answer'),"
        " total(finish_reason = 'length') FROM attempts WHERE condition = ?",
        (condition.condition,),
    ).fetchone()
    return ConditionResult(
        condition,
        n,
        condition.problems - n,
        statuses["failed"],
        statuses["undecided"],
        statuses[IN_FLIGHT],
        statuses["stopped"],
        tuple(point.n for point in curve),
        *_columns(curve),
        {name: int(total) for name, total in zip(USAGE_COLUMNS, totals, strict=False)},
        totals[-6],
        *(int(totals[place]) for place in (-4, -5, -3, -2, -1)),
    )


def as_seen(status: str, known: int, solved: bool, iterations: int) -> Seen:
    """What is known of a trial, from a row of ``KNOWN_TRIALS``."""
    if solved:
        return Seen(known - 1, iterations)
    return Seen(None, iterations if status in ENDED else known)


def _columns(
    curve: list[Estimate],
) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]:
    return (
        tuple(point.value for point in curve),
        tuple(point.low for point in curve),
        tuple(point.high for point in curve),
    )
