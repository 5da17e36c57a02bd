"""SQLite files of a run directory: opened for reading, and refused when a later program wrote them.

The version of a file stands in its ``user_version``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from feedback_friction.errors import UsageError


@contextmanager
def reading(path: Path, version: int) -> Iterator[sqlite3.Connection]:
    """A file that may be written to meanwhile, read-only, with rows that know their columns.

    Where the directory cannot be written, it is read without the write-ahead log's files.

    Args:
        version: the newest that this program reads.

    Raises:
        UsageError: it is of a newer version.
        sqlite3.Error: it cannot be read.
    """
    uri = path.resolve().as_uri()
    try:
        db = sqlite3.connect(f"{uri}?mode=ro", uri=True, timeout=30)
        db.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.OperationalError:
        db = sqlite3.connect(f"{uri}?immutable=1", uri=True)
    with closing(db):
        db.row_factory = sqlite3.Row
        refuse_newer(path, version_of(db), version)
        yield db


def version_of(db: sqlite3.Connection) -> int:
    """The version of an open file; 0 for one that nothing was written to."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def refuse_newer(path: Path, found: int, known: int) -> None:
    """Refuse a file of a version that this program cannot know.

    Raises:
        UsageError: it is newer.
    """
    if found > known:
        raise UsageError(
            f"{path} was written by a newer version of feedback-friction (version {found} of the "
            f"format, this program reads up to {known}); upgrade to read it"
        )
