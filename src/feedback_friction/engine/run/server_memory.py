"""What a run learnt of its servers, kept in ``run.json``: a resumed run asks as before.

Without it a run that was resumed at another server, or after an update of the same one, would ask
some of its calls with a parameter and some without.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from feedback_friction.analysis.journal import read_run
from feedback_friction.engine.models.base import Model
from feedback_friction.engine.models.remote.learning import Dialect, Keep
from feedback_friction.engine.run.run_directory import add_learnt
from feedback_friction.errors import UsageError


def remember(models: Iterable[Model], directory: Path) -> None:
    """Have models begin with what an earlier session learnt, and keep what this one learns.

    The directory is held by this process.
    """
    known = read_run(directory).get("learnt")
    for model in dict.fromkeys(models):
        dialect = getattr(model, "dialect", None)
        if not isinstance(dialect, Dialect):
            continue
        learnt = known.get(model.name) if isinstance(known, Mapping) else None
        if isinstance(learnt, Mapping):
            dialect.recall(learnt)
        dialect.keep = _keeper(directory, model.name, dialect)
        if found := dialect.learnt():
            dialect.keep(found)


def _keeper(directory: Path, name: str, dialect: Dialect) -> Keep:
    def keep(learnt: Mapping[str, object]) -> None:
        try:
            add_learnt(directory, name, learnt)
        except UsageError as error:  # a run does not end for want of a note
            dialect.tell(f"what was learnt cannot be kept: {error}")

    return keep
