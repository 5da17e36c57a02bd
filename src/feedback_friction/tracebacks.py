"""Unexpected errors: one line for people, the traceback in a file."""

from __future__ import annotations

import asyncio
import os
import tempfile
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

from feedback_friction.errors import FrictionError
from feedback_friction.redact import environment_secrets

FILE_NAME = "errors.log"
_LONGEST = 300  # characters of an error's own text; it may quote a reply


class Tracebacks:
    """The file of tracebacks in a directory; each place of the program is written once."""

    def __init__(self, directory: Path) -> None:
        """Write to ``errors.log`` there, when there is something to write."""
        self.path = directory / FILE_NAME
        self._known: set[str] = set()

    def reason(self, error: BaseException) -> str:
        """One line that says what went wrong; keeps the traceback of an unexpected error.

        An error of ours says it itself. Of any other the line gives type, text and place.
        """
        error = first_of(error)
        if isinstance(error, FrictionError):
            return str(error)
        where = _place(error)
        if where not in self._known:
            self._known.add(where)
            text = _hidden("".join(traceback.format_exception(error)))
            # a full disk is reported when the journal is written
            with suppress(OSError), self.path.open("a", encoding="utf-8") as file:
                file.write(f"{text}\n")
        text = " ".join(str(error).split())[:_LONGEST]
        return _hidden(f"unexpected {type(error).__name__}: {text} (at {where})")

    def handle(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Keep what an event loop reports: an exception handler for it."""
        self.reason(context.get("exception") or RuntimeError(context["message"]))


def kept(error: BaseException, directory: Path | None = None) -> str:
    """The line for an error that ends the program, and where its traceback is.

    Args:
        directory: of the run; without one, or where it cannot be written, the traceback goes to the
            system's directory for temporary files.
    """
    if directory is None or not os.access(directory, os.W_OK):
        directory = Path(tempfile.mkdtemp(prefix="friction-"))
    tracebacks = Tracebacks(directory)
    return f"{tracebacks.reason(error)}; the traceback is in {tracebacks.path}"


def first_of(error: BaseException) -> BaseException:
    """The error itself, or the first one of a group."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _place(error: BaseException) -> str:
    """Where it was raised: ``module.py:12``, the innermost line of this program where one is."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "feedback_friction" in frame.filename] or list(frames)
    if not ours:
        return "an unknown place"
    return f"{Path(ours[-1].filename).name}:{ours[-1].lineno}"


def _hidden(text: str) -> str:
    return environment_secrets(os.environ).hide(text)
