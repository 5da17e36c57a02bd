"""Labelling a run: resumable, cached, sampled as estimators assume, honest about failure."""

import asyncio
import json
import shutil
import sqlite3

import pytest

from feedback_friction.engine.models.base import TransientError
from feedback_friction.engine.models.student import StudentModel
from feedback_friction.engine.passes.judging import Annotating, annotate_run
from feedback_friction.engine.run import launch as module
from feedback_friction.errors import RunStoppedError, UsageError
from feedback_friction.labels import Labels, read_labels
from feedback_friction.problem import Problem
from feedback_friction.protocol.records import Completion, Reply, Usage
from unsolved import HOSTILE, label, make_hostile, make_run

GOOD = '{"reason": "r", "round": 1, "category": "feedback not followed"}'
STUDENT = Annotating("student/default")


class Judge:
    """A judge by script: ``answer`` gives a text or raises."""

    name = identity = "openai/judge"
    simulated = False

    def __init__(self, answer):
        self.answer, self.requests = answer, []

    async def check(self):
        pass

    async def close(self):
        pass

    async def generate(self, request):
        self.requests.append(request)
        text = self.answer(request, len(self.requests))
        return Completion((Reply(text),), Usage(100, 10), 0.1, "judge-1")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_run(
        tmp_path_factory.mktemp("annotate") / "run", feedback=("self", "binary", "retry")
    )


@pytest.fixture
def run(made, tmp_path):
    return shutil.copytree(made, tmp_path / "run")


@pytest.fixture
def judge(monkeypatch):
    """Label with a judge by script."""

    def use(directory, answer, **asked):
        judge = Judge(answer)
        monkeypatch.setattr(module, "open_models", lambda wanted: {"judge": judge})
        found = asyncio.run(annotate_run(directory, Annotating("openai/judge", **asked)))
        return found, judge.requests

    return use


def unsolved(directory):
    """Trials that stayed unsolved, by condition, those without feedback left out."""
    with sqlite3.connect(directory / "journal.sqlite") as db:
        rows = db.execute(
            "SELECT condition, count(*) FROM trials WHERE status = 'unsolved'"
            " AND condition NOT LIKE '%retry%' GROUP BY condition"
        ).fetchall()
    return dict(rows)


def test_every_unsolved_trial_with_feedback_is_labelled_and_no_other(run):
    found = asyncio.run(annotate_run(run, STUDENT))
    labels = read_labels(run)
    counts = unsolved(run)
    assert {name: tally.labelled for name, tally in found.tallies.items()} == counts
    assert len(labels) == sum(counts.values()) > 10
    assert found.failed == found.left == 0
    assert {(each.kind, each.annotator, each.simulated) for each in labels} == {
        ("judge", "student/default", 1)
    }
    assert found.simulated
    assert not any("retry" in each.condition for each in labels)


def test_the_student_as_judge_names_the_causes_that_were_planted(run):
    asyncio.run(annotate_run(run, STUDENT))
    solver = StudentModel("student/stubborn")
    said = {(each.condition, each.problem_id): each.raw for each in read_labels(run)}
    for (condition, problem), cause in said.items():
        resists = solver.resists(Problem(problem, "decimal_multiplication", "", ""))
        unlucky = "feedback wrong" if "binary" in condition else "too complicated"
        assert cause == ("feedback not followed" if resists else unlucky)
    assert set(said.values()) > {"feedback not followed"}


def test_a_judge_that_errs_names_another_cause_as_often_as_it_is_told_to(run):
    asyncio.run(annotate_run(run, STUDENT))
    asyncio.run(annotate_run(run, Annotating("student/misjudge=1")))
    said = {}
    for each in read_labels(run):
        said.setdefault(each.annotator, {})[each.trial] = each.raw
    right, wrong = said["student/default"], said["student/misjudge=1"]
    assert right.keys() == wrong.keys()
    assert all(right[trial] != wrong[trial] for trial in right)


def test_asking_again_makes_no_call_and_changes_no_label(run):
    first = asyncio.run(annotate_run(run, STUDENT))
    before = [(each.trial, each.raw, each.reason) for each in read_labels(run)]
    again = asyncio.run(annotate_run(run, STUDENT))
    assert first.progress.spent.calls == len(before)
    assert (again.progress.spent.calls, again.progress.spent.reused) == (0, len(before))
    assert [(each.trial, each.raw, each.reason) for each in read_labels(run)] == before


def test_labels_that_were_lost_come_back_from_the_journal(run):
    asyncio.run(annotate_run(run, STUDENT))
    before = len(read_labels(run))
    for file in run.glob("annotations.sqlite*"):
        file.unlink()
    assert asyncio.run(annotate_run(run, STUDENT)).progress.spent.calls == 0
    assert len(read_labels(run)) == before


def test_after_a_crash_only_what_is_missing_is_asked(run, judge):
    def until_seventh(request, number):
        if number > 7:
            raise RunStoppedError("the server is gone")
        return GOOD

    with pytest.raises(RunStoppedError, match="gone"):
        judge(run, until_seventh, concurrency=1)
    assert len(read_labels(run)) == 7
    _, requests = judge(run, lambda request, number: GOOD)
    total = sum(unsolved(run).values())
    assert len(requests) == total - 7
    assert len(read_labels(run)) == total


