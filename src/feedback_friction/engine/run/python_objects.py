"""Tasks, models and feedback writers of a user's own, from objects or from a Python file."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from feedback_friction.engine.models.python_model import FunctionModel, add_model
from feedback_friction.errors import UsageError, reason
from feedback_friction.forms import FORMS
from feedback_friction.modes import MODES, Look, Mode
from feedback_friction.settings import Selection
from feedback_friction.tasks.graders import run_file

_LOOK = Look("#a6761d", "diamond")  # a brown that no mode of the program has


def files_of(selection: Selection) -> list[Path]:
    """The files of a user's own that a selection runs or reads."""
    kind, _, what = (selection.grader or "").partition(":")
    graders = [Path(what.rpartition(":")[0] or what)] if kind == "python" else []
    if kind == "rubric" and what.strip().startswith("@"):
        graders = [Path(what.strip()[1:])]
    return [*([selection.task_file] if selection.task_file is not None else []), *graders]


def remember(files: Iterable[Path]) -> None:
    """Keep that the user had these files run, by what is in them."""
    known = _known_file()
    for line in {_digest(file) for file in files} - _remembered():
        with suppress(OSError):  # then a run cannot be opened again without its file
            known.parent.mkdir(parents=True, exist_ok=True)
            with known.open("a", encoding="utf-8") as kept:
                kept.write(f"{line}\n")


def refuse_unknown_files(files: Iterable[Path]) -> None:
    """Refuse to run what a run directory names, and the user never had run.

    A run directory may come from anybody, and so may what it names.

    Raises:
        UsageError: a file is not there, or is one that was never run by a command of the user's.
    """
    for file in files:
        if _digest(file) not in _remembered():
            raise UsageError(
                f"it needs {file}, which no run of yours has used as it is now; if you trust the "
                "file, make a run with it first (--task-file or --grader)"
            )


def _known_file() -> Path:
    return user_data_path("feedback-friction") / "own-code.txt"


def _remembered() -> set[str]:
    try:
        return {*_known_file().read_text("utf-8").split()}
    except OSError:
        return set()


def _digest(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise UsageError(f"cannot read {file}: {reason(error)}") from error


def model(function: Any = None, *, name: str = "") -> Any:
    """Make a function of the chat a model, ``python/NAME``; a decorator.

    See ``FunctionModel`` for what the function is given.
    """
    if function is None:
        return lambda inner: FunctionModel(inner, name)
    return FunctionModel(function, name)


def feedback(function: Any = None, *, name: str = "", **more: Any) -> Any:
    """Make a function of (problem, attempts) a feedback mode; a decorator.

    It returns the text, which is masked like any other feedback. It must return the same text for
    the same arguments, since a resumed run asks it again. ``more`` are attributes of ``Mode``:
    ``controls_for``, ``uptake``.
    """
    if function is None:
        return lambda inner: own_mode(inner, name, **more)
    return own_mode(function, name, **more)


def own_mode(write: Callable[[Any, Any], str], name: str = "", **more: Any) -> Mode:
    """The feedback mode of a function; without a name it has the function's."""
    said = " ".join((write.__doc__ or "").split("\n\n")[0].split())
    return Mode(
        name or getattr(write, "__name__", "own").replace("_", "-"),
        "own",
        by="a function of your own",
        purpose=said or "your own",
        look=_LOOK,
        write=write,
        **{"uptake": 0.2, **more},
    )


def add_mode(mode: Mode) -> str:
    """Make a feedback mode of a user's own known; one of the same name takes its place.

    Raises:
        UsageError: it has the name of one of the program's modes, or none that a mode can have.
    """
    there = MODES.get(mode.name)
    if mode.name in FORMS or (there is not None and there.write is None):
        raise UsageError(f"feedback of your own cannot be called '{mode.name}': a built-in mode is")
    if not re.fullmatch(r"[\w.-]+", mode.name):
        raise UsageError(
            f"feedback name '{mode.name}' may contain only letters, digits, _, - and ."
        )
    MODES[mode.name] = mode
    return mode.name


def added(thing: object, what: str) -> str:
    """Make something known, and say under which name; a text is a name already.

    Args:
        what: "task", "model" or "feedback".

    Raises:
        UsageError: it cannot be that.
    """
    if isinstance(thing, str):
        return thing
    from feedback_friction.tasks.own_page import OwnTask, add_task  # imports every grader

    if what == "task" and isinstance(thing, OwnTask):
        return add_task(thing)
    if what == "feedback":
        if isinstance(thing, Mode):
            return add_mode(thing) if thing.write is not None else thing.name
        if callable(thing):
            return add_mode(own_mode(thing))
    if what == "model":
        if hasattr(thing, "generate"):
            return add_model(thing)  # type: ignore[arg-type]  # checked there
        if callable(thing):
            return add_model(FunctionModel(thing))
    raise UsageError(f"{thing!r} is not a {what}: give a name, or an object as in docs/python.md")


def load_file(path: Path) -> None:
    """Make known what a Python file defines: its tasks, models and feedback writers.

    Raises:
        UsageError: the file cannot be run, or defines none of these.
    """
    found = [(value, what) for value in run_file(path).values() if (what := _kind(value))]
    if not found:
        raise UsageError(
            f"{path} defines no task, model or feedback of its own; see docs/python.md"
        )
    for value, what in found:
        added(value, what)


def _kind(value: object) -> str:
    """What a value in a user's file makes known: "task", "feedback" or "model"; "" for nothing."""
    from feedback_friction.tasks.own_page import OwnTask

    if isinstance(value, OwnTask):
        return "task"
    if isinstance(value, Mode):
        return "feedback" if value.write is not None else ""
    is_named = str(getattr(value, "name", "")).startswith("python/")
    is_model = is_named and hasattr(value, "generate") and not isinstance(value, type)
    return "model" if is_model else ""
