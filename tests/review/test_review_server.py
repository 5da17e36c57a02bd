"""The review server over HTTP: who may talk to it, what it hides, and what it keeps."""

import asyncio
import json
import shutil
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp
import pytest

from feedback_friction.errors import UsageError
from feedback_friction.labels import Labels, read_labels
from feedback_friction.review.server import LOCAL, Reviewing, serving
from feedback_friction.review.trials import choose_trials
from unsolved import label, make_run


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("review") / "run")


@pytest.fixture
def run(made, tmp_path):
    return shutil.copytree(made, tmp_path / "run")


class Page:
    """A client that sends what the page sends, unless told otherwise."""

    def __init__(self, session, url):
        self.session, self.url = session, url
        parts = urlsplit(url)
        self.port, self.token = parts.port, parts.path.strip("/")
        self.origin = f"http://{parts.netloc}"

    async def get(self, path, **headers):
        async with self.session.get(self.url + path, headers=headers) as response:
            return response.status, await response.read(), response.headers

    async def get_json(self, path):
        status, body, _ = await self.get(path)
        assert status == 200, body
        return json.loads(body)

    async def post(self, body, **headers):
        sent = {"Origin": self.origin, "Content-Type": "application/json"} | headers
        kept = {name: value for name, value in sent.items() if value is not None}
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.session.post(
            self.url + "api/labels", data=data, headers=kept, skip_auto_headers=["Content-Type"]
        ) as response:
            return response.status, json.loads(await response.read())


@asynccontextmanager
async def opened(directory, **asked):
    async with serving(Reviewing(directory, **asked)) as server, aiohttp.ClientSession() as session:
        yield Page(session, server.url)


def drive(directory, steps, **asked):
    """Run an asynchronous function of a page against a server."""

    async def main():
        async with opened(directory, **asked) as page:
            return await steps(page)

    return asyncio.run(main())


LABEL = {"index": 0, "annotator": "Anna", "category": "quality", "comment": " vague "}


def judged(directory, judge="openai/judge", category="resistance"):
    """Have a judge label every trial of the run."""
    with Labels(directory) as labels:
        for trial in choose_trials(directory, None, 0, every=True):
            labels.put(label(trial.condition, trial.problem_id, judge, category, epoch=trial.epoch))


ROUTES = ["", "review.js", "review.css", "icon.svg", "api/session", "api/trials/0"]


@pytest.mark.parametrize("path", ROUTES)
def test_every_route_needs_the_token(run, path):
    async def steps(page):
        right, _, headers = await page.get(path)
        page.url = f"http://{LOCAL}:{page.port}/"
        bare = (await page.get(path))[0]
        page.url += "x" * len(page.token) + "/"
        wrong, _, refused = await page.get(path)
        return right, bare, wrong, headers, refused

    right, bare, wrong, *both = drive(run, steps)
    assert (right, bare, wrong) == (200, 403, 403)
    for headers in both:
        assert headers["Content-Security-Policy"].startswith(
            "default-src 'none'; script-src 'self'"
        )
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"


def test_a_label_without_the_token_is_not_kept(run):
    async def steps(page):
        page.url = f"http://{LOCAL}:{page.port}/{'x' * 43}/"
        return await page.post(LABEL)

    assert drive(run, steps)[0] == 403
    assert read_labels(run) == []


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "", "[::1]:{port}"]
)
def test_another_host_is_refused(run, host):
    async def steps(page):
        return await page.get("api/trials/0", Host=host.format(port=page.port))

    assert drive(run, steps)[0] == 403


def test_localhost_is_this_host_too(run):
    async def steps(page):
        host = f"localhost:{page.port}"
        status, _, _ = await page.get("api/session", Host=host)
        posted, _ = await page.post(LABEL, Host=host, Origin=f"http://{host}")
        return status, posted

    assert drive(run, steps) == (200, 200)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", None, "http://127.0.0.1:1"])
