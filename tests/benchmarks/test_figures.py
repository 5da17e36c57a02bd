"""The benchmarks' own judgement: what makes a figure fail, and what counts as asked again."""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path

import pytest

from benchmarks.common import (
    Ended,
    Figure,
    Started,
    at_least,
    at_most,
    different_rows,
    exactly,
    rows,
    script,
)
from benchmarks.resume import Stop, asked_again, lost, most_lost
from benchmarks.simserver import Entry


def good(*, size: int = 3) -> list[Figure]:
    """Some claim."""
    return [exactly("size", size, 3), Figure("only said", "words")]


def test_a_script_succeeds_only_if_all_targets_hold(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, code in (([], 0), (["--size", "4"], 1)):
        with pytest.raises(SystemExit) as ended:
            script(good, arguments)
        assert ended.value.code == code
        assert ("FAILS" in capsys.readouterr().out) == bool(code)


def test_json_output_holds_options_and_figures(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        script(good, ["--json", "--size", "5"])
    said = json.loads(capsys.readouterr().out)
    assert said["options"] == {"size": 5}
    assert [figure["holds"] for figure in said["figures"]] == [False, None]


def test_limits_include_their_end() -> None:
    assert at_most("x", 1.0, 1.0).holds
    assert at_least("x", 1.0, 1.0).holds
    assert not at_most("x", 1.1, 1.0).holds
    assert not at_least("x", 0.9, 1.0).holds


def test_a_process_is_measured_and_its_failure_shown() -> None:
    code = "import sys; x = b'x' * 50_000_000; print('out'); sys.exit('bad end')"
    ended = Started([sys.executable, "-c", code]).wait()
    assert (ended.exit_code, ended.output, ended.errors) == (1, "out\n", "bad end\n")
    assert ended.peak_mb > 50  # at most what this process itself had when it made the other
    assert 0 < ended.cpu_seconds < ended.seconds + 1
    with pytest.raises(RuntimeError, match="bad end"):
        ended.expect(0)
    assert ended.expect(0, 1) is ended


def test_a_killed_process_ends_with_the_signal() -> None:
    process = Started(["sleep", "30"])
    assert process.is_running()
    process.kill()
    ended: Ended = process.wait()
    assert ended.exit_code == -9
    assert not process.is_running()


def journal(out: Path, verdict: str, seconds: float) -> Path:
    out.mkdir()
    with sqlite3.connect(out / "journal.sqlite") as db:
        db.execute("CREATE TABLE attempts (problem_id TEXT, verdict TEXT, seconds REAL)")
        db.execute("CREATE TABLE trials (problem_id TEXT, status TEXT, finished TEXT)")
        db.execute("INSERT INTO attempts VALUES ('p', ?, ?)", (verdict, seconds))
        db.execute("INSERT INTO trials VALUES ('p', 'solved', ?)", (str(seconds),))
    return out


def test_journals_are_compared_in_everything_but_time(tmp_path: Path) -> None:
    one = journal(tmp_path / "one", "wrong", 1.0)
    same = journal(tmp_path / "same", "wrong", 2.0)
    other = journal(tmp_path / "other", "correct", 1.0)
    assert rows(one, "attempts") == [("p", "wrong")]
    assert different_rows(one, same) == 0
    assert different_rows(one, other) == 2


def asked(key: str, outcome: str = "ok") -> Entry:
    return Entry(key, 0.0, outcome=outcome)


LOG = [asked("a"), asked("b"), asked("c", "gone"), asked("b"), asked("c"), asked("d")]


def test_a_call_is_asked_again_only_if_an_earlier_session_had_kept_it() -> None:
    kept = frozenset("a")
    assert asked_again(LOG, [Stop(3, kept)]) == 0
    assert asked_again(LOG, [Stop(3, kept | {"b"})]) == 1
    assert asked_again(LOG, [Stop(3, kept | {"b", "c"})]) == 2
    assert asked_again(LOG, [Stop(3, kept), Stop(5, kept | {"b", "c", "d"})]) == 1
    assert asked_again([*LOG, asked("a")], [Stop(3, kept), Stop(5, kept)]) == 1


def test_what_was_asked_and_not_kept_is_lost() -> None:
    assert lost(LOG, [Stop(3, frozenset("a"))]) == (1, 1)
    assert lost(LOG, [Stop(3, frozenset("a")), Stop(6, frozenset("abc"))]) == (1, 2)
    assert lost(LOG[:2], [Stop(2, frozenset("ab"))]) == (0, 0)


def test_the_worst_kill_is_counted_alone() -> None:
    assert most_lost(LOG, [Stop(3, frozenset("a")), Stop(6, frozenset("abc"))]) == 2
    assert most_lost(LOG, [Stop(1, frozenset()), Stop(6, frozenset("a"))]) == 5
    assert most_lost(LOG[:2], [Stop(2, frozenset("ab"))]) == 0
    assert most_lost(LOG, []) == 0
