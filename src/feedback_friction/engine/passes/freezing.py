"""A run's first attempts and the feedback on them, frozen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from feedback_friction.analysis.journal import read_run
from feedback_friction.engine.passes.reopen import read_trials, reopen
from feedback_friction.errors import UsageError
from feedback_friction.protocol.frozen import Item
from feedback_friction.tasks.catalog import get_page


def freeze(directory: Path) -> tuple[dict[str, Any], list[Item]]:
    """What a run's first attempts and the feedback on them make: what the set is, and its items.

    Raises:
        UsageError: the run gave no feedback, or its data may not be passed on.
    """
    run, document = reopen(directory, calls=False), read_run(directory)
    items: list[Item] = []
    licences: dict[str, str] = {}
    for condition in run.conditions:
        page = get_page(condition.label)
        if page.confidential:
            raise UsageError(f"the owner of {condition.label} asks that its data are not passed on")
        licences[condition.label] = page.licence
        for trial in read_trials(directory, condition):
            first = trial.attempts[0]
            if first.feedback is not None:
                items.append(Item(condition.plan.mode.name, trial.problem, (first,)))
    if not items:
        raise UsageError(f"{directory} holds no feedback that could be frozen")
    return {
        "licence": licences,
        "made_by": "friction freeze",
        "solvers": sorted({each.solver for each in run.conditions}),
        "feedback_models": sorted({each.feedback_model or "" for each in run.conditions} - {""}),
        "simulated": any(each.simulated for each in run.conditions),
        "created": document.get("created", ""),
        "versions": document.get("versions", {}),
    }, items