def test_another_origin_is_refused(run, origin):
    async def steps(page):
        return await page.post(LABEL, Origin=origin)

    assert drive(run, steps) == (403, {"error": "another origin"})
    assert read_labels(run) == []


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", None])
def test_anything_but_json_is_refused(run, kind):
    async def steps(page):
        return await page.post(LABEL, **{"Content-Type": kind})

    assert drive(run, steps) == (415, {"error": "JSON is required"})
    assert read_labels(run) == []


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b"[" * 60_000,
        {**LABEL, "index": "0"}, {**LABEL, "index": True}, {**LABEL, "category": "nonsense"},
        {**LABEL, "category": ["quality"]}, {**LABEL, "category": None},
        {**LABEL, "annotator": ""}, {**LABEL, "annotator": "a\nb"}, {**LABEL, "annotator": 7},
        {**LABEL, "annotator": "n" * 61}, {**LABEL, "comment": "c" * 10_001}, {"index": 0},
    ],
)  # fmt: skip
def test_a_malformed_label_is_refused_with_a_reason(run, body):
    async def steps(page):
        return await page.post(body)

    status, answer = drive(run, steps)
    assert status == 400
    assert answer["error"]
    assert read_labels(run) == []


@pytest.mark.parametrize("index", [-1, 10**6])
def test_a_trial_that_is_not_there_is_not_found(run, index):
    async def steps(page):
        posted, _ = await page.post({**LABEL, "index": index})
        return posted, (await page.get(f"api/trials/{index}"))[0]

    assert drive(run, steps) == (404, 404)


def test_a_body_that_is_too_large_is_refused(run):
    async def steps(page):
        return (await page.post({**LABEL, "comment": "c" * 200_000}))[0]

    assert drive(run, steps) == 413


def test_a_label_is_kept_at_once(run):
    async def steps(page):
        answer = await page.post(LABEL)
        return answer, read_labels(run), await page.get_json("api/session?annotator=Anna")

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
        before = await page.get_json("api/trials/0?annotator=Anna")
        await page.post(LABEL)
        return (
            before,
            await page.get_json("api/trials/0?annotator=Anna"),
            await page.get_json("api/trials/0?annotator=Ben"),
        )

    before, after, other = drive(run, steps)
    assert (before["mine"], before["others"]) == (None, [])
    assert [each["annotator"] for each in after["others"]] == ["openai/judge"]
    assert (other["mine"], other["others"]) == (None, [])
    assert "openai/judge" not in json.dumps(before) + json.dumps(other)


def test_a_label_changed_after_the_reveal_keeps_its_blind_category(run):
    judged(run)

    async def steps(page):
        await page.post(LABEL)
        await page.post({**LABEL, "category": "resistance"})

    drive(run, steps)
    [mine] = [each for each in read_labels(run) if each.kind == "person"]
    assert (mine.category, mine.blind) == ("resistance", "quality")


def test_a_slip_that_showed_nothing_can_be_corrected(run):
    async def steps(page):
        await page.post(LABEL)
        await page.post({**LABEL, "category": "other"})

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
        return await page.post(LABEL)

    status, answer = drive(run, steps)
    assert status == 500
    assert "cannot write" in answer["error"]
    assert read_labels(run) == []


def test_several_people_label_side_by_side(run):
    async def steps(page):
        await page.post(LABEL)
        return await page.post({**LABEL, "annotator": "Ben", "category": "other"})

    _, answer = drive(run, steps)
    assert [(each["annotator"], each["category"]) for each in answer["others"]] == [
        ("Anna", "quality")
    ]
    assert len(read_labels(run)) == 2


def test_nobody_can_label_under_a_judges_name(run):
    judged(run, judge="student/default")

    async def steps(page):
        return await page.post({**LABEL, "annotator": "student/default"})

    status, answer = drive(run, steps)
    assert status == 400
    assert "judge" in answer["error"]
    with pytest.raises(UsageError, match="judge"):
        drive(run, steps, annotator="student/default")


def test_people_see_trials_that_a_judge_labelled_where_there_are_any(run):
    every = choose_trials(run, None, 0, every=True)
    with Labels(run) as labels:
        for trial in every[:3]:
            labels.put(label(trial.condition, trial.problem_id, "openai/judge", "other"))
    assert set(choose_trials(run, None, 7, every=False)) == set(every[:3])
    assert set(choose_trials(run, None, 7, every=True)) == set(every)


def test_a_run_with_nothing_to_review_says_so(tmp_path):
    solved = make_run(tmp_path / "solved", solver="student/ability=1", limit=2)
    with pytest.raises(UsageError, match="no unsolved trial"):
        drive(solved, None)


def test_a_port_that_is_taken_is_one_line(run):
    async def steps(page):
        with pytest.raises(UsageError, match="cannot listen"):
            async with serving(Reviewing(run, port=page.port)):
                pass

    drive(run, steps)
