"""How much a run will take: calls, tokens, cost and time, with 95% intervals, before it is made.

From a pilot: problems are drawn at random, so what the others take is the sample's mean, times
their number. The interval is of the kind of Gaffke's bound: the mean under Dirichlet weights over
the sample and one more problem, which takes the most that a problem may (for the upper limit) or
the least (for the lower), so that it never vanishes because a small sample saw one kind of problem
only. The parameter of the one more is 1/2 (Gaffke: 1, which for shares gives the Clopper-Pearson
interval; 1/2 comes near Jeffreys', whose coverage is right on average instead of at least). To it
comes the scatter of what the others take around their mean. Of the pilot's problems all is known.

Source: Gaffke (2005), Three test statistics for a nonparametric one-sided hypothesis on the mean of
a nonnegative variable, Mathematical Methods of Statistics 14; its coverage is studied in
Learned-Miller and Thomas (2020), arXiv:1905.06208.

Without a pilot: from no fewer calls than if all problems were solved at once, to no more than if
none ever were and every reply took all the tokens that it may.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from operator import add, mul
from statistics import stdev

from feedback_friction.engine.estimate.bounds import (
    Lengths,
    Setting,
    Taken,
    first_attempt,
    hint_tokens,
    largest_draws,
    never_solved,
    times,
    tokens_in,
    total,
)
from feedback_friction.engine.estimate.pilot import Pilot, Stratum, once, stratum_of
from feedback_friction.engine.run.conditions import Condition
from feedback_friction.engine.run.seats import seat_of
from feedback_friction.errors import FrictionError
from feedback_friction.problem import Problem
from feedback_friction.protocol.judge import MAX_TOKENS as JUDGE_MAX_TOKENS
from feedback_friction.protocol.trial import attempt_request

RESAMPLES = 2000
LEVEL = 0.95
EXTREME_WEIGHT = 0.5  # Dirichlet parameter of the problem that the pilot did not see


@dataclass(frozen=True, slots=True)
class Range:
    """A number with its 95% interval; ``value`` is None where only bounds are known."""

    value: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will take in all, a pilot's share included."""

    # by quantity (the fields of ``Taken``); None for a cost that is not known
    ranges: dict[str, Range | None]
    seconds: Range | None  # wall time; None without a pilot
    # by task, (problems of the pilot that count, all problems)
    problems: dict[str, tuple[int, int]]
    failed: int = 0  # problems of the pilot that are left out, because a trial of theirs failed
    # what the pilot's trials took, calls shared with earlier sessions included
    paid: Taken = field(default_factory=Taken)


def from_pilot(conditions: Sequence[Condition], pilot: Pilot, setting: Setting) -> Estimate:
    """The estimate from a pilot that ran to its end.

    Raises:
        FrictionError: all problems of a task failed in the pilot.
    """
    strata, problems, failed = [], {}, 0
    for label, sampled in pilot.items():
        good = [each for each in sampled if not each.failed]
        if not good:
            raise FrictionError(f"no estimate: every problem of {label} failed in the pilot")
        failed += len(sampled) - len(good)
        for group in _groups(conditions, label):
            own = {each.id for each in group}
            strata.append(stratum_of(group, [each.only(own) for each in good], setting))
            problems[label] = (len(good), len(group[0].problems))
    value = total(times(each.size / len(each.taken), total(each.taken)) for each in strata)
    low, high = _limits(strata, setting.seed)
    ranges = _ranges(value, low, high)
    seconds = _wall_time(strata, value, low, high, setting.concurrency)
    paid = total(once(call for each in pilot.values() for one in each for call in one.calls()))
    return Estimate(ranges, seconds, problems, failed, paid)


def _groups(conditions: Sequence[Condition], label: str) -> list[list[Condition]]:
    """The conditions of a task, by solver: those of one share their first attempts."""
    found: dict[str, list[Condition]] = {}
    for each in conditions:
        if each.label == label:
            found.setdefault(each.solver, []).append(each)
    return list(found.values())


def _ranges(value: Taken | None, low: Taken, high: Taken) -> dict[str, Range | None]:
    points = value or [None] * len(low)
    return {
        name: None if math.isnan(bottom) or math.isnan(top) else Range(point, bottom, top)
        for name, point, bottom, top in zip(Taken._fields, points, low, high, strict=True)
    }


def _wall_time(
    strata: Sequence[Stratum], value: Taken, low: Taken, high: Taken, slots: int
) -> Range:
    """Seconds from the first call to the last.

    Calls fill the slots, and nothing ends before its longest trial: at least the larger of the two,
    at most their sum (Graham 1969, Bounds on multiprocessing timing anomalies).
    """
    longest = max(each.longest for each in strata)
    unseen = [each.longest_unsolved for each in strata if each.size > len(each.taken)]
    return Range(
        max(value.busy_seconds / slots, longest),
        max(low.busy_seconds / slots, longest),
        high.busy_seconds / slots + max([longest, *unseen]),
    )


