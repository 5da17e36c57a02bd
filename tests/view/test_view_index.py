"""The grid of a run: filters, search, pages and neighbours, on runs written by hand."""

from __future__ import annotations

import json

import pytest
from starlette.datastructures import QueryParams

from feedback_friction.analysis.journal import open_journal
from feedback_friction.view import index
from feedback_friction.view.index import cells_of, make_index, neighbours, read_grid
from feedback_friction.view.pages import symbol, words
from feedback_friction.view.trial_page import read_trial
from feedback_friction.view.wanted import read_wanted
from journals import IN_FLIGHT, RIGHT, trials, write_run
from unsolved import make_run

ARMS = {
    "retry": trials(
        (RIGHT,), ("a", "a", "a"), ("a", "b", RIGHT), ("a", None, "c"), ("a", "b", IN_FLIGHT),
        "failed", "stopped:context length",
    ),
    "binary": trials((RIGHT,), ("a", RIGHT), ("a", "a", "b"), (None, None, None)),
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("index") / "run", ARMS, problems=8)


def grid(run, query="", arms=(1, 2)):
    with open_journal(run) as db:
        make_index(db)
        return read_grid(db, read_wanted(QueryParams(query)), arms)


@pytest.mark.parametrize(
    ("query", "rows", "count"),
    [
        ("", "p0 p1 p2 p3 p4 p5 p6", 11),
        ("is=first", "p0", 2),
        ("is=later", "p1 p2", 2),
        ("is=unsolved", "p1 p2 p3", 4),
        ("is=failed", "p5", 1),
        ("is=stopped", "p6", 1),
        ("is=flight", "p4", 1),
        ("is=first&is=failed", "p0 p5", 3),
        ("has=same", "p1 p2", 2),
        ("has=none", "p3", 2),
        ("has=none&has=same", "", 0),
        ("has=differ", "p1 p2", 4),
        ("is=unsolved&has=none", "p3", 2),
        ("q=question 3", "p3", 2),
        ("q=I say c", "p3", 1),
        ("q=p%25", "", 0),
        ("q=p_", "", 0),
        ("q=Look again.", "p1 p2 p3", 3),
    ],
)
def test_a_filter_finds_the_trials_that_it_asks_for(run, query, rows, count):
    found = grid(run, query)
    assert " ".join(row.problem_id for row in found.rows) == rows
    assert (found.found, found.trials) == (len(rows.split()), count)
    matching = [cell for row in found.rows for cell in row.cells.values() if cell.matches]
    assert len(matching) == count


def test_only_the_conditions_that_are_asked_for_count(run):
    found = grid(run, "is=unsolved", arms=(2,))
    assert [row.problem_id for row in found.rows] == ["p2", "p3"]
    assert all(set(row.cells) == {2} for row in found.rows)


def test_leaks_and_replies_cut_off_are_found(tmp_path):
    leaking = {"self": trials(("a", "b", "c"), (RIGHT,))}
    run = write_run(tmp_path / "leak", leaking, leaks=("7",))
    assert [row.problem_id for row in grid(run, "has=leak", (1,)).rows] == ["p0"]
    cut = write_run(tmp_path / "cut", leaking, finish_reason="length")
    assert grid(cut, "has=cut", (1,)).found == 2
    assert grid(run, "has=cut", (1,)).found == 0


def test_what_became_of_a_trial_is_said_in_a_sign_and_in_words(run):
    cells = {(row.problem_id, at): cell for row in grid(run).rows for at, cell in row.cells.items()}
    said = {key: symbol(cell) for key, cell in cells.items()}
    assert said["p0", 1] == "✓ 1"
    assert said["p2", 1] == "✓ 3"
    assert said["p1", 1] == "✕ same"
    assert said["p2", 2] == "✕ 2 answers"
    assert said["p3", 2] == "✕ no answer"
    assert said["p4", 1] == "… 2"
    assert said["p5", 1] == "! failed"
    assert said["p6", 1] == "■ stopped"
    assert (
        words(cells["p3", 1])
        == "unsolved after 3 attempts, 2 wrong, 2 different answers, 1 without an answer"
    )
    assert words(cells["p6", 1]).endswith("context length")


