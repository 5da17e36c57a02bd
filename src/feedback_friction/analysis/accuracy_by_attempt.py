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
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import Any

from feedback_friction.analysis.journal import (
    ENDED,
    IN_FLIGHT,
    KNOWN_TRIALS,
    USAGE_COLUMNS,
    Condition,
    cluster_name,
    open_journal,
    read_aligned,
    read_clusters,
    read_conditions,
    read_options,
    read_run,
    rows_if,
)
from feedback_friction.analysis.retries import (
    Key,
    Retry,
    SecondAttempts,
    as_seen,
    excludes,
    read_retries,
    second_attempts,
)
from feedback_friction.analysis.stats.censored import (
    Seen,
    area,
    censored_curve,
    normalised_gain,
    worst_case,
)
from feedback_friction.analysis.stats.guessing import Excludes, mean_guesser
from feedback_friction.analysis.stats.intervals import Estimate, Interval
from feedback_friction.analysis.uptake import Uptake, contrasts
from feedback_friction.mode_names import recorded_mode


@dataclass(frozen=True, slots=True)
class ConditionResult:
    """One condition's results."""

    condition: Condition  # what was run
    n: int  # trials that ended
    missing: int  # trials that failed, are undecided, or have not ended
    failed: int  # the part of the missing that failed; resuming runs them again
    # the part whose last answer could not be compared with gold in time; resuming compares again
    undecided: int
    in_flight: int  # the part that has made attempts and has not ended
    stopped: int  # trials in which a model refused to go on; part of ``n``, not solved
    # Acc_k for k = 0, 1, ..., empty when nothing is known; n is the number of trials of which it is
    # known whether they are solved by then. The limits are 95% Wilson intervals; with epochs or
    # censored trials, at the number of trials that they are worth (``stats.clusters``,
    # ``stats.censored``).
    curve: tuple[Estimate, ...]
    # for each k, where accuracy lies whatever became of the missing trials
    # (``stats.censored.worst_case``); the interval itself where none is
    bounds: tuple[Interval, ...]
    # tokens of the condition's attempts, calls that it shares with others included
    usage: dict[str, int]
    cost_usd: float | None  # what these tokens cost; None where a price is not known
    leaks: int  # feedback texts in which the audit found the answer
    aligned: int  # feedback texts that repeat what of the answer the solver had worked out itself
    feedbacks: int  # feedback texts in all
    replies: int  # the solver's graded replies, one an attempt
    no_answer: int  # those in which no answer could be read
    cut_off: int  # those that ended at the limit on tokens
    # model calls of the trials that ended, those shared with other conditions included; 0 where the
    # journal does not tell
    calls: int
    retries: int  # those that failed before they succeeded
    # for each k, the accuracy of a guesser that reads nothing, as far as the sampling strategy and
    # the hints of the prompt keep it from options tried before (``stats.guessing``); None where
    # there are no options
    guess: list[float] | None
    # the same of a guesser that never tries an option again, where the solver sees its attempts
    guess_most: list[float] | None
    gain: Estimate  # normalised gain, (last - first) / (1 - first)
    area: Estimate  # area under the accuracy curve, from 0 to 1
    # share of problems whose last answer is right: the accuracy, or less where right answers are
    # challenged; a trial lost while its right answer was challenged is unknown from there on
    right_at_end: Estimate
    # accuracy in the end with each trial counted up to the first feedback in which the audit found
    # the answer; the accuracy itself where there is none
    without_leaks: Estimate
    # its second attempts: how many are right, and how many repeat the first answer
    second: SecondAttempts
    uptakes: tuple[Uptake, ...]  # one-step uptake against each control of the run
    # what the data calls that which problems share (a passage, a contest), by which the intervals
    # are clustered; None where every problem stands alone
    clustered_by: str | None
    clusters: int  # how many of them the condition's problems are in
    unclustered: int  # problems that share nothing

    @property
    def unfinished(self) -> int:
        """Trials that have still to end: those in flight, and those that have not begun."""
        return self.missing - self.failed - self.undecided

    @property
    def accuracy(self) -> tuple[float, ...]:
        """Acc_k without its interval."""
        return tuple(each.value for each in self.curve)

    @property
    def provisional(self) -> bool:
        """Whether trials have still to end, so that the numbers will change."""
        return self.unfinished > 0

    def as_json(self) -> dict[str, object]:
        """The object that ``friction results --json`` prints."""
        return {
            **{name: getattr(self.condition, name) for name in _ABOUT},
            "simulated": bool(self.condition.simulated),
            "epochs": self.condition.epochs,
            **{name: getattr(self, name) for name in _TRIALS},
            "known": [each.n for each in self.curve],
            "accuracy": [each.value for each in self.curve],
            "ci_low": [each.low for each in self.curve],
            "ci_high": [each.high for each in self.curve],
            "usage": {**self.usage, "cost_usd": self.cost_usd},
            **{name: getattr(self, name) for name in _ATTEMPTS},
            "calls": self.calls if self.calls else None,
            "retries": self.retries if self.calls else None,
            "bound_low": [each.low for each in self.bounds],
            "bound_high": [each.high for each in self.bounds],
            "guess": self.guess,
            "guess_most": self.guess_most,
            **{name: getattr(self, name).as_json() for name in _ESTIMATES},
            "repetition": self.second.repeated.as_json(),
            "second": self.second.right.as_json() | {"guess": self.second.guess},
            "uptake": [each.as_json() for each in self.uptakes],
            "clustered_by": self.clustered_by,
            "clusters": self.clusters,
        }


