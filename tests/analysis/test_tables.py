"""The tables against runs small enough to count by hand."""

import math

import polars as pl
import pytest

from feedback_friction.analysis.frames import load_runs
from feedback_friction.analysis.stats.intervals import wilson
from feedback_friction.analysis.tables import accuracy_table, answers, comparison, problems, solvers
from feedback_friction.errors import UsageError
from journals import NOTHING, RIGHT, trials, write_run

BINARY = trials((RIGHT,), ("a", RIGHT), ("a", "a", "b"), ("a", NOTHING, "a"))
RETRY = trials((RIGHT,), ("a", "a", "a"), ("a", "a", "b"), ("a", "a", "a"))
EVERY = [
    accuracy_table.accuracy, accuracy_table.correction, answers.moves,
    answers.moves_by_iteration, answers.feedback, answers.cost, comparison.pairs,
    comparison.gains, comparison.uptake,
    comparison.solvers, problems.subjects, problems.confidence, problems.confidence_summary,
    problems.popularity, solvers.overlap_summary, solvers.overlap_sets,
]  # fmt: skip


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    directory = tmp_path_factory.mktemp("runs") / "run"
    return load_runs([write_run(directory, {"retry": RETRY, "binary": BINARY})])


def of(table, feedback="binary"):
    return table.filter(pl.col("feedback") == feedback)


def test_accuracy_is_the_share_solved_so_far(runs):
    table = of(accuracy_table.accuracy(runs))
    assert table["accuracy"].to_list() == [0.25, 0.5, 0.5]
    assert table["n"].to_list() == [4, 4, 4]
    assert table["missing"].to_list() == [0, 0, 0]
    low, high = table.row(1, named=True)["accuracy_low"], table.row(1, named=True)["accuracy_high"]
    assert (low, high) == pytest.approx((wilson(2, 4).low, wilson(2, 4).high))


def test_hazard_counts_the_attempts_at_risk(runs):
    table = of(accuracy_table.correction(runs))
    assert table["at_risk"].to_list() == [4, 3, 2]
    assert table["hazard"].to_list() == pytest.approx([1 / 4, 1 / 3, 0])
    assert table["unsolved"].to_list() == pytest.approx([3 / 4, 1 / 2, 1 / 2])


def test_moves_compare_each_retry_with_those_before(runs):
    table = of(answers.moves(runs))
    counts = dict(table.select("move", "count").iter_rows())
    # p1: right; p2: the same, then new; p3: no answer, then back to the first.
    assert counts == {
        "correct": 1, "same wrong answer": 1, "new wrong answer": 1, "no-answer": 1,
        "back to an old answer": 1,
    }  # fmt: skip
    assert set(table["n"]) == {5}
    assert table["repetition"][0] == pytest.approx(2 / 5)


def test_moves_by_iteration_add_up_to_the_moves(runs):
    split = answers.moves_by_iteration(runs).group_by("feedback", "move").agg(pl.col("count").sum())
    whole = answers.moves(runs).select("feedback", "move", "count")
    assert sorted(split.iter_rows()) == sorted(whole.iter_rows())


def test_gain_over_retry_is_paired(runs):
    (row,) = comparison.gains(runs).iter_rows(named=True)
    assert (row["feedback"], row["against"]) == ("binary", "retry")
    assert row["difference"] == pytest.approx(0.25)
    assert (row["only_treatment"], row["only_control"], row["n"]) == (1, 0, 4)
    assert row["p_value"] == row["p_holm"] == pytest.approx(0.5)  # mid-p of one of one
    assert row["difference_low"] < 0 < row["difference_high"]


def test_uptake_is_the_second_attempt_after_failures_that_both_share(tmp_path):
    treated = trials((RIGHT,), ("a", RIGHT), ("a", RIGHT), ("a", "b", RIGHT), ("a", RIGHT))
    control = trials((RIGHT,), ("a", "b", RIGHT), ("a", RIGHT), ("a", "a", "a"), (RIGHT,))
    arms = {"retry": control, "binary": treated}
    (row,) = comparison.uptake(
        load_runs([write_run(tmp_path / "run", arms, problems=5)])
    ).iter_rows(named=True)
    # p1, p2 and p3 failed first under both; p0 under none, p4 under one.
    assert (row["n"], row["feedback"], row["against"]) == (3, "binary", "retry")
    assert (row["right"], row["control_right"]) == pytest.approx((2 / 3, 1 / 3))
    assert row["difference"] == pytest.approx(1 / 3)
    assert (row["only_treatment"], row["only_control"]) == (1, 0)


