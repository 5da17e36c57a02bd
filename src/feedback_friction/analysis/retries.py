"""Trials whose first attempt was wrong, and what came of them at the second.

Every such trial makes a second attempt, so that shares of second attempts depend neither on who is
still unsolved nor on the number of attempts. By the standard library alone.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from feedback_friction.analysis.journal import ENDED, KNOWN_TRIALS, Condition, answer_text
from feedback_friction.analysis.stats.censored import Seen
from feedback_friction.analysis.stats.clusters import share_of_trials
from feedback_friction.analysis.stats.guessing import Excludes, right_next
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.mode_names import recorded_mode
from feedback_friction.problem import LETTERS
from feedback_friction.ways import STRATEGIES

# Both attempts of every trial whose first one was wrong; no second one where the model refused.
_SECONDS = """
    SELECT a.condition, a.problem_id, a.epoch, a.prediction, a.choices, b.prediction AS answer,
           b.choices AS order_now, b.is_correct AS correct
    FROM attempts a LEFT JOIN attempts b
      ON (b.condition, b.problem_id, b.epoch) = (a.condition, a.problem_id, a.epoch)
         AND b.iteration = 1 AND b.verdict != 'undecided'
    WHERE a.iteration = 0 AND a.verdict IN ('wrong', 'no-answer')
"""

Key = tuple[str, int]  # problem id, epoch


class Retry(NamedTuple):
    """A trial whose first attempt was wrong, and what came of it."""

    right: bool  # whether the second attempt is right
    repeated: bool  # whether it gives the wrong answer of the first again
    # the chance that a guesser's second attempt is right, as far as the sampling strategy and the
    # hints of the prompt keep it from what was tried; 0 without options
    guess: float
    # the same of one that keeps in mind what it was told is wrong, where it was told
    guess_most: float
    seen: Seen  # what is known of the whole trial


def excludes(condition: Condition, config: Mapping[str, Any]) -> tuple[Excludes, Excludes]:
    """What keeps a guesser from options tried before: at least, and where it keeps them in mind.

    Args:
        condition: the condition.
        config: the configuration of its run.
    """
    shows = recorded_mode(condition.feedback).shows_history
    strategy = STRATEGIES.get(condition.sampling)
    least = Excludes.DRAWS if strategy is not None and strategy.reject else Excludes.NOTHING
    if shows and config.get("binary_hint"):
        least = Excludes.ALL
    return least, Excludes.ALL if shows else least


def read_retries(
    db: sqlite3.Connection, conditions: Sequence[Condition], config: Mapping[str, Any]
) -> dict[str, dict[Key, Retry]]:
    """By condition, the trials whose first attempt was wrong and whose second one is known.

    A trial that stopped before its second attempt counts as not right: the model refused.
    """
    by_name = {each.condition: each for each in conditions}
    seen: dict[tuple[str, str, int], tuple[Seen, str]] = {}
    for row in db.execute(KNOWN_TRIALS):
        condition = by_name.get(row["condition"])
        if condition is not None:
            known = as_seen(row["status"], row["known"], bool(row["solved"]), condition.iterations)
            seen[row["condition"], row["problem_id"], row["epoch"]] = known, row["status"]
    kept_from = {name: excludes(condition, config) for name, condition in by_name.items()}
    found: dict[str, dict[Key, Retry]] = {name: {} for name in by_name}
    for row in db.execute(_SECONDS):
        trial, status = seen.get((row["condition"], row["problem_id"], row["epoch"]), (None, ""))
        if trial is not None and (row["correct"] is not None or status == "stopped"):
            retry = _retry(row, trial, *kept_from[row["condition"]])
            found[row["condition"]][row["problem_id"], row["epoch"]] = retry
    return found


@dataclass(frozen=True, slots=True)
class SecondAttempts:
    """The second attempts of a condition, made by every trial wrong at first."""

    right: Estimate  # share that is right; n is the number of them
    # share that gives the first wrong answer again. Later attempts are made by those that stayed
    # wrong, and say less.
    repeated: Estimate
    # share that a guesser would get right that keeps in mind what it was told is wrong, where it
    # was told; None without options
    guess: float | None

    @property
    def above_guess(self) -> bool | None:
        """Whether more are right than by guessing, as far as the interval tells."""
        return None if self.guess is None else self.right.low > self.guess


def second_attempts(
    retries: Mapping[Key, Retry], clusters: Mapping[str, str] | None = None
) -> SecondAttempts:
    """The shares of a condition's second attempts, clustered by problem, or by what it shares.

    Args:
        retries: of the condition.
        clusters: by problem id, what the problem shares with others.
    """
    trials = [(unit_of(problem, clusters or {}), each) for (problem, _), each in retries.items()]
    right = share_of_trials((unit, each.right) for unit, each in trials)
    repeated = share_of_trials((unit, each.repeated) for unit, each in trials)
    guess = mean([retry.guess_most for retry in retries.values()])
    return SecondAttempts(right, repeated, guess if guess > 0 else None)


def unit_of(problem: str, clusters: Mapping[str, str]) -> tuple[str | None, str]:
    """What was sampled with a problem: its cluster, or the problem itself where it has none."""
    cluster = clusters.get(problem)
    return (None, problem) if cluster is None else (cluster, "")


def as_seen(status: str, known: int, solved: bool, iterations: int) -> Seen:
    """What is known of a trial, from a row of ``KNOWN_TRIALS``."""
    if solved:
        return Seen(known - 1, iterations)
    return Seen(None, iterations if status in ENDED else known)


def _retry(row: sqlite3.Row, seen: Seen, least: Excludes, most: Excludes) -> Retry:
    options = len(json.loads(row["choices"]))
    guess = guess_most = 0.0
    if options > 1:
        tried = int(row["prediction"] is not None and row["prediction"] in LETTERS[:options])
        guess, guess_most = (right_next(options, tried, each) for each in (least, most))
    first = answer_text(row["prediction"], row["choices"])
    repeated = row["answer"] is not None and first == answer_text(row["answer"], row["order_now"])
    return Retry(bool(row["correct"]), repeated, guess, guess_most, seen)


def mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else math.nan
