"""What was judged again after a run: layers of verdicts and masks, and what they replaced."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from feedback_friction.analysis.journal import has_table, open_journal, rows_if


@dataclass(frozen=True, slots=True)
class Layers:
    """How far a run's verdicts and leaks are no longer those that it was run with."""

    regrades: int = 0  # accepted layers of verdicts
    remasks: int = 0  # accepted layers of masks
    overruled: int = 0  # attempts whose verdict is a person's
    marked: int = 0  # trials in which other verdicts or masks would have changed what was asked

    def as_json(self) -> dict[str, int]:
        """By name, the four counts."""
        return asdict(self)

    def lines(self) -> list[str]:
        """What to print beside the results; nothing where nothing was judged again."""
        found = []
        if self.regrades or self.remasks:
            found.append(f"regraded {self.regrades} times, masked again {self.remasks} times")
        if self.overruled:
            found.append(f"OVERRULED: {self.overruled:,} verdicts are a person's, with a reason")
        if self.marked:
            found.append(
                f"MARKED: {self.marked:,} trials would have gone differently under these verdicts "
                "and masks"
            )
        return found


def read_layers(directory: Path) -> Layers:
    """Count them."""
    with open_journal(directory) as db:
        if not has_table(db, "layers"):
            return Layers()
        kinds = dict(db.execute("SELECT kind, count(*) FROM layers GROUP BY kind").fetchall())
        overruled, marked = db.execute(
            "SELECT (SELECT count(*) FROM attempts WHERE rule = 'overruled'), count(*)"
            " FROM (SELECT DISTINCT condition, problem_id, epoch FROM marked)"
        ).fetchone()
    return Layers(kinds.get("regrade", 0), kinds.get("remask", 0), overruled, marked)


def earlier(
    db: sqlite3.Connection, condition: str, problem_id: str, epoch: int
) -> dict[int, list[dict[str, Any]]]:
    """By iteration, an attempt's rows before each layer that changed or took it out, oldest first.

    An iteration that has no row in ``attempts`` was taken out.
    """
    rows = rows_if(
        db,
        "replaced",
        "SELECT iteration, was FROM replaced WHERE condition = ? AND problem_id = ?"
        " AND epoch = ? AND iteration >= 0 ORDER BY layer",
        (condition, problem_id, epoch),
    )
    found: dict[int, list[dict[str, Any]]] = {}
    for iteration, was in rows:
        found.setdefault(iteration, []).append(json.loads(was))
    return found
