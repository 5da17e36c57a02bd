"""The review server: the page's own files, one trial at a time, and a label kept at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

from feedback_friction.analysis.stats.categories import Category
from feedback_friction.errors import UsageError
from feedback_friction.labels import Label, Labels, TrialKey
from feedback_friction.review.guard import Guard, new_token
from feedback_friction.review.trials import choose_trials, label_view, trial_view

LOCAL = "127.0.0.1"
LARGEST_BODY = 64 * 1024
LONGEST_NAME = 60
LONGEST_COMMENT = 10_000
_FILES = {
    "": ("index.html", "text/html"),
    "review.css": ("review.css", "text/css"),
    "review.js": ("review.js", "text/javascript"),
    "icon.svg": ("icon.svg", "image/svg+xml"),
}
_DIRECTORY = web.AppKey("directory", Path)
_TRIALS = web.AppKey("trials", list)
_LABELS = web.AppKey("labels", Labels)
_ANNOTATOR = web.AppKey("annotator", str)


@dataclass(frozen=True, slots=True)
class Reviewing:
    """What is asked for.

    Attributes:
        directory: the run directory.
        annotator: the person's name; empty lets the page ask for it.
        sample: trials of each task at most; None takes all.
        seed: of the sample.
        every: sample from all unsolved trials, even where judges labelled only some.
        port: to listen at; 0 takes a free one.
    """

    directory: Path
    annotator: str = ""
    sample: int | None = None
    seed: int = 0
    every: bool = False
    port: int = 0


@dataclass(frozen=True, slots=True)
class Serving:
    """A server that is up: its URL with the token, and the trials that it shows."""

    url: str
    trials: tuple[TrialKey, ...]


@asynccontextmanager
async def serving(asked: Reviewing) -> AsyncIterator[Serving]:
    """Serve while the block runs, on this machine only.

    Raises:
        UsageError: there is nothing to review, the name is a judge's, or the port is taken.
    """
    trials = choose_trials(asked.directory, asked.sample, asked.seed, every=asked.every)
    if not trials:
        raise UsageError(f"{asked.directory} has no unsolved trial in which feedback was given")
    token = new_token()
    guard = Guard(token)
    with Labels(asked.directory) as labels:
        if asked.annotator:
            _check_name(labels, asked.annotator)
        runner = web.AppRunner(make_app(asked, trials, labels, guard), access_log=None)
        await runner.setup()
        try:
            site = web.TCPSite(runner, LOCAL, asked.port)
            await _start(site, asked.port)
            guard.port = runner.addresses[0][1]
            yield Serving(f"http://{LOCAL}:{guard.port}/{token}/", tuple(trials))
        finally:
            await runner.cleanup()


async def _start(site: web.TCPSite, port: int) -> None:
    try:
        await site.start()
    except (OSError, OverflowError) as error:
        raise UsageError(f"cannot listen at {LOCAL}:{port}: {error}") from error


def make_app(
    asked: Reviewing, trials: list[TrialKey], labels: Labels, guard: Guard
) -> web.Application:
    """The application; every route begins with the token, which the guard checks."""
    app = web.Application(middlewares=[guard.middleware()], client_max_size=LARGEST_BODY)
    app[_DIRECTORY], app[_ANNOTATOR] = asked.directory, asked.annotator
    app[_TRIALS], app[_LABELS] = trials, labels
    for name in _FILES:
        app.router.add_get(f"/{{token}}/{name}", _file)
    app.router.add_get("/{token}/api/session", _session)
    app.router.add_get("/{token}/api/trials/{index}", _trial)
    app.router.add_post("/{token}/api/labels", _label)
    return app


async def _file(request: web.Request) -> web.Response:
    name, kind = _FILES[request.path.rpartition("/")[2]]
    body = resources.files(__package__).joinpath("page", name).read_bytes()
    return web.Response(body=body, content_type=kind, charset="utf-8")


async def _session(request: web.Request) -> web.Response:
    """The trials in order, with the annotator's own category of each."""
    name = request.query.get("annotator", request.app[_ANNOTATOR])
    labels = request.app[_LABELS]
    if name:
        _check_name(labels, name)
    found = labels.all()
    own = {each.trial: each.category for each in found if each.annotator == name}
    return _json(
        {
            "annotator": name,
            "known": sorted({each.annotator for each in found if each.kind == "person"}),
            "run": request.app[_DIRECTORY].resolve().name,
            "trials": [
                {"task": each.task, "category": own.get(each[1:])} for each in request.app[_TRIALS]
            ],
        }
    )


