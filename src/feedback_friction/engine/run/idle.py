"""What a command asks for that does nothing, or misleads, for one of its tasks: a note each."""

from __future__ import annotations

from collections.abc import Sequence

from feedback_friction.modes import Mode
from feedback_friction.problem import Problem
from feedback_friction.protocol.task import Task
from feedback_friction.settings import Selection, Settings


def without_effect(
    settings: Settings, modes: Sequence[Mode], task: Task, problems: Sequence[Problem]
) -> list[str]:
    """The notes, one line each."""
    found, plan = [], settings.plan
    if (plan.shuffle or plan.binary_hint) and not any(each.choices for each in problems):
        found.append(f"{task.name} has no choices: --shuffle and --binary-hint change nothing")
    elif plan.shuffle:
        found.append(
            f"{task.name}: --shuffle moves the right option at every attempt, so a solver "
            "that always gives the same letter is right in the end; compare gains with retry's"
        )
    if settings.models.judge_model is not None and task.judge is None:
        found.append(f"{task.name} needs no judge: --judge-model changes nothing")
    is_product = any(each.operands for each in problems)
    if settings.selection.digits != Selection().digits and not is_product:
        found.append(f"{task.name} is not a multiplication: --digits changes nothing")
    bare = sum(each.solution is None for each in problems)
    for name in (each.name for each in modes if each.sees_solution and bare):
        some = "no problem" if bare == len(problems) else f"{bare} of {len(problems)} problems"
        has = "has a worked solution" if bare == len(problems) else "have no worked solution"
        found.append(f"{some} of {task.name} {has}: there {name} knows the gold answer alone")
    return found