# --- limits --------------------------------------------------------------------------------------


def _limits(strata: Sequence[Stratum], seed: int) -> tuple[Taken, Taken]:
    """Lower and upper limits of the 95% interval of every quantity."""
    rng = random.Random(f"{seed}:estimate")
    drawn: dict[str, tuple[list[list[float]], list[float]]] = {}
    for stratum in strata:
        if stratum.label not in drawn:  # solvers are asked the same problems: one sample for all
            weights = [_weights(len(stratum.taken), rng) for _ in range(RESAMPLES)]
            drawn[stratum.label] = weights, [rng.gauss(0.0, 1.0) for _ in range(RESAMPLES)]

    def limit(at: int, *, is_high: bool) -> float:
        sums = [0.0] * RESAMPLES
        for stratum in strata:
            extreme = stratum.most[at] if is_high else stratum.least[at]
            values = [each[at] for each in stratum.taken]
            found = _resampled(values, stratum.size, extreme, *drawn[stratum.label])
            sums = list(map(add, sums, found))
        tail = (1 - LEVEL) / 2
        return _quantile(sums, 1 - tail if is_high else tail)

    quantities = range(len(Taken._fields))
    low = Taken(*(limit(at, is_high=False) for at in quantities))
    return low, Taken(*(limit(at, is_high=True) for at in quantities))


def _weights(number: int, rng: random.Random) -> list[float]:
    """Dirichlet weights over a sample and one more problem."""
    drawn = [rng.expovariate(1.0) for _ in range(number)]
    drawn.append(rng.gammavariate(EXTREME_WEIGHT, 1.0))
    whole = sum(drawn)
    return [each / whole for each in drawn]


def _resampled(
    values: Sequence[float],
    size: int,
    extreme: float,
    weights: Sequence[Sequence[float]],
    scatter: Sequence[float],
) -> list[float]:
    """What a whole task of so many problems takes, in each resample."""
    known, rest = sum(values), size - len(values)
    if not rest or math.isnan(known):
        return [known] * RESAMPLES
    spread = (stdev(values) if len(values) > 1 else 0.0) * math.sqrt(rest)
    extended = [*values, extreme]
    means = (sum(map(mul, weight, extended)) for weight in weights)
    return [
        known + max(rest * mean + spread * z, 0.0) for mean, z in zip(means, scatter, strict=True)
    ]


def _quantile(values: list[float], share: float) -> float:
    if any(map(math.isnan, values)):
        return math.nan
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


# --- without a pilot -----------------------------------------------------------------------------


def from_data(conditions: Sequence[Condition], setting: Setting) -> Estimate:
    """Bounds from the problems alone: all solved at once, and none ever solved.

    Prompts are measured in characters. The conditions of a task share their first attempts.
    """
    least, most = [], []
    problems = {each.label: (0, len(each.problems)) for each in conditions}
    unjudged = replace(setting, judge=None)
    for group in (each for label in problems for each in _groups(conditions, label)):
        hint = max(hint_tokens(group[0].problems), default=0.0)
        for problem in group[0].problems:
            first = attempt_request(group[0].episode(problem))
            prompt = sum(tokens_in(message.content) for message in first.messages)
            shortest = first_attempt(group[0], Lengths(prompt, 1.0, 1.0, 1.0), unjudged)
            least.append(times(group[0].epochs, shortest))
            longest = [_longest(each, prompt, hint, problem, setting) for each in group]
            most.append(never_solved(group, longest, setting)[0])
    return Estimate(_ranges(None, total(least), total(most)), None, problems)


def _longest(
    condition: Condition, prompt: float, hint: float, problem: Problem, setting: Setting
) -> Lengths:
    """Every reply as long as it may be.

    Args:
        prompt: tokens of the first prompt.
        hint: tokens of the task's longest hint.
    """
    plan, thinking = condition.plan, setting.thinking
    requests, draws = largest_draws(condition)

    def reasoning(role: str) -> int:
        return thinking.get(seat_of(role, condition.solver, thinking), 0)

    reply = plan.max_tokens + reasoning("solver")
    feedback = float(plan.feedback_max_tokens + reasoning(plan.mode.speaker))
    if plan.mode.written_as.writer == "question":
        feedback = hint
    solution = tokens_in(problem.solution or "")
    verdict = JUDGE_MAX_TOKENS + reasoning("judge")
    return Lengths(prompt, reply, feedback, verdict, solution, requests, draws)
