"""Keeps new verdicts and masks as a layer over the run, so that its earlier state can be read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Literal

from feedback_friction import __version__
from feedback_friction.engine.journal.rows import as_json, insert, now, storable
from feedback_friction.engine.journal.store import TRIAL, Journal
from feedback_friction.engine.passes.regrading import Rejudged, Remasked
from feedback_friction.errors import RunStoppedError
from feedback_friction.grading.verdict import Verdict

_OF_TRIAL = -1  # the iteration under which a trial's own row is kept
Where = tuple[str, str, int]


@contextmanager
def _writing(directory: Path) -> Iterator[sqlite3.Connection]:
    """The journal, written whole or not at all; the directory must be held.

    Raises:
        RunStoppedError: the journal cannot be written.
        UsageError: it is of a newer version.
    """
    journal = Journal(directory)  # brings the tables of earlier versions up to date
    journal.close()
    try:
        with closing(sqlite3.connect(journal.path, timeout=30)) as db, db:
            db.row_factory = sqlite3.Row
            yield db
    except (sqlite3.Error, OSError) as error:
        raise RunStoppedError(f"cannot write {journal.path}: {error}") from error


class _Layer:
    """Writes to one layer, a new one."""

    def __init__(self, db: sqlite3.Connection, kind: Literal["regrade", "remask"]) -> None:
        query = "SELECT coalesce(max(layer), 0) + 1 FROM layers"
        self.db, self.number = db, db.execute(query).fetchone()[0]
        row = {"layer": self.number, "kind": kind, "version": __version__, "accepted": now()}
        insert(db, "layers", [row])

    def replace(self, where: Where, iteration: int) -> None:
        """Keep a row as it is, before it is changed or taken out."""
        if iteration == _OF_TRIAL:
            query, values = f"SELECT * FROM trials WHERE {TRIAL}", where
        else:
            query = f"SELECT * FROM attempts WHERE {TRIAL} AND iteration = ?"
            values = (*where, iteration)  # type: ignore[assignment]
        was = dict(self.db.execute(query, values).fetchone())
        insert(self.db, "replaced", [self.row(where, iteration=iteration, was=as_json(was))])

    def row(self, where: Where, **more: Any) -> dict[str, Any]:
        """A row of a table of layers."""
        condition, problem_id, epoch = where
        place = {"condition": condition, "problem_id": problem_id, "epoch": epoch}
        return {"layer": self.number, **place, **more}


def accept_verdicts(directory: Path, found: Sequence[Rejudged]) -> None:
    """Make new verdicts those of the run.

    Attempts after one that is correct now are taken out. A trial that would have gone on counts as
    failed, so that the same ``friction run`` takes it up where it ended.

    Raises:
        RunStoppedError: the journal cannot be written.
    """
    with _writing(directory) as db:
        layer = _Layer(db, "regrade")
        for each in found:
            where = (each.condition, each.trial.problem.id, each.trial.epoch)
            for attempt, verdict in each.changed:
                layer.replace(where, attempt.iteration)
                db.execute(
                    "UPDATE attempts SET verdict = ?, prediction = ?, rule = ?, is_correct = ?"
                    f" WHERE {TRIAL} AND iteration = ?",
                    (
                        verdict.outcome.value,
                        storable(verdict.prediction),
                        verdict.rule,
                        verdict.is_correct,
                        *where,
                        attempt.iteration,
                    ),
                )
            _end(layer, where, each)
            if each.marked is not None:
                insert(layer.db, "marked", [layer.row(where, iteration=each.marked)])


def _end(layer: _Layer, where: Where, found: Rejudged) -> None:
    """Let a trial end where its verdicts end it now."""
    trial, kept = found.trial, len(found.verdicts)
    if (found.status, kept) == (trial.status, len(trial.attempts)):
        return
    layer.replace(where, _OF_TRIAL)
    changed = {attempt.iteration for attempt, _ in found.changed}
    for attempt in trial.attempts[kept - 1 :]:
        if attempt.iteration not in changed:
            layer.replace(where, attempt.iteration)
    layer.db.execute(f"DELETE FROM attempts WHERE {TRIAL} AND iteration >= ?", (*where, kept))
    if found.status == "solved":  # nothing is said of a right answer
        layer.db.execute(
            "UPDATE attempts SET feedback = NULL, feedback_raw = NULL, feedback_donor = NULL,"
            f" masked_spans = 0, leaks = '[]' WHERE {TRIAL} AND iteration = ?",
            (*where, kept - 1),
        )
    layer.db.execute(
        f"UPDATE trials SET status = ?, reason = ?, attempts = ? WHERE {TRIAL}",
        (found.status, found.reason, kept, *where),
    )


def accept_masks(directory: Path, found: Sequence[Remasked]) -> None:
    """Keep newly masked feedback beside what the solver was shown, and count leaks by it.

    Raises:
        RunStoppedError: the journal cannot be written.
    """
    with _writing(directory) as db:
        layer = _Layer(db, "remask")
        first: dict[Where, int] = {}
        for each in found:
            where = (each.condition, each.trial.problem.id, each.trial.epoch)
            at = each.attempt.iteration
            layer.replace(where, at)
            row = layer.row(where, iteration=at, feedback=each.text)
            insert(layer.db, "remasked", [row])
            layer.db.execute(
                f"UPDATE attempts SET leaks = ? WHERE {TRIAL} AND iteration = ?",
                (as_json(each.leaks), *where, at),
            )
            if each.is_marked:
                first.setdefault(where, at)
        rows = [layer.row(where, iteration=at) for where, at in first.items()]
        insert(layer.db, "marked", rows)


def keep_overruled(
    directory: Path, key: bytes, task: str, problem_id: str, verdict: Verdict, reason: str
) -> None:
    """Keep a person's verdict; what results count is changed by ``accept_verdicts``.

    Raises:
        RunStoppedError: the journal cannot be written.
    """
    row = {
        "reply": key,
        "task": task,
        "problem_id": problem_id,
        "verdict": verdict.outcome.value,
        "prediction": verdict.prediction,
        "reason": reason,
        "made": now(),
    }
    with _writing(directory) as db:
        insert(db, "overruled", [row])