async def _trial(request: web.Request) -> web.Response:
    text = request.match_info["index"]
    trial = _at(request, int(text) if text.isascii() and text.isdigit() and len(text) < 9 else -1)
    name = request.query.get("annotator", "")
    view = await asyncio.to_thread(trial_view, request.app[_DIRECTORY], trial)
    return _json(view | _labels_of(request.app[_LABELS], trial, name))


def _labels_of(labels: Labels, trial: TrialKey, name: str) -> dict[str, Any]:
    """The annotator's own label, and only after it those of others."""
    found = labels.of_trial(trial)
    own = next((each for each in found if each.annotator == name), None)
    others = [each for each in found if each.annotator != name]
    return {
        "mine": own and {"category": own.category, "comment": own.reason},
        "others": [label_view(each) for each in others] if own else [],
    }


async def _label(request: web.Request) -> web.Response:
    """Keep a label; answers with it and, now that it is given, with those of others."""
    try:
        body = orjson.loads(await request.read())
    except ValueError as error:
        raise web.HTTPBadRequest(reason="not JSON") from error
    fields = body if isinstance(body, dict) else {}
    index, name = fields.get("index"), fields.get("annotator")
    category, comment = fields.get("category"), fields.get("comment", "")
    if type(index) is not int or not isinstance(name, str) or not isinstance(comment, str):
        raise web.HTTPBadRequest(reason="wanted: index, annotator, category and comment")
    if category not in list(Category) or len(comment) > LONGEST_COMMENT:
        raise web.HTTPBadRequest(reason=f"category: {', '.join(Category)}; or comment too long")
    labels, trial = request.app[_LABELS], _at(request, index)
    _check_name(labels, name)
    labels.put(_row(labels, trial, name, category, comment))
    return _json(_labels_of(labels, trial, name))


def _row(labels: Labels, trial: TrialKey, name: str, category: str, comment: str) -> Label:
    """The label; once others were shown, its blind category stays as it was."""
    found = labels.of_trial(trial)
    before = next((each for each in found if each.annotator == name), None)
    shown = before is not None and len(found) > 1
    return Label(
        trial.condition,
        trial.problem_id,
        trial.epoch,
        name,
        "person",
        raw=None,
        category=category,
        blind=before.blind if before is not None and shown else category,
        reason=comment.strip(),
        round=None,
        malformed=0,
        simulated=0,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _at(request: web.Request, index: int) -> TrialKey:
    trials: list[TrialKey] = request.app[_TRIALS]
    if not 0 <= index < len(trials):
        raise web.HTTPNotFound(reason="no such trial")
    return trials[index]


def _check_name(labels: Labels, name: str) -> None:
    """Refuse a name that is empty, too long, unprintable, or a judge's.

    Raises:
        UsageError: it is.
    """
    if not name or name != name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise UsageError(
            f"{name!r} is no annotator's name; allowed: 1 to {LONGEST_NAME} printable characters, "
            "without space at either end"
        )
    if labels.kind_of(name) == "judge":
        raise UsageError(f"{name!r} is the name of a judge that labelled here; choose another")


def _json(value: object) -> web.Response:
    return web.Response(body=orjson.dumps(value), content_type="application/json")
