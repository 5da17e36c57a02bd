"""First answers and uptake before and after, against counts made by hand from the journals."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands import friction
from feedback_friction.analysis.distilled import outcome, subtracted
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.errors import UsageError


def made(folder, ability, seed):
    friction(
        *("run", "decimal_multiplication", "--digits", 3, "--limit", 40, "--iterations", 2),
        *("--solver", f"student/ability={ability}", "--seed", seed, "--quiet", "--out", folder),
        *("--feedback", "tutor", "--feedback", "retry"),
    )
    return folder


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """A student before, and a better one after, on the same problems; two seeds."""
    folder = tmp_path_factory.mktemp("distilled")
    return [
        (made(folder / f"before{seed}", 0.3, seed), made(folder / f"after{seed}", 0.6, seed))
        for seed in (0, 1)
    ]


def counted(directories, mode):
    """Right first answers and all of them; right second attempts and all of them."""
    found = [0, 0, 0, 0]
    for each in directories:
        with sqlite3.connect(each / "journal.sqlite") as db:
            rows = db.execute(
                "SELECT iteration, sum(is_correct), count(*) FROM attempts"
                " JOIN conditions USING (condition) WHERE feedback_ = ? GROUP BY iteration".replace(
                    "feedback_", "conditions.feedback"
                ),
                (mode,),
            ).fetchall()
        for iteration, right, count in rows:
            found[2 * iteration] += right
            found[2 * iteration + 1] += count
    return found


def test_shares_are_those_of_the_attempts(pairs):
    found = outcome(pairs)
    [uptake] = found.uptakes
    assert uptake.feedback == "tutor"
    for at, side in enumerate(("before", "after")):
        right, n, second, wrong = counted([pair[at] for pair in pairs], "tutor")
        first = getattr(found.first, side)
        assert first.n == n
        assert first.value == pytest.approx(right / n)
        seconds = getattr(uptake.right, side)
        assert seconds.n == wrong == n - right
        assert seconds.value == pytest.approx(second / wrong)
    assert found.first.difference.value > 0
    assert found.first.difference.low <= found.first.difference.value
    assert set(uptake.above) == {"retry"}


def test_a_solver_against_itself_has_changed_nothing(pairs):
    before = [pair[0] for pair in pairs]
    found = outcome([(each, each) for each in before])
    assert found.first.difference.value == 0
    assert found.uptakes[0].both.value == 0
    assert found.first.difference.low < 0 < found.first.difference.high


def test_runs_of_other_problems_are_refused(pairs):
    with pytest.raises(UsageError, match="in common"):
        outcome([(pairs[0][0], pairs[1][1])])


shares = st.integers(0, 50).map(lambda x: Estimate(x / 50, max(0, x / 50 - 0.1), x / 50, 50))


@given(shares, shares)
def test_a_difference_turned_round_has_its_limits_turned_round(one, other):
    there, back = subtracted(one, other), subtracted(other, one)
    assert there.value == -back.value
    assert there.low == pytest.approx(-back.high)
    assert there.low <= there.value <= there.high
