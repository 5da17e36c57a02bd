"""Group commit: what is written together reaches the journal, and the disk, together.

Writing takes two steps. Something is *written* when its transaction is in SQLite's write-ahead log:
from then on the death of this process (SIGKILL) cannot lose it. It is *durable* when that file has
been synchronised to the disk, which the death of the machine cannot undo. The first step takes a
tenth of a millisecond, the second some four. Both are shared: whatever comes while one is under way
goes into the next. Writing has one thread, synchronising another.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
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


def _future() -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()


@dataclass(frozen=True, slots=True)
class Awaited:
    """What becomes done when something is written, and when it is durable."""

    written: asyncio.Future[None] = field(default_factory=_future)
    durable: asyncio.Future[None] = field(default_factory=_future)


class GroupCommit:
    """Writes to one database, many at a time."""

    def __init__(self, path: Path, db: sqlite3.Connection) -> None:
        self._path = path
        self._db = db
        self._log = WriteAheadLog(path) if has_log(db) else None
        self._pending: list[tuple[Write, Awaited | None]] = []
        self._written: list[Awaited] = []
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._flusher: asyncio.Task[None] | None = None
        self._syncer: asyncio.Task[None] | None = None

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

    async def commit(self, write: Write) -> None:
        """Write something; returns when it is durable."""
        awaited = Awaited()
        self.enter(write, awaited)
        await awaited.written
        await awaited.durable

    def enter(self, write: Write, awaited: Awaited | None = None) -> None:
        """Write something with what else is pending; ``awaited`` tells when it is done."""
        self._pending.append((write, awaited))
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush())

    async def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        while self._pending:
            batch, self._pending = self._pending, []
            errors: list[Exception | None]
            try:
                errors = await loop.run_in_executor(
                    self._thread, self._write, [write for write, _ in batch]
                )
            except Exception as cause:  # every waiter must get the error
                errors = [self._stopping(cause)] * len(batch)
            for (_, awaited), error in zip(batch, errors, strict=True):
                if awaited is not None:
                    _settle(awaited.written, error)
                    self._written += [awaited] if error is None else []
            if self._written and (self._syncer is None or self._syncer.done()):
                self._syncer = asyncio.create_task(self._synchronise())

    async def _synchronise(self) -> None:
        loop = asyncio.get_running_loop()
        while self._written:
            batch, self._written = self._written, []
            error: Exception | None = None
            if self._log is not None:
                try:
                    await loop.run_in_executor(self._log.thread, self._log.synchronise)
                except Exception as cause:
                    error = self._stopping(cause)
            for each in batch:
                _settle(each.durable, error)

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
        """Returns when all that was entered is written and durable, or has failed."""
        if self._flusher is not None:
            await asyncio.shield(self._flusher)
        if self._syncer is not None:
            await asyncio.shield(self._syncer)

    def close(self) -> None:
        """Stop the threads and close the database."""
        self._thread.shutdown(wait=True)
        if self._log is not None:
            self._log.close()
        self._db.close()


def _settle(future: asyncio.Future[None], error: Exception | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
        future.exception()  # retrieved, so that asyncio does not warn where nobody waits


class WriteAheadLog:
    """SQLite's write-ahead log of a journal, synchronised to the disk from outside of SQLite.

    With ``synchronous = FULL`` SQLite itself does this at the end of each transaction, so that no
    transaction can begin before; with ``NORMAL`` it leaves it to be done before the next checkpoint
    (https://sqlite.org/pragma.html#pragma_synchronous). What has been written to a file before
    ``fsync`` begins is on the disk when it ends, by whatever process and descriptor it was written.
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
        """Wait for what is under way, and close the file."""
        self.thread.shutdown(wait=True)
        if self._file is not None:
            os.close(self._file)
            self._file = None


def has_log(db: sqlite3.Connection) -> bool:
    """Whether a journal has a write-ahead log; file systems without shared memory have none."""
    return bool(db.execute("PRAGMA journal_mode").fetchone()[0] == "wal")
