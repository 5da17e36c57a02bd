"""Whether a feedback mode suits a task and its problems, and how the task has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from feedback_friction.errors import UsageError
from feedback_friction.modes import HINT, PROCESS, TUTOR, Mode
from feedback_friction.problem import Problem
from feedback_friction.protocol.feedback import parts_of
from feedback_friction.protocol.mislead import by_program
from feedback_friction.protocol.task import Task


def for_task(mode: Mode, task: Task, problems: Sequence[Problem]) -> Mode:
    """The mode as a task has it: who misleads, and whose feedback is corrupted or late."""
    if mode.misleads and not by_program(task, problems):
        return replace(mode, writer="model")
    if mode.writer in ("noise", "late") and not mode.source:
        hinted = all(problem.hints for problem in problems)
        source = TUTOR if task.tutor else HINT if hinted else PROCESS
        return replace(mode, source=source.name)
    return mode


def check_mode(mode: Mode, task: Task) -> None:
    """Refuse a mode that the task cannot have; raises ``UsageError``."""
    written = mode.written_as
    if written.writer == "program" and not written.misleads and task.tutor is None:
        raise UsageError(
            f"task '{task.name}' has no tutor, so feedback mode '{mode.name}' cannot be used with "
            "it; 'friction tasks' lists those that have one"
        )


def check_hints(mode: Mode, problems: Sequence[Problem]) -> None:
    """Refuse a mode that gives hints, or a part of something, where a problem has none.

    Raises:
        UsageError: one of the problems has no hints, or nothing to show a part of.
    """
    if mode.writer == "part":
        bare, needs = (
            [each for each in problems if not parts_of(each)],
            "a worked solution or hints",
        )
    elif mode.written_as.writer == "question":
        bare = [each for each in problems if not each.hints]
        needs = "rows with a field 'hints', a list of texts"
    else:
        return
    if bare:
        raise UsageError(
            f"feedback mode '{mode.name}' needs {needs}; {len(bare)} of {len(problems)} rows of "
            f"{bare[0].task} have none, such as '{bare[0].id}'"
        )
