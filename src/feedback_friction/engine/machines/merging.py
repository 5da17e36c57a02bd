"""The parts of a run made one, by primary key.

Of a trial that several parts hold, the one that got furthest is kept, whole.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from feedback_friction.analysis.journal import ENDED, has_table, open_journal, read_run
from feedback_friction.engine.journal.store import FILE_NAME, Journal
from feedback_friction.engine.run.run_directory import add_notices, claim, difference, locked
from feedback_friction.errors import UsageError, reason

Place = tuple[str, str, int]  # condition, problem id, epoch
_PLACE = ("condition", "problem_id", "epoch")  # the key of all that is of one trial


def merge(parts: Sequence[Path], out: Path, command: list[str]) -> dict[str, int]:
    """Make one run directory of several parts of a run.

    Args:
        parts: run directories of one configuration; they stay as they are.
        out: the directory to make; what it holds of the same run is kept as of one more part.

    Returns:
        How many trials it holds, by status.

    Raises:
        UsageError: they are of different configurations, regraded, or cannot be read or written.
    """
    if any(part.resolve() == out.resolve() for part in parts):
        raise UsageError(f"{out} is among the parts; choose another --out")
    first = read_run(parts[0])
    for part in parts:
        if differs := difference(part, first["config"]):
            raise UsageError(f"{differs}; only parts of one run are merged")
    with locked(out):
        operation = {k: v for k, v in first.get("operation", {}).items() if k != "part"}
        claim(out, first["config"], operation, command)
        sources = [out, *parts] if (out / FILE_NAME).exists() else list(parts)
        partial = out / "merging"
        partial.mkdir(exist_ok=True)
        try:
            (partial / FILE_NAME).unlink(missing_ok=True)
            counts = _merged(sources, partial)
            os.replace(partial / FILE_NAME, out / FILE_NAME)
            partial.rmdir()
        except (OSError, sqlite3.Error) as error:
            raise UsageError(f"cannot merge into {out}: {reason(error)}") from error
        for part in parts:
            add_notices(out, [str(line) for line in read_run(part).get("notices", ())])
    return counts


def _merged(sources: Sequence[Path], folder: Path) -> dict[str, int]:
    """Write the merged journal into an empty folder; returns its trials by status."""
    Journal(folder).close()
    best = _furthest(sources)
    with closing(sqlite3.connect(folder / FILE_NAME, isolation_level=None, uri=True)) as db:
        for number, source in enumerate(sources):
            uri = f"{(source / FILE_NAME).resolve().as_uri()}?mode=ro"
            db.execute("ATTACH ? AS part", (uri,))
            db.execute("BEGIN")
            db.execute("CREATE TEMP TABLE mine (condition, problem_id, epoch)")
            mine = [place for place, (_, owner) in best.items() if owner == number]
            db.executemany("INSERT INTO mine VALUES (?, ?, ?)", mine)
            for table, key in _tables(db).items():
                _copy(db, table, key)
            db.execute("DROP TABLE mine")
            db.execute("COMMIT")
            db.execute("DETACH part")
        db.execute("PRAGMA journal_mode = DELETE")  # one file, to be put in its place
        return dict(db.execute("SELECT status, count(*) FROM trials GROUP BY status").fetchall())


def _tables(db: sqlite3.Connection) -> dict[str, tuple[str, ...]]:
    """The journal's tables, each with the columns of its primary key."""
    names = db.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'").fetchall()
    return {
        name: tuple(row[1] for row in db.execute(f"PRAGMA main.table_info({name})") if row[5])
        for (name,) in names
    }


def _copy(db: sqlite3.Connection, table: str, key: tuple[str, ...]) -> None:
    """Copy a part's rows: those of its own trials, and of all else what is not there yet.

    Its columns may be in another order than ours, or fewer in an earlier version.
    """
    names = [row[1] for row in db.execute(f"PRAGMA part.table_info({table})")]
    if not names:
        return
    columns = ", ".join(names)
    rows = f"SELECT {columns} FROM part.{table}"
    if key[: len(_PLACE)] == _PLACE:
        rows += f" JOIN mine USING ({', '.join(_PLACE)})"
    elif not key:
        rows += f" EXCEPT SELECT {columns} FROM main.{table}"
    db.execute(f"INSERT OR IGNORE INTO main.{table} ({columns}) {rows}")


def _furthest(sources: Sequence[Path]) -> dict[Place, tuple[tuple[int, int], int]]:
    """For every trial, how far it got, and in which of the sources.

    Raises:
        UsageError: one cannot be read, or has verdicts or masks of a later program.
    """
    best: dict[Place, tuple[tuple[int, int], int]] = {}
    for number, source in enumerate(sources):
        with open_journal(source) as db:
            for table in ("layers", "remasked"):
                is_there = has_table(db, table)
                if is_there and db.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone():
                    raise UsageError(
                        f"{source} was regraded or remasked; merge the parts first, then regrade"
                    )
            rows = db.execute(
                "SELECT condition, problem_id, epoch, coalesce(status, '') AS status, count(*) AS n"
                " FROM (SELECT condition, problem_id, epoch FROM attempts"
                "       UNION ALL SELECT condition, problem_id, epoch FROM trials)"
                " LEFT JOIN trials t USING (condition, problem_id, epoch) GROUP BY 1, 2, 3"
            )
            for row in rows:
                place = (row["condition"], row["problem_id"], row["epoch"])
                far = (1 + (row["status"] in ENDED) if row["status"] else 0, row["n"])
                if place not in best or far > best[place][0]:
                    best[place] = (far, number)
    return best
