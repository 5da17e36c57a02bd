"""The places of a run: reproduced prompts equal those that were sent; halves and samples."""

from __future__ import annotations

import sqlite3

import pytest

from feedback_friction.engine.passes.reopen import Prompts
from feedback_friction.errors import UsageError
from feedback_friction.inside.places import OTHER, REPEATED, TAKEN_UP, find_places, trains
from unsolved import make_run

STUDENT = "student/ability=0.3,resistant=0.5"


def found(run, attempt=2, sample=None, seed=0):
    return find_places(Prompts(run), run, [STUDENT], attempt, sample, seed)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(
        tmp_path_factory.mktemp("inside") / "run", tasks=("primer",), limit=None,
        feedback=("hint", "binary", "retry"), iterations=4, history=("transcript", "chat"),
        solver=STUDENT,
    )  # fmt: skip


def test_a_thousand_prompts_are_those_that_were_sent(run):
    looked_at = [found(run, attempt) for attempt in (2, 3, 4)]
    assert sum(len(each.places) for each in looked_at) >= 1000
    assert not any(each.left_out for each in looked_at)


def test_what_became_of_the_feedback_is_told_by_the_verdicts(run):
    places = found(run, sample=60).places
    assert {each.outcome for each in places} == {TAKEN_UP, REPEATED, OTHER}
    for each in places:
        before, after = each.scene.attempts[each.scene.iteration - 1 :][:2]
        assert (each.outcome == TAKEN_UP) == after.verdict.is_correct
        if each.outcome == REPEATED:
            assert after.verdict.prediction == before.verdict.prediction


def test_retries_without_feedback_are_no_places(run):
    assert not any("retry" in each.condition for each in found(run, sample=9).places)


def test_a_larger_sample_holds_the_smaller_one(run):
    small, large = ({each.scene.problem.id for each in found(run, 2, n).places} for n in (5, 20))
    assert len(small) == 5
    assert small < large


def test_halves_are_of_problems_and_about_equal():
    assert 40 < sum(trains(f"{n}x7") for n in range(100)) < 60


def test_another_feedback_changes_the_prompt_and_nothing_else(run):
    place = found(run, 2, 3).places[0]
    other = place.told("Something else.")
    assert place.feedback in place.request.messages[-1].content
    assert other.request.messages[-1].content == place.request.messages[-1].content.replace(
        place.feedback, "Something else."
    )


def test_a_prompt_that_is_not_proved_is_left_out_and_counted(tmp_path):
    run = make_run(tmp_path / "run", limit=6, iterations=2, solver=STUDENT, feedback=("binary",))
    with sqlite3.connect(run / "journal.sqlite") as db:
        db.execute("UPDATE attempts SET feedback = feedback || ' (changed)'")
    db.close()
    with pytest.raises(UsageError, match=r"\d with prompts that the journal does not prove"):
        found(run)


@pytest.mark.parametrize(
    "asked", [{"feedback": ("retry",)}, {"feedback": ("binary",), "iterations": 1}]
)
def test_a_run_without_attempts_after_feedback_is_refused_in_one_line(tmp_path, asked):
    run = make_run(tmp_path / "run", limit=3, solver=STUDENT, **{"iterations": 3, **asked})
    with pytest.raises(UsageError, match="no attempt 2 after feedback"):
        found(run)