def test_an_interrupted_pass_says_how_many_are_left(run):
    found = asyncio.run(annotate_run(run, STUDENT, watch=lambda watched: watched.caller.drain()))
    assert found.left == sum(unsolved(run).values())
    assert (found.progress.spent.calls, found.failed) == (0, 0)


def test_labels_that_cannot_be_written_stop_the_pass_with_one_line(run, monkeypatch):
    def full(labels, label):
        labels._db.execute("PRAGMA query_only = 1")
        put(labels, label)

    put = Labels.put
    monkeypatch.setattr(Labels, "put", full)
    with pytest.raises(RunStoppedError, match=r"cannot write .*annotations\.sqlite"):
        asyncio.run(annotate_run(run, STUDENT))
    assert read_labels(run) == []


def test_a_failed_call_leaves_the_trial_unlabelled_and_the_next_run_tries_it_again(run, judge):
    def every_third_fails(request, number):
        if number % 3 == 0:
            raise TransientError("HTTP 503 through all retries")
        return GOOD

    found, _ = judge(run, every_third_fails)
    total = sum(unsolved(run).values())
    assert found.failed == total // 3 > 0
    assert len(read_labels(run)) == total - found.failed
    assert [*found.progress.reasons] == ["HTTP 503 through all retries"]
    assert judge(run, lambda request, number: GOOD)[0].failed == 0
    assert len(read_labels(run)) == total


def test_a_judge_that_cannot_be_read_labels_unknown_and_is_counted(run, judge):
    found, requests = judge(run, lambda request, number: HOSTILE["script"], sample=2)
    tallies = list(found.tallies.values())
    assert [(each.labelled, each.unreadable, each.raw["unknown"]) for each in tallies] == [
        (2, 2, 2)
    ] * 2
    assert len(requests) == 3 * 4
    assert len({(each.messages, each.seed) for each in requests}) == 3 * len(
        {each.messages for each in requests}
    )
    assert {(each.raw, each.category, each.malformed, each.round) for each in read_labels(run)} == {
        ("unknown", "other", 3, None)
    }


@pytest.mark.parametrize("text", [*HOSTILE.values(), "\ud800", "```" * 9999])
def test_a_hostile_reason_is_kept_as_text(run, judge, text):
    answer = json.dumps({"reason": f"r {text}", "round": 1, "category": "impossible"})
    judge(run, lambda request, number: answer[:100_000], sample=1)
    for each in read_labels(run):
        assert each.raw in ("impossible", "unknown")


def test_a_judge_reads_hostile_trials(run, judge):
    make_hostile(run)
    found, requests = judge(run, lambda request, number: GOOD)
    assert found.failed == 0
    shown = json.loads(requests[0].messages[1].content)["rounds"][0]["answer"]
    assert HOSTILE["script"] in shown
    assert len(shown) < 20_000


def test_the_judge_reads_the_first_rounds_only(run, judge):
    _, requests = judge(run, lambda request, number: GOOD, rounds=2, sample=1)
    for request in requests:
        rounds = json.loads(request.messages[1].content)["rounds"]
        assert [each["round"] for each in rounds] == [1, 2]
        assert all(each["feedback"] for each in rounds)
    assert {each.annotator for each in read_labels(run)} == {"openai/judge (2 rounds)"}


def sampled(directory, **asked):
    asyncio.run(annotate_run(directory, Annotating("student/default", **asked)))
    trials = {each.trial for each in read_labels(directory)}
    for file in directory.glob("annotations.sqlite*"):
        file.unlink()
    return trials


def test_a_sample_is_drawn_in_each_condition_is_stable_and_grows(run):
    three, again, five = (sampled(run, sample=size) for size in (3, 3, 5))
    conditions = [condition for condition, _, _ in three]
    assert {conditions.count(condition) for condition in set(conditions)} == {3}
    assert len(set(conditions)) == 2
    assert three == again
    assert three < five
    assert sampled(run, sample=3, seed=1) != three


def test_several_judges_label_the_same_trials(run):
    for spec in ("student/default", "student/keen"):
        asyncio.run(annotate_run(run, Annotating(spec)))
    labels = read_labels(run)
    assert len(labels) == 2 * len({each.trial for each in labels})


@pytest.mark.parametrize(
    ("asked", "match"),
    [
        ({"sample": 0}, "--sample"),
        ({"rounds": 0}, "--rounds"),
        ({"concurrency": 0}, "--concurrency"),
        ({"judge_model": "nobody"}, "unknown model provider"),
        ({"judge_base_urls": ("http://x",)}, "takes no base URL"),
    ],
)
def test_a_wrong_command_is_one_line_and_labels_nothing(run, asked, match):
    with pytest.raises(UsageError, match=match):
        asyncio.run(annotate_run(run, Annotating(**{"judge_model": "student/default"} | asked)))
    assert read_labels(run) == []


def test_a_directory_that_holds_no_run_is_refused(tmp_path):
    with pytest.raises(UsageError, match="not a run directory"):
        asyncio.run(annotate_run(tmp_path, STUDENT))
    assert list(tmp_path.iterdir()) == []


def test_a_judge_cannot_overwrite_a_persons_labels(run):
    with Labels(run) as labels:
        labels.put(label("c", "p", "student/default", "other", kind="person"))
    with pytest.raises(UsageError, match="a person"):
        asyncio.run(annotate_run(run, STUDENT))
