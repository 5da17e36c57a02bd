"""A pilot: a few problems of each task run for real, in the run's own directory.

Its trials are those of the run, with the same prompts and seeds, so that the run finds all of the
pilot's calls in its journal and pays for none of them again. From its calls comes what each of its
problems takes, and what a problem takes at most.

A call that several trials share counts once. A placebo is made from another problem's feedback:
that problem's first answer is its own, and the making of the feedback is shared by all that it is
given to.
"""

from __future__ import annotations

import math
import random
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from feedback_friction.engine.estimate.bounds import (
    Lengths,
    Setting,
    Taken,
    hint_tokens,
    largest_draws,
    never_solved,
    of_call,
    times,
    tokens_in,
    total,
)
from feedback_friction.engine.journal.keys import Key, call_key
from feedback_friction.engine.run.caller import Caller
from feedback_friction.engine.run.conditions import Condition, Job, jobs
from feedback_friction.engine.run.runner import Runner, run_pool
from feedback_friction.problem import Problem
from feedback_friction.protocol.records import Completion, Generate, Role, Status
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


@dataclass(frozen=True, slots=True)
class Stratum:
    """One task and solver: what each problem of the pilot took, and between what it may lie."""

    label: str
    size: int
    taken: Sequence[Taken]
    least: Taken
    most: Taken
    longest: float
    longest_unsolved: float


def stratum_of(group: Sequence[Condition], sampled: Sequence[Sampled], setting: Setting) -> Stratum:
    """The stratum of the conditions of one task and solver."""
    size, shares = len(group[0].problems), _donated_shares(group, sampled)
    if size == len(sampled):  # all is known: count every call once
        everything = total(once(call for each in sampled for call in each.calls()))
        taken = [times(1 / size, everything)] * size
    else:
        taken = [_of_problem(each, shares) for each in sampled]
    # Had every first attempt been right.
    at_once = [total(once(_answers(each, is_first=True))) for each in sampled]
    most, never = never_solved(group, [_mean_lengths(each, sampled) for each in group], setting)
    seconds = [
        sum(call.taken.busy_seconds for call in calls)
        for each in sampled
        for calls in each.trials.values()
    ]
    return Stratum(
        group[0].label,
        size,
        taken,
        Taken(*map(min, zip(*at_once, *taken, strict=True))),
        Taken(*map(max, zip(most, *taken, strict=True))),
        max(seconds),
        max([*seconds, *(each.busy_seconds for each in never)]),
    )


def once(calls: Iterable[Call]) -> list[Taken]:
    """What calls took, each of them once."""
    return list({call.key: call.taken for call in calls}.values())


def _of_problem(sampled: Sampled, shares: dict[str, float]) -> Taken:
    """What a problem adds to the run: its own calls, and its share of the placebos' making.

    The first answers of problems that give placebos are those problems' own.
    """
    donated = [
        times(shares.get(mode, 0.0), total(once(calls)))
        for mode, calls in _donations(sampled).items()
    ]
    return total([total(once(sampled.own())), *donated])


def _donations(sampled: Sampled) -> dict[str, list[Call]]:
    """By mode, the calls that wrote other problems' feedback for this one's placebos."""
    found: dict[str, list[Call]] = {}
    for call in sampled.calls():
        occasion = call.request.occasion
        if call.request.role == "feedback" and occasion.problem.id != sampled.problem.id:
            found.setdefault(occasion.mode, []).append(call)
    return found


def _donated_shares(group: Sequence[Condition], sampled: Sequence[Sampled]) -> dict[str, float]:
    """By mode, how many calls the run pays for each time that a problem is given a placebo.

    None where the mode is a condition of its own, whose trials ask for the same feedback. Else W
    wrong problems give R times, and W (1 - (1 - 1/W)^R) of them are expected to give at all.
    """
    asked_anyway = {each.plan.mode.name for each in group if each.plan.iterations > 1}
    size = len(group[0].problems)
    # Epochs in which the first attempt was not the last one.
    wrong = size * fmean(
        len({call.request.occasion.epoch for call in _answers(each, is_first=False)})
        for each in sampled
    )
    donations = [_donations(each) for each in sampled]
    shares = {}
    for mode in {mode for each in donations for mode in each} - asked_anyway:
        given = size * fmean(len({call.key for call in each.get(mode, ())}) for each in donations)
        distinct = -wrong * math.expm1(given * math.log1p(-1 / wrong)) if wrong > 1 else given
        shares[mode] = min(1.0, distinct / given)
    return shares


def _answers(sampled: Sampled, *, is_first: bool) -> list[Call]:
    """The solver's calls for first or for later attempts."""
    return [
        call
        for call in sampled.own()
        if call.request.role == "solver" and (call.request.occasion.iteration == 0) == is_first
    ]


def _mean_lengths(condition: Condition, sampled: Sequence[Sampled]) -> Lengths:
    """Mean lengths in the pilot; where it saw no feedback, as long as replies."""
    calls = [call for each in sampled for call in each.only({condition.id}).calls()]
    answers = [call for call in calls if call.request.role == "solver"]
    first = [call for call in answers if call.request.occasion.iteration == 0]
    later = [call for call in answers if call.request.occasion.iteration > 0]
    occasions = (call.request.occasion for call in later)
    attempts = {(each.problem.id, each.epoch, each.iteration) for each in occasions}
    requests, draws = largest_draws(condition)
    if attempts:
        requests = len(later) / len(attempts)
        draws = sum(call.request.n for call in later) / len(attempts)
    reply = _per_reply(calls, "solver", 0.0)
    mode = condition.plan.mode
    if mode.written_as.writer == "question":
        feedback = fmean(hint_tokens(each.problem for each in sampled))
    else:
        feedback = _per_reply(calls, "feedback", reply)
    solutions = (each.problem.solution or "" for each in sampled)
    read = sum(call.completion.usage.prompt_tokens for call in calls)
    cached = sum(call.completion.usage.cached_tokens for call in calls)
    return Lengths(
        prompt=fmean(call.completion.usage.prompt_tokens for call in first),
        reply=reply,
        feedback=feedback,
        verdict=_per_reply(calls, "judge", 5.0),
        solution=fmean(map(tokens_in, solutions)) if mode.sees_solution else 0.0,
        requests=requests,
        draws=draws,
        cached=cached / read if read else 0.0,
        seconds=fmean(call.completion.seconds for call in calls),
    )


def _per_reply(calls: Iterable[Call], role: Role, otherwise: float) -> float:
    """Tokens of a role's replies on average; ``otherwise`` where there are none."""
    own = [call for call in calls if call.request.role == role]
    replies = sum(call.request.n for call in own)
    written = sum(call.completion.usage.completion_tokens for call in own)
    return written / replies if replies else otherwise
