"""The write-ahead log of a journal: when what was written has reached the disk."""

from __future__ import annotations

import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


class WriteAheadLog:
    """SQLite's write-ahead log of a journal, synchronised to the disk from outside of SQLite.

    With ``synchronous = FULL`` SQLite itself does this at the end of each transaction, so that no
    transaction can begin before; with ``NORMAL`` it leaves it to be done before the next checkpoint
    (https://sqlite.org/pragma.html#pragma_synchronous). What has been written to a file before
    ``fsync`` begins is on the disk when it ends, whoever wrote it and by which descriptor.
    """

    def __init__(self, journal: Path) -> None:
        """Of the journal in a file; nothing is opened yet."""
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="sync")
        self._path = journal.with_name(f"{journal.name}-wal")
        self._file: int | None = None

    def synchronise(self) -> None:
        """Return when all that is written is on the disk."""
        if self._file is None:  # it is there from the first transaction until SQLite closes it
            self._file = os.open(self._path, os.O_RDWR)
            directory = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(directory)  # for the name of the file
            finally:
                os.close(directory)
        os.fsync(self._file)

    def close(self) -> None:
        """Wait for what is under way, and let go of the file."""
        self.thread.shutdown(wait=True)
        if self._file is not None:
            os.close(self._file)
            self._file = None


def has_log(db: sqlite3.Connection) -> bool:
    """Whether a journal has a write-ahead log; file systems without shared memory have none."""
    return bool(db.execute("PRAGMA journal_mode").fetchone()[0] == "wal")
