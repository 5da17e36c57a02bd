"""The problems of a task of feedback-friction, each with the condition that it is tried under."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import verifiers.v1 as vf
from feedback_friction.bridges.one import one_condition
from pydantic import Field

from feedback_friction.engine.run.conditions import Condition
from feedback_friction.errors import UsageError
from feedback_friction.modes import CHAT


class FrictionConfig(vf.TasksetConfig):
    """Which problems, and how they are tried; ``options`` are those of ``friction run``."""

    task_name: str = "decimal_multiplication"
    feedback: str = "binary"
    options: dict[str, Any] = Field(default_factory=dict)


class FrictionData(vf.TaskData):
    """A problem."""

    problem_id: str


class FrictionTask(vf.Task[FrictionData]):
    """A problem as the solver reads it; the environment judges the conversation."""

    @property
    def key(self) -> str:
        return self.data.problem_id


class FrictionTaskset(vf.Taskset[FrictionTask, FrictionConfig]):
    """The problems of one condition."""

    def load(self) -> Iterable[FrictionTask]:
        condition = self.condition
        for problem in condition.problems:
            yield FrictionTask(
                FrictionData(
                    problem_id=problem.id,
                    system_prompt=condition.task.system,
                    prompt=condition.task.ask(problem),
                )
            )

    @property
    def condition(self) -> Condition:
        """The condition, checked as ``friction run`` checks it.

        Raises:
            UsageError: an option is unknown or wrong, or asks for several conditions.
        """
        config = self.config
        options = {"feedback": [config.feedback], "history": [CHAT.name], **config.options}
        condition = one_condition(config.task_name, "verifiers", options)
        if condition.plan.sampling.reject:
            raise UsageError("a turn has one reply: rejection sampling is not to be had here")
        return condition
