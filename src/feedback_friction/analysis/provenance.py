"""What a run was made with, for those who want to reproduce it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from feedback_friction.analysis.accuracy_by_attempt import Paid, read_paid
from feedback_friction.analysis.journal import open_journal, read_run
from feedback_friction.analysis.layers import read_layers
from feedback_friction.redact import NONE, cleaned


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a run came about."""

    command: str  # the command that reproduces it
    created: str  # when it was begun, UTC
    ended: str  # when its last trial ended, UTC; empty before any did
    config: dict[str, Any]  # the configuration that decides its results
    operation: dict[str, Any]  # what does not decide them: servers, concurrency, budget, price list
    versions: dict[str, str]  # of the program and of what it uses
    # commit and state of the working directory; None outside a repository
    git: dict[str, Any] | None
    # (role, name asked for, name as the server reported it, calls)
    models: tuple[tuple[str, str, str, int], ...]
    paid: Paid  # what was paid for, every call once
    notices: tuple[str, ...]  # what servers left out of what was asked, and what was judged again


def provenance(directory: Path) -> Provenance:
    """Read it from ``run.json`` and the journal."""
    document = read_run(directory)
    with open_journal(directory) as db:
        models = db.execute(
            "SELECT role, model, server_model, count(*) FROM completions GROUP BY 1, 2, 3"
        ).fetchall()
        ended = db.execute("SELECT max(finished) FROM trials").fetchone()[0]
    return Provenance(
        # A directory of an earlier version may hold the password of a URL.
        shlex.join(cleaned(map(str, document.get("command", [])), NONE)),
        document.get("created", ""),
        ended or "",
        document.get("config", {}),
        document.get("operation", {}),
        document.get("versions", {}),
        document.get("git"),
        tuple((row[0], row[1], row[2], row[3]) for row in models),
        read_paid(directory),
        (*map(str, document.get("notices", ())), *read_layers(directory).lines()),
    )
