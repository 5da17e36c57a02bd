"""The journal: one SQLite file in the run directory, in which everything paid for is kept.

A completion is kept in two steps. It is *written* when its transaction is in SQLite's write-ahead
log: from then on the death of this process (SIGKILL) cannot lose it. It is *durable* when that file
has been synchronised to the disk, which the death of the machine cannot undo; only then its trial
goes on. The first step takes a tenth of a millisecond, the second some four, and only the first has
to happen while a call holds its place among the requests in flight. Both are shared: whatever comes
while one is under way goes into the next. Writing has one thread, synchronising another.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from feedback_friction.analysis.journal import SCHEMA_VERSION
from feedback_friction.databases import refuse_newer, version_of
from feedback_friction.engine.keys import Key
from feedback_friction.engine.prices import Cost
from feedback_friction.engine.rows import (
    Row,
    aligned_rows,
    aside_rows,
    attempt_row,
    attempt_rows,
    calls_row,
    choice_rows,
    cluster_row,
    completion_row,
    error_row,
    insert,
    now,
    problem_row,
    read_completion,
    trial_row,
)
from feedback_friction.engine.write_ahead import WriteAheadLog, has_log
from feedback_friction.errors import FrictionError, RunStoppedError, UsageError
from feedback_friction.problem import Problem
from feedback_friction.protocol.records import (
    Attempt,
    Completion,
    Generate,
    Status,
    Trial,
    Usage,
)

FILE_NAME = "journal.sqlite"
_TRIAL = "condition = ? AND problem_id = ? AND epoch = ?"
_COMPLETION = (
    "SELECT replies, prompt_tokens, completion_tokens, cached_tokens, reasoning_tokens,"
    " seconds, server_model, (SELECT failures FROM retried WHERE retried.key = completions.key)"
    " FROM completions WHERE key = ?"
)
# Journals of version 4 and before: a constraint may be taken away in this way, and in no other
# without copying the table (https://sqlite.org/lang_altertable.html, "Making Other Kinds").
_NULLABLE = """
    PRAGMA writable_schema = ON;
    UPDATE sqlite_master SET sql = replace(replace(sql,
        'temperature                 REAL NOT NULL', 'temperature                 REAL'),
        'temperature        REAL NOT NULL', 'temperature        REAL') WHERE type = 'table';
    PRAGMA writable_schema = RESET;
