"""What each problem of a pilot takes, from its calls, and what a problem takes at most.

A call that several trials share counts once. A placebo is made from another problem's feedback:
that problem's first answer is its own, and the making of the feedback is shared by all that it is
given to.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from feedback_friction.engine.estimate.amounts import Taken, larger, smallest, times, total
from feedback_friction.engine.estimate.bounds import (
    Lengths,
    first_attempt,
    hint_tokens,
    largest_draws,
    tokens_in,
    unsolved,
)
from feedback_friction.engine.estimate.pilot import Call, Sampled
from feedback_friction.engine.models.price_list import Prices
from feedback_friction.engine.run.conditions import Condition
from feedback_friction.engine.run.seats import Seat
from feedback_friction.protocol.records import Role


@dataclass(frozen=True, slots=True)
class Setting:
    """What an estimate must know of a run beside its conditions.

    Attributes:
        prices: what tokens cost.
        judge: the judge model's name, where there is one.
        concurrency: requests in flight at most.
        thinking: by seat, tokens of reasoning that a reply may take beside its limit.
        seed: of the resampling.
    """

    prices: Prices
    judge: str | None
    concurrency: int
    thinking: Mapping[Seat, int]
    seed: int = 0


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
    size, shares = len(group[0].problems), _donated_shares(group, sampled)
    if size == len(sampled):  # all is known: count every call once
        everything = total(union(call for each in sampled for call in calls_of(each)))
        taken = [times(1 / size, everything)] * size
    else:
        taken = [_of_problem(each, shares) for each in sampled]
    lengths = [_mean_lengths(each, sampled) for each in group]
    never = [
        unsolved(each, length, setting.judge, setting.prices)
        for each, length in zip(group, lengths, strict=True)
    ]
    shared = (
        first_of(each, length, setting.judge, setting)
        for each, length in zip(group[1:], lengths[1:], strict=True)
    )
    most = times(group[0].epochs, total([*never, times(-1.0, total(shared))]))
    for each in taken:
        most = larger(most, each)
    seconds = [
        sum(call.taken.busy_seconds for call in calls)
        for each in sampled
        for calls in each.trials.values()
    ]
    return Stratum(
        group[0].label,
        size,
        taken,
        smallest([*(_at_once(each) for each in sampled), *taken]),
        most,
        max(seconds),
        max([*seconds, *(each.busy_seconds for each in never)]),
    )


def calls_of(sampled: Sampled) -> Iterable[Call]:
    return (call for calls in sampled.trials.values() for call in calls)


def union(calls: Iterable[Call]) -> list[Taken]:
    """Every call once."""
    return list({call.key: call.taken for call in calls}.values())


def _own(call: Call, sampled: Sampled) -> bool:
    """Whether a call is about the problem itself, not about one that gives it a placebo."""
    return call.request.occasion.problem.id == sampled.problem.id


def _of_problem(sampled: Sampled, shares: dict[str, float]) -> Taken:
    """What a problem adds to the run: its own calls, and its share of the placebos' making.

    The first answers of problems that give placebos are those problems' own.
    """
    own = total(union(call for call in calls_of(sampled) if _own(call, sampled)))
    donated = [
        times(shares.get(mode, 0.0), total(union(calls)))
        for mode, calls in _donations(sampled).items()
    ]
    return total([own, *donated])


def _donations(sampled: Sampled) -> dict[str, list[Call]]:
    """By mode, the calls that wrote other problems' feedback for this one's placebos."""
    found: dict[str, list[Call]] = {}
    for call in calls_of(sampled):
        if call.request.role == "feedback" and not _own(call, sampled):
            found.setdefault(call.request.occasion.mode, []).append(call)
    return found


def _donated_shares(group: Sequence[Condition], sampled: Sequence[Sampled]) -> dict[str, float]:
    """By mode, how many calls the run pays for each time that a problem is given a placebo.

    None where the mode is a condition of its own, whose trials ask for the same feedback. Else W
    wrong problems give R times, and W (1 - (1 - 1/W)^R) of them are expected to give at all.
    """
    asked_anyway = {each.plan.mode.name for each in group if each.plan.iterations > 1}
    size = len(group[0].problems)
    modes = {mode for each in sampled for mode in _donations(each)} - asked_anyway
    wrong = size * fmean(_wrong_at_first(each) for each in sampled)
    shares = {}
    for mode in modes:
        given = [len({call.key for call in _donations(each).get(mode, ())}) for each in sampled]
        times_given = size * fmean(given)
        if wrong > 1:
            distinct = wrong * -math.expm1(times_given * math.log1p(-1 / wrong))
            shares[mode] = min(1.0, distinct / times_given)
        else:
            shares[mode] = 1.0
    return shares


def _wrong_at_first(sampled: Sampled) -> float:
    """Epochs in which the first attempt was not the last one."""
    seen: dict[int, bool] = {}
    for (_, epoch), calls in sampled.trials.items():
        later = any(
            call.request.role == "solver" and call.request.occasion.iteration > 0
            for call in calls
            if _own(call, sampled)
        )
        seen[epoch] = seen.get(epoch, False) or later
    return float(sum(seen.values()))


def _at_once(sampled: Sampled) -> Taken:
    """What the problem would have taken had every first attempt been right."""
    firsts = (
        call
        for call in calls_of(sampled)
        if call.request.role == "solver"
        and call.request.occasion.iteration == 0
        and _own(call, sampled)
    )
    return total(union(firsts))


def _mean_lengths(condition: Condition, sampled: Sequence[Sampled]) -> Lengths:
    """Mean lengths in the pilot; where it saw no feedback, as long as replies."""
    calls = [
        call
        for each in sampled
        for (name, _), calls in each.trials.items()
        if name == condition.id
        for call in calls
    ]
    answers = _with_role(calls, "solver")
    first = [call for call in answers if call.request.occasion.iteration == 0]
    later = [call for call in answers if call.request.occasion.iteration > 0]
    occasions = (call.request.occasion for call in later)
    attempts = {(each.problem.id, each.epoch, each.iteration) for each in occasions}
    requests, draws = largest_draws(condition)
    if attempts:
        requests = len(later) / len(attempts)
        draws = sum(call.request.n for call in later) / len(attempts)
    reply = _per_reply(answers)
    read = sum(call.completion.usage.prompt_tokens for call in calls)
    cached = sum(call.completion.usage.cached_tokens for call in calls)
    return Lengths(
        prompt=fmean(call.completion.usage.prompt_tokens for call in first),
        reply=reply,
        feedback=_mean_feedback(condition, sampled, calls, reply),
        verdict=_per_reply(_with_role(calls, "judge"), 5.0),
        solution=_mean_solution(condition, [each.problem.solution for each in sampled]),
        requests=requests,
        draws=draws,
        cached=cached / read if read else 0.0,
        seconds=fmean(call.completion.seconds for call in calls),
    )


def _mean_feedback(
    condition: Condition, sampled: Sequence[Sampled], calls: Sequence[Call], reply: float
) -> float:
    if condition.plan.mode.written_as.writer == "question":
        return fmean(hint_tokens(each.problem for each in sampled))
    return _per_reply(_with_role(calls, "feedback"), reply)


def _with_role(calls: Sequence[Call], role: Role) -> list[Call]:
    return [call for call in calls if call.request.role == role]


def _per_reply(calls: Sequence[Call], otherwise: float = 0.0) -> float:
    replies = sum(call.request.n for call in calls)
    written = sum(call.completion.usage.completion_tokens for call in calls)
    return written / replies if replies else otherwise


def _mean_solution(condition: Condition, solutions: Sequence[str | None]) -> float:
    if not condition.plan.mode.sees_solution:
        return 0.0
    return fmean(tokens_in(solution or "") for solution in solutions)


def first_of(condition: Condition, lengths: Lengths, judge: str | None, setting: Setting) -> Taken:
    return first_attempt(condition, lengths, judge, setting.prices)
