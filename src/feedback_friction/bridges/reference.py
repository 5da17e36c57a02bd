"""The reference code's JSONL: one line an attempt, for scripts that read its logs."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

from feedback_friction.analysis.journal import open_journal, read_conditions
from feedback_friction.engine.rows import read_asides
from feedback_friction.grading.verdict import Outcome, Verdict
from feedback_friction.mode_names import recorded_mode
from feedback_friction.problem import Problem
from feedback_friction.protocol.history import solver_messages
from feedback_friction.protocol.records import Aside, Attempt, Feedback, Reply
from feedback_friction.protocol.task import Task
from feedback_friction.tasks.catalog import get_page
from feedback_friction.ways import History, parse_way


def export(directory: Path) -> Iterator[dict[str, Any]]:
    """The attempts of a run's trials that ended, condition by condition, trial by trial.

    Yields:
        The reference's fields (question is the whole interaction up to the attempt, response_probs
        the mean log-probability per token), and which condition, problem and epoch it is.

    Raises:
        UsageError: the directory is no run directory.
    """
    with open_journal(directory) as db:
        for condition in read_conditions(db):
            task = get_page(condition.task).task
            rows = db.execute(
                "SELECT p.*, a.* FROM attempts a JOIN problems p"
                " ON p.problem_id = a.problem_id AND p.task = ?"
                # a trial in flight has no feedback in its rows yet, so its questions cannot be told
                " JOIN trials t USING (condition, problem_id, epoch)"
                " WHERE a.condition = ? AND t.status != 'failed'"
                " ORDER BY a.problem_id, a.epoch, a.iteration",
                (condition.task, condition.condition),
            )
            shows_history = recorded_mode(condition.feedback).shows_history
            history, _ = parse_way(condition.history)
            asides = read_asides(db, condition.condition)
            for _, trial in groupby(rows, key=lambda row: (row["problem_id"], row["epoch"])):
                earlier: list[Attempt] = []
                for row in trial:
                    shown = earlier if shows_history else []
                    yield _line(row, task, shown, history)
                    place = (row["problem_id"], row["epoch"], row["iteration"])
                    earlier.append(_attempt(row, asides.get(place, ())))


def _line(row: sqlite3.Row, task: Task, earlier: list[Attempt], style: History) -> dict[str, Any]:
    bare = replace(task, system="", examples=lambda problem: ())
    messages = solver_messages(bare, _problem(row), earlier, style)[1:]
    return {
        "question": "\n\n".join(message.content for message in messages),
        "normalized_answer": row["gold"],
        "normalized_prediction": row["prediction"],
        "full_response": row["response"],
        "feedback": row["feedback"] or "",
        "response_probs": row["mean_logprob"],
        "is_correct": None if row["verdict"] == "undecided" else bool(row["is_correct"]),
        "iteration": row["iteration"],
        "verdict": row["verdict"],
        "condition": row["condition"],
        "problem_id": row["problem_id"],
        "epoch": row["epoch"],
    }


def _problem(row: sqlite3.Row) -> Problem:
    """The problem as the attempt saw it."""
    return Problem(
        id=row["problem_id"],
        task=row["task"],
        question=row["question"],
        gold=row["gold"],
        choices=tuple(json.loads(row["choices"])),
    )


def _attempt(row: sqlite3.Row, asides: tuple[Aside, ...] = ()) -> Attempt:
    feedback = None
    if row["feedback"] is not None:
        feedback = Feedback("", row["feedback_raw"], row["feedback"])
    return Attempt(
        iteration=row["iteration"],
        problem=_problem(row),
        reply=Reply(row["response"]),
        verdict=Verdict(Outcome(row["verdict"]), row["prediction"], row["rule"]),
        temperature=row["temperature"],
        feedback=feedback,
        asides=asides,
    )