"""
_Write = Callable[[sqlite3.Connection], None]
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


# Of a damaged file, the library may quote what is no text.
_UNREADABLE = (sqlite3.Error, UnicodeDecodeError)


class DamagedError(FrictionError):
    """Something in the journal cannot be read: the trial that needs it fails, and says so."""


def _future() -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()


@dataclass(frozen=True, slots=True)
class _Awaited:
    """What becomes done when something is written, and when it is durable."""

    written: asyncio.Future[None] = field(default_factory=_future)
    durable: asyncio.Future[None] = field(default_factory=_future)


@dataclass(frozen=True, slots=True)
class _Entry:
    """Something to write, and who waits for it."""

    write: _Write
    awaited: _Awaited | None


class Journal:
    """The journal of one run; use as an asynchronous context manager.

    Reading happens on the event loop's thread with a connection of its own (a look-up by key takes
    some 20 microseconds); writing and synchronising on a background thread each.
    """

    def __init__(self, directory: Path) -> None:
        """Open or create the journal.

        Raises:
            UsageError: the directory cannot be written, or the journal is of a newer version.
        """
        self.path = directory / FILE_NAME
        self._writer = _open(self.path)
        self._reader = _open(self.path)
        self._fresh: dict[Key, Completion] = {}
        self._log = WriteAheadLog(self.path) if has_log(self._writer) else None
        self._pending: list[_Entry] = []
        self._written: list[_Awaited] = []
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._flusher: asyncio.Task[None] | None = None
        self._syncer: asyncio.Task[None] | None = None

    # --- reading ---------------------------------------------------------------------------------

    def find(self, key: Key) -> Completion | None:
        """The completion with that key, if it was ever paid for."""
        if key in self._fresh:
            return self._fresh[key]
        try:
            row = self._reader.execute(_COMPLETION, (key,)).fetchone()
            return None if row is None else read_completion(row)
        except (LookupError, TypeError, ValueError, sqlite3.Error) as error:
            raise DamagedError(f"a completion in {self.path} is damaged ({error})") from error

    def finished(self, condition: str) -> set[tuple[str, int]]:
        """(problem id, epoch) of the condition's trials that need not run again."""
        rows = self._read(
            "SELECT problem_id, epoch FROM trials"
            " WHERE condition = ? AND status NOT IN ('failed', 'undecided')",
            (condition,),
        )
        return {(row[0], row[1]) for row in rows}

    def statuses(self, condition: str) -> dict[Status, int]:
        """How many of the condition's trials ended in which status."""
        rows = self._read(
            "SELECT status, count(*) FROM trials WHERE condition = ? GROUP BY status", (condition,)
        )
        return dict(rows)

    def drawn(self) -> dict[tuple[str, int], set[str]]:
        """By (problem id, request), the verdicts on the draws that an oracle's request brought."""
        found: dict[tuple[str, int], set[str]] = {}
        for problem, request, verdict in self._read(
            "SELECT DISTINCT problem_id, request, verdict FROM oracle_draws"
        ):
            found.setdefault((problem, request), set()).add(verdict)
        return found

    def probed(self, probe: str, settings: str) -> set[tuple[str, str, int, int]]:
        """(condition, problem id, epoch, iteration) where a probe with these settings has been."""
        rows = self._read(
            "SELECT condition, problem_id, epoch, iteration FROM probes"
            " WHERE probe = ? AND settings = ?",
            (probe, settings),
        )
        return {(row[0], row[1], row[2], row[3]) for row in rows}

    def paid(self) -> list[tuple[str, Usage, Cost]]:
        """What the run paid for so far: (model, tokens, cost), apart where the cost is unknown."""
        rows = self._read(
            "SELECT model, sum(prompt_tokens), sum(completion_tokens), sum(cached_tokens),"
            " sum(reasoning_tokens), sum(cost_usd)"
            " FROM completions GROUP BY model, cost_usd IS NULL"
        )
        return [(model, Usage(*tokens), cost) for model, *tokens, cost in rows]

    def _read(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query.

        Raises:
            UsageError: the file is damaged.
        """
        try:
            return self._reader.execute(query, values).fetchall()
        except _UNREADABLE as error:
            raise UsageError(f"cannot read {self.path}: {error}") from error

    # --- writing ---------------------------------------------------------------------------------

    async def add_completion(
        self,
        key: Key,
        model: str,
        request: Generate,
        completion: Completion,
        cost: Cost,
        is_warm: bool = True,
    ) -> asyncio.Future[None]:
        """Keep a completion; returns when it is written, with what is done when it is durable.

        ``is_warm`` tells that the request's temperature was sent.
        """
        row = completion_row(key, model, request, completion, cost, is_warm)
        retried = [{"key": key, "failures": completion.failures}] if completion.failures else []
        self._fresh[key] = completion

        def write(db: sqlite3.Connection) -> None:
            insert(db, "completions", [row])
            insert(db, "retried", retried)

        try:
            awaited = _Awaited()
            self._enter(write, awaited)
            await awaited.written
            return awaited.durable
        finally:
            del self._fresh[key]

    def add_attempt(
        self, condition: str, problem_id: str, epoch: int, attempt: Attempt, cost: Cost
    ) -> None:
        """Keep an attempt of a trial in flight; nobody has to wait for it.

        What an earlier session kept of the trial from this attempt on goes. A failure to write is
        told to whoever waits for what is written with it or after it, the end of the trial at the
        latest.
        """
        row = attempt_row(condition, problem_id, epoch, attempt, cost)
        where = (condition, problem_id, epoch)

        def write(db: sqlite3.Connection) -> None:
            if attempt.iteration == 0:  # a trial that failed before is in flight again
                db.execute(f"DELETE FROM trials WHERE {_TRIAL}", where)
            db.execute(
                f"DELETE FROM attempts WHERE {_TRIAL} AND iteration >= ?",
                (*where, attempt.iteration),
            )
            insert(db, "attempts", [row])

        self._enter(write)

    async def add_trial(
        self,
        condition: str,
        trial: Trial,
        costs: Sequence[Cost],
        calls: Sequence[Completion] = (),
    ) -> None:
        """Keep a finished trial with its attempts; replaces what an earlier try left.

        ``calls`` are those that its trial used, whoever paid for them.
        """
        rows, shown = attempt_rows(condition, trial, costs), aside_rows(condition, trial)
        where = (condition, trial.problem.id, trial.epoch)
        ended = trial_row(where, trial.status, trial.reason, len(rows), now())
        choices = choice_rows(condition, trial)
        counted = [calls_row(where, calls)] if calls else []

        def write(db: sqlite3.Connection) -> None:
            # A trial that ran anew is as it would be asked: nothing of it is marked.
            for table in ("attempts", "asides", "aligned", "choices", "calls", "marked"):
                db.execute(f"DELETE FROM {table} WHERE {_TRIAL}", where)
            insert(db, "attempts", rows)
            insert(db, "asides", shown)
            insert(db, "aligned", aligned_rows(condition, trial))
            insert(db, "choices", choices)
            insert(db, "calls", counted)
            insert(db, "trials", [ended])

        await self._commit(write)

    async def add_failure(self, condition: str, problem_id: str, epoch: int, error: str) -> None:
        """Keep that a trial failed; it runs again on resume. The attempts that it made are kept."""
        where, when = (condition, problem_id, epoch), now()
        ended, failed = trial_row(where, "failed", error, 0, when), error_row(where, error, when)

        def write(db: sqlite3.Connection) -> None:
            insert(db, "trials", [ended])
            insert(db, "errors", [failed])

        await self._commit(write)

    async def add_error(self, where: str, problem_id: str, epoch: int, error: str) -> None:
        """Keep why something that is no trial (an oracle's request, a probe) failed."""
        row = error_row((where, problem_id, epoch), error, now())
        await self._commit(lambda db: insert(db, "errors", [row]))

    async def add_draws(self, rows: Sequence[Row]) -> None:
        """Keep an oracle's draws; see ``oracle_draws`` in the schema."""
        await self._commit(lambda db: insert(db, "oracle_draws", rows))

    async def add_finding(self, row: Row) -> None:
        """Keep what a probe found; see ``probes`` in the schema."""
        await self._commit(lambda db: insert(db, "probes", [row]))

    def add_problems(self, problems: Iterable[Problem], ask: Callable[[Problem], str]) -> None:
        """Keep the problems of a task as the solver reads them (before the run, not grouped)."""
        known = list(problems)
        rows = [problem_row(problem, ask(problem)) for problem in known]
        clusters = [cluster_row(each) for each in known if each.cluster is not None]

        def write(db: sqlite3.Connection) -> None:
            insert(db, "problems", rows)
            insert(db, "clusters", clusters)

        self._write_now(write)

    def add_conditions(self, rows: Sequence[dict[str, Any]]) -> None:
        """Keep the conditions of the run (before the run, not grouped)."""
        self._write_now(lambda db: insert(db, "conditions", rows))

    def keep_finding(self, row: Row) -> None:
        """Keep what was found where no event loop runs (friction inside)."""
        self._write_now(lambda db: insert(db, "probes", [row]))

    def _write_now(self, write: _Write) -> None:
        """Write something before the event loop has anything to write.

        Raises:
            RunStoppedError: the journal cannot be written.
        """
        try:
            with self._writer:
                write(self._writer)
        except (sqlite3.Error, OSError) as error:
            raise self._stopping(error) from error

    async def _commit(self, write: _Write) -> None:
        """Write something; returns when it is durable."""
        awaited = _Awaited()
        self._enter(write, awaited)
        await awaited.written
        await awaited.durable

    def _enter(self, write: _Write, awaited: _Awaited | None = None) -> None:
        self._pending.append(_Entry(write, awaited))
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush())

    async def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        while self._pending:
            batch, self._pending = self._pending, []
            errors: list[Exception | None]
            try:
                errors = await loop.run_in_executor(
                    self._thread, self._write, [each.write for each in batch]
                )
            except Exception as cause:  # whoever waits must hear of it, whatever it is
                errors = [self._stopping(cause)] * len(batch)
            for each, error in zip(batch, errors, strict=True):
                if each.awaited is not None:
                    _settle(each.awaited.written, error)
                    self._written += [each.awaited] if error is None else []
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
        """What whoever waits for the journal is told of a failure to write it."""
        if not isinstance(cause, (sqlite3.Error, OSError)):
            return cause
        error = RunStoppedError(f"cannot write {self.path}: {cause}; mend and resume")
        error.__cause__ = cause
        return error

    def _write(self, writes: Sequence[_Write]) -> list[Exception | None]:
        """Write all in one transaction; what SQLite cannot hold is the error of its own entry."""
        try:
            with self._writer:
                for write in writes:
                    write(self._writer)
        except _UNFIT as error:
            if len(writes) == 1:
                return [error]
            return [each for write in writes for each in self._write([write])]
        return [None] * len(writes)

    async def __aenter__(self) -> Journal:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Finish what is being written, and close."""
        if self._flusher is not None:
            await asyncio.shield(self._flusher)
        if self._syncer is not None:
            await asyncio.shield(self._syncer)
        self.close()

    def close(self) -> None:
        """Close the file; for a journal that no event loop writes to."""
        self._thread.shutdown(wait=True)
        if self._log is not None:
            self._log.close()
        self._reader.close()
        self._writer.close()


def _settle(future: asyncio.Future[None], error: Exception | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
        future.exception()  # whoever waits hears of it; where nobody does, that is no error itself


def _open(path: Path) -> sqlite3.Connection:
    try:
        db = sqlite3.connect(path, check_same_thread=False, timeout=30)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(f"PRAGMA synchronous = {'NORMAL' if has_log(db) else 'FULL'}")
        version = version_of(db)
        refuse_newer(path, version, SCHEMA_VERSION)
        if version < SCHEMA_VERSION:
            schema = resources.files(__package__).joinpath("schema.sql").read_text("utf-8")
            db.executescript(_NULLABLE + schema)
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    except _UNREADABLE as error:
        raise UsageError(f"cannot write the journal {path}: {error}") from error
    return db
