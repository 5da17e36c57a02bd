"""Group commit: what comes while one write is under way goes into the next, in one transaction.

A transaction ends when it is on the disk (``synchronous = FULL``): neither the death of this
process nor that of the machine can lose it. That takes some four milliseconds, however much is in
it, and a thread of its own.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from feedback_friction.errors import RunStoppedError

Write = Callable[[sqlite3.Connection], None]
# A value that SQLite cannot hold, such as a whole number of more than 63 bits.
_UNFIT = (
    OverflowError,
    TypeError,
    ValueError,
    sqlite3.DataError,
    sqlite3.IntegrityError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
)


class GroupCommit:
    """Writes to one database, many at a time."""

    def __init__(self, path: Path, db: sqlite3.Connection) -> None:
        self._path, self._db = path, db
        self._pending: list[tuple[Write, asyncio.Future[None]]] = []
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._flusher: asyncio.Task[None] | None = None

    def write_now(self, write: Write) -> None:
        """Write something before the event loop has anything to write.

        Raises:
            RunStoppedError: the journal cannot be written.
        """
        try:
            with self._db:
                write(self._db)
        except (sqlite3.Error, OSError) as error:
            raise self._stopping(error) from error

    def enter(self, write: Write) -> asyncio.Future[None]:
        """Write something with what else is pending; what is returned is done when it is kept."""
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending.append((write, kept))
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush())
        return kept

    async def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        while self._pending:
            batch, self._pending = self._pending, []
            writes = [write for write, _ in batch]
            errors: list[Exception | None]
            try:
                errors = await loop.run_in_executor(self._thread, self._write, writes)
            except Exception as cause:  # every waiter must get the error
                errors = [self._stopping(cause)] * len(batch)
            for (_, kept), error in zip(batch, errors, strict=True):
                if kept.done():  # who waited was cancelled
                    continue
                if error is None:
                    kept.set_result(None)
                else:
                    kept.set_exception(error)
                    kept.exception()  # retrieved: asyncio would warn where nobody waits

    def _stopping(self, cause: Exception) -> Exception:
        """The error that those who wait for a write are given."""
        if not isinstance(cause, (sqlite3.Error, OSError)):
            return cause
        error = RunStoppedError(f"cannot write {self._path}: {cause}; fix it and resume")
        error.__cause__ = cause
        return error

    def _write(self, writes: Sequence[Write]) -> list[Exception | None]:
        """Write all in one transaction; what SQLite cannot hold is the error of its own entry."""
        try:
            with self._db:
                for write in writes:
                    write(self._db)
        except _UNFIT as error:
            if len(writes) == 1:
                return [error]
            return [each for write in writes for each in self._write([write])]
        return [None] * len(writes)

    async def finish(self) -> None:
        """Returns when all that was entered is kept, or has failed."""
        if self._flusher is not None:
            await asyncio.shield(self._flusher)

    def close(self) -> None:
        """Stop the thread and close the database."""
        self._thread.shutdown(wait=True)
        self._db.close()