# Fields that stand in the JSON under their own names: of the condition, and of the result.
_ABOUT = (
    "condition", "task", "digits", "solver", "feedback", "feedback_model", "sampling", "history",
    "grader",
)  # fmt: skip
_TRIALS = ("n", "missing", "failed", "undecided", "in_flight", "stopped", "provisional")
_ATTEMPTS = ("feedbacks", "leaks", "aligned", "replies", "no_answer", "cut_off")
_ESTIMATES = ("gain", "area", "right_at_end", "without_leaks")


@dataclass(frozen=True, slots=True)
class Paid:
    """What a run really paid for: every model call once, however many conditions share it."""

    calls: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    cost_usd: float | None
    retried: int = 0  # calls that failed before they succeeded


def read_results(directory: Path) -> list[ConditionResult]:
    """The results of every condition of a run directory."""
    document = read_run(directory)
    config = document["config"]
    with open_journal(directory) as db:
        conditions = read_conditions(db)
        retries = read_retries(db, conditions, config)
        clusters = read_clusters(db)
        uptakes = contrasts(conditions, retries, clusters)
        options = read_options(db)
        return [
            _result(
                db,
                condition,
                options[condition.task],
                (cluster_name(document), clusters.get(condition.task, {})),
                excludes(condition, config),
                retries[condition.condition],
                tuple(each for each in uptakes if each.condition == condition),
            )
            for condition in conditions
        ]


def read_paid(directory: Path) -> Paid:
    """What the run in a directory paid for so far; the cost is None when a price is not known."""
    with open_journal(directory) as db:
        row = db.execute(
            "SELECT count(*), total(prompt_tokens), total(completion_tokens),"
            " total(cached_tokens), CASE WHEN count(*) = count(cost_usd) THEN total(cost_usd) END"
            " FROM completions"
        ).fetchone()
        retried = sum(row[0] for row in rows_if(db, "retried", "SELECT count(*) FROM retried"))
        return Paid(row[0], int(row[1]), int(row[2]), int(row[3]), row[4], retried)


