"""Solved within so many tokens, against runs small enough to count by hand."""

import json
import math
import sqlite3

import polars as pl
import pytest

from commands import friction
from feedback_friction.analysis.frames import load_runs
from feedback_friction.analysis.stats.differences import Discordance
from feedback_friction.analysis.stats.intervals import wilson
from feedback_friction.analysis.tables.spending import solved_within
from feedback_friction.report import adapting
from journals import NOTHING, RIGHT, trials, write_run

BINARY = trials((RIGHT,), ("a", RIGHT), ("a", "a", "b"), ("a", NOTHING, RIGHT))
RETRY = trials((RIGHT,), ("a", "a", "a"), ("a", "a", "b"), ("a", "a", "a"))
ATTEMPT, WRITING = 15, 7  # tokens


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    directory = tmp_path_factory.mktemp("runs") / "run"
    write_run(directory, {"binary": BINARY, "retry": RETRY})
    with sqlite3.connect(directory / "journal.sqlite") as db:  # as if a model had written it
        db.execute(
            "UPDATE attempts SET feedback_prompt_tokens = 5, feedback_completion_tokens = 2 "
            "WHERE feedback IS NOT NULL"
        )
    return directory


def at(table, tokens, feedback="binary"):
    return table.filter(pl.col("tokens") == tokens, pl.col("feedback") == feedback).row(
        0, named=True
    )


def test_tokens_count_to_the_end_of_the_right_attempt_with_the_feedback_before_it(run):
    second, third = 2 * ATTEMPT + WRITING, 3 * ATTEMPT + 2 * WRITING
    levels = (ATTEMPT - 1, ATTEMPT, second - 1, second, third - 1, third)
    table = solved_within(load_runs([run]), levels)
    assert [at(table, level)["solved"] for level in levels] == [0, 0.25, 0.25, 0.5, 0.5, 0.75]
    row = at(table, second)
    assert (row["solved_low"], row["solved_high"]) == pytest.approx(
        (wilson(2, 4).low, wilson(2, 4).high)
    )


def test_trials_that_ended_unsolved_below_the_level_are_counted_apart(run):
    table = solved_within(load_runs([run]), (3 * ATTEMPT, 3 * ATTEMPT + 1))
    # retry has no feedback: three of its trials end at 45 tokens, which is not below 45
    assert [at(table, level, "retry")["short"] for level in (45, 46)] == [0, 3]
    assert at(table, 45, "retry")["solved"] == 0.25


def test_the_difference_is_paired_and_against_the_first_condition(run):
    table = solved_within(load_runs([run]), (1000,))
    row = at(table, 1000, "retry")
    assert (row["against"], row["difference"]) == ("binary", -0.5)
    limits = Discordance(4, more=0.0, less=0.5).interval()
    assert (row["difference_low"], row["difference_high"]) == pytest.approx(
        (limits.low, limits.high)
    )
    assert math.isnan(at(table, 1000)["difference"])


def test_two_runs_stand_beside_each_other(run, tmp_path):
    other = write_run(tmp_path / "other", {"retry": RETRY}, iterations=3)
    table = solved_within(load_runs([run, other]), (1000,))
    assert table.select("run", "feedback", "difference").rows()[1:] == [
        (0, "retry", -0.5), (1, "retry", -0.5),
    ]  # fmt: skip


def test_without_levels_they_cover_what_the_trials_took(run):
    levels = solved_within(load_runs([run]))["tokens"].unique().sort().to_list()
    assert levels[0] == ATTEMPT
    assert 3 * ATTEMPT < levels[-1] <= 3 * ATTEMPT + 2 * WRITING


def test_a_line_of_the_figure_ends_where_trials_had_no_more_attempts(run):
    drawn = adapting.equal_cost(load_runs([run])).table
    assert drawn.filter(pl.col("feedback") == "retry")["tokens"].max() <= 3 * ATTEMPT
    assert drawn.filter(pl.col("feedback") == "binary")["tokens"].max() > 3 * ATTEMPT


def test_the_command_prints_it_and_refuses_levels_that_are_none(run):
    said = friction("results", run, "--within", "15,59").stdout
    assert "at most 59 tokens" in said
    assert "75.0 [" in said
    assert "SIMULATION" in said  # the solver's name is a student's
    found = json.loads(friction("results", run, "--within", "15", "--json").stdout)["within"]
    assert [each["solved"] for each in found] == [0.25, 0.25]
    assert found[0]["difference"] is None
    assert "whole numbers from 1" in friction("results", run, "--within", "0,5", code=2).stderr
