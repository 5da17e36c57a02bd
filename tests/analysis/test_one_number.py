"""What several pages say of one run is one number, and what is left out is counted."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import polars as pl
import pytest

from commands import friction
from feedback_friction.analysis.accuracy_by_attempt import read_results
from feedback_friction.analysis.frames import Runs, load_runs
from feedback_friction.analysis.journal import read_conditions
from feedback_friction.analysis.tables import (
    accuracy_table,
    answers,
    comparison,
    dose_response,
    histories,
    persistent,
    solvers,
    spending,
)
from feedback_friction.report import figures
from feedback_friction.report.findings import findings, gaps
from feedback_friction.view.index import make_index, read_numbers
from journals import IN_FLIGHT, RIGHT, trials, write_run

REFUSED = "refused:policy"  # at the first request
ARMS = {
    "binary": trials((RIGHT,), ("a", "a", "b"), ("a", RIGHT), REFUSED, "failed"),
    "denial": trials((RIGHT, RIGHT, "a"), ("a", "b", "c"), ("a", RIGHT, RIGHT), REFUSED, "failed"),
}


def _with_failure(run: Path, mode: str, problem: str) -> Path:
    """Have a trial fail after its attempts."""
    with sqlite3.connect(run / "journal.sqlite") as db:
        db.execute(
            "UPDATE trials SET status = 'failed' WHERE problem_id = ? AND condition LIKE ?",
            (problem, f"%| {mode} |%"),
        )
    return run


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "run"
    return _with_failure(write_run(run, ARMS, problems=6, leaks=("7",)), "binary", "p1")


@pytest.fixture(scope="module")
def runs(directory: Path) -> Runs:
    return load_runs([directory])


def test_tokens_and_feedback_of_the_report_are_those_of_results(
    directory: Path, runs: Runs
) -> None:
    """Of challenges after a right answer, and of trials that failed, too."""
    for result in read_results(directory):
        mode = result.condition.feedback
        (cost,) = answers.cost(runs).filter(feedback=mode).iter_rows(named=True)
        assert cost["tokens"] == result.usage["prompt_tokens"] + result.usage["completion_tokens"]
        (given,) = answers.feedback(runs).filter(feedback=mode).iter_rows(named=True)
        assert (given["texts"], given["leaks"]) == (result.feedbacks, result.leaks)
        assert cost["solved"] == 2


def test_trials_known_and_missing_are_all_trials_at_every_attempt(runs: Runs) -> None:
    table = accuracy_table.accuracy(runs).filter(feedback="binary")
    # p4 failed and p5 never ran; p1 failed after three attempts, all of which are known.
    assert table["n"].to_list() == [4, 4, 4]
    assert (table["n"] + table["missing"]).to_list() == [6, 6, 6]
    (said,) = [line for line in gaps(runs) if "binary" in line and "are missing" in line]
    assert said.endswith("3 of 6 trials are missing (2 failed, 1 not ended).")


def test_a_trial_refused_at_its_first_request_counts_in_every_table(runs: Runs) -> None:
    ended = persistent.persistent(runs).filter(feedback="denial")
    assert set(ended["n"]) == {2}
    assert ended.filter(ending="refusal")["count"].item() == 1
    (row,) = spending.solved_within(runs, (10_000,)).filter(feedback="denial").iter_rows(named=True)
    assert (row["solved"], row["short"], row["n"]) == (pytest.approx(2 / 4), 2, 4)


def test_problems_compared_and_missing_are_all_problems(runs: Runs) -> None:
    for row in comparison.pairs(runs).iter_rows(named=True):
        assert (row["n"], row["missing"]) == (3, 3)


def test_repetition_is_said_of_the_second_attempts_that_are_known(runs: Runs) -> None:
    """Of three trials wrong at first, refused at once or not, two made a second attempt."""
    (row,) = accuracy_table.summary(runs).filter(feedback="denial").iter_rows(named=True)
    assert (row["wrong_first"], row["second_attempts"]) == (3, 2)
    (said,) = [line for line in findings(runs) if "after denial feedback" in line]
    assert "n = 2 trials" in said


def test_a_condition_with_fewer_attempts_has_its_end_too(tmp_path: Path) -> None:
    """A challenge of right answers has as many attempts as rounds, others may have more."""
    run = write_run(tmp_path / "run", ARMS, problems=6)
    with sqlite3.connect(run / "journal.sqlite") as db:
        db.execute("UPDATE conditions SET iterations = 4 WHERE feedback = 'binary'")
    drawn = figures.ends(load_runs([run]))
    assert drawn is not None
    assert set(drawn.table["feedback"]) == {"binary", "denial"}


def test_the_view_has_the_intervals_of_results_where_problems_share_a_passage(
    tmp_path: Path,
) -> None:
    arm = trials(*[(RIGHT,), ("a", RIGHT), ("a", "b", "c"), ("a", IN_FLIGHT)] * 6)
    run = write_run(tmp_path / "run", {"binary": arm}, problems=24)
    with sqlite3.connect(run / "journal.sqlite") as db:
        db.execute(
            "INSERT INTO clusters SELECT task, problem_id, 'passage ' || (rowid % 4) FROM problems"
        )
    (result,) = read_results(run)
    with sqlite3.connect(run / "journal.sqlite") as db:
        db.row_factory = sqlite3.Row
        make_index(db)
        (condition,) = read_conditions(db)
        assert read_numbers(db, 1, condition).curve == result.curve


def test_feedback_of_two_teachers_stays_apart_in_uptake(tmp_path: Path) -> None:
    friction(
        "run", "decimal_multiplication", "--digits", "2", "--solver", "student/default",
        "--feedback", "strong", "--feedback", "retry", "--feedback-model", "student/keen",
        "--feedback-model", "student/default", "--limit", "12", "--iterations", "2",
        "--out", tmp_path / "run", "--quiet",
    )  # fmt: skip
    runs = load_runs([tmp_path / "run"])
    names = comparison.gains(runs)["feedback"].to_list()
    assert comparison.uptake(runs)["feedback"].to_list() == names
    assert len({*names}) == len(names) == 2
    found = json.loads(friction("results", tmp_path / "run", "--json").stdout)["conditions"]
    values = [each["uptake"][0]["right"]["treatment"] for each in found if each["uptake"]]
    assert comparison.uptake(runs).select(pl.col("right")).to_series().to_list() == values


# p0 fails three times at first, p1 once: trials do not weigh the same as problems.
UNEQUAL = {
    ("p0", 0): ("a", "b"),
    ("p0", 1): ("a", "b"),
    ("p0", 2): ("a", RIGHT),
    ("p1", 0): ("a", RIGHT),
}
OTHER = {("p0", 0): ("a", "a"), ("p0", 1): ("a", "b"), ("p0", 2): ("a", "b"), ("p1", 0): ("a", "a")}


def test_shares_and_their_difference_weigh_problems_alike(tmp_path: Path) -> None:
    arms = {
        "binary, greedy, transcript": OTHER, "binary, greedy, clean": UNEQUAL,
        "partial:0": OTHER, "partial:1": UNEQUAL,
    }  # fmt: skip
    runs = load_runs([write_run(tmp_path / "run", arms, problems=2, epochs=3, iterations=2)])
    by_way = {row["history"]: row for row in histories.histories(runs).iter_rows(named=True)}
    assert by_way["clean"]["right"] == pytest.approx((1 / 3 + 1) / 2)
    for name in ("right", "repeated"):
        gap = by_way["clean"][name] - by_way["transcript"][name]
        assert by_way["clean"][f"{name}_less"] == pytest.approx(gap)
    none, *_, most = dose_response.doses(runs).iter_rows(named=True)
    assert most["effect"] == pytest.approx(most["right"] - none["right"])
    assert most["right"] == pytest.approx(most["fitted"])
    (row,) = (
        spending.solved_within(runs, (10_000,)).filter(feedback="partial:1").iter_rows(named=True)
    )
    last = accuracy_table.accuracy(runs).filter(feedback="partial:1", iteration=1)["accuracy"]
    assert row["solved"] == pytest.approx(last.item())


def test_what_an_export_leaves_out_is_said(directory: Path, tmp_path: Path) -> None:
    """The reference format has trials that ended; one failed after three attempts."""
    said = friction("export", directory, "--to", "jsonl", "--out", tmp_path / "a.jsonl").stdout
    assert "left out: 3 attempts of trials that failed or have not ended" in said


def test_overlap_and_sentences_do_not_depend_on_the_order_of_runs(tmp_path: Path) -> None:
    def run(name: str, solver: str, *scripts: tuple[str, ...]) -> Path:
        arm = {"binary": trials(*scripts), "binary, heat": trials(*scripts)}
        return write_run(tmp_path / name, arm, problems=3, solver=f"student/{solver}")

    wrong, right = ("a", "b", "c"), (RIGHT,)
    made = [
        run("one", "a", right, wrong, "stopped:policy"),
        run("two", "a", wrong, right, wrong),
        run("three", "b", wrong, wrong, wrong),
    ]
    tables = [solvers.overlap_summary(load_runs(order)) for order in (made, made[::-1])]
    # Student a fails on p2 alone, in every run that asked it.
    assert [table["all"].to_list() for table in tables] == [[1, 1], [1, 1]]
    said = [line for line in findings(load_runs(made)) if "that any of" in line]
    assert len({line.partition(":")[0] for line in said}) == len(said) == 2
    assert "decimal_multiplication (5 digits), binary (heat)" in said[1]
    (stopped,) = {line for line in gaps(load_runs(made)) if "binary | greedy" in line}
    assert "1 trials stopped early (policy) in one;" in stopped
