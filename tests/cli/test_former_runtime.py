"""Runs of ``pocket/abacus``, which earlier versions ran themselves: read, but not gone on with."""

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from commands import friction
from gguf_files import needs_llama

CASES = Path(__file__).parents[1] / "cases" / "former_runtime"  # as such a version wrote it
COMMAND = (
    "run", "decimal_multiplication", "--digits", "3", "--limit", "3", "--iterations", "2",
    "--feedback", "tutor", "--feedback", "retry", "--max-tokens", "200",
)  # fmt: skip


@pytest.fixture
def run(tmp_path):
    directory = tmp_path / "run"
    directory.mkdir()
    shutil.copy(CASES / "run.json", directory)
    with sqlite3.connect(directory / "journal.sqlite") as db:
        db.executescript((CASES / "journal.sql").read_text("utf-8"))
    return directory


@pytest.mark.slow
def test_it_is_read_reported_exported_and_judged_anew(run, tmp_path):
    shown = friction("results", run).stdout
    assert "solver: pocket/abacus" in shown
    assert "MINIATURE: pocket/abacus" in shown
    friction("report", run, "--out", tmp_path / "report")
    assert (
        "a small model trained to show feedback friction"
        in (tmp_path / "report" / "index.html").read_text()
    )
    exported = friction("export", run, "--to", "jsonl").stdout.splitlines()
    assert [json.loads(line)["is_correct"] for line in exported].count(True) == 4
    assert len(exported) == 8
    assert json.loads(friction("regrade", run, "--json").stdout) == []
    assert json.loads(friction("remask", run, "--json").stdout) == []


@pytest.mark.parametrize(
    "words",
    [
        (*COMMAND, "--solver", "pocket/abacus", "--out", "run"),
        (*COMMAND, "--solver", "pocket/abacus", "--out", "another"),
        ("probe", "run", "self-perception"),
        ("oracle", "decimal_multiplication", "--solver", "pocket/abacus", "--out", "run"),
    ],
)
def test_asking_more_of_that_model_is_refused_in_one_line_that_names_its_successor(run, words):
    before = (run / "journal.sqlite").read_bytes()
    (line,) = friction(*words, cwd=run.parent, code=2).stderr.splitlines()
    assert "pocket/abacus ran in earlier versions only" in line
    assert "for a new run use gguf/abacus" in line
    assert (run / "journal.sqlite").read_bytes() == before


@pytest.mark.slow
@needs_llama
def test_its_directory_is_not_gone_on_with_by_the_successor(run):
    words = (*COMMAND, "--solver", "gguf/abacus", "--out", "run")
    *_, line = friction(*words, cwd=run.parent, code=2).stderr.splitlines()
    assert 'solver was "pocket/abacus", now "gguf/abacus"' in line
