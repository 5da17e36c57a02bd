"""Labelling on the page over HTTP: what is kept, what stays hidden, and what is refused."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from feedback_friction.errors import UsageError
from feedback_friction.labels import Labels, read_labels
from feedback_friction.view.labelling import Asked, choose_trials
from feedback_friction.view.server import LOCAL
from unsolved import label, make_run
from visiting import visit


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("labelling") / "run")


@pytest.fixture
def run(made, tmp_path):
    return shutil.copytree(made, tmp_path / "run")


def drive(directory, steps, **asked):
    """Run an asynchronous function of a page against a server that labels."""
    return visit(directory, steps=steps, labelling=Asked(**asked))


LABEL = {"trial": 0, "annotator": "Anna", "category": "quality", "comment": " vague "}


def judged(directory, judge="openai/judge", category="resistance"):
    """Have a judge label every trial of the run."""
    with Labels(directory) as labels:
        for trial in choose_trials(directory, Asked(every=True)):
            labels.put(label(trial.condition, trial.problem_id, judge, category, epoch=trial.epoch))


@pytest.mark.parametrize("origin", ["https://evil.example", "null", None, "http://127.0.0.1:1"])
def test_another_origin_is_refused(run, origin):
    async def steps(page):
        return await page.post("runs/run/label", LABEL, Origin=origin)

    assert drive(run, steps) == (403, {"error": "another origin"})
    assert read_labels(run) == []


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", None])
def test_anything_but_json_is_refused(run, kind):
    async def steps(page):
        return await page.post("runs/run/label", LABEL, **{"Content-Type": kind})

    assert drive(run, steps) == (415, {"error": "JSON is required"})
    assert read_labels(run) == []


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b"[" * 60_000,
        {**LABEL, "trial": "0"}, {**LABEL, "trial": True}, {**LABEL, "category": "nonsense"},
        {**LABEL, "category": ["quality"]}, {**LABEL, "category": None},
        {**LABEL, "annotator": ""}, {**LABEL, "annotator": "a\nb"}, {**LABEL, "annotator": 7},
        {**LABEL, "annotator": "n" * 61}, {**LABEL, "comment": "c" * 10_001}, {"trial": 0},
    ],
)  # fmt: skip
def test_a_malformed_label_is_refused_with_a_reason(run, body):
    async def steps(page):
        return await page.post("runs/run/label", body)

    status, answer = drive(run, steps)
    assert status == 400
    assert answer["error"]
    assert read_labels(run) == []


@pytest.mark.parametrize("index", [12, 10**6])
def test_a_trial_that_is_not_there_is_not_found(run, index):
    async def steps(page):
        posted, _ = await page.post("runs/run/label", {**LABEL, "trial": index})
        return posted, (await page.get(f"runs/run/label?trial={index}"))[0]

    assert drive(run, steps) == (404, 404)


def test_a_body_that_is_too_large_is_refused(run):
    async def steps(page):
        return (await page.post("runs/run/label", {**LABEL, "comment": "c" * 200_000}))[0]

    assert drive(run, steps) == 413


def test_a_label_is_kept_at_once(run):
    async def steps(page):
        answer = await page.post("runs/run/label", LABEL)
        return answer, read_labels(run), await page.get_json("runs/run/labels?annotator=Anna")

    (status, answer), [kept], session = drive(run, steps)
    assert status == 200
    assert answer == {"mine": {"category": "quality", "comment": "vague"}, "others": []}
    assert (kept.annotator, kept.kind, kept.category, kept.raw) == (
        "Anna",
        "person",
        "quality",
        None,
    )
    assert kept.reason == "vague"
    assert [each["category"] for each in session["trials"]].count("quality") == 1
    assert session["known"] == ["Anna"]


def test_what_others_said_is_not_sent_before_the_person_has_labelled(run):
    judged(run)

    async def steps(page):
        before = await page.get_json("runs/run/label?trial=0&annotator=Anna")
        await page.post("runs/run/label", LABEL)
        return (
            before,
            await page.get_json("runs/run/label?trial=0&annotator=Anna"),
            await page.get_json("runs/run/label?trial=0&annotator=Ben"),
        )

    before, after, other = drive(run, steps)
    assert (before["mine"], before["others"]) == (None, [])
    assert [each["annotator"] for each in after["others"]] == ["openai/judge"]
    assert (other["mine"], other["others"]) == (None, [])
    assert "openai/judge" not in json.dumps(before) + json.dumps(other)


def test_a_label_changed_after_the_reveal_keeps_its_blind_category(run):
    judged(run)

    async def steps(page):
        await page.post("runs/run/label", LABEL)
        await page.post("runs/run/label", {**LABEL, "category": "resistance"})

    drive(run, steps)
    [mine] = [each for each in read_labels(run) if each.kind == "person"]
    assert (mine.category, mine.blind) == ("resistance", "quality")


def test_a_slip_that_showed_nothing_can_be_corrected(run):
    async def steps(page):
        await page.post("runs/run/label", LABEL)
        await page.post("runs/run/label", {**LABEL, "category": "other"})

    drive(run, steps)
    [mine] = read_labels(run)
    assert (mine.category, mine.blind) == ("other", "other")


def test_a_label_that_cannot_be_written_is_not_said_to_be_kept(run, monkeypatch):
    def full(labels, label):
        labels._db.execute("PRAGMA query_only = 1")
        put(labels, label)

    put = Labels.put
    monkeypatch.setattr(Labels, "put", full)

    async def steps(page):
        return await page.post("runs/run/label", LABEL)

    status, answer = drive(run, steps)
    assert status == 500
    assert "cannot write" in answer["error"]
    assert read_labels(run) == []


def test_several_people_label_side_by_side(run):
    async def steps(page):
        await page.post("runs/run/label", LABEL)
        return await page.post("runs/run/label", {**LABEL, "annotator": "Ben", "category": "other"})

    _, answer = drive(run, steps)
    assert [(each["annotator"], each["category"]) for each in answer["others"]] == [
        ("Anna", "quality")
    ]
    assert len(read_labels(run)) == 2


def test_nobody_can_label_under_a_judges_name(run):
    judged(run, judge="student/default")

    async def steps(page):
        return await page.post("runs/run/label", {**LABEL, "annotator": "student/default"})

    status, answer = drive(run, steps)
    assert status == 400
    assert "judge" in answer["error"]
    with pytest.raises(UsageError, match="judge"):
        drive(run, steps, annotator="student/default")


def test_people_see_trials_that_a_judge_labelled_where_there_are_any(run):
    every = choose_trials(run, Asked(every=True))
    with Labels(run) as labels:
        for trial in every[:3]:
            labels.put(label(trial.condition, trial.problem_id, "openai/judge", "other"))
    assert set(choose_trials(run, Asked(seed=7))) == set(every[:3])
    assert set(choose_trials(run, Asked(seed=7, every=True))) == set(every)


def test_a_run_with_nothing_to_review_says_so(tmp_path):
    solved = make_run(tmp_path / "solved", solver="student/ability=1", limit=2)
    with pytest.raises(UsageError, match="no unsolved trial"):
        drive(solved, None)


def test_a_label_without_the_token_is_not_kept(run):
    async def steps(page):
        page.url = f"http://{LOCAL}:{page.port}/{'x' * 43}/"
        return await page.post("runs/run/label", LABEL)

    assert drive(run, steps) == (403, {"error": "a token is required"})
    assert read_labels(run) == []


def test_the_page_opens_at_the_first_trial_without_a_label_of_ones_own(run):
    async def steps(page):
        first = str((await page.session.get(page.url)).url)
        await page.post("runs/run/label", LABEL)
        return first, str((await page.session.get(page.url)).url)

    first, second = drive(run, steps, annotator="Anna")
    assert first != second
    assert "/runs/run/trial?condition=" in second


def test_who_only_looks_sees_every_label_and_can_keep_none(run):
    judged(run)

    async def link(page):
        return str((await page.session.get(page.url)).url).partition("/runs/")[2]

    place = "runs/" + drive(run, link)

    async def steps(page):
        posted, _ = await page.post("runs/run/label", LABEL)
        return posted, await page.page(place)

    posted, body = visit(run, steps=steps)
    assert posted == 404
    assert re.search("openai/judge: resistance", body)
    assert "openai/judge" not in drive(run, lambda page: page.page(place), annotator="Anna")
