"""A condition for programs that drive its trials themselves, and seat its models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from feedback_friction.engine.run.conditions import Condition
from feedback_friction.engine.run.prepare import prepare
from feedback_friction.errors import UsageError
from feedback_friction.settings import Settings

# Whoever drives the trials knows who these are.
_SEATS = {"feedback_model": "role/feedback", "judge_model": "role/judge"}


def one_condition(task: str, solver: str, options: Mapping[str, Any]) -> Condition:
    """The one condition that the options of ``friction run`` ask for, checked as it checks them.

    Args:
        solver: what to call the solver.

    Raises:
        UsageError: an option is unknown or wrong, or they ask for several conditions.
    """
    asked = Settings.of(tasks=[task], solver=[solver], **_SEATS, **options)
    conditions = prepare(asked, calls=False).conditions
    if len(conditions) != 1:
        raise UsageError(f"these options make {len(conditions)} conditions; one is needed")
    return conditions[0]
