"""The run directory: who may write to it, what it was made with, and whether that is asked again.

``run.json`` holds the configuration (what decides the results), the operation (what does not: URLs,
concurrency), the versions, the git state, the command that makes the run again, and what the user
was told while it ran (``notices``) and what it learnt of its servers (``learnt``).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

import orjson

from feedback_friction import __version__
from feedback_friction.analysis.journal import RUN_FILE, SCHEMA_VERSION, read_run
from feedback_friction.engine.journal.rows import now
from feedback_friction.engine.models.registry import ModelSettings, decisive
from feedback_friction.engine.run.seats import Seat
from feedback_friction.errors import UsageError, reason
from feedback_friction.options import in_part, options_of
from feedback_friction.problem import Problem
from feedback_friction.protocol.task import Task
from feedback_friction.settings import Settings

LOCK_NAME = "run.lock"
_PACKAGES = ("aiohttp", "orjson", "math-verify", "inspect-ai", "anthropic", "google-genai")


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the directory for one writing process.

    Raises:
        UsageError: it cannot be made or written, or another process holds it.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = (directory / LOCK_NAME).open("w")
    except OSError as error:
        raise UsageError(
            f"cannot write to the run directory {directory}: {reason(error)}"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(f"another friction run is writing to {directory}") from error
        yield


def claim(
    directory: Path, config: Mapping[str, Any], operation: Mapping[str, Any], command: list[str]
) -> None:
    """Write ``run.json``, or make sure that the one there is of the same configuration.

    Raises:
        UsageError: the directory is of another configuration (names the difference), of a newer
            version, unreadable, or not writable.
    """
    path = directory / RUN_FILE
    if path.exists():
        if differs := difference(directory, config):
            raise UsageError(f"{differs}; choose another --out")
        return
    if (directory / "journal.sqlite").exists():
        raise UsageError(f"{directory} has a journal but no {RUN_FILE}; choose another --out")
    document = {
        "schema": SCHEMA_VERSION,
        "created": now(),
        "config": config,
        "operation": operation,
        "versions": versions(),
        "git": git_state(),
        "command": command,
    }
    _write(path, document)


def add_notices(directory: Path, lines: Sequence[str]) -> None:
    """Add lines to the run's ``notices``, each once; raises as ``_amend`` does."""
    _amend(directory, "notices", lambda known: list(dict.fromkeys([*(known or ()), *lines])))


def add_learnt(directory: Path, model: str, learnt: Mapping[str, object]) -> None:
    """Keep what was learnt of a model's server; raises as ``_amend`` does."""
    _amend(
        directory,
        "learnt",
        lambda known: {**(known if isinstance(known, Mapping) else {}), model: dict(learnt)},
    )


def _amend(directory: Path, name: str, changed: Callable[[Any], object]) -> None:
    """Change a field of ``run.json``; readers see the old file or the new one.

    Only for the process that holds the directory (``locked``), so that no other one writes.

    Raises:
        UsageError: there is no readable ``run.json``, or it cannot be written.
    """
    document = read_run(directory)
    found = changed(document.get(name))
    if found != document.get(name):
        _write(directory / RUN_FILE, {**document, name: found})


def _write(path: Path, document: Mapping[str, Any]) -> None:
    """Replace a file by a complete new one."""
    partial = path.with_suffix(".tmp")
    try:
        partial.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
        os.replace(partial, path)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {reason(error)}") from error


def difference(directory: Path, config: Mapping[str, Any]) -> str:
    """In what a run differs from a configuration, as a sentence; "" for nothing."""
    before = _flat(read_run(directory)["config"])
    wanted = _flat(orjson.loads(orjson.dumps(config)))
    kind, other = (each.get("kind", "run") for each in (before, wanted))
    if kind != other:
        return f"{directory} holds results of another kind: {kind}, not {other}"
    # A run that was made before there was an option was made with its default.
    sides = {
        name: [each.get(name, _default(name)) for each in (before, wanted)]
        for name in sorted({*before, *wanted})
    }
    differences = [
        f"{name} was {_shown(old)}, now {_shown(new)}"
        for name, (old, new) in sides.items()
        if old != new
    ]
    if not differences:
        return ""
    return f"{directory} holds a run of another configuration: {'; '.join(differences)}"


def _flat(config: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration, of which each file that guides the feedback is its digest."""
    guidance = config.get("guidance") or {}
    files = {f"the file of '{name}'": each.get("sha256") for name, each in guidance.items()}
    return {**{name: value for name, value in config.items() if name != "guidance"}, **files}


def _default(name: str) -> object:
    """The default of an option as JSON has it; None for what is no option."""
    declared = options_of(Settings).get(name)
    default = declared.default if declared is not None else None
    return list(default) if isinstance(default, tuple) else default


def _shown(value: object) -> str:
    text = orjson.dumps(value).decode()
    return text if len(text) <= 120 else f"{text[:117]}..."


def versions() -> dict[str, str]:
    """Versions of the program, of Python and of the packages that decide results."""
    found = {"feedback-friction": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def git_state() -> dict[str, Any] | None:
    """Commit of the working directory and whether it has changes; None outside a repository."""
    try:
        commit = _git("rev-parse", "HEAD")
        return {"commit": commit, "dirty": bool(_git("status", "--porcelain"))}
    except (OSError, subprocess.SubprocessError):
        return None


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], capture_output=True, text=True, check=True, timeout=10
    )
    return done.stdout.strip()


# --- the configuration --------------------------------------------------------------------------

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
