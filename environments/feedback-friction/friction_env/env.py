"""One problem, solved again and again with feedback, as an episode of verifiers.

The loop is that of feedback-friction, a generator of effects; here its effects are answered by the
seats of the episode.
"""

from __future__ import annotations

import asyncio
from functools import cached_property
from typing import Any

import verifiers.v1 as vf

from feedback_friction.engine.run.conditions import Condition
from feedback_friction.problem import Problem
from feedback_friction.protocol.records import (
    Attempted,
    Completion,
    Generate,
    Reply,
    Trial,
)
from feedback_friction.protocol.task import work_of
from feedback_friction.protocol.trial import answer_key, trial
from friction_env.taskset import FrictionConfig, FrictionTaskset

HERE = {"type": "subprocess"}  # nothing is executed: the harness only talks


class FrictionEnvConfig(vf.EnvConfig):
    """The seats, and which problems are tried how."""

    taskset: FrictionConfig = FrictionConfig(id="friction-env")
    agent: vf.AgentConfig = vf.AgentConfig(harness={"id": "null"}, runtime=HERE)
    aside: vf.AgentConfig = vf.AgentConfig(harness={"id": "null"}, runtime=HERE)
    teacher: vf.AgentConfig = vf.AgentConfig(harness={"id": "null"}, runtime=HERE)


class FrictionEnv(vf.Env[FrictionEnvConfig]):
    """Answer, be told what is wrong, answer again."""

    @cached_property
    def condition(self) -> Condition:
        """What every problem is tried under."""
        taskset = self.taskset
        assert isinstance(taskset, FrictionTaskset)
        return taskset.condition

    async def setup(self, agents: vf.Agents) -> None:
        agents.aside.trainable = False
        agents.teacher.trainable = False

    async def run(self, task: vf.Task, agents: vf.Agents) -> None:
        condition = self.condition
        problem = next(p for p in condition.problems if p.id == task.data.problem_id)
        async with agents.agent.interaction(task) as talk:
            found = await _driven(condition, problem, agents, talk)
            keys = [answer_key(each.problem, each.verdict) for each in found.attempts]
            old = [key for place, key in enumerate(keys) if key and key in keys[:place]]
            talk.trace.record_reward("solved", float(found.status == "solved"))
            talk.trace.record_metric("solved_at_first", float(found.attempts[0].verdict.is_correct))
            talk.trace.record_metric("attempts", float(len(found.attempts)))
            talk.trace.record_metric("repeated", float(len(old)))


async def _driven(
    condition: Condition, problem: Problem, agents: vf.Agents, talk: vf.Interaction
) -> Trial:
    """Drive the trial's effects; turns of the conversation go to the trained seat."""
    steps = trial(problem, condition.task, condition.plan, 0, condition.problems)
    result: Any = None
    turns = 0
    while True:
        try:
            effect = steps.send(result)
        except StopIteration as stop:
            found: Trial = stop.value
            return found
        if isinstance(effect, Attempted):
            result = None
        elif isinstance(effect, Generate):
            own = effect.role == "solver" and effect.occasion.problem.id == problem.id
            if own and (turns == 0 or condition.plan.mode.shows_history):
                segment = await talk.turn(effect.messages[-1].content if turns else None)
                turns += 1
                result = _completion(segment)
            else:
                seat = agents.teacher if effect.speaker != "solver" else agents.aside
                result = await _asked(seat, effect)
        else:
            result = await asyncio.to_thread(work_of(condition.task, effect))


async def _asked(seat: vf.Agent, request: Generate) -> Completion:
    """One reply to a prompt that is no turn of the conversation."""
    system = "\n\n".join(each.content for each in request.messages if each.role == "system")
    rest = [
        {"role": each.role, "content": each.content}
        for each in request.messages
        if each.role != "system"
    ]
    task = vf.Task(vf.TaskData(prompt=rest, system_prompt=system or None))
    async with seat.interaction(task) as talk:
        return _completion(await talk.turn())


def _completion(segment: vf.Segment) -> Completion:
    if segment.terminated:
        raise RuntimeError("the conversation ended before the model answered")
    return Completion((Reply(segment.last_reply),))
