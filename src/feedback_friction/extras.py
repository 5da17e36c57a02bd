"""Packages beyond the default install: what needs one says which extra brings it."""

from __future__ import annotations

import importlib

from feedback_friction.errors import UsageError


def need(extra: str, *packages: str) -> None:
    """Refuse to go on without the packages of an extra.

    Raises:
        UsageError: one is not installed; names it and the extra.
    """
    for package in packages:
        try:
            importlib.import_module(package)
        except ModuleNotFoundError as error:
            raise UsageError(
                f"this needs the package '{error.name}': pip install 'feedback-friction[{extra}]'"
            ) from error