def test_uptake_needs_a_second_attempt(tmp_path):
    arms = {"retry": trials(("a",), (RIGHT,)), "binary": trials(("a",), (RIGHT,))}
    run = write_run(tmp_path / "run", arms, problems=2, iterations=1)
    assert comparison.uptake(load_runs([run])).is_empty()


def test_cost_counts_tokens_of_all_attempts(runs):
    row = of(answers.cost(runs)).row(0, named=True)
    assert (row["solved"], row["tokens"], row["tokens_per_solved"]) == (2, 9 * 15, 9 * 15 / 2)
    assert (row["cost_usd"], row["n"], row["missing"]) == (0.0, 4, 0)


def test_subjects_split_the_trials(runs):
    table = of(problems.subjects(runs))
    assert table.select("subject", "initial", "final", "n").rows() == [
        ("s0", 0.5, 0.5, 2), ("s1", 0.0, 0.5, 2),
    ]  # fmt: skip


def test_subjects_weigh_problems_as_accuracy_does_whatever_is_missing(tmp_path):
    """p0 is solved in all of three epochs; p2, of its subject, has one trial, and that is wrong."""
    arm = {("p0", epoch): (RIGHT,) for epoch in range(3)} | {("p2", 0): ("a", "b")}
    run = write_run(tmp_path / "run", {"binary": arm}, problems=3, epochs=3, iterations=2)
    found = load_runs([run])
    first = accuracy_table.accuracy(found).filter(pl.col("iteration") == 0)["accuracy"].to_list()
    assert problems.subjects(found)["initial"].to_list()[0] == first[0] == 0.5


def test_confidence_is_the_first_attempts(runs):
    (row,) = of(problems.confidence(runs)).filter(pl.col("problems") > 0).iter_rows(named=True)
    assert row["low"] <= math.exp(-0.5) <= row["high"]
    assert (row["initial"], row["gain"], row["few"]) == (0.25, pytest.approx(1 / 3), True)


def test_leaks_are_counted_by_text(tmp_path):
    leaky = write_run(tmp_path / "run", {"binary": BINARY}, leaks=("right",))
    row = answers.feedback(load_runs([leaky])).row(0, named=True)
    assert (row["texts"], row["leaks"], row["leaked"]) == (5, 5, 1.0)
    assert (row["length"], row["masked"]) == (len("Look again."), 1.0)


def test_trials_that_failed_or_never_ran_are_missing_everywhere(tmp_path):
    arm = trials((RIGHT,), "failed", ("a", "a", "a"))  # p3 never ran
    runs = load_runs([write_run(tmp_path / "run", {"binary": arm, "retry": RETRY})])
    for table in (accuracy_table.accuracy, accuracy_table.correction, answers.moves,
                  answers.feedback, answers.cost):  # fmt: skip
        assert set(of(table(runs))["missing"]) == {2}, table.__name__
    assert of(accuracy_table.accuracy(runs))["accuracy"].to_list() == [0.5, 0.5, 0.5]
    row = comparison.gains(runs).row(0, named=True)
    assert (row["n"], row["missing"]) == (2, 2)


def test_a_stopped_trial_is_unsolved_and_leaves_the_risk_set(tmp_path):
    arm = trials((RIGHT,), "stopped:context length", ("a", "b", RIGHT), ("a", "a", "a"))
    runs = load_runs([write_run(tmp_path / "run", {"binary": arm})])
    assert accuracy_table.accuracy(runs)["accuracy"].to_list() == [0.25, 0.25, 0.5]
    assert accuracy_table.correction(runs)["at_risk"].to_list() == [4, 2, 2]


def test_epochs_count_as_trials_of_one_problem(tmp_path):
    arm = trials((RIGHT,), ("a", RIGHT)) | trials((RIGHT,), ("a", "a", "a"), epoch=1)
    run = write_run(tmp_path / "run", {"binary": arm, "retry": arm}, problems=2, epochs=2)
    runs = load_runs([run])
    table = of(accuracy_table.accuracy(runs))
    assert table["accuracy"].to_list() == [0.5, 0.75, 0.75]
    assert table["n"].to_list() == [4, 4, 4]
    row = comparison.gains(runs).row(0, named=True)
    assert (row["difference"], row["n"], row["only_treatment"]) == (0.0, 2, None)


