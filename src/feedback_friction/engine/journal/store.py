"""The journal: one SQLite file in the run directory, in which everything paid for is kept.

Whatever is kept is on the disk before its trial goes on, many completions in one transaction
(``group_commit``).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from feedback_friction.analysis.journal import SCHEMA_VERSION
from feedback_friction.databases import refuse_newer, version_of
from feedback_friction.engine.journal.group_commit import GroupCommit
from feedback_friction.engine.journal.keys import Key
from feedback_friction.engine.journal.rows import (
    Place,
    Row,
    Seen,
    attempt_row,
    cluster_row,
    completion_row,
    error_row,
    insert,
    problem_row,
    read_completion,
    token_rows,
    trial_row,
    trial_tables,
)
from feedback_friction.engine.models.price_list import Cost
from feedback_friction.errors import FrictionError, UsageError
from feedback_friction.problem import Problem
from feedback_friction.protocol.records import Attempt, Completion, Generate, Status, Trial, Usage

FILE_NAME = "journal.sqlite"
TRIAL = "condition = ? AND problem_id = ? AND epoch = ?"
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
# Of a damaged file, the library may quote what is no text.
_UNREADABLE = (sqlite3.Error, UnicodeDecodeError)


class DamagedError(FrictionError):
    """Something in the journal cannot be read: the trial that needs it fails, and says so."""


class Journal:
    """The journal of one run; use as an asynchronous context manager.

    Reading happens on the event loop's thread with a connection of its own; writing on a background
    thread. A look-up by key takes some 50 microseconds, so nearly every key that is new is known to
    be by one bit of ``_kept``, the one that its first 24 bits name.
    """

    def __init__(self, directory: Path) -> None:
        """Open or create the journal.

        Raises:
            UsageError: the directory cannot be written, or the journal is of a newer version.
        """
        self.path = directory / FILE_NAME
        self._writing = GroupCommit(self.path, _open(self.path))
        self._reader = _open(self.path)
        self._kept = bytearray(2**21)
        whole = "typeof(key) = 'blob' AND length(key) = 16"
        for (key,) in self._read(f"SELECT key FROM completions WHERE {whole}"):
            self._keep(key)

    def _keep(self, key: Key) -> None:
        self._kept[key[0] << 13 | key[1] << 5 | key[2] >> 3] |= 1 << (key[2] & 7)

    # --- reading ---------------------------------------------------------------------------------

    def find(self, key: Key) -> Completion | None:
        """The completion with that key, if it was ever paid for."""
        if not self._kept[key[0] << 13 | key[1] << 5 | key[2] >> 3] & 1 << (key[2] & 7):
            return None
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

    def seen(self) -> list[tuple[Place, Seen]]:
        """What was seen of the problems so far: their calls, and how many attempts trials made.

        Of a pilot, which keeps no trials, the longest one of each epoch.
        """
        found = {
            (task, problem): Seen(calls, tokens)
            for task, problem, calls, tokens in self._read(
                "SELECT task, problem_id, count(*), sum(completion_tokens)"
                " FROM completions GROUP BY task, problem_id"
            )
        }
        for task, problem, attempts in self._read(
            "SELECT c.task, t.problem_id, t.attempts FROM trials t JOIN conditions c"
            " USING (condition) WHERE t.status NOT IN ('failed', 'undecided')"
        ):
            found.setdefault((task, problem), Seen()).attempts.append(attempts)
        for task, problem, attempts in self._read(
            "SELECT task, problem_id, max(iteration) + 1 FROM completions WHERE role = 'solver'"
            " GROUP BY task, problem_id, epoch"
        ):
            if not found[task, problem].attempts:
                found[task, problem].attempts.append(attempts)
        return list(found.items())

    def _read(self, query: str, values: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of a query.

        Raises:
            UsageError: the file is damaged.
        """
        try:
            yield from self._reader.execute(query, values)
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
    ) -> None:
        """Keep a completion; ``is_warm`` tells that the request's temperature was sent."""
        self._keep(key)
        row = completion_row(key, model, request, completion, cost, is_warm)
        tokens = token_rows(key, completion)
        retried = [{"key": key, "failures": completion.failures}] if completion.failures else []

        def write(db: sqlite3.Connection) -> None:
            insert(db, "completions", [row])
            insert(db, "tokens", tokens)
            insert(db, "retried", retried)

        await self._writing.enter(write)

    def add_attempt(
        self, condition: str, problem_id: str, epoch: int, attempt: Attempt, cost: Cost
    ) -> None:
        """Keep an attempt of a trial in flight; does not wait until it is written.

        What an earlier session kept of the trial goes with the first attempt. A failure to write is
        told to whoever waits for what is written with it or after it, the end of the trial at the
        latest.
        """
        where = (condition, problem_id, epoch)
        row = attempt_row(where, attempt, cost)

        def write(db: sqlite3.Connection) -> None:
            if attempt.iteration == 0:  # a trial that failed before is in flight again
                db.execute(f"DELETE FROM trials WHERE {TRIAL}", where)
                db.execute(f"DELETE FROM attempts WHERE {TRIAL}", where)
            insert(db, "attempts", [row])

        self._writing.enter(write)

    async def add_trial(
        self, condition: str, trial: Trial, costs: Sequence[Cost], calls: Sequence[Completion] = ()
    ) -> None:
        """Keep a finished trial with its attempts; replaces what an earlier try left.

        ``calls`` are those that the trial used, whether it or another one paid for them.
        """
        where = (condition, trial.problem.id, trial.epoch)
        tables = trial_tables(condition, trial, costs, calls)

        def write(db: sqlite3.Connection) -> None:
            # A trial that ran again is asked as it would be now: nothing of it is marked.
            for table in (*tables, "marked"):
                db.execute(f"DELETE FROM {table} WHERE {TRIAL}", where)
            for table, rows in tables.items():
                insert(db, table, rows)

        await self._writing.enter(write)

    async def add_failure(self, condition: str, problem_id: str, epoch: int, error: str) -> None:
        """Keep that a trial failed; it runs again on resume. The attempts that it made are kept."""
        where = (condition, problem_id, epoch)
        ended, failed = trial_row(where, "failed", error, 0), error_row(where, error)

        def write(db: sqlite3.Connection) -> None:
            insert(db, "trials", [ended])
            insert(db, "errors", [failed])

        await self._writing.enter(write)

    async def add(self, table: str, rows: Sequence[Row]) -> None:
        """Keep rows of a table: an oracle's draws, what a probe found, why either failed."""
        await self._writing.enter(lambda db: insert(db, table, rows))

    def add_now(self, table: str, rows: Sequence[Row]) -> None:
        """Keep rows of a table where no event loop writes: before the run, or beside one."""
        self._writing.write_now(lambda db: insert(db, table, rows))

    def add_problems(self, problems: Iterable[Problem], ask: Callable[[Problem], str]) -> None:
        """Keep the problems of a task as the solver reads them (before the run)."""
        known = list(problems)
        self.add_now("problems", [problem_row(problem, ask(problem)) for problem in known])
        self.add_now("clusters", [cluster_row(each) for each in known if each.cluster is not None])

    async def __aenter__(self) -> Journal:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Finish what is being written, and close."""
        await self._writing.finish()
        self.close()

    def close(self) -> None:
        """Close the file; for a journal that no event loop writes to."""
        self._writing.close()
        self._reader.close()


def _open(path: Path) -> sqlite3.Connection:
    try:
        db = sqlite3.connect(path, check_same_thread=False, timeout=30)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        version = version_of(db)
        refuse_newer(path, version, SCHEMA_VERSION)
        if version < SCHEMA_VERSION:
            schema = resources.files(__package__).joinpath("schema.sql").read_text("utf-8")
            db.executescript(_NULLABLE + schema)
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    except _UNREADABLE as error:
        raise UsageError(f"cannot write the journal {path}: {error}") from error
    return db
