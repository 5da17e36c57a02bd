"""A run in parts, merged, is the run that one process makes."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands import friction
from feedback_friction.engine.run.conditions import Part, parse_part
from feedback_friction.errors import UsageError
from feedback_friction.problem import Problem

RUN = (
    *("run", "decimal_multiplication", "--digits", 3, "--limit", 20, "--iterations", 3),
    *("--solver", "student/ability=0.3,resistant=0.3", "--temperature", "1", "--quiet"),
    *("--feedback", "tutor", "--feedback", "placebo:tutor"),
)
# Times, and what a server's prefix cache happened to hold.
TIMES = {"seconds", "feedback_seconds", "finished", "happened"}
TIMES |= {"cached_tokens", "feedback_cached_tokens"}


def rows(run, table):
    with sqlite3.connect(run / "journal.sqlite") as db:
        db.row_factory = sqlite3.Row
        return sorted(
            repr([value for name, value in dict(row).items() if name not in TIMES])
            for row in db.execute(f"SELECT * FROM {table}")
        )


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The whole, and three parts of it."""
    folder = tmp_path_factory.mktemp("parts")
    friction(*RUN, "--out", folder / "whole")
    for number in (1, 2, 3):
        friction(*RUN, "--part", f"{number}/3", "--out", folder / f"part{number}")
    return folder


def parts(runs):
    return [runs / f"part{number}" for number in (1, 2, 3)]


TABLES = ("conditions", "problems", "trials", "attempts", "completions", "errors")


def test_parts_merged_are_the_whole_row_for_row(runs, tmp_path):
    friction("merge", *parts(runs), "--out", tmp_path / "merged")
    for table in TABLES:
        assert rows(tmp_path / "merged", table) == rows(runs / "whole", table), table


def test_every_trial_is_of_exactly_one_part(runs):
    assert sum(len(rows(part, "trials")) for part in parts(runs)) == len(
        rows(runs / "whole", "trials")
    )
    assert all(rows(part, "trials") for part in parts(runs))


def test_merging_again_takes_in_what_has_been_added_and_doubles_nothing(runs, tmp_path):
    out = tmp_path / "merged"
    first, second, third = parts(runs)
    friction("merge", first, second, "--out", out)
    some = len(rows(out, "trials"))
    friction("merge", second, third, "--out", out)
    assert some < len(rows(out, "trials"))
    for table in TABLES:
        assert rows(out, table) == rows(runs / "whole", table), table


def test_errors_of_a_part_come_once_however_often_it_is_merged(runs, tmp_path):
    copy = tmp_path / "part"
    copy.mkdir()
    for name in ("run.json", "journal.sqlite"):
        (copy / name).write_bytes((runs / "part1" / name).read_bytes())
    with sqlite3.connect(copy / "journal.sqlite") as db:
        db.execute("INSERT INTO errors VALUES ('c', 'p', 0, 'a server failed', 'then')")
        db.execute("INSERT INTO aligned SELECT condition, problem_id, epoch, 0, '[]' FROM trials")
    for _ in range(2):
        friction("merge", copy, "--out", tmp_path / "merged")
        for table in ("errors", "aligned"):
            assert rows(tmp_path / "merged", table) == rows(copy, table) != []


def test_a_merged_run_is_resumed_without_a_call(runs, tmp_path):
    friction("merge", *parts(runs)[:2], "--out", tmp_path / "merged")
    before = len(rows(tmp_path / "merged", "completions"))
    friction(*RUN, "--out", tmp_path / "merged")
    assert rows(tmp_path / "merged", "attempts") == rows(runs / "whole", "attempts")
    assert len(rows(tmp_path / "merged", "completions")) > before


def test_of_a_trial_in_two_parts_the_one_that_got_furthest_is_kept_whole(runs, tmp_path):
    copy = tmp_path / "behind"
    copy.mkdir()
    for name in ("run.json", "journal.sqlite"):
        (copy / name).write_bytes((runs / "part1" / name).read_bytes())
    with sqlite3.connect(copy / "journal.sqlite") as db:
        db.execute("DELETE FROM trials")
        db.execute("DELETE FROM attempts WHERE iteration > 0")
        db.execute("UPDATE attempts SET response = 'of the part that is behind'")
    friction("merge", copy, runs / "part1", "--out", tmp_path / "merged")
    for table in ("trials", "attempts"):
        assert rows(tmp_path / "merged", table) == rows(runs / "part1", table)


def test_parts_of_different_runs_are_refused_by_their_difference(runs, tmp_path):
    friction(*RUN, "--seed", 1, "--part", "1/3", "--out", tmp_path / "other")
    done = friction("merge", runs / "part1", tmp_path / "other", "--out", tmp_path / "m", code=2)
    assert "seed was 1, now 0; only parts of one run are merged" in done.stderr
    assert not (tmp_path / "m" / "journal.sqlite").exists()


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "a/b", "1/0", "1/3/5", "-1/3"])
def test_what_is_no_part_is_refused(text):
    with pytest.raises(UsageError, match="--part must be like 2/8"):
        parse_part(text)


@given(st.integers(1, 50), st.text(max_size=20))
def test_every_problem_is_of_exactly_one_part(of, name):
    problem = Problem(name, "toy", "?", "1")
    assert sum(Part(number, of).takes(problem) for number in range(1, of + 1)) == 1
