"""One trial as it is read: its problem, and its attempts with what changed from one to the next."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from feedback_friction.analysis.choices import Given, read_given
from feedback_friction.analysis.journal import read_aligned
from feedback_friction.errors import UsageError
from feedback_friction.problem import LETTERS, lettered
from feedback_friction.view.untrusted import Difference, Part, difference, visible

MASK = "[masked]"


@dataclass(frozen=True, slots=True)
class Told:
    """The feedback on an attempt.

    Attributes:
        text: what the solver was shown, against the feedback before it.
        raw: the text before the mask, with what the mask took out marked as removed.
        masked: stretches that the mask replaced.
        leaks: what the audit found in the text.
        aligned: what of the answer it repeats from the solver's own work; no leaks.
        donor: the problem that placebo feedback was written for.
        given: the form that was chosen, and why; None in a mode without forms.
    """

    text: Difference
    raw: Difference
    masked: int
    leaks: tuple[str, ...]
    aligned: tuple[str, ...]
    donor: str | None
    given: Given | None


@dataclass(frozen=True, slots=True)
class Shown:
    """One attempt.

    Attributes:
        number: from 1.
        verdict, rule: the grader's.
        answer: the answer that was read; None where there is none.
        again: number of the first attempt with the same answer; None where this is the first.
        order: the choices as a shuffled attempt saw them, and which was right.
        reply: the reply, against the reply before it.
        reasoning: of a reasoning model, apart from the reply.
        facts: what else is known of it, in words.
        cut_off: whether the reply ended at the limit on tokens.
        told: the feedback on it, where it got any.
    """

    number: int
    verdict: str
    rule: str
    answer: str | None
    again: int | None
    order: str | None
    reply: Difference
    reasoning: str | None
    facts: tuple[str, ...]
    cut_off: bool
    told: Told | None


@dataclass(frozen=True, slots=True)
class TrialText:
    """A trial with its problem.

    Attributes:
        gold: the gold answer; with choices, the letter and the option's text.
    """

    task: str
    problem_id: str
    epoch: int
    question: str
    gold: str
    solution: str | None
    attempts: tuple[Shown, ...]


def read_trial(db: sqlite3.Connection, condition: str, problem_id: str, epoch: int) -> TrialText:
    """A trial of a run, without the invisible characters that its texts may hold.

    Raises:
        UsageError: the run has no such problem under that condition.
    """
    asked = db.execute(
        "SELECT p.task, p.prompt, p.gold, p.choices, p.solution FROM problems p"
        " JOIN conditions c ON c.task = p.task WHERE c.condition = ? AND p.problem_id = ?",
        (condition, problem_id),
    ).fetchone()
    if asked is None:
        raise UsageError("no such problem in this run")
    where = (condition, problem_id, epoch)
    attempts = db.execute(
        "SELECT * FROM attempts WHERE condition = ? AND problem_id = ? AND epoch = ?"
        " ORDER BY iteration",
        where,
    ).fetchall()
    own = read_aligned(db, condition)
    return TrialText(
        asked["task"],
        problem_id,
        epoch,
        visible(asked["prompt"]),
        visible(_gold(asked["gold"], json.loads(asked["choices"]))),
        asked["solution"] and visible(asked["solution"]),
        _attempts(
            attempts,
            json.loads(asked["choices"]),
            {key[2]: texts for key, texts in own.items() if key[:2] == (problem_id, epoch)},
            read_given(db, *where),
        ),
    )


def _gold(gold: str, choices: Sequence[str]) -> str:
    position = ord(gold) - ord("A") if len(gold) == 1 else -1
    return f"({gold}) {choices[position]}" if 0 <= position < len(choices) else gold


def _attempts(
    rows: Sequence[sqlite3.Row],
    choices: Sequence[str],
    aligned: Mapping[int, Sequence[str]],
    given: Mapping[int, Given],
) -> tuple[Shown, ...]:
    shown: list[Shown] = []
    reply: str | None = None
    advice: str | None = None
    first: dict[str, int] = {}
    for row in rows:
        before, reply = reply, visible(row["response"])
        own, number = json.loads(row["choices"]), row["iteration"] + 1
        told = None
        if row["feedback"] is not None:
            earlier, advice = advice, visible(row["feedback"])
            repeated = tuple(map(visible, aligned.get(row["iteration"], ())))
            form = given.get(row["iteration"])
            told = _told(row, difference(earlier, advice), advice, repeated, form)
        key = row["prediction"]
        if key and len(key) == 1 and key in LETTERS[: len(own)]:
            key = own[LETTERS.index(key)]  # a shuffle moves the letters
        shown.append(
            Shown(
                number,
                row["verdict"],
                row["rule"],
                row["prediction"] and visible(row["prediction"]),
                first.get(key) if key is not None else None,
                _order(row["gold"], own) if own != list(choices) else None,
                difference(before, reply),
                row["reasoning"] and visible(row["reasoning"]),
                _facts(row),
                row["finish_reason"] == "length",
                told,
            )
        )
        if key is not None:
            first.setdefault(key, number)
    return tuple(shown)


def _order(gold: str, choices: Sequence[str]) -> str:
    return visible(f"{lettered(choices)}\nright: ({gold})")


def _told(
    row: sqlite3.Row,
    text: Difference,
    advice: str,
    aligned: tuple[str, ...],
    given: Given | None,
) -> Told:
    raw = difference(visible(row["feedback_raw"]), advice)
    hidden = [
        part if part.change != "added" else Part("added", MASK)
        for part in raw.parts
        if part.change != "added" or MASK in part.text
    ]
    if raw.kind in ("same", "rewritten"):
        hidden = [Part("same", visible(row["feedback_raw"]))]
    return Told(
        text,
        Difference(raw.kind, tuple(hidden)),
        row["masked_spans"],
        tuple(json.loads(row["leaks"])),
        aligned,
        row["feedback_donor"],
        given,
    )


def _facts(row: sqlite3.Row) -> tuple[str, ...]:
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
    return tuple(words for there, words in found if there)
