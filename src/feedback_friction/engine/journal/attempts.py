"""Attempts read back from the journal, as they were: the one reader of their rows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from feedback_friction.analysis.journal import has_table
from feedback_friction.grading.verdict import Outcome, Verdict
from feedback_friction.policy import Choice, State
from feedback_friction.problem import Problem
from feedback_friction.protocol.records import Aside, Attempt, Feedback, Reply, Status, Trial

Place = tuple[str, int, int]  # problem id, epoch, iteration
Key = tuple[str, int]  # problem id, epoch
Asides = dict[Place, tuple[Aside, ...]]


def attempts_by_trial(
    db: sqlite3.Connection,
    condition: str,
    mode: str,
    problems: Mapping[str, Problem],
    only: Key | None = None,
) -> Iterator[tuple[Key, tuple[Attempt, ...]]]:
    """The attempts of a condition's trials, whether these ended or not, trial by trial.

    Args:
        condition: its id.
        mode: the name of its feedback mode.
        problems: by id, the problems whose trials are read; as loaded.
        only: a single trial.
    """
    one = " AND problem_id = ? AND epoch = ?" if only is not None else ""
    rows = db.execute(
        f"SELECT * FROM attempts WHERE condition = ?{one} ORDER BY problem_id, epoch, iteration",
        (condition, *(only or ())),
    )
    asides, choices = _asides(db, condition), _choices(db, condition)
    for key, group in groupby(rows, key=lambda row: (row["problem_id"], row["epoch"])):
        if key[0] in problems:
            problem = problems[key[0]]
            yield key, tuple(_attempt(problem, mode, row, asides, choices) for row in group)


def ended_trials(
    db: sqlite3.Connection,
    condition: str,
    mode: str,
    problems: Mapping[str, Problem],
    ended: Sequence[Status],
) -> Iterator[Trial]:
    """The trials of a condition that ended, in the order of their problems' ids.

    Args:
        ended: the statuses that count as an end; the rest as in ``attempts_by_trial``.
    """
    rows = db.execute(
        "SELECT problem_id, epoch, status, reason FROM trials WHERE condition = ?", (condition,)
    )
    ends = {(name, epoch): (status, reason) for name, epoch, status, reason in rows}
    for key, attempts in attempts_by_trial(db, condition, mode, problems):
        status, reason = ends.get(key, ("failed", ""))
        if status in ended:
            yield Trial(problems[key[0]], key[1], attempts, status, reason)


def _asides(db: sqlite3.Connection, condition: str) -> Asides:
    """By place, what belongs to attempts beside reply and feedback; none in earlier journals."""
    found: Asides = {}
    query = "SELECT * FROM asides WHERE condition = ? ORDER BY rowid"
    for row in db.execute(query, (condition,)) if has_table(db, "asides") else ():
        place = (row["problem_id"], row["epoch"], row["iteration"])
        found[place] = (*found.get(place, ()), Aside(row["kind"], row["text"], row["donor"]))
    return found


def _choices(db: sqlite3.Connection, condition: str) -> dict[Place, Choice]:
    """By place, the forms that were chosen; none in journals of earlier versions."""
    if not has_table(db, "choices"):
        return {}
    rows = db.execute("SELECT * FROM choices WHERE condition = ?", (condition,))
    return {
        (row["problem_id"], row["epoch"], row["iteration"]): Choice(
            row["form"],
            row["propensity"],
            row["repeats"],
            row["reason"],
            State(**json.loads(row["state"])),
        )
        for row in rows
    }


def _attempt(
    problem: Problem, mode: str, row: sqlite3.Row, asides: Asides, choices: Mapping[Place, Choice]
) -> Attempt:
    """An attempt from its row, with the problem as the attempt saw it."""
    feedback = None
    place = (row["problem_id"], row["epoch"], row["iteration"])
    choice = choices.get(place)
    if row["feedback"] is not None:
        feedback = Feedback(
            mode,
            row["feedback_raw"],
            row["feedback"],
            tuple(json.loads(row["leaks"])),
            row["masked_spans"],
            donor=row["feedback_donor"],
            choice=choice,
        )
    return Attempt(
        iteration=row["iteration"],
        problem=replace(problem, gold=row["gold"], choices=tuple(json.loads(row["choices"]))),
        reply=Reply(row["response"], row["finish_reason"], row["mean_logprob"]),
        verdict=Verdict(Outcome(row["verdict"]), row["prediction"], row["rule"]),
        temperature=row["temperature"],
        draws=row["draws"],
        feedback=feedback,
        asides=asides.get(place, ()),
        entropy=choice.state.entropy if choice else None,
    )
