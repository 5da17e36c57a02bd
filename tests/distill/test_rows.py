"""What a method trains on: own corrections, a control of as many, every problem alike."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands import friction
from feedback_friction.bridges.turns import Selected
from feedback_friction.distill.asked import FIRST
from feedback_friction.distill.training_rows import drawn, rows_for


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("draws") / "run"
    friction(
        *("run", "decimal_multiplication", "--digits", 3, "--limit", 40, "--iterations", 3),
        *("--solver", "student/ability=0.5", "--temperature", 1, "--epochs", 2, "--quiet"),
        *("--feedback", "tutor", "--feedback", "retry", "--out", folder),
    )
    return folder


def rows(run, method, seed=0):
    return rows_for(method, run, Selected(), seed, Counter())


def test_the_loss_is_that_of_a_reply_after_feedback(run):
    found = rows(run, "sft")
    assert found
    for row in found:
        assert [each["role"] for each in row["completion"]] == ["assistant"]
        assert row["iteration"] > 0
        assert "feedback" in row["prompt"][-1]["content"].lower()


def test_the_control_is_as_many_first_answers_without_feedback(run):
    corrected, control = rows(run, "sft"), rows(run, FIRST)
    assert len(control) == len(corrected)
    for row in control:
        assert row["iteration"] == 0
        assert "feedback" not in row["prompt"][-1]["content"].lower()
    places = [(row["problem_id"], row["epoch"]) for row in control]
    assert len(places) == len(set(places))
    assert rows(run, FIRST, seed=1) != control


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 99)), min_size=1, max_size=30),
    st.integers(1, 100),
    st.integers(0, 9),
)
def test_every_problem_is_drawn_as_often(pairs, count, seed):
    given_rows = [{"task": "t", "problem_id": str(p), "n": n} for p, n in pairs]
    found = drawn(given_rows, count, seed)
    assert len(found) == count
    assert all(row in given_rows for row in found)
    times = Counter(row["problem_id"] for row in found)
    often = [times[str(p)] for p in {p for p, _ in pairs}]
    assert max(often) - min(often) <= 1
    assert found == drawn(given_rows, count, seed)
