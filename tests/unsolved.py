"""Run directories with unsolved trials, made by the simulated student, for tests of labelling."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

from feedback_friction.engine.run.launch import execute
from feedback_friction.engine.run.prepare import prepare
from feedback_friction.labels import Label
from feedback_friction.settings import Settings

HOSTILE = {
    "script": "<script>document.title = 'owned'; alert(1)</script>",
    "image": "<img src=x onerror=\"document.title = 'owned'\">",
    "direction": "left \u202eright to left\u202c \u2066isolated\u2069",
    "null": "before\x00after\x1b[31m",
    "line": "x" * 100_000,
}


def make_run(directory: Path, **settings: Any) -> Path:
    """A finished run of a stubborn student, most of whose trials stay unsolved."""
    wanted = {
        "tasks": ("decimal_multiplication",),
        "solver": "student/stubborn",
        "feedback": ("self",),
        "limit": 12,
        "iterations": 6,
    } | settings
    prepared = prepare(Settings.of(**wanted, concurrency=8))
    asyncio.run(execute(prepared, directory, ["friction", "run"], lambda runner: None))
    return directory


def make_hostile(directory: Path) -> None:
    """Replace every answer and every feedback of a run by text that tries to do harm."""
    text = "\n".join(HOSTILE.values())
    with sqlite3.connect(directory / "journal.sqlite") as db:
        db.execute(
            "UPDATE attempts SET response = iteration || ' ' || ?, prediction = ?", (text, text)
        )
        db.execute("UPDATE attempts SET feedback = ? WHERE feedback IS NOT NULL", (text,))
        db.execute("UPDATE problems SET prompt = ?, solution = ?", (text, text))
    db.close()


def label(condition: str, problem: str, annotator: str, category: str, **more: Any) -> Label:
    """A label with everything that does not matter filled in."""
    fields: dict[str, Any] = {
        "epoch": 0,
        "kind": "judge",
        "raw": None,
        "blind": category,
        "reason": "because",
        "round": 1,
        "malformed": 0,
        "simulated": 0,
        "created": "2026-01-01T00:00:00+00:00",
    }
    return Label(condition, problem, annotator=annotator, category=category, **(fields | more))
