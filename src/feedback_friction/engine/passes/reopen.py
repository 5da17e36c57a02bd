"""A run made ready again from its own directory: for whatever asks more about it later.

``run.json`` says how it was made; problems come from the same data, and must still be the same.
Attempts come from the journal, as they were.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from feedback_friction.analysis.journal import open_journal, read_run, reading_run
from feedback_friction.engine.journal.attempts import attempts_by_trial, ended_trials
from feedback_friction.engine.models.model_options import ModelOptions
from feedback_friction.engine.run.conditions import Condition
from feedback_friction.engine.run.prepare import Prepared, prepare
from feedback_friction.engine.run.python_objects import files_of, refuse_unknown_files
from feedback_friction.errors import UsageError
from feedback_friction.options import filled, options_of
from feedback_friction.problem import Problem
from feedback_friction.protocol.frozen import Item
from feedback_friction.protocol.records import ENDED, Attempt, Status, Trial
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
    document = read_run(directory)
    config = document["config"]
    if "kind" in config:
        raise UsageError(f"{directory} holds no trials: it is of the kind '{config['kind']}'")
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
