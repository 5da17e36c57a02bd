"""Several feedback models in one run: a condition each, what each knows, and the run resumed."""

import json
import sqlite3

import pytest
from click.testing import CliRunner

from feedback_friction.cli.main import friction
from feedback_friction.engine.passes.reopen import Prompts
from feedback_friction.errors import UsageError

RUN = (
    "run", "decimal_multiplication", "--digits", "3", "--limit", "8", "--iterations", "3",
    "--solver", "student/ability=0.2", "--feedback", "strong", "--feedback", "strong:none",
    "--feedback", "self", "--feedback", "placebo:strong", "--quiet",
)  # fmt: skip
TEACHERS = ("--feedback-model", "student/keen", "--feedback-model", "student/stubborn")


def told(*words):
    return CliRunner().invoke(friction, [str(word) for word in words], catch_exceptions=False)


def conditions(done):
    found = json.loads(done.stdout)["conditions"]
    return {(each["feedback"], each["feedback_model"]): each for each in found}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("teachers") / "run"
    assert told(*RUN, *TEACHERS, "--out", out).exit_code == 0
    return out


def test_each_teacher_has_a_condition_of_its_own_and_self_feedback_has_one(run):
    found = conditions(told("results", run, "--json"))
    teachers = ("student/keen", "student/stubborn")
    taught = [(mode, each) for mode in ("strong", "strong:none") for each in teachers]
    placebos = [("placebo:strong", each) for each in teachers]
    assert set(found) == {*taught, *placebos, ("self", "student/ability=0.2")}
    assert len({tuple(each["accuracy"][:1]) for each in found.values()}) == 1


def test_what_a_teacher_wrote_is_its_own(run):
    with sqlite3.connect(run / "journal.sqlite") as db:
        texts = db.execute(
            "SELECT c.feedback_model, a.feedback"
            " FROM attempts a JOIN conditions c USING (condition)"
            " WHERE c.feedback = 'strong:none' AND a.feedback IS NOT NULL"
        ).fetchall()
    assert texts
    assert all(f"Simulated feedback by {teacher}" in text for teacher, text in texts)


def test_a_teacher_that_knows_nothing_is_told_neither_answer_nor_solution(run):
    prompts = Prompts(run)
    with sqlite3.connect(run / "journal.sqlite") as db:
        trials = db.execute(
            "SELECT DISTINCT a.condition, problem_id, epoch, c.feedback FROM attempts a"
            " JOIN conditions c USING (condition) WHERE c.feedback LIKE 'strong%'"
        ).fetchall()
    for condition, problem, epoch, feedback in trials:
        for sent in prompts.of(condition, problem, epoch):
            assert sent.proved
            if sent.request.role == "feedback":
                text = sent.request.messages[-1].content
                assert ("### Correct answer" in text) == (feedback == "strong")
                assert ("### Worked solution" in text) == (feedback == "strong")


def test_a_run_with_several_teachers_resumes_and_one_fewer_is_another_run(run):
    again = told(*RUN, *TEACHERS, "--out", run, "--json")
    assert again.exit_code == 0
    with pytest.raises(UsageError, match="feedback_model was"):
        told(*RUN, *TEACHERS[:2], "--out", run)


def test_reports_and_comparisons_tell_the_teachers_apart(run):
    told_apart = json.loads(told("compare", run, "--json").stdout)
    names = {row["treatment"] for row in told_apart} | {row["control"] for row in told_apart}
    assert "strong by student/keen, greedy" in names
    causes = json.loads(told("causes", run, "--json").stdout)
    assert {row["teacher"] for row in causes["teachers"]} == {"student/keen", "student/stubborn"}
    assert {row["feedback"] for row in causes["teachers"]} == {"strong", "strong:none"}


def test_knowledge_that_there_is_not_is_refused():
    with pytest.raises(UsageError, match="allowed: strong, strong:none, strong:answer"):
        told(*RUN[:-1], "--feedback", "strong:all", *TEACHERS)
