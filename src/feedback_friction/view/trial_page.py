"""One trial as it is read: its problem, and its attempts with what changed from one to the next."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from feedback_friction.analysis.choices import Given, read_given
from feedback_friction.analysis.journal import answer_text, read_aligned
from feedback_friction.errors import UsageError
from feedback_friction.problem import lettered
from feedback_friction.view.untrusted import Difference, Part, difference, visible

MASK = "[masked]"
Shown = dict[str, Any]  # a trial, an attempt or a feedback, as ``attempts.html`` reads it


def read_trial(db: sqlite3.Connection, condition: str, problem_id: str, epoch: int) -> Shown:
    """A trial of a run with its problem, its texts as ``visible`` gives them."""
    asked = db.execute(
        "SELECT p.task, p.prompt, p.gold, p.choices, p.solution FROM problems p"
        " JOIN conditions c ON c.task = p.task WHERE c.condition = ? AND p.problem_id = ?",
        (condition, problem_id),
    ).fetchone()
    if asked is None:
        raise UsageError("no such problem in this run")
    where = (condition, problem_id, epoch)
    rows = db.execute(
        "SELECT * FROM attempts WHERE condition = ? AND problem_id = ? AND epoch = ?"
        " ORDER BY iteration",
        where,
    ).fetchall()
    aligned, given = read_aligned(db, condition), read_given(db, *where)
    choices = json.loads(asked["choices"])
    attempts: list[Shown] = []
    reply: str | None = None
    advice: str | None = None
    first: dict[str, int] = {}  # by answer, the number of the first attempt that gave it
    for row in rows:
        key = answer_text(row["prediction"], row["choices"])
        attempts.append(_attempt(row, choices, reply, first.get(key) if key is not None else None))
        reply = visible(row["response"])
        if row["feedback"] is not None:
            own = aligned.get((problem_id, epoch, row["iteration"]), ())
            attempts[-1]["told"] = _told(row, advice, own, given.get(row["iteration"]))
            advice = visible(row["feedback"])
        if key is not None:
            first.setdefault(key, row["iteration"] + 1)
    return {
        "task": asked["task"],
        "problem_id": problem_id,
        "epoch": epoch,
        "question": visible(asked["prompt"]),
        "gold": visible(_gold(asked["gold"], choices)),
        "solution": asked["solution"] and visible(asked["solution"]),
        "attempts": attempts,
    }


def _gold(gold: str, choices: Sequence[str]) -> str:
    """The gold answer; with choices, the letter and the option's text."""
    position = ord(gold) - ord("A") if len(gold) == 1 else -1
    return f"({gold}) {choices[position]}" if 0 <= position < len(choices) else gold


def _attempt(
    row: sqlite3.Row, choices: Sequence[str], before: str | None, again: int | None
) -> Shown:
    """One attempt.

    Args:
        choices: the problem's own; an attempt that saw them in another order says so.
        before: the reply before it.
        again: number of the first attempt with the same answer; None where this is the first.
    """
    own = json.loads(row["choices"])
    order = f"{lettered(own)}\nright: ({row['gold']})"
    return {
        "number": row["iteration"] + 1,
        "verdict": row["verdict"],
        "rule": row["rule"],
        "answer": row["prediction"],
        "again": again,
        "order": visible(order) if own != list(choices) else None,
        "reply": difference(before, visible(row["response"])),
        "reasoning": row["reasoning"] and visible(row["reasoning"]),
        "facts": _facts(row),
        "cut_off": row["finish_reason"] == "length",
        "told": None,
    }


def _told(
    row: sqlite3.Row, before: str | None, aligned: Sequence[str], given: Given | None
) -> Shown:
    """The feedback on an attempt, against the feedback before it and the text before the mask."""
    text, unmasked = visible(row["feedback"]), visible(row["feedback_raw"])
    raw = difference(unmasked, text)
    hidden = [
        part if part.change != "added" else Part("added", MASK)
        for part in raw.parts
        if part.change != "added" or MASK in part.text
    ]
    if raw.kind in ("same", "rewritten"):
        hidden = [Part("same", unmasked)]
    return {
        "text": difference(before, text),
        "raw": Difference(raw.kind, tuple(hidden)),
        "masked": row["masked_spans"],
        "leaks": json.loads(row["leaks"]),
        "aligned": aligned,
        "donor": row["feedback_donor"],
        "given": given,
    }


def _facts(row: sqlite3.Row) -> list[str]:
    """What else is known of an attempt, each as a few words; what is usual is left out."""
    read, written = row["prompt_tokens"], row["completion_tokens"]
    found: list[tuple[Any, str]] = [
        (row["draws"] > 1, f"{row['draws']} draws"),
        (row["temperature"], f"temperature {row['temperature'] or 0:g}"),
        (row["temperature"] is None, "temperature: the server's own"),
        (read or written, f"{read:,} + {written:,} tokens"),
        (row["reasoning_tokens"], f"{row['reasoning_tokens']:,} of reasoning"),
        (row["seconds"] >= 0.05, f"{row['seconds']:.1f} s"),
        (row["mean_logprob"] is not None, f"log-probability {row['mean_logprob'] or 0:.2f}"),
        (row["finish_reason"] not in ("stop", "length"), row["finish_reason"]),
    ]
    return [words for there, words in found if there]
