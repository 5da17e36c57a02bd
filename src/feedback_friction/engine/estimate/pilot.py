"""A pilot: a few problems of each task run for real, in the run's own directory.

Its trials are those of the run, with the same prompts and seeds, so that the run finds all of the
pilot's calls in its journal and pays for none of them again.
"""

from __future__ import annotations

import random
from collections.abc import Container, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from feedback_friction.engine.estimate.amounts import Taken, of_call
from feedback_friction.engine.journal.keys import Key, call_key
from feedback_friction.engine.run.caller import Caller
from feedback_friction.engine.run.conditions import Condition, Job, jobs
from feedback_friction.engine.run.runner import Runner, run_pool
from feedback_friction.problem import Problem
from feedback_friction.protocol.records import Completion, Effect, Generate, Status
from feedback_friction.protocol.trial import trial

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a trial: what was asked, and what it took (the same wherever it was reused)."""

    key: Key
    request: Generate
    completion: Completion
    taken: Taken


@dataclass(slots=True)
class Sampled:
    """What the pilot saw of one problem.

    Attributes:
        trials: by (condition id, epoch), the calls of the trial, in order.
        failed: whether any of its trials failed, so that what it takes is not known.
    """

    problem: Problem
    trials: dict[tuple[str, int], list[Call]] = field(default_factory=dict)
    failed: bool = False

    def only(self, conditions: Container[str]) -> Sampled:
        """What it saw under some conditions, by their ids."""
        trials = {key: calls for key, calls in self.trials.items() if key[0] in conditions}
        return Sampled(self.problem, trials, self.failed)


Pilot = dict[str, list[Sampled]]  # by task, in the run's order


def choose(conditions: Sequence[Condition], size: int) -> Pilot:
    """The problems of the pilot: ``size`` of every task at most, at random by the run's seed."""
    chosen: Pilot = {}
    for condition in conditions:
        if condition.label not in chosen:
            rng = random.Random(f"{condition.plan.seed}:{condition.label}:pilot")
            count = len(condition.problems)
            places = sorted(rng.sample(range(count), min(size, count)))
            chosen[condition.label] = [Sampled(condition.problems[place]) for place in places]
    return chosen


async def run_pilot(runner: Runner, conditions: Sequence[Condition], pilot: Pilot) -> None:
    """Run the pilot's trials, and keep their calls in it.

    Raises:
        RunStoppedError: the run cannot go on; what was paid for is in the journal.
    """
    caller, progress = runner.caller, runner.progress
    by_place = {(label, sampled.problem.id): sampled for label in pilot for sampled in pilot[label]}
    # What is not in the pilot is left out as if it had run already.
    others = {
        each.id: {
            (problem.id, epoch)
            for problem in each.problems
            if (each.label, problem.id) not in by_place
            for epoch in range(each.epochs)
        }
        for each in conditions
    }
    todo = list(jobs(conditions, others))
    progress.total = len(todo)

    async def work(job: Job) -> None:
        sampled = by_place[job.condition.label, job.problem.id]
        progress.count(await _run_job(caller, job, sampled))

    async def failed(job: Job, reason: str) -> None:
        by_place[job.condition.label, job.problem.id].failed = True
        progress.fail(reason)

    await run_pool(caller, iter(todo), work, failed, progress)


async def _run_job(caller: Caller, job: Job, sampled: Sampled) -> Status:
    condition = job.condition
    asked: list[tuple[Generate, Completion]] = []
    steps = trial(job.problem, condition.task, condition.plan, job.epoch, condition.problems)
    done = await caller.drive(recorded(steps, asked), condition.task, solver=condition.solver)
    calls = []
    for request, completion in asked:
        model = caller.model_for(request, condition.solver)
        cost = caller.prices.cost(model.name, completion.usage)
        taken = of_call(completion.usage, cost, completion.seconds)
        calls.append(Call(call_key(model.identity, request), request, completion, taken))
    sampled.trials[condition.id, job.epoch] = calls
    return done.status


def recorded(
    steps: Generator[Effect, Any, Result], asked: list[tuple[Generate, Completion]]
) -> Generator[Effect, Any, Result]:
    """The same generator; what it asks of models, and is answered, is kept."""
    try:
        effect = next(steps)
        while True:
            answer = yield effect
            if isinstance(effect, Generate):
                asked.append((effect, answer))
            effect = steps.send(answer)
    except StopIteration as stop:
        result: Result = stop.value
        return result
