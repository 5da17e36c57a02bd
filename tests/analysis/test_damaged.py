"""Damaged run directories: every reader reads on or says in one line which file is damaged."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from feedback_friction.analysis.accuracy_by_attempt import read_results
from feedback_friction.analysis.frames import load_runs
from feedback_friction.analysis.provenance import provenance
from feedback_friction.analysis.tables import accuracy_table
from feedback_friction.bridges.reference import export
from feedback_friction.engine.passes.reopen import reopen
from feedback_friction.errors import UsageError
from feedback_friction.view.sample import telling_trials
from journals import RIGHT, trials, write_run

WRONG: tuple[Any, ...] = (None, True, -1, 2**62, 0.5, "x", [], [[]], {}, {"a": [None]})
CELLS: tuple[Any, ...] = (2**62, "x", b"\xff\x00", "{}")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    arm = trials(("a", "a", "b"), ("a", RIGHT))
    directory = tmp_path_factory.mktemp("runs") / "run"
    return write_run(directory, {"binary": arm}, problems=2)


def _frames(directory: Path) -> None:
    runs = load_runs([directory])
    accuracy_table.accuracy(runs)


READERS: dict[str, Callable[[Path], object]] = {
    "results": read_results,
    "frames": _frames,
    "provenance": provenance,
    "export": lambda directory: list(export(directory)),
    "trials": lambda directory: telling_trials(directory, 30, 10**6),
    "reopen": reopen,
}


def _read(directory: Path, *names: str) -> None:
    """Read it; only an error of one line may come of it."""
    for name in names:
        lines = [""]
        try:
            READERS[name](directory)
        except UsageError as error:
            lines = str(error).splitlines()
        assert len(lines) == 1


def _paths(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _paths(each, (*path, name))


def _changed(document: Any, path: tuple[Any, ...], value: object) -> Any:
    if not path:
        return value
    return {**document, path[0]: _changed(document[path[0]], path[1:], value)}


@pytest.mark.slow
@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_a_run_file_with_anything_in_any_place_is_read_or_refused_in_one_line(
    run: Path, tmp_path: Path, value: object
) -> None:
    shutil.copytree(run, tmp_path / "run")
    document = json.loads((run / "run.json").read_text())
    for path in _paths(document):
        (tmp_path / "run" / "run.json").write_text(json.dumps(_changed(document, path, value)))
        _read(tmp_path / "run", "provenance", "reopen")


@pytest.mark.slow
@pytest.mark.parametrize("table", ["conditions", "problems", "trials", "attempts"])
def test_a_journal_with_anything_in_any_cell_is_read_or_refused_in_one_line(
    run: Path, tmp_path: Path, table: str
) -> None:
    shutil.copytree(run, tmp_path / "run")
    path = tmp_path / "run" / "journal.sqlite"
    with sqlite3.connect(path) as db:
        names = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
    whole = path.read_bytes()
    for name in names:
        for cell in CELLS:
            path.write_bytes(whole)
            with sqlite3.connect(path) as db:
                try:
                    db.execute(f"UPDATE {table} SET {name} = ? WHERE rowid = 1", (cell,))
                except sqlite3.IntegrityError:
                    continue
            db.close()
            _read(tmp_path / "run", *(name for name in READERS if name != "reopen"))
