"""Every error that a user can meet, as one tree.

    FrictionError
    ├── UsageError        the command, its data or its directory is wrong: exit code 2, one line
    │   └── DataError     a row of a data file is wrong: names file, line and field
    └── RunStoppedError   the run cannot go on (server gone, key refused): resumable, exit code 1
        └── NotBegunError before anything is paid for, model, server or disk: a UsageError, too

An error that concerns one model call only lives in ``engine.models.base``; it never gets this far
unless it persists, and then it is recorded with its trial.
"""

from __future__ import annotations


def reason(error: Exception) -> str:
    """Why it failed, without the number and the path that a message names itself."""
    return str(getattr(error, "strerror", None) or error)


class FrictionError(Exception):
    """Base class; its text is one printable line for the user, whatever it quotes."""

    def __str__(self) -> str:
        return " ".join("".join(c if c.isprintable() else " " for c in super().__str__()).split())


class UsageError(FrictionError):
    """What the user asked for cannot be done as asked; says what is allowed."""


class DataError(UsageError):
    """A data file that cannot be read as the schema wants it."""

    def __init__(
        self, file: str, problem: str, *, line: int | None = None, field: str | None = None
    ):
        """Compose ``file:line: field 'x': problem`` from the parts that are known."""
        where = file if line is None else f"{file}:{line}"
        what = problem if field is None else f"field '{field}': {problem}"
        super().__init__(f"{where}: {what}")
        self.file, self.line, self.field = file, line, field


class RunStoppedError(FrictionError):
    """The run stopped itself; everything paid for is in the journal, and it can be resumed."""


class NotBegunError(RunStoppedError, UsageError):
    """It cannot begin: a wrong model or server, a disk that is full. Nothing was paid for."""
