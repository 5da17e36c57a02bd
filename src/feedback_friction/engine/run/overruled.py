"""Verdicts of people: on the same reply to the same problem they go before the grader's.

They are kept by what was judged, not by where it stands: a first attempt that several conditions
share is overruled in all of them, and a run that is resumed keeps to it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from feedback_friction.analysis.journal import open_journal, rows_if
from feedback_friction.engine.run.conditions import Condition
from feedback_friction.grading.verdict import OVERRULED, Outcome, Verdict
from feedback_friction.problem import Problem
from feedback_friction.protocol.records import Effect
from feedback_friction.protocol.task import Task

Verdicts = Mapping[bytes, Verdict]


def reply_key(label: str, problem: Problem, response: str) -> bytes:
    """A 16-byte BLAKE2b digest of a reply and of the problem as it was asked."""
    digest = hashlib.blake2b(digest_size=16)
    for part in (label, problem.id, problem.gold, *problem.choices, response):
        text = part.encode("utf-8", "replace")
        digest.update(f"{len(text)}\0".encode())
        digest.update(text)
    return digest.digest()


def as_overruled(outcome: Outcome, graded: Verdict, problem: Problem, response: str) -> Verdict:
    """A person's verdict, with an answer that goes with it."""
    if outcome is Outcome.NO_ANSWER:
        return Verdict.none(OVERRULED)
    if outcome is Outcome.CORRECT:
        return Verdict(outcome, problem.gold, OVERRULED)
    lines = response.split("\n")
    return Verdict(outcome, graded.prediction or lines[-1].strip()[:200] or "(nothing)", OVERRULED)


def read_overruled(directory: Path) -> dict[bytes, Verdict]:
    """A run's verdicts by people, by ``reply_key``.

    Raises:
        UsageError: the journal cannot be read.
    """
    if not (directory / "journal.sqlite").is_file():
        return {}
    with open_journal(directory) as db:
        return {
            bytes(row["reply"]): Verdict(Outcome(row["verdict"]), row["prediction"], OVERRULED)
            for row in rows_if(db, "overruled", "SELECT reply, verdict, prediction FROM overruled")
        }


def with_overruled(condition: Condition, verdicts: Verdicts) -> Condition:
    """The condition whose task asks those verdicts first."""
    if not verdicts:
        return condition
    task, label = condition.task, condition.label

    def grade(problem: Problem, response: str) -> Verdict:
        known = verdicts.get(reply_key(label, problem, response))
        return known or task.grade(problem, response)

    def judge(problem: Problem, response: str) -> Generator[Effect, Any, Verdict]:
        assert task.judge is not None  # as held below
        known = verdicts.get(reply_key(label, problem, response))
        return known or (yield from task.judge(problem, response))

    judging: Task = replace(task, grade=grade, judge=judge if task.judge else None)
    return replace(condition, task=judging)