def test_pages_follow_each_other_and_hold_every_problem_once(run, monkeypatch):
    monkeypatch.setattr(index, "PAGE", 3)
    pages = [grid(run, f"page={page}") for page in (1, 2, 3, 99)]
    assert [[row.problem_id for row in each.rows] for each in pages] == [
        ["p0", "p1", "p2"], ["p3", "p4", "p5"], ["p6"], ["p6"],
    ]  # fmt: skip
    assert {each.pages for each in pages} == {3}


def test_neighbours_are_those_of_the_filter_under_the_same_condition(run):
    with open_journal(run) as db:
        make_index(db)
        row = read_grid(db, read_wanted(QueryParams("")), (1, 2)).rows[2]
        cell = row.cells[1]
        for query, expected in (
            ("", ("p1", "p3")),
            ("is=first", ("p0", None)),
            ("is=failed", (None, "p5")),
        ):
            found = neighbours(db, read_wanted(QueryParams(query)), cell, (1, 2))
            assert tuple(each and each.problem_id for each in found) == expected
            assert {each.arm for each in found if each} <= {1}
        assert set(cells_of(db, "p2", 0, cell.condition)) == {1, 2}


def test_epochs_are_rows_of_their_own(tmp_path):
    arm = trials((RIGHT,), ("a", "b", "c")) | trials(("a", RIGHT), (RIGHT,), epoch=1)
    run = write_run(tmp_path / "run", {"retry": arm}, epochs=2)
    assert [(row.problem_id, row.epoch) for row in grid(run, "", (1,)).rows] == [
        ("p0", 0), ("p0", 1), ("p1", 0), ("p1", 1),
    ]  # fmt: skip


def test_a_letter_that_a_shuffle_moved_is_the_same_answer(tmp_path):
    """The student says the same option each time, whatever letter it has."""
    row = {"question": "Which?", "choices": ["stone", "apple", "cloud", "sea"], "answer": "B"}
    data = tmp_path / "q.jsonl"
    data.write_text(json.dumps(row))
    run = make_run(
        tmp_path / "run", tasks=("custom",), data=data, limit=None, shuffle=True,
        solver="student/ability=0,resistant=1",
    )  # fmt: skip
    with open_journal(run) as db:
        make_index(db)
        told = {
            json.loads(choices)["ABCD".index(letter)]
            for letter, choices in db.execute("SELECT prediction, choices FROM attempts")
            if letter
        }
        cell = db.execute("SELECT answers FROM cells").fetchone()
    assert cell["answers"] == len(told)


def test_the_journal_stays_as_it_is(run):
    before = (run / "journal.sqlite").read_bytes()
    grid(run, "q=a")
    assert (run / "journal.sqlite").read_bytes() == before


def test_a_shuffled_attempt_carries_its_own_order_and_gold(tmp_path):
    row = {"question": "Which?", "choices": ["stone", "apple", "cloud", "sea"], "answer": "B"}
    data = tmp_path / "q.jsonl"
    data.write_text(json.dumps(row))
    run = make_run(
        tmp_path / "run", tasks=("custom",), data=data, limit=None, shuffle=True,
        solver="student/ability=0,resistant=1",
    )  # fmt: skip
    with open_journal(run) as db:
        condition, problem = db.execute("SELECT condition, problem_id FROM trials").fetchone()
        trial = read_trial(db, condition, problem, 0)
    assert trial["attempts"][0]["order"] is None
    orders = {attempt["order"] for attempt in trial["attempts"]} - {None}
    assert len(orders) > 1
    assert all(f"({order[-2]}) apple" in order for order in orders)
