"""Labelling on the page: which trials, by whom, blind, and each label kept at once.

The labels of judges and other people are hidden from an annotator until the trial is labelled.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from feedback_friction.analysis.journal import open_journal
from feedback_friction.errors import UsageError
from feedback_friction.labels import (
    Category,
    Label,
    Labels,
    TrialKey,
    read_labels,
    sample,
    unsolved_trials,
)
from feedback_friction.view.untrusted import visible
from feedback_friction.view.wanted import whole_number

LARGEST_BODY = 64 * 1024
LONGEST_NAME = 60
LONGEST_COMMENT = 10_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be labelled, and by whom."""

    annotator: str = ""  # empty lets the page ask for the name
    sample: int | None = None  # trials of each task at most; None takes all
    seed: int = 0
    every: bool = False  # sample from all unsolved trials, even where judges labelled only some


def choose_trials(directory: Path, asked: Asked) -> list[TrialKey]:
    """The trials to label, in random order, the tasks by turns.

    Where judges labelled some trials, it is those, so that the two can be compared.
    """
    with open_journal(directory) as db:
        trials = unsolved_trials(db)
    judged = {each.trial for each in read_labels(directory) if each.kind == "judge"}
    if judged and not asked.every:
        trials = [trial for trial in trials if trial[1:] in judged]
    if not trials:
        raise UsageError(f"{directory} has no unsolved trial in which feedback was given")
    return sample(trials, lambda trial: trial.task, asked.sample, asked.seed)


class Desk:
    """Where a run is labelled: its trials, and the file of labels."""

    def __init__(self, directory: Path, asked: Asked) -> None:
        """Choose the trials and open the file."""
        self.trials = choose_trials(directory, asked)
        self.labels = Labels(directory)
        self.annotator = asked.annotator
        try:
            if asked.annotator:
                self._check_name(asked.annotator)
        except UsageError:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self.labels.__exit__()

    def first(self) -> TrialKey:
        """Where the annotator goes on: the first trial without a label of theirs."""
        own = {each.trial for each in self.labels.all() if each.annotator == self.annotator}
        return next((each for each in self.trials if each[1:] not in own), self.trials[0])

    async def session(self, request: Request) -> Response:
        """The trials in order, with the annotator's own category of each."""
        name = request.query_params.get("annotator", self.annotator)
        if name:
            self._check_name(name)
        found = self.labels.all()
        own = {each.trial: each.category for each in found if each.annotator == name}
        return JSONResponse(
            {
                "annotator": name,
                "known": sorted({each.annotator for each in found if each.kind == "person"}),
                "trials": [
                    {
                        "condition": each.condition,
                        "problem": each.problem_id,
                        "epoch": each.epoch,
                        "category": own.get(each[1:]),
                    }
                    for each in self.trials
                ],
            }
        )

    async def read(self, request: Request) -> Response:
        """The annotator's label of a trial, and those of others once there is one."""
        query = request.query_params
        trial = self._at(whole_number(query.get("trial", ""), "trial"))
        return JSONResponse(self._of(trial, query.get("annotator", "")))

    async def keep(self, request: Request) -> Response:
        """Keep a label; answers with it and, now that it is given, with those of others."""
        fields = await _body(request)
        index, name = fields.get("trial"), fields.get("annotator")
        category, comment = fields.get("category"), fields.get("comment", "")
        if type(index) is not int or not isinstance(name, str) or not isinstance(comment, str):
            raise HTTPException(400, "wanted: trial, annotator, category and comment")
        if category not in list(Category) or len(comment) > LONGEST_COMMENT:
            raise HTTPException(400, f"category: {', '.join(Category)}; or comment too long")
        trial = self._at(index)
        self._check_name(name)
        self.labels.put(self._row(trial, name, category, comment))
        return JSONResponse(self._of(trial, name))

    def _at(self, index: int) -> TrialKey:
        if not 0 <= index < len(self.trials):
            raise HTTPException(404, "no such trial")
        return self.trials[index]

    def _of(self, trial: TrialKey, name: str) -> dict[str, Any]:
        """The annotator's own label, and only after it those of others."""
        found = self.labels.of_trial(trial)
        own = next((each for each in found if each.annotator == name), None)
        others = [each for each in found if each.annotator != name]
        return {
            "mine": own and {"category": own.category, "comment": own.reason},
            "others": [label_view(each) for each in others] if own else [],
        }

    def _row(self, trial: TrialKey, name: str, category: str, comment: str) -> Label:
        """The label; once others were shown, its blind category stays as it was."""
        found = self.labels.of_trial(trial)
        before = next((each for each in found if each.annotator == name), None)
        shown = before is not None and len(found) > 1
        return Label(
            *trial[1:],
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

    def _check_name(self, name: str) -> None:
        """Refuse a name that is empty, too long, unprintable, or a judge's."""
        if not name or name != name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
            raise UsageError(
                f"{name!r} is not a valid annotator name; allowed: 1 to {LONGEST_NAME} printable "
                "characters, without space at either end"
            )
        if self.labels.kind_of(name) == "judge":
            raise UsageError(f"{name!r} is the name of a judge that labelled here; choose another")


async def _body(request: Request) -> dict[str, Any]:
    """The JSON object that was sent; empty where it is none."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise HTTPException(413, f"at most {LARGEST_BODY:,} bytes")
    try:
        found = orjson.loads(body)
    except ValueError as error:
        raise HTTPException(400, "not JSON") from error
    return found if isinstance(found, dict) else {}


def label_view(label: Label) -> dict[str, Any]:
    """A label as the page shows it."""
    return {
        "annotator": visible(label.annotator),
        "kind": label.kind,
        "category": label.category,
        "raw": label.raw,
        "reason": visible(label.reason),
        "round": label.round,
        "simulated": bool(label.simulated),
    }
