"""The tasks of this program in inspect_ai: ``inspect eval feedback_friction/gpqa -T iterations=5``.

Inspect runs the samples, calls the models, keeps the log; the trial itself is this program's own
loop, with its prompts, mask, graders and seeds. Options (``-T``) are those of ``friction run``.
Modes in which another model writes the feedback take it from ``--model-role feedback=...``, judges
from ``--model-role judge=...``. Conditions do not share calls here, and a sample that is
interrupted starts over: where money counts, use ``friction run`` and export its logs.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import anyio.to_thread
from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import transcript
from inspect_ai.model import GenerateConfig, Model, ModelOutput, get_model
from inspect_ai.scorer import Score, Scorer, Target, accuracy, scorer, stderr
from inspect_ai.solver import Generate as GenerateFunction
from inspect_ai.solver import Solver, TaskState, solver
from inspect_ai.util import span

from feedback_friction.bridges.inspect_log import (
    SCORER,
    about_problem,
    feedback_of,
    messages_of,
    scores_of,
    told_of,
)
from feedback_friction.engine.models.providers.inspect_model import inspect_message, sampled
from feedback_friction.engine.models.providers.inspect_reply import read_output
from feedback_friction.engine.models.remote.calls import joined
from feedback_friction.engine.models.remote.dialect import draw_seed
from feedback_friction.engine.models.remote.faults import Fault
from feedback_friction.engine.run.conditions import Condition
from feedback_friction.engine.run.prepare import prepare
from feedback_friction.errors import UsageError
from feedback_friction.options import options_of
from feedback_friction.protocol.records import Attempted, Completion, Generate, Trial
from feedback_friction.protocol.task import work_of
from feedback_friction.protocol.trial import trial
from feedback_friction.settings import Settings
from feedback_friction.tasks.catalog import PAGES

_KEPT = "friction"  # the trial's place in the sample's store
_ROLES = {"feedback_model": "role/feedback", "judge_model": "role/judge"}


def _defined(name: str) -> Callable[..., Task]:
    """The task of that name, for inspect's registry."""

    @task(name=name)
    def made(**options: Any) -> Task:
        """One problem a sample; a score is one column an attempt: solved by then."""
        condition = _condition(name, options)
        return Task(
            dataset=MemoryDataset(
                [Sample(**about_problem(condition, each)) for each in condition.problems], name
            ),
            solver=friction_solver(condition),
            scorer=friction_scorer(condition.plan.iterations),
            epochs=condition.epochs,
            metadata={"condition": condition.id},
        )

    return made


def _condition(task_name: str, options: Mapping[str, Any]) -> Condition:
    """The one condition that the options ask for, checked as ``friction run`` checks them."""
    known = options_of(Settings)
    listed = {  # inspect's command line makes no lists of one
        name: [value] if name in known and known[name].is_multiple else value
        for name, value in options.items()
    }
    asked = Settings.of(tasks=[task_name], solver=["inspect"], **_ROLES, **listed)
    conditions = prepare(asked, calls=False).conditions
    if len(conditions) != 1:
        raise UsageError(f"these options make {len(conditions)} conditions; one is needed")
    return conditions[0]


@solver(name="friction")
def friction_solver(condition: Condition) -> Solver:
    """Runs a condition's trial of the sample's problem."""
    problems = {problem.id: problem for problem in condition.problems}

    async def solve(state: TaskState, generate: GenerateFunction) -> TaskState:
        problem = problems[str(state.sample_id)]
        found = await _run(condition, problem, state.epoch - 1)
        state.store.set(_KEPT, found)
        for attempt in found.attempts:
            if attempt.feedback is not None:
                about = f"feedback on attempt {attempt.iteration + 1}"
                transcript().info(feedback_of(attempt.feedback), source=about)
        state.messages = list(messages_of(condition, found))
        last = found.attempts[-1].reply.text if found.attempts else ""
        state.output = ModelOutput.from_content(str(state.model), last)
        state.metadata |= {"status": found.status, "reason": found.reason}
        return state

    return solve


@scorer(metrics={"*": [accuracy(), stderr()]}, name=SCORER)
def friction_scorer(iterations: int) -> Scorer:
    """One column an attempt: whether the problem is solved by then.

    A trial whose last answer could not be compared with gold in time has no value from there on.
    """

    async def score(state: TaskState, target: Target) -> Score:
        found: Trial = state.store.get(_KEPT)
        value = scores_of(found, iterations)
        if found.status == "undecided":
            value |= dict.fromkeys(list(value)[len(found.attempts) - 1 :], math.nan)
        answer = found.attempts[-1].verdict.prediction if found.attempts else None
        return Score(value=value, answer=answer, explanation=f"{found.status} {found.reason}")

    return score


async def _run(condition: Condition, problem: Any, epoch: int) -> Trial:
    """Drive a trial's effects; each attempt, with the feedback on it, is a span."""
    steps = trial(problem, condition.task, condition.plan, epoch, condition.problems)
    result: Any = None
    async with AsyncExitStack() as spans:
        open_span = ""
        while True:
            try:
                effect = steps.send(result)
            except StopIteration as stop:
                found: Trial = stop.value
                return found
            if isinstance(effect, Attempted):
                transcript().info(told_of(effect.attempt), source=open_span)
                result = None
            elif isinstance(effect, Generate):
                name = f"attempt {effect.occasion.iteration + 1}"
                if name != open_span:
                    await spans.aclose()
                    await spans.enter_async_context(span(name))
                    open_span = name
                result = await _complete(effect)
            else:
                work = work_of(condition.task, effect)
                slow = condition.task.slow
                result = await anyio.to_thread.run_sync(work) if slow else work()


def _speaker(request: Generate) -> Model:
    """The evaluated model, or the one that is bound to the speaker's role."""
    if request.speaker == "solver":
        return get_model()
    return get_model(role=request.speaker, required=True)


async def _complete(request: Generate) -> Completion:
    """Exactly ``request.n`` replies; a provider that gives one at a time is asked again.

    Raises:
        RuntimeError: what came back is no reply; the sample fails, and is no wrong answer.
    """
    completion: Completion | None = None
    while completion is None or len(completion.replies) < request.n:
        so_far = len(completion.replies) if completion else 0
        began = time.monotonic()
        output = await _speaker(request).generate(
            [inspect_message(each) for each in request.messages], config=_config(request, so_far)
        )
        seconds = time.monotonic() - began
        found = read_output(output, seconds=seconds, logprobs=request.logprobs)
        if isinstance(found, Fault):
            raise RuntimeError(f"no reply: {found.message}")
        if completion is None:
            completion = found
        else:
            completion = joined(completion, found, completion.seconds + seconds)
    return completion


def _config(request: Generate, so_far: int) -> GenerateConfig:
    left = replace(request, n=request.n - so_far, seed=draw_seed(request.seed, so_far))
    return GenerateConfig(max_tokens=request.max_tokens, **sampled(left))


globals().update({name: _defined(name) for name in PAGES})  # where inspect looks for them
