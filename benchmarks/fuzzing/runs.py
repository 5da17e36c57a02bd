"""Run directories that were damaged: ``run.json`` of another shape, cells of another type."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from hypothesis import strategies as st

from benchmarks.fuzzing import Target
from benchmarks.fuzzing.corpus import mutated, pieces
from feedback_friction.analysis.accuracy_by_attempt import read_results
from feedback_friction.analysis.frames import load_runs
from feedback_friction.analysis.journal import RUN_FILE, read_run
from feedback_friction.analysis.provenance import provenance
from feedback_friction.bridges.reference import export
from feedback_friction.cli.results import results_json
from feedback_friction.engine.journal.store import DamagedError, Journal
from feedback_friction.engine.passes.reopen import read_trials as rebuilt
from feedback_friction.engine.passes.reopen import reopen
from feedback_friction.engine.run.launch import execute
from feedback_friction.engine.run.prepare import prepare
from feedback_friction.errors import UsageError
from feedback_friction.settings import Settings
from feedback_friction.view.sample import telling_trials

_TABLES = ("conditions", "problems", "trials", "attempts", "completions")

Cell = tuple[str, int, int, Any]  # table, column, row (both modulo their number), value


def targets() -> Iterator[Target]:
    """The readers of ``run.json`` and of the journal."""
    yield Target("run.json", st.deferred(lambda: mutated([_document()])), _check_document)
    values = st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats() | pieces()
    values |= st.binary(max_size=20) | st.sampled_from(["[]", "{}", "null", '["', "[[1]]"])
    places = st.tuples(st.sampled_from(_TABLES), st.integers(0, 99), st.integers(0, 99), values)
    yield Target("journal", st.lists(places, min_size=1, max_size=3), _check_journal)
    damage = st.tuples(st.integers(0, 2**17), st.binary(min_size=1, max_size=40))
    yield Target("journal's bytes", st.lists(damage, max_size=4), _check_bytes)


def _document() -> Any:
    return orjson.loads((_run() / RUN_FILE).read_bytes())


@cache
def _run() -> Path:
    """A small finished run of a simulated student."""
    folder = Path(tempfile.mkdtemp(prefix="friction-fuzz-"))
    asked = Settings.of(
        tasks=("decimal_multiplication",), solver="student/default", feedback=("self", "binary"),
        iterations=3, limit=4,
    )  # fmt: skip
    asyncio.run(execute(prepare(asked), folder, ["friction"], lambda runner: None))
    return folder


def _check_document(document: Any) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(_run() / "journal.sqlite", folder)
        (folder / RUN_FILE).write_text(json.dumps(document), "utf-8", "replace")
        _read_all(folder)


def _check_journal(cells: Sequence[Cell]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = _copy(name)
        with closing(sqlite3.connect(folder / "journal.sqlite")) as db, db:
            for cell in cells:
                _damage(db, *cell)
        _read_all(folder)


def _damage(db: sqlite3.Connection, table: str, column: int, row: int, value: Any) -> None:
    names = [each[1] for each in db.execute(f"PRAGMA table_info({table})")]
    rows = [each[0] for each in db.execute(f"SELECT rowid FROM {table}")]
    where = (value, rows[row % len(rows)])
    # what the schema itself refuses, and text that SQLite cannot hold, is no damage
    with suppress(sqlite3.IntegrityError, UnicodeEncodeError):
        db.execute(f"UPDATE {table} SET {names[column % len(names)]} = ? WHERE rowid = ?", where)


def _check_bytes(damages: Sequence[tuple[int, bytes]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = _copy(name)
        content = bytearray((folder / "journal.sqlite").read_bytes())
        for at, these in damages:
            at %= len(content)
            content[at : at + len(these)] = these
        (folder / "journal.sqlite").write_bytes(content)
        _read_all(folder)


def _copy(name: str) -> Path:
    for each in ("journal.sqlite", RUN_FILE):
        shutil.copy(_run() / each, name)
    return Path(name)


def _read_all(folder: Path) -> None:
    """Every reader of a run directory; one that cannot read it says so in one line."""
    readers: tuple[Callable[[Path], object], ...] = (
        lambda path: results_json([path]),
        read_results,
        provenance,
        lambda path: list(export(path)),
        lambda path: telling_trials(path, 30, 10**6),
        lambda path: load_runs([path]),
        _reopened,
        _journal,
    )
    for read in readers:
        try:
            read(folder)
        except UsageError as error:
            assert len(str(error).splitlines()) == 1  # noqa: PT017 - no pytest here


def _reopened(folder: Path) -> None:
    for condition in reopen(folder).conditions:
        list(rebuilt(folder, condition))


def _journal(folder: Path) -> None:
    """What a resume reads."""
    read_run(folder)
    journal = Journal(folder)
    try:
        for condition in reopen(_run()).conditions:
            journal.finished(condition.id)
            journal.statuses(condition.id)
        journal.paid()
        with closing(sqlite3.connect(folder / "journal.sqlite")) as db:
            keys = [
                row[0]
                for row in db.execute("SELECT key FROM completions WHERE typeof(key) = 'blob'")
            ]
        for key in keys:
            with suppress(DamagedError):
                journal.find(key)
    finally:
        journal.close()
