"""The benchmarks' own judgement: what makes a figure fail, and which repeated calls are excused."""

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
from benchmarks.resume import repeated
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
    assert 50 < ended.peak_mb < 150
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


def asked(key: str, arrived: float, left: float | None, outcome: str = "ok") -> Entry:
    return Entry(key, arrived, left, outcome)


REPEATED = {
    "unanswered: the client was gone": (asked("a", 9.0, 10.01, "gone"), "unanswered"),
    "unanswered: answered after the kill": (asked("a", 9.0, 10.01), "unanswered"),
    "answered just before the kill": (asked("a", 9.0, 9.9), "uncommitted"),
    "answered long before the kill": (asked("a", 8.0, 9.0), "other"),
    "asked and answered between kills": (asked("a", 10.1, 10.2), "other"),
    "asked and answered after the kills": (asked("a", 10.85, 10.9), "other"),
}


@pytest.mark.parametrize("case", REPEATED)
def test_a_repeated_call_is_excused_only_if_it_was_in_flight_at_a_kill(case: str) -> None:
    earlier, reason = REPEATED[case]
    moments = [5.0, 10.0, 10.8]
    reasons, _ = repeated([earlier, asked("b", 10.6, 10.7), asked("a", 11.0, 11.1)], moments)
    assert {name for name, count in reasons.items() if count} == {reason}


def test_calls_that_differ_are_not_repeated() -> None:
    reasons, longest = repeated([asked("a", 1.0, 2.0), asked("b", 11.0, 12.0)], [10.0])
    assert not any(reasons.values())
    assert longest == 0.0
