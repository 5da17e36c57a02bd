"""Rows from the Hugging Face hub, at a pinned revision, cached on this machine.

The library ``datasets`` does the work (extra ``[hub]``); it is imported where it is needed, because
that takes seconds. Whatever keeps the rows away is one line for the user that names ``--data``.
"""

from __future__ import annotations

import importlib
import logging
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from feedback_friction.errors import UsageError
from feedback_friction.problem import Problem
from feedback_friction.protocol.task import Task
from feedback_friction.settings import Selection
from feedback_friction.tasks.page import Examples, Page, Row

_SECONDS_TO_ANSWER = 10.0


@dataclass(frozen=True, slots=True)
class Source:
    """One split of a data set on the hub."""

    id: str  # owner and name, e.g. ``"cais/mmlu"``
    split: str  # the split's name
    revision: str  # the commit of the data set's repository, in full
    config: str | None = None  # the configuration; None for the only one
    columns: tuple[str, ...] = ()  # the columns to read; empty for all
    # the owner wants terms to be accepted, and the rows not to be shown in public
    gated: bool = False

    def __str__(self) -> str:
        parts = (self.id, self.config, self.split, f"revision {self.revision[:8]}")
        return ", ".join(part for part in parts if part)

    @property
    def url(self) -> str:
        """The data set's page."""
        return f"https://huggingface.co/datasets/{self.id}"


def source_of(name: str) -> Source:
    """``hf:OWNER/NAME:SPLIT``, or with a configuration ``hf:OWNER/NAME:CONFIG:SPLIT``.

    ``OWNER/NAME@REVISION`` pins a commit, a tag or a branch. Instead of ``OWNER/NAME`` a folder of
    data files on this machine does as well.

    Raises:
        UsageError: it is of another form.
    """
    parts = name.removeprefix("hf:").split(":")
    if len(parts) not in (2, 3) or not all(parts):
        raise UsageError(
            f"'{name}' is not of the form hf:OWNER/NAME:SPLIT or hf:OWNER/NAME:CONFIG:SPLIT"
        )
    found, _, revision = parts[0].partition("@")
    return Source(found, parts[-1], revision or "main", parts[1] if len(parts) == 3 else None)


def load_rows(source: Source) -> list[Row]:
    """All rows of a split, from the cache or else from the hub.

    Raises:
        UsageError: they cannot be had; says why and what to do.
    """
    otherwise = "or give the rows with --data FILE"
    try:
        datasets: Any = importlib.import_module("datasets")
    except ImportError as error:
        raise UsageError(
            f"{source.id} comes from the Hugging Face hub, which needs "
            f"pip install 'feedback-friction[hub]'; do that, {otherwise}"
        ) from error
    is_here = is_cached(source) or Path(source.id).is_dir()
    if not is_here and not _reachable():  # datasets would retry for half a minute
        raise UsageError(
            f"cannot reach the Hugging Face hub for {source.id}, and it is not in the cache; "
            f"connect{_access(source)}, {otherwise}"
        )
    failures = (OSError, ValueError, datasets.exceptions.DatasetsError)
    try:
        with _quiet():
            table = datasets.load_dataset(
                source.id,
                name=source.config,
                split=source.split,
                revision=None if Path(source.id).is_dir() else source.revision,
            )
            if source.columns:
                table = table.select_columns(list(source.columns))
            return [dict(row) for row in table]
    except failures as error:
        raise UsageError(f"{_why(source, error)}, {otherwise}") from error


def hub_page(
    task: Task,
    source: Source,
    *,
    title: str,
    licence: str,
    size: int,
    grader: str,
    to_problem: Callable[[Row], Problem],
    rows: Callable[[Selection], list[Row]] | None = None,
    examples: Examples | None = None,
) -> Page:
    """The page of a task whose rows are a split on the hub: all of them, unless ``rows`` says."""
    return Page(
        task=task,
        title=title,
        source=str(source),
        licence=licence,
        size=size,
        grader=grader,
        to_problem=to_problem,
        rows=rows or (lambda selection: load_rows(source)),
        cached=lambda: is_cached(source),
        examples=examples,
        confidential=source.gated,
    )


def hub_examples(source: Source, *, by_subject: bool = False) -> Examples:
    """Few-shot examples from a split on the hub."""
    return Examples(str(source), lambda selection: load_rows(source), by_subject=by_subject)


def is_cached(source: Source) -> bool:
    """Whether the split lies in the cache of ``datasets`` on this machine, in this revision."""
    name = f"{source.config or 'default'}/0.0.0/{source.revision}"
    owner = source.id.partition("/")[0]
    return any(
        any(folder.glob(f"*-{source.split}*.arrow"))
        for folder in _cache().glob(f"{owner}___*/{name}")
    )


def _cache() -> Path:
    """Where ``datasets`` keeps what it loaded, by its own rules (huggingface.co/docs/datasets)."""
    if folder := os.environ.get("HF_DATASETS_CACHE"):
        return Path(folder).expanduser()
    home = os.environ.get("HF_HOME") or Path(
        os.environ.get("XDG_CACHE_HOME") or "~/.cache", "huggingface"
    )
    return Path(home).expanduser() / "datasets"


def _reachable() -> bool:
    """Whether the hub answers anything at all."""
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        return False
    endpoint = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    request = urllib.request.Request(endpoint, method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS_TO_ANSWER):
            return True
    except urllib.error.HTTPError:
        return True
    except (OSError, ValueError):
        return False


def _access(source: Source) -> str:
    """How to get at a gated data set, as the middle of a sentence; nothing for any other."""
    how = f"accept its terms at {source.url} and log in with 'hf auth login' or HF_TOKEN"
    return f"; it is gated: {how}" if source.gated else ""


def _why(source: Source, error: Exception) -> str:
    """One line on a failed load; of a gated data set it quotes nothing, for that might be a row."""
    if source.gated:
        return f"the hub refused {source.id} ({type(error).__name__}){_access(source)}"
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return f"cannot load {source}: {lines[0][:200]}; try again"


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the libraries' warnings and retries off the terminal."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(before)
