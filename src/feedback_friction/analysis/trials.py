"""Whole trials with their texts, for reading: a sample that keeps the same problems everywhere."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from feedback_friction.analysis.journal import open_journal, read_conditions
from feedback_friction.problem import lettered

_LONGEST = 20_000  # characters of one text; the rest is cut, and said to be


@dataclass(frozen=True, slots=True)
class AttemptText:
    """One attempt as it was written.

    Attributes:
        order: where the choices were shuffled, how this attempt saw them and which was gold.
    """

    iteration: int
    response: str
    prediction: str | None
    verdict: str
    rule: str
    feedback: str | None
    leaks: tuple[str, ...]
    draws: int
    temperature: float
    order: str | None = None


@dataclass(frozen=True, slots=True)
class TrialText:
    """One trial as it was written."""

    condition: str
    problem: str
    epoch: int
    status: str
    reason: str
    prompt: str
    gold: str
    attempts: tuple[AttemptText, ...]

    def as_json(self) -> dict[str, Any]:
        """The trial as JSON's own types."""
        return asdict(self)


def chosen_problems(directory: Path, limit: int) -> tuple[list[tuple[str, str]], int]:
    """(task, problem id) of at most so many problems, by a hash of the id, and how many there are.

    The same problems are chosen whatever else is in the run, and for every condition.
    """
    with open_journal(directory) as db:
        found = [(row[0], row[1]) for row in db.execute("SELECT task, problem_id FROM problems")]
    ranked = sorted(found, key=lambda pair: hashlib.sha256(repr(pair).encode()).digest())
    return ranked[:limit], len(found)


def read_trials(directory: Path, problems: Sequence[tuple[str, str]]) -> Iterator[TrialText]:
    """The trials of some problems under every condition, in the order of the problems."""
    with open_journal(directory) as db:
        conditions = read_conditions(db)
        for task, problem in problems:
            asked = db.execute(
                "SELECT prompt, gold, choices FROM problems WHERE task = ? AND problem_id = ?",
                (task, problem),
            ).fetchone()
            for condition in conditions:
                if condition.task != task:
                    continue
                for row in db.execute(
                    "SELECT epoch, status, reason FROM trials WHERE condition = ?"
                    " AND problem_id = ? ORDER BY epoch",
                    (condition.condition, problem),
                ).fetchall():
                    attempts = db.execute(
                        "SELECT * FROM attempts WHERE condition = ? AND problem_id = ?"
                        " AND epoch = ? ORDER BY iteration",
                        (condition.condition, problem, row["epoch"]),
                    )
                    yield TrialText(
                        condition.condition,
                        problem,
                        row["epoch"],
                        row["status"],
                        row["reason"],
                        _cut(asked["prompt"]),
                        asked["gold"],
                        tuple(_attempt(dict(each), asked["choices"]) for each in attempts),
                    )


def _attempt(row: dict[str, Any], choices: str) -> AttemptText:
    return AttemptText(
        row["iteration"],
        _cut(row["response"]),
        row["prediction"],
        row["verdict"],
        row["rule"],
        None if row["feedback"] is None else _cut(row["feedback"]),
        tuple(json.loads(row["leaks"])),
        row["draws"],
        row["temperature"],
        None if row["choices"] == choices else _order(row),
    )


def _order(row: dict[str, Any]) -> str:
    return f"{lettered(json.loads(row['choices']))}\ngold: {row['gold']}"


def _cut(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]}\n[{len(text) - _LONGEST:,} characters more in the journal]"