def test_solvers_are_compared_and_share_failures(tmp_path):
    one = write_run(tmp_path / "one", {"binary": BINARY}, solver="student/keen")
    other = write_run(
        tmp_path / "other",
        {"binary": trials(("a", "a", "a"), (RIGHT,), ("a", "a", "a"), (RIGHT,))},
        solver="student/stubborn",
    )
    runs = load_runs([one, other])
    row = comparison.solvers(runs).row(0, named=True)
    assert (row["difference"], row["only_treatment"], row["only_control"]) == (0.0, 1, 1)
    shared = solvers.overlap_summary(runs).row(0, named=True)
    assert (shared["all"], shared["union"], shared["ratio"]) == (1, 3, pytest.approx(1 / 3))
    sets = solvers.overlap_sets(runs)
    assert dict(sets.select("solvers", "count").iter_rows()) == {
        "student/keen, student/stubborn": 1, "student/keen": 1, "student/stubborn": 1,
    }  # fmt: skip


def test_across_pairs_equal_conditions_of_two_runs(tmp_path):
    one = write_run(tmp_path / "one", {"binary": BINARY, "retry": RETRY})
    other = write_run(tmp_path / "other", {"binary": RETRY, "retry": RETRY})
    table = comparison.across(load_runs([one, other]))
    assert table.select("feedback", "against", "difference").rows() == [
        ("binary", "binary", -0.25), ("retry", "retry", 0.0),
    ]  # fmt: skip


@pytest.mark.parametrize("table", EVERY, ids=lambda table: table.__name__)
def test_without_trials_a_table_keeps_its_columns(runs, tmp_path, table):
    empty = load_runs([write_run(tmp_path / "run", {"binary": {}})])
    assert table(empty).schema == table(runs).schema


def test_a_table_is_made_once_for_the_same_runs(runs):
    assert accuracy_table.accuracy(runs) is accuracy_table.accuracy(runs)
    again = load_runs(runs.directories)
    assert accuracy_table.accuracy(again) is not accuracy_table.accuracy(runs)
    assert accuracy_table.accuracy(again).equals(accuracy_table.accuracy(runs))


def test_no_directory_is_an_error():
    with pytest.raises(UsageError, match="no run directory given"):
        load_runs([])


def test_a_guesser_gains_nothing_over_a_control_that_cannot_exclude(tmp_path):
    """Four options: retry guesses among all, binary among those not yet called wrong."""
    guessed = trials(
        *[(RIGHT,)] * 50, *[("A", RIGHT)] * 50, *[("A", "B", RIGHT)] * 50, *[("A", "B", "C")] * 50
    )
    again = trials(
        *[(RIGHT,)] * 50, *[("A", RIGHT)] * 37, *[("A", "A", RIGHT)] * 28, *[("A", "B", "A")] * 85
    )
    run = write_run(
        tmp_path / "run", {"retry": again, "binary": guessed},
        problems=200, task="mmlu", digits=None, choices=("a", "b", "c", "d"),
    )  # fmt: skip
    [row] = comparison.gains(load_runs([run])).iter_rows(named=True)
    assert row["difference"] == pytest.approx(0.175)
    assert row["guess_low"] == pytest.approx(0)
    assert row["guess_high"] == pytest.approx(0.75 * (2 / 3 - 7 / 16))
    assert row["p_value"] > 0.5  # McNemar's test alone gives less than 0.001


def test_a_guesser_guesses_at_every_attempt_after_the_first(tmp_path):
    """After three guesses among the three options left none is missed; 37 of 64 among all four."""
    guessed = trials(*[("A", "B", "C", RIGHT)] * 40)
    again = trials(*[("A", "A", "B", RIGHT)] * 23, *[("A", "A", "B", "A")] * 17)
    run = write_run(
        tmp_path / "run", {"retry": again, "binary": guessed},
        problems=40, task="mmlu", digits=None, choices=("a", "b", "c", "d"), iterations=4,
    )  # fmt: skip
    [row] = comparison.gains(load_runs([run])).iter_rows(named=True)
    assert (row["guess_low"], row["guess_high"]) == pytest.approx((0, 1 - 37 / 64))
