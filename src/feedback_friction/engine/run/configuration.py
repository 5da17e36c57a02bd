"""What decides a run's results, as ``run.json`` keeps it and resuming compares it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from feedback_friction.engine.models.registry import ModelSettings, decisive
from feedback_friction.engine.run.seats import Seat
from feedback_friction.options import in_part, options_of
from feedback_friction.problem import Problem
from feedback_friction.protocol.task import Task
from feedback_friction.settings import Settings

# What the first version's configurations name. A later option is named where it is set: a command
# without it has the configuration, and without --out the directory, that it always had.
_ALWAYS_NAMED = frozenset(
    (
        "tasks", "solver", "feedback_model", "judge_model", "feedback", "sampling", "history",
        "iterations", "epochs", "seed", "limit", "fraction", "stratify", "digits", "temperature",
        "top_p", "max_tokens", "feedback_temperature", "feedback_max_tokens", "logprobs",
        "shuffle", "binary_hint",
    )
)  # fmt: skip


def fingerprint(problems: Sequence[Problem], task: Task) -> dict[str, Any]:
    """How many problems, and a digest of all that is asked: a changed data file is another run."""
    digest = hashlib.sha256()
    for problem in problems:
        fields = asdict(problem)
        for name in ("hints", "cluster"):
            if not fields[name]:  # as it was before there were any, so that earlier runs resume
                del fields[name]
        digest.update(repr(fields).encode("utf-8", "surrogatepass"))
        digest.update(repr(task.examples(problem)).encode("utf-8", "surrogatepass"))
    return {"problems": len(problems), "sha256": digest.hexdigest()[:16]}


def configuration(
    settings: Settings,
    seated: Mapping[Seat, ModelSettings],
    fingerprints: Mapping[str, Any],
    files: Mapping[str, str],
    guidance: Mapping[str, Any],
    frozen: str = "",
) -> dict[str, Any]:
    """The configuration of a run.

    Args:
        seated: by seat, the models and their options.
        fingerprints: by task, its problems'.
        files: digests of models that are files.
        guidance: what policies and prompts it was given.
        frozen: the digest of the frozen set that it goes on from.
    """
    every = options_of(Settings)
    config = {
        **{
            name: value
            for name, value in in_part(settings, "configuration").items()
            if name in _ALWAYS_NAMED or value != every[name].default
        },
        "temperature": settings.plan.solver_temperature,
        "feedback_temperature": settings.plan.writer_temperature,
    }
    # One alone is named alone, as it always was, so that earlier runs can be resumed.
    names = ("solver", "history", "feedback_model")
    solvers, histories, teachers = (tuple(dict.fromkeys(config[name])) for name in names)
    config["feedback_model"] = teachers if len(teachers) > 1 else next(iter(teachers), None)
    config["solver"] = solvers if len(solvers) > 1 else solvers[0]
    if len(histories) == 1:
        config["history"] = histories[0]
    # Only what is set: a run without options has the configuration that it always had.
    given: dict[str, Any] = {"digests": files, "guidance": guidance, "frozen_items": frozen}
    own = settings.selection.task_file
    if own is not None:  # what it defines decides results, wherever it lies
        given["task_code"] = hashlib.sha256(own.read_bytes()).hexdigest()[:16]
    for seat, each in seated.items():
        role, _, solver = seat.partition(" ")
        options = decisive(each.spec, each.options).as_dict()
        if solver and options:
            given.setdefault(f"{role}_options", {})[solver] = options
        elif not solver:
            given[f"{role}_options"] = options
    return {**config, **{k: v for k, v in given.items() if v}, "problems": dict(fingerprints)}
