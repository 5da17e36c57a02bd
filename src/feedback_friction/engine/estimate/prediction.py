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
from dataclasses import dataclass, field
from operator import mul
from statistics import fmean

from feedback_friction.engine.estimate.amounts import Taken, times, total
from feedback_friction.engine.estimate.bounds import (
    Lengths,
    first_request,
    hint_tokens,
    largest_draws,
    tokens_in,
    unsolved,
)
from feedback_friction.engine.estimate.pilot import Pilot
from feedback_friction.engine.estimate.strata import (
    Setting,
    Stratum,
    calls_of,
    first_of,
    stratum_of,
    union,
)
from feedback_friction.engine.run.conditions import Condition
from feedback_friction.engine.run.seats import seat_of
from feedback_friction.errors import FrictionError
from feedback_friction.problem import Problem
from feedback_friction.protocol.judge import MAX_TOKENS as JUDGE_MAX_TOKENS

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
    """What a run will take in all, a pilot's share included.

    Attributes:
        ranges: by quantity (the fields of ``Taken``); None for a cost that is not known.
        seconds: wall time; None without a pilot.
        problems: by task, (problems of the pilot that count, all problems).
        failed: problems of the pilot that are left out, because a trial of theirs failed.
        paid: what the pilot's trials took, calls shared with earlier sessions included.
    """

    ranges: dict[str, Range | None]
    seconds: Range | None
    problems: dict[str, tuple[int, int]]
    failed: int = 0
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
    value = total(_extrapolated(each) for each in strata)
    low, high = _limits(strata, setting.seed)
    ranges = _ranges(value, low, high)
    seconds = _wall_time(strata, value, low, high, setting.concurrency)
    paid = total(union(call for each in pilot.values() for one in each for call in calls_of(one)))
    return Estimate(ranges, seconds, problems, failed, paid)


def _groups(conditions: Sequence[Condition], label: str) -> list[list[Condition]]:
    """The conditions of a task, by solver: those of one share their first attempts."""
    found: dict[str, list[Condition]] = {}
    for each in conditions:
        if each.label == label:
            found.setdefault(each.solver, []).append(each)
    return list(found.values())


def _ranges(value: Taken | None, low: Taken, high: Taken) -> dict[str, Range | None]:
    found: dict[str, Range | None] = {}
    for at, name in enumerate(Taken._fields):
        point = None if value is None else value[at]
        known = not math.isnan(low[at]) and not math.isnan(high[at])
        found[name] = Range(point, low[at], high[at]) if known else None
    return found


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


def _extrapolated(stratum: Stratum) -> Taken:
    return times(stratum.size / len(stratum.taken), total(stratum.taken))


def _limits(strata: Sequence[Stratum], seed: int) -> tuple[Taken, Taken]:
    """Lower and upper limits of the 95% interval of every quantity."""
    rng = random.Random(f"{seed}:estimate")
    lows = [[0.0] * RESAMPLES for _ in Taken._fields]
    highs = [[0.0] * RESAMPLES for _ in Taken._fields]
    drawn: dict[str, tuple[list[list[float]], list[float]]] = {}
    for stratum in strata:
        if stratum.label not in drawn:  # solvers are asked the same problems: one sample for all
            weights = _weights(len(stratum.taken), rng)
            drawn[stratum.label] = weights, [rng.gauss(0.0, 1.0) for _ in range(RESAMPLES)]
        weights, scatter = drawn[stratum.label]
        for at in range(len(Taken._fields)):
            values = [each[at] for each in stratum.taken]
            _add(lows[at], stratum, values, stratum.least[at], weights, scatter)
            _add(highs[at], stratum, values, stratum.most[at], weights, scatter)
    tail = (1 - LEVEL) / 2
    return (
        Taken(*(_quantile(values, tail) for values in lows)),
        Taken(*(_quantile(values, 1 - tail) for values in highs)),
    )


def _weights(number: int, rng: random.Random) -> list[list[float]]:
    """Dirichlet weights over a sample and one more problem, as many as there are resamples."""
    found = []
    for _ in range(RESAMPLES):
        drawn = [rng.expovariate(1.0) for _ in range(number)]
        drawn.append(rng.gammavariate(EXTREME_WEIGHT, 1.0))
        whole = sum(drawn)
        found.append([each / whole for each in drawn])
    return found


def _add(
    sums: list[float],
    stratum: Stratum,
    values: Sequence[float],
    extreme: float,
    weights: Sequence[Sequence[float]],
    scatter: Sequence[float],
) -> None:
    """Add to each resample what the whole task takes under its weights."""
    known, rest = sum(values), stratum.size - len(values)
    spread = _deviation(values) * math.sqrt(rest)
    if not rest:
        for at in range(RESAMPLES):
            sums[at] += known
        return
    extended = [*values, extreme]
    for at, (weight, z) in enumerate(zip(weights, scatter, strict=True)):
        mean = sum(map(mul, weight, extended))
        sums[at] += known + max(rest * mean + spread * z, 0.0)


def _deviation(values: Sequence[float]) -> float:
    """Standard deviation of a sample; 0 for one value, where it is not known."""
    if len(values) < 2:
        return 0.0
    mean = fmean(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))


def _quantile(values: list[float], share: float) -> float:
    if any(math.isnan(value) for value in values):
        return math.nan
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


# --- without a pilot -----------------------------------------------------------------------------


def from_data(conditions: Sequence[Condition], setting: Setting) -> Estimate:
    """Bounds from the problems alone: all solved at once, and none ever solved.

    Prompts are measured in characters. The conditions of a task share their first attempts.
    """
    least, most = [], []
    problems = {each.label: (0, len(each.problems)) for each in conditions}
    for group in (each for label in problems for each in _groups(conditions, label)):
        hint = max(hint_tokens(group[0].problems), default=0.0)
        for problem in group[0].problems:
            prompt = sum(
                tokens_in(message.content) for message in first_request(group[0], problem).messages
            )
            shortest = Lengths(prompt, 1.0, 1.0, 1.0)
            least.append(times(group[0].epochs, first_of(group[0], shortest, None, setting)))
            for number, condition in enumerate(group):
                longest = _longest(condition, prompt, hint, problem, setting)
                never = unsolved(condition, longest, setting.judge, setting.prices)
                most.append(times(condition.epochs, never))
                if number:
                    shared = first_of(condition, longest, setting.judge, setting)
                    most.append(times(-condition.epochs, shared))
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
