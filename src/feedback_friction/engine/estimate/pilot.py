"""A pilot: a few problems of each task run for real, in the run's own directory.

Its trials are those of the run, with the same prompts and seeds, so that the run finds all of the
pilot's calls in its journal and pays for none of them again.
"""

from __future__ import annotations

import random
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field

from feedback_friction.engine.estimate.bounds import Taken, of_call
from feedback_friction.engine.journal.keys import Key, call_key
from feedback_friction.engine.run.caller import Caller
from feedback_friction.engine.run.conditions import Condition, Job, jobs
from feedback_friction.engine.run.runner import Runner, run_pool
from feedback_friction.problem import Problem
from feedback_friction.protocol.records import Completion, Generate, Status
from feedback_friction.protocol.trial import trial


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a trial: what was asked, and what it took (the same wherever it was reused)."""

    key: Key
    request: Generate
    completion: Completion
    taken: Taken


@dataclass(slots=True)
class Sampled:
    """What the pilot saw of one problem."""

    problem: Problem
    # by (condition id, epoch), the calls of the trial, in order
    trials: dict[tuple[str, int], list[Call]] = field(default_factory=dict)
    failed: bool = False  # whether any of its trials failed, so that what it takes is not known

    def calls(self) -> Iterator[Call]:
        """The calls of all its trials; one that several share comes as often."""
        return (call for calls in self.trials.values() for call in calls)

    def own(self) -> Iterator[Call]:
        """The calls about the problem itself, not about one that gives it a placebo."""
        asked = self.problem.id
        return (each for each in self.calls() if each.request.occasion.problem.id == asked)

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
    none: dict[str, set[tuple[str, int]]] = {each.id: set() for each in conditions}
    todo = [
        job for job in jobs(conditions, none) if (job.condition.label, job.problem.id) in by_place
    ]
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
    calls: list[Call] = []

    def keep(request: Generate, completion: Completion) -> None:
        model = caller.model_for(request, condition.solver)
        cost = caller.prices.cost(model.name, completion.usage)
        taken = of_call(completion.usage, cost, completion.seconds)
        calls.append(Call(call_key(model.identity, request), request, completion, taken))

    steps = trial(job.problem, condition.task, condition.plan, job.epoch, condition.problems)
    done = await caller.drive(steps, condition.task, solver=condition.solver, called=keep)
    sampled.trials[condition.id, job.epoch] = calls
    return done.status