def _result(
    db: sqlite3.Connection,
    condition: Condition,
    options: Mapping[str, int],
    clusters: tuple[str, Mapping[str, str]],
    excluded: tuple[Excludes, Excludes],
    retries: Mapping[Key, Retry],
    uptakes: tuple[Uptake, ...],
) -> ConditionResult:
    statuses: Counter[str] = Counter()
    seen: dict[str, list[Seen]] = {problem: [] for problem in options}
    clean: dict[str, list[Seen]] = {problem: [] for problem in options}
    lasting: dict[str, list[Seen]] = {problem: [] for problem in options}
    leaked = _first_leaks(db, condition)
    challenged = recorded_mode(condition.feedback).challenges
    ends = _last_verdicts(db, condition)
    for row in db.execute(
        f"SELECT * FROM ({KNOWN_TRIALS}) WHERE condition = ?", (condition.condition,)
    ):
        statuses[row["status"]] += 1
        trial = as_seen(row["status"], row["known"], bool(row["solved"]), condition.iterations)
        seen[row["problem_id"]].append(trial)
        where = row["problem_id"], row["epoch"]
        kept = _lasting(trial, ends.get(where), condition.iterations) if challenged else trial
        lasting[row["problem_id"]].append(kept)
        made = leaked.get(where, condition.iterations)
        before = trial.known <= made or trial.solved_by(made - 1)
        clean[row["problem_id"]].append(trial if before else Seen(None, made))
    problems, iterations = list(seen.values()), condition.iterations
    within = [clusters[1].get(problem) for problem in seen]
    points = censored_curve(problems, iterations, clusters=within)
    curve = tuple(point for point in points if not isnan(point.value))
    bounds = worst_case(problems, condition.epochs, iterations, clusters=within)[: len(curve)]
    guesses = [mean_guesser([*options.values()], iterations, each) for each in excluded]
    n = sum(statuses[status] for status in ENDED)
    return ConditionResult(
        condition=condition,
        n=n,
        missing=condition.problems - n,
        failed=statuses["failed"],
        undecided=statuses["undecided"],
        in_flight=statuses[IN_FLIGHT],
        stopped=statuses["stopped"],
        curve=curve,
        bounds=tuple(bounds),
        **_attempts(db, condition),
        guess=guesses[0],
        guess_most=guesses[1],
        gain=normalised_gain(problems, iterations, clusters=within),
        area=area(problems, iterations, clusters=within),
        right_at_end=censored_curve([*lasting.values()], iterations, clusters=within)[-1],
        without_leaks=censored_curve([*clean.values()], iterations, clusters=within)[-1],
        second=second_attempts(retries, clusters=clusters[1]),
        uptakes=uptakes,
        clustered_by=clusters[0] if any(within) else None,
        clusters=len({*within} - {None}),
        unclustered=within.count(None),
    )


def _last_verdicts(db: sqlite3.Connection, condition: Condition) -> dict[tuple[str, int], bool]:
    """By problem and epoch of each trial that was challenged and ended, if it is right at last."""
    rows = db.execute(
        "SELECT a.problem_id, a.epoch, a.is_correct FROM trials t JOIN attempts a"
        " ON (a.condition, a.problem_id, a.epoch, a.iteration)"
        "  = (t.condition, t.problem_id, t.epoch, t.attempts - 1)"
        f" WHERE t.condition = ? AND t.status IN {ENDED}",
        (condition.condition,),
    )
    return {(problem, epoch): bool(right) for problem, epoch, right in rows}


def _lasting(trial: Seen, right_at_last: bool | None, iterations: int) -> Seen:
    """A trial as solved only where the right answer is kept to the end, which may be unknown."""
    if trial.solved_at is None or right_at_last:
        return trial
    return Seen(None, trial.solved_at if right_at_last is None else iterations)


def _first_leaks(db: sqlite3.Connection, condition: Condition) -> dict[tuple[str, int], int]:
    """By problem and epoch, the attempts made before feedback that gave the answer away."""
    rows = db.execute(
        "SELECT problem_id, epoch, min(iteration) FROM attempts"
        " WHERE condition = ? AND leaks != '[]' GROUP BY 1, 2",
        (condition.condition,),
    )
    return {(problem, epoch): iteration + 1 for problem, epoch, iteration in rows}


def _attempts(db: sqlite3.Connection, condition: Condition) -> dict[str, Any]:
    """The fields that are counted over attempts."""
    sums = ", ".join(f"total({name})" for name in USAGE_COLUMNS)
    totals = db.execute(
        f"SELECT {sums}, CASE WHEN count(*) = count(cost_usd) THEN total(cost_usd) END,"
        " count(feedback), total(leaks != '[]'), count(*), total(verdict = 'no-answer'),"
        " total(finish_reason = 'length') FROM attempts WHERE condition = ?",
        (condition.condition,),
    ).fetchone()
    counts = ("feedbacks", "leaks", "replies", "no_answer", "cut_off")
    query = "SELECT total(calls), total(retried) FROM calls WHERE condition = ?"
    called = [*rows_if(db, "calls", query, (condition.condition,)), (0, 0)][0]
    return {
        "usage": {name: int(total) for name, total in zip(USAGE_COLUMNS, totals, strict=False)},
        "cost_usd": totals[-6],
        **{name: int(total) for name, total in zip(counts, totals[-5:], strict=True)},
        "aligned": len(read_aligned(db, condition.condition)),
        "calls": int(called[0]),
        "retries": int(called[1]),
    }
