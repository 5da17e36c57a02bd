"""The reference code's JSONL: one line an attempt, for scripts that read its logs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from feedback_friction.analysis.journal import open_journal, read_conditions
from feedback_friction.engine.journal.attempts import ended_trials
from feedback_friction.grading.verdict import Outcome
from feedback_friction.mode_names import recorded_mode
from feedback_friction.problem import Problem
from feedback_friction.protocol.episode import Episode
from feedback_friction.protocol.records import JUDGED, Attempt
from feedback_friction.protocol.solving import next_messages
from feedback_friction.protocol.trial import next_view
from feedback_friction.settings import Plan
from feedback_friction.tasks.catalog import get_page
from feedback_friction.ways import parse_way


def export(directory: Path) -> Iterator[dict[str, Any]]:
    """The attempts of a run's trials that ended, condition by condition, trial by trial.

    Yields:
        The reference's fields (question is the whole interaction up to the attempt, response_probs
        the mean log-probability per token), and which condition, problem and epoch it is.
    """
    with open_journal(directory) as db:
        for condition in read_conditions(db):
            task, problems = get_page(condition.task).task, _problems(db, condition.task)
            mode = recorded_mode(condition.feedback)
            history, solve = parse_way(condition.history)
            plan = Plan(mode, history=history, solve=solve)
            task = replace(task, system="", examples=lambda problem: ())
            # a trial in flight has no feedback in its rows yet, so its questions cannot be told
            for trial in ended_trials(db, condition.condition, mode.name, problems, JUDGED):
                for number, attempt in enumerate(trial.attempts):
                    before = Episode(
                        attempt.problem, task, plan, trial.epoch, trial.attempts[:number]
                    )
                    yield _line(attempt, before) | {
                        "condition": condition.condition,
                        "problem_id": trial.problem.id,
                        "epoch": trial.epoch,
                    }


def _line(attempt: Attempt, before: Episode) -> dict[str, Any]:
    messages = next_messages(next_view(before))[1:]
    verdict = attempt.verdict
    return {
        "question": "\n\n".join(message.content for message in messages),
        "normalized_answer": attempt.problem.gold,
        "normalized_prediction": verdict.prediction,
        "full_response": attempt.reply.text,
        "feedback": attempt.feedback.text if attempt.feedback else "",
        "response_probs": attempt.reply.mean_logprob,
        "is_correct": None if verdict.outcome is Outcome.UNDECIDED else verdict.is_correct,
        "iteration": attempt.iteration,
        "verdict": str(verdict.outcome),
    }


def _problems(db: sqlite3.Connection, task: str) -> dict[str, Problem]:
    """The problems of a task by id, as far as a prompt needs them."""
    return {
        row["problem_id"]: Problem(row["problem_id"], task, row["question"], row["gold"])
        for row in db.execute("SELECT * FROM problems WHERE task = ?", (task,))
    }
