"""How unsolved trials end, told without a judge, against runs small enough to count by hand."""

import sqlite3

import pytest

from feedback_friction.analysis.frames import load_runs
from feedback_friction.analysis.tables.persistent import persistent
from journals import NOTHING, RIGHT, trials, write_run

ARM = trials(
    (RIGHT,), ("a", "b", "b"), ("a", "b", "c"), ("a", "a", NOTHING), "stopped:content filter"
)


def endings(tmp_path, mode="binary", **more):
    run = write_run(tmp_path / "run", {mode: ARM}, problems=5, **more)
    rows = persistent(load_runs([run]))
    return {row["ending"]: row["count"] for row in rows.iter_rows(named=True) if row["count"]}


def test_unsolved_trials_end_with_the_same_answer_another_none_or_a_refusal(tmp_path):
    assert endings(tmp_path) == {
        "same answer": 1, "another wrong answer": 1, "no answer read": 1, "refusal": 1,
    }  # fmt: skip


def test_the_tutors_words_tell_that_the_same_line_is_wrong(tmp_path):
    found = endings(tmp_path, mode="tutor")  # it says the same of every attempt
    assert (found["same first wrong line"], found["same answer"]) == (1, 1)


def test_what_was_cut_off_is_not_taken_for_an_answer(tmp_path):
    assert endings(tmp_path, finish_reason="length") == {"cut off": 3, "refusal": 1}


def test_an_option_is_the_same_after_a_shuffle_too(tmp_path):
    arm = trials(("A", "B"), ("A", "A"))
    run = write_run(
        tmp_path / "run", {"binary": arm}, problems=2, iterations=2, choices=("x", "y")
    )  # fmt: skip
    with sqlite3.connect(run / "journal.sqlite") as db:
        db.execute("""UPDATE attempts SET choices = '["y", "x"]' WHERE iteration = 1""")
    rows = persistent(load_runs([run])).filter(count=1)
    assert set(rows["ending"]) == {"same option", "another wrong answer"}


def test_shares_are_of_the_unsolved_trials(tmp_path):
    run = write_run(tmp_path / "run", {"binary": ARM}, problems=5)
    table = persistent(load_runs([run]))
    assert set(table["n"]) == {4}
    assert table["share"].sum() == pytest.approx(1)
    assert (table["share_low"] <= table["share"]).all()


def test_first_attempts_alone_have_no_endings(tmp_path):
    run = write_run(tmp_path / "run", {"binary": trials(("a",))}, problems=1, iterations=1)
    assert persistent(load_runs([run])).is_empty()
