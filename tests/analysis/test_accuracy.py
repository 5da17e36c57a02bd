"""``friction results`` and the report: one estimate, one interval."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from random import Random

import polars as pl
import pytest

from commands import friction
from feedback_friction.analysis.accuracy_by_attempt import read_results
from feedback_friction.analysis.frames import load_runs
from feedback_friction.analysis.stats.intervals import modified_wilson
from feedback_friction.analysis.tables import accuracy_table
from journals import IN_FLIGHT, NOTHING, RIGHT, trials, write_run

Script = tuple[str | None, ...] | str


def _drawn(rng: Random, problems: int, epochs: int) -> dict[tuple[str, int], Script]:
    """Trials of problems of different difficulty; some failed, some stopped, some never ran."""
    arm: dict[tuple[str, int], Script] = {}
    for problem in range(problems):
        chance = rng.random()
        for epoch in range(epochs):
            answers = ["a", "b", "c"]
            if rng.random() < chance:
                at = rng.randrange(3)
                answers[at:] = [RIGHT]
            kinds = ["failed", "stopped:refused", "", *[tuple(answers)] * 12]
            if kind := rng.choice(kinds):
                arm[f"p{problem}", epoch] = kind
    return arm


@pytest.mark.slow
@pytest.mark.parametrize(("problems", "epochs"), [(1, 3), (2, 3), (5, 2), (30, 3), (40, 1)])
def test_results_and_report_agree_to_the_last_digit_missing_trials_or_not(
    tmp_path: Path, problems: int, epochs: int
) -> None:
    rng = Random(problems)
    for number in range(4):
        arms = {mode: _drawn(rng, problems, epochs) for mode in ("binary", "retry")}
        run = write_run(tmp_path / f"{number}", arms, problems=problems, epochs=epochs)
        table = accuracy_table.accuracy(load_runs([run]))
        for result in read_results(run):
            rows = table.filter(pl.col("feedback") == result.condition.feedback)
            rows = rows.sort("iteration").filter(pl.col("accuracy").is_not_nan())
            assert tuple(rows["accuracy"]) == result.accuracy
            assert tuple(rows["accuracy_low"]) == tuple(each.low for each in result.curve)
            assert tuple(rows["accuracy_high"]) == tuple(each.high for each in result.curve)
            assert set(rows["n"]) == ({result.n} if result.n else set())


@pytest.mark.slow
def test_results_and_report_agree_as_a_user_meets_them(tmp_path: Path) -> None:
    friction(
        "run", "decimal_multiplication", "--digits", "2", "--solver", "student/default",
        "--limit", "15", "--epochs", "3", "--feedback", "binary", "--temperature", "0.7",
        "--iterations", "4", "--quiet", "--out", tmp_path / "run",
    )  # fmt: skip
    [found] = json.loads(friction("results", tmp_path / "run", "--json").stdout)["conditions"]
    friction("report", tmp_path / "run", "--out", tmp_path / "report")
    table = pl.read_csv(tmp_path / "report" / "tables" / "accuracy.csv").sort("iteration")
    assert found["n"] == 45
    names = {"accuracy": "accuracy", "ci_low": "accuracy_low", "ci_high": "accuracy_high"}
    for name, column in names.items():
        assert found[name] == table[column].to_list()
    apart = modified_wilson(round(45 * found["accuracy"][-1]), 45)
    assert found["ci_low"][-1] < apart.low  # three epochs of a problem are no three problems


def test_with_one_epoch_the_interval_is_wilsons(tmp_path: Path) -> None:
    arm = trials(*[(RIGHT,)] * 3, *[("a", RIGHT)] * 4, *[("a", "a", "b")] * 6)
    [result] = read_results(write_run(tmp_path / "run", {"binary": arm}, problems=13))
    for k, solved in enumerate((3, 7, 7)):
        limits = modified_wilson(solved, 13)
        assert result.accuracy[k] == solved / 13
        assert (result.curve[k].low, result.curve[k].high) == pytest.approx(
            (limits.low, limits.high)
        )


def test_a_problem_with_fewer_epochs_counts_as_much_as_any_other(tmp_path: Path) -> None:
    arm = {("p0", 0): (RIGHT,), **{("p1", epoch): ("a", "a", "a") for epoch in range(3)}}
    [result] = read_results(write_run(tmp_path / "run", {"binary": arm}, problems=2, epochs=3))
    assert (result.n, result.missing) == (4, 2)
    assert result.accuracy == (0.5, 0.5, 0.5)


def _interrupted(directory: Path) -> Path:
    """Ten problems begun: four solved at once, six in flight, of which one has been told twice."""
    flying = [("a", IN_FLIGHT)] * 5 + [("a", "b", IN_FLIGHT)]
    arm = trials(*[(RIGHT,)] * 4, *flying)
    return write_run(directory, {"binary": arm, "retry": arm}, problems=12)


def test_an_interrupted_run_is_read_from_all_its_attempts(tmp_path: Path) -> None:
    result = read_results(_interrupted(tmp_path / "run"))[0]
    assert (result.n, result.missing, result.in_flight) == (4, 8, 6)
    assert [each.n for each in result.curve] == [10, 5, 4]
    assert result.accuracy == (0.4, 0.4, 0.4)
    assert result.curve[2].high == 1.0
    assert result.provisional


@pytest.mark.slow
def test_everything_that_prints_numbers_of_an_interrupted_run_says_so(tmp_path: Path) -> None:
    run = _interrupted(tmp_path / "run")
    assert "PROVISIONAL: 16 trials have not ended" in friction("results", run).stdout
    assert "PROVISIONAL: 16 trials have not ended" in friction("compare", run).stdout
    found = json.loads(friction("results", run, "--json").stdout)["conditions"]
    assert all(condition["provisional"] for condition in found)
    assert all(row["provisional"] for row in json.loads(friction("compare", run, "--json").stdout))
    friction("report", run, "--out", tmp_path / "report")
    page = (tmp_path / "report" / "index.html").read_text("utf-8")
    assert "16 trials of run have not ended. Its numbers cover the first 1 of 3 attempts" in page


def test_a_run_that_has_ended_is_not_provisional(tmp_path: Path) -> None:
    arm = trials((RIGHT,), ("a", "a", "a"), "failed")
    [result] = read_results(write_run(tmp_path / "run", {"binary": arm}, problems=3))
    assert not result.provisional
    assert result.missing == 1


def test_tables_of_an_interrupted_run_stand_on_what_every_trial_begun_knows(
    tmp_path: Path,
) -> None:
    runs = load_runs([_interrupted(tmp_path / "run")])
    assert set(runs.conditions["iterations"]) == {1}
    assert set(runs.attempts["iteration"]) == {0}
    table = accuracy_table.accuracy(runs)
    assert table["accuracy"].to_list() == [0.4, 0.4]
    assert table["n"].to_list() == [10, 10]


def test_replies_without_an_answer_and_cut_off_are_counted_and_warned_of(tmp_path: Path) -> None:
    arm = trials((RIGHT,), ("a", NOTHING, RIGHT))
    run = write_run(tmp_path / "run", {"binary": arm}, problems=2, finish_reason="length")
    [found] = json.loads(friction("results", run, "--json").stdout)["conditions"]
    assert (found["replies"], found["no_answer"], found["cut_off"]) == (4, 1, 4)
    shown = friction("results", run).stdout
    assert "contain no readable answer (see some with 'friction show'): binary (25%)" in shown
    assert "cut off at the token limit (raise --max-tokens): binary (100%)" in shown


def test_healthy_replies_are_not_warned_of(tmp_path: Path) -> None:
    arm = trials(*[("a", "b", "c")] * 3, (NOTHING, RIGHT))
    run = write_run(tmp_path / "run", {"binary": arm})
    shown = friction("results", run).stdout
    (row,) = [line for line in shown.splitlines() if line.startswith("binary")]
    assert "9.1" in row.split()  # of 11 replies one
    assert "WARNING" not in shown


def _lose(run: Path, problem: str) -> None:
    """Have a trial in flight fail."""
    with sqlite3.connect(run / "journal.sqlite") as db:
        db.execute(
            "INSERT OR REPLACE INTO trials SELECT condition, problem_id, epoch, 'failed',"
            " 'no server', count(*), '' FROM attempts WHERE problem_id = ?"
            " GROUP BY condition, problem_id, epoch",
            (problem,),
        )


def test_a_right_answer_stays_known_when_its_challenge_fails(tmp_path: Path) -> None:
    arm = trials(
        (RIGHT, RIGHT), (RIGHT, "a"), ("a", RIGHT, RIGHT), ("a", "b", "c"), (RIGHT, IN_FLIGHT)
    )
    run = write_run(tmp_path / "run", {"denial": arm}, problems=5)
    for status in ("in flight", "failed"):
        (found,) = read_results(run)
        assert found.accuracy[0] == pytest.approx(3 / 5), status
        assert found.accuracy[-1] == pytest.approx(4 / 5), status
        # Of what it would have said in the end nothing is known: the four others count.
        assert found.right_at_end.value == pytest.approx(2 / 4), status
        _lose(run, "p4")


def test_right_at_the_end_is_the_accuracy_where_nothing_is_challenged(tmp_path: Path) -> None:
    arm = trials((RIGHT,), ("a", RIGHT), ("a", "b", "c"), ("a", IN_FLIGHT), "refused:policy")
    run = write_run(tmp_path / "run", {"binary": arm}, problems=5)
    _lose(run, "p3")
    (found,) = read_results(run)
    assert found.right_at_end == found.curve[-1]
    assert found.right_at_end.value == pytest.approx(1 - (4 / 5) * (2 / 3))


def test_a_leak_after_a_right_answer_takes_nothing_back(tmp_path: Path) -> None:
    arm = trials((RIGHT, RIGHT), ("a", "b", "c"))
    run = write_run(tmp_path / "run", {"denial": arm}, problems=2)
    with sqlite3.connect(run / "journal.sqlite") as db:
        db.execute("UPDATE attempts SET leaks = '[\"7\"]' WHERE problem_id = 'p0'")
    (found,) = read_results(run)
    assert found.without_leaks.value == pytest.approx(1 / 2)


def test_the_csv_of_results_has_a_number_in_every_cell_that_holds_one(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", {"binary": trials((RIGHT,), ("a", RIGHT))}, problems=2)
    heading, row = friction("results", run, "--format", "csv").stdout.splitlines()
    assert "{" not in row
    found = dict(zip(heading.split(","), row.split(","), strict=True))
    assert found["right_at_end"] == "1"
    assert 0 < float(found["right_at_end_low"]) < 1 == float(found["right_at_end_high"])
