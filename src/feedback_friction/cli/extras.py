"""Verbs that need more than the default install say which extra to install."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from feedback_friction.errors import UsageError


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """Turn a missing package within the block into one line that names the extra.

    Raises:
        UsageError: a package that the extra brings is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("feedback_friction"):
            raise
        raise UsageError(
            f"this needs the package '{error.name}': pip install 'feedback-friction[{extra}]'"
        ) from error
