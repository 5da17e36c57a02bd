"""A run made ready again from its own directory: for whatever asks more about it later.

``run.json`` says how it was made; problems come from the same data, and must still be the same.
Attempts come from the journal, as they were. Prompts are reproduced by the loop itself, and proved:
what a call is known by in the journal is a digest of the model, its options, every message and all
parameters (``keys.call_key``), so a prompt that has the digest of a completion that was paid for is
the one that was sent, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from feedback_friction.analysis.journal import (
    open_journal,
    read_run,
    reading_run,
    run_of_trials,
)
from feedback_friction.engine.journal.attempts import attempts_by_trial, ended_trials
from feedback_friction.engine.journal.keys import Key, call_key
from feedback_friction.engine.models.base import identity_of
from feedback_friction.engine.models.model_options import ModelOptions
from feedback_friction.engine.run.conditions import Condition
from feedback_friction.engine.run.launch import wanted_models
from feedback_friction.engine.run.prepare import Prepared, prepare
from feedback_friction.engine.run.python_objects import files_of, refuse_unknown_files
from feedback_friction.engine.run.seats import seat_of
from feedback_friction.errors import UsageError
from feedback_friction.options import filled, options_of
from feedback_friction.problem import Problem
from feedback_friction.protocol.feedback import feedback_request
from feedback_friction.protocol.frozen import Item
from feedback_friction.protocol.records import ENDED, Attempt, Generate, Status, Trial
from feedback_friction.protocol.solving import check_request, second_request, thought_request
from feedback_friction.protocol.trial import attempt_request, next_view
from feedback_friction.settings import Operation, Settings
from feedback_friction.tasks.catalog import get_page


def reopen(directory: Path, *, calls: bool = True, **given: Any) -> Prepared:
    """What a run was started with.

    Args:
        given: options of its operation that are others now, such as ``base_urls``.
        calls: whether models will be asked; if not, they need not be there any more.

    Raises:
        UsageError: the directory is no run of trials, or its data, or a model that will be asked,
            are gone or have changed.
    """
    with reading_run(directory):
        return _reopened(directory, given, calls)


def _reopened(directory: Path, given: Mapping[str, Any], calls: bool) -> Prepared:
    document = run_of_trials(directory)
    config = document["config"]
    if calls and config.get("imported"):
        raise UsageError(f"the replies of {directory} were adopted: there is no solver to ask")
    before = document.get("operation", {})
    try:
        settings = _settings(config, before, given)
        refuse_unknown_files(files_of(settings.selection))
        prepared = prepare(settings, calls=calls, guidance=config.get("guidance"))
    except UsageError as error:
        raise UsageError(f"cannot ask more about {directory}: {error}") from error
    if prepared.config["problems"] != config["problems"]:
        raise UsageError(
            f"the problems of {directory} are no longer those that it was run with: "
            f"{before.get('data') or 'the data set'} has changed"
        )
    if calls and prepared.config.get("digests") != config.get("digests"):
        raise UsageError(f"a model of {directory} is no longer the one that it was run with")
    seated = {}
    for seat, each in prepared.seats.items():
        role, _, model = seat.partition(" ")
        kept = config.get(f"{role}_options", {})
        seated[seat] = replace(each, options=_options(kept.get(model, {}) if model else kept))
    return replace(prepared, seats=seated, config=config)


def _settings(
    config: Mapping[str, Any], before: Mapping[str, Any], given: Mapping[str, Any]
) -> Settings:
    """The settings that a run was made of; models' options are put back by ``reopen``.

    Of its operation only servers and files are taken over: how many requests are in flight, how
    long one may take and what it may cost is for the command that goes on.
    """
    every = options_of(Settings)
    kept = {**before, **config}
    values = {
        name: every[name].read(kept[name], name)
        for name in every
        if kept.get(name) is not None and name not in options_of(Operation)
    }
    return filled(Settings, {**values, **given})


def _options(given: Mapping[str, Any]) -> ModelOptions:
    extra = dict(given)
    tokens, effort = extra.pop("reasoning_tokens", None), extra.pop("reasoning_effort", None)
    sends_temperature = "temperature" not in extra  # null where it is not sent
    extra.pop("temperature", None)
    return ModelOptions(tokens, effort, extra, sends_temperature)


def read_trials(
    directory: Path, condition: Condition, ended: Sequence[Status] = ENDED
) -> Iterator[Trial]:
    """The trials of a condition that ended, in the order of its problems.

    Args:
        ended: the statuses that count as an end.

    Raises:
        UsageError: the journal cannot be read.
    """
    problems = {problem.id: problem for problem in condition.problems}
    with open_journal(directory) as db:
        trials = ended_trials(db, condition.id, condition.plan.mode.name, problems, ended)
        found = {(trial.problem.id, trial.epoch): trial for trial in trials}
    for problem in condition.problems:
        for epoch in range(condition.epochs):
            if (problem.id, epoch) in found:
                yield found[problem.id, epoch]


def read_attempts(
    directory: Path, condition: Condition, problem: Problem, epoch: int
) -> tuple[Attempt, ...]:
    """The attempts of one trial so far, whether it has ended or not.

    Raises:
        UsageError: the journal cannot be read.
    """
    key, mode = (problem.id, epoch), condition.plan.mode.name
    with open_journal(directory) as db:
        found = dict(attempts_by_trial(db, condition.id, mode, {problem.id: problem}, key))
        return found.get(key, ())


def freeze(directory: Path) -> tuple[dict[str, Any], list[Item]]:
    """What a run's first attempts and the feedback on them make: what the set is, and its items.

    Raises:
        UsageError: the run gave no feedback, or its data may not be passed on.
    """
    run, document = reopen(directory, calls=False), read_run(directory)
    items: list[Item] = []
    licences: dict[str, str] = {}
    for condition in run.conditions:
        page = get_page(condition.label)
        if page.confidential:
            raise UsageError(f"the owner of {condition.label} asks that its data are not passed on")
        licences[condition.label] = page.licence
        for trial in read_trials(directory, condition):
            first = trial.attempts[0]
            if first.feedback is not None:
                items.append(Item(condition.plan.mode.name, trial.problem, (first,)))
    if not items:
        raise UsageError(f"{directory} holds no feedback that could be frozen")
    return {
        "licence": licences,
        "made_by": "friction freeze",
        "solvers": sorted({each.solver for each in run.conditions}),
        "feedback_models": sorted({each.feedback_model or "" for each in run.conditions} - {""}),
        "simulated": any(each.simulated for each in run.conditions),
        "created": document.get("created", ""),
        "versions": document.get("versions", {}),
    }, items


@dataclass(frozen=True, slots=True)
class Sent:
    """A prompt of a trial."""

    # of the attempt that it asks for, on which it asks for feedback, or for which the solver writes
    # something to itself
    iteration: int
    # the messages and parameters; of an attempt drawn several times, the first draw's
    request: Generate
    proved: bool  # whether the journal has a completion of exactly this request


class Prompts:
    """The prompts of a run's trials.

    Attributes:
        run: the run as it was made.
        conditions: its conditions.
    """

    def __init__(self, directory: Path) -> None:
        """Reopen a run.

        Raises:
            UsageError: its data are gone or have changed, so that its prompts cannot be reproduced.
        """
        self._directory = directory
        self.run: Prepared = reopen(directory, calls=False)
        self.conditions = self.run.conditions
        digests: dict[str, str] = self.run.config.get("digests", {})
        self._identities = {}
        for seat, each in wanted_models(self.run).items():
            # Calls of a file on this machine are known by the file's digest.
            name = f"{each.spec}@{digests[each.spec]}" if each.spec in digests else each.spec
            self._identities[seat] = identity_of(name, each.options)

    def of(self, condition: str, problem_id: str, epoch: int) -> tuple[Sent, ...]:
        """The prompts of a trial in their order: for each attempt, then for its feedback.

        Raises:
            UsageError: the run has no such trial, or its journal cannot be read.
        """
        asked = next((each for each in self.run.conditions if each.id == condition), None)
        if asked is None:
            raise UsageError(f"the run has no condition '{condition}'")
        return self.sent(list(self._requests(asked, problem_id, epoch)), asked.solver)

    def sent(self, requests: Sequence[Generate], solver: str) -> tuple[Sent, ...]:
        """Requests in the trials of a solver, each with whether it was paid for.

        Raises:
            UsageError: the journal cannot be read.
        """
        with open_journal(self._directory) as db:
            paid = "SELECT 1 FROM completions WHERE key = ?"
            return tuple(
                Sent(
                    request.occasion.iteration,
                    request,
                    db.execute(paid, (self.key(request, solver),)).fetchone() is not None,
                )
                for request in requests
            )

    def key(self, request: Generate, solver: str) -> Key:
        """What a call in the trials of a solver is known by in the journal."""
        return call_key(
            self._identities[seat_of(request.speaker, solver, self._identities)], request
        )

    def _requests(self, asked: Condition, problem_id: str, epoch: int) -> Iterator[Generate]:
        problem = next((each for each in asked.problems if each.id == problem_id), None)
        if problem is None:
            raise UsageError(f"the run has no problem '{problem_id}'")
        attempts = read_attempts(self._directory, asked, problem, epoch)
        begun = len(asked.begun.get(problem_id, ()))  # made elsewhere: nothing was sent for them
        for number, attempt in enumerate(attempts[begun:], begun):
            before = asked.episode(problem, epoch, attempts[:number])
            view = next_view(before)
            words = thought_request(view)
            if words is not None:
                yield words
            yield attempt_request(before)
            if attempt.aside("check") is not None:
                yield check_request(view, attempt)
            if attempt.aside("first-try") is not None:
                yield second_request(view, attempt)
            if attempt.feedback is not None:  # whoever wrote it saw the attempt without it
                told = feedback_request(before.with_attempt(replace(attempt, feedback=None)))
                if told is not None:
                    yield told
