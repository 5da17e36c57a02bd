"""The trials that are to be reviewed, and one trial as the page shows it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from feedback_friction.analysis.journal import open_journal
from feedback_friction.labels import Label, TrialKey, read_labels, sample, unsolved_trials
from feedback_friction.problem import lettered
from feedback_friction.view.text import difference, visible


def choose_trials(directory: Path, size: int | None, seed: int, *, every: bool) -> list[TrialKey]:
    """The trials to review, in random order, the tasks by turns.

    Args:
        size: of each task at most; None takes all.
        seed: of the choice.
        every: choose from all unsolved trials, even where judges labelled only some of them; else
            from those that a judge labelled, so that the two can be compared.

    Raises:
        UsageError: the directory cannot be read.
    """
    with open_journal(directory) as db:
        trials = unsolved_trials(db)
    judged = {each.trial for each in read_labels(directory) if each.kind == "judge"}
    if judged and not every:
        trials = [trial for trial in trials if trial[1:] in judged]
    return sample(trials, lambda trial: trial.task, size, seed)


def trial_view(directory: Path, trial: TrialKey) -> dict[str, Any]:
    """A trial with its problem and attempts; every text is harmless to look at.

    Raises:
        UsageError: the directory cannot be read.
    """
    with open_journal(directory) as db:
        asked = db.execute(
            "SELECT prompt, gold, choices, solution FROM problems"
            " WHERE task = ? AND problem_id = ?",
            (trial.task, trial.problem_id),
        ).fetchone()
        attempts = db.execute(
            "SELECT iteration, response, verdict, prediction, feedback, gold, choices FROM attempts"
            " WHERE condition = ? AND problem_id = ? AND epoch = ? ORDER BY iteration",
            trial[1:],
        ).fetchall()
        setting = db.execute(
            "SELECT feedback, sampling, simulated FROM conditions WHERE condition = ?",
            (trial.condition,),
        ).fetchone()
    return {
        "task": trial.task,
        "problem": visible(trial.problem_id),
        "epoch": trial.epoch,
        "feedback": setting["feedback"],
        "sampling": setting["sampling"],
        "simulated": bool(setting["simulated"]),
        "question": visible(asked["prompt"]),
        "gold": visible(_gold(asked["gold"], json.loads(asked["choices"]))),
        "solution": asked["solution"] and visible(asked["solution"]),
        "attempts": _attempts(attempts, json.loads(asked["choices"])),
    }


def _gold(gold: str, choices: Sequence[str]) -> str:
    """The gold answer; with choices, the letter and the option's text."""
    position = ord(gold) - ord("A") if len(gold) == 1 else -1
    return f"({gold}) {choices[position]}" if 0 <= position < len(choices) else gold


def _attempts(rows: Sequence[sqlite3.Row], choices: Sequence[str]) -> list[dict[str, Any]]:
    shown = []
    answer: str | None = None
    advice: str | None = None
    for row in rows:
        before, answer = answer, visible(row["response"])
        own = json.loads(row["choices"])
        shown.append(
            {
                "number": row["iteration"] + 1,
                "verdict": row["verdict"],
                "prediction": row["prediction"] and visible(row["prediction"]),
                "order": _order(row["gold"], own) if own != list(choices) else None,
                "answer": _difference(before, answer),
                "feedback": None,
            }
        )
        if row["feedback"] is not None:
            earlier, advice = advice, visible(row["feedback"])
            shown[-1]["feedback"] = _difference(earlier, advice)
    return shown


def _order(gold: str, choices: Sequence[str]) -> str:
    """The choices as a shuffled attempt saw them, and which was right."""
    return visible(f"{lettered(choices)}\nright: ({gold})")


def _difference(before: str | None, after: str) -> dict[str, Any]:
    found = difference(before, after)
    return {"kind": found.kind, "parts": [[part.change, part.text] for part in found.parts]}


def label_view(label: Label) -> dict[str, Any]:
    """A label as the page shows it."""
    return {
        "annotator": visible(label.annotator),
        "kind": label.kind,
        "category": label.category,
        "raw": label.raw,
        "reason": visible(label.reason),
        "round": label.round,
        "simulated": bool(label.simulated),
    }
