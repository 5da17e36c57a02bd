"""What a problem takes if no attempt at it succeeds, by arithmetic alone.

The prompt of a later attempt is the first one, and every reply and feedback since. With lengths at
their limits this bounds what a problem can take; with a pilot's mean lengths it is what a problem
that is never solved would take, also when the pilot saw none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from feedback_friction.engine.models.price_list import Cost, Prices
from feedback_friction.engine.run.conditions import Condition
from feedback_friction.engine.run.seats import Seat
from feedback_friction.problem import Problem
from feedback_friction.protocol.prompts import FIXED
from feedback_friction.protocol.records import Usage
from feedback_friction.ways import MAX_DRAWS

CHARACTERS_PER_TOKEN = 4  # of English text, about
REQUESTS_OF_ALL_DRAWS = 5  # of 1, 2, 4, 8 and 10 replies
JUDGE_PROMPT_TOKENS = 250  # the judge's rules, about, beside question and reply


class Taken(NamedTuple):
    """What one or several calls take: the quantities that an estimate is about."""

    calls: float = 0.0  # requests
    uncached_prompt_tokens: float = 0.0  # tokens of prompts that no cache held
    cached_prompt_tokens: float = 0.0  # tokens of prompts from the server's prefix cache
    completion_tokens: float = 0.0  # tokens of replies, reasoning included
    cost_usd: float = 0.0  # US dollars; not a number where a price is unknown
    busy_seconds: float = 0.0  # wall time of the calls, one after the other


def of_call(usage: Usage, cost: Cost, seconds: float) -> Taken:
    """What one call took."""
    fresh = usage.prompt_tokens - usage.cached_tokens
    usd = float("nan") if cost is None else cost
    return Taken(1.0, fresh, usage.cached_tokens, usage.completion_tokens, usd, seconds)


def total(parts: Iterable[Taken]) -> Taken:
    """The sum, rounded once: in whatever order calls ended it is the same."""
    return Taken(*map(math.fsum, zip(Taken(), *parts, strict=True)))


def times(factor: float, taken: Taken) -> Taken:
    """A multiple."""
    return Taken(*(factor * value for value in taken))


@dataclass(frozen=True, slots=True)
class Setting:
    """What an estimate must know of a run beside its conditions."""

    prices: Prices  # what tokens cost
    judge: str | None  # the judge model's name, where there is one
    concurrency: int  # requests in flight at most
    # by seat, tokens of reasoning that a reply may take beside its limit
    thinking: Mapping[Seat, int]
    seed: int = 0  # of the resampling


@dataclass(frozen=True, slots=True)
class Lengths:
    """Mean or largest lengths in tokens, and how calls go."""

    prompt: float  # of the first prompt
    reply: float  # of a solver's reply
    feedback: float  # of feedback that is no fixed text
    verdict: float  # of a judge's reply
    solution: float = 0.0  # of the worked solution, where the feedback's writer sees one
    requests: float = 1.0  # solver requests a later attempt
    draws: float = 1.0  # solver replies a later attempt
    cached: float = 0.0  # share of prompt tokens that come from a cache
    seconds: float = 0.0  # of a call

    def calls(
        self, model: str, number: float, read: float, written: float, setting: Setting
    ) -> Taken:
        """What some calls of a model take together, which read and write so many tokens."""
        if not number:
            return Taken()
        usage = Usage(round(read), round(written), round(read * self.cached))
        one = of_call(usage, setting.prices.cost(model, usage), number * self.seconds)
        return one._replace(calls=number)


def tokens_in(text: str) -> float:
    """About how many tokens a text has."""
    return len(text) / CHARACTERS_PER_TOKEN


def hint_tokens(problems: Iterable[Problem]) -> list[float]:
    """About how many tokens each hint of some problems has."""
    return [tokens_in(hint) for problem in problems for hint in problem.hints]


def first_attempt(condition: Condition, lengths: Lengths, setting: Setting) -> Taken:
    """What the first attempt takes: one reply, and its verdict where a judge gives it."""
    answer = lengths.calls(condition.solver, 1, lengths.prompt, lengths.reply, setting)
    return total([answer, _judged(condition, 1, lengths, setting)])


def unsolved(condition: Condition, lengths: Lengths, setting: Setting) -> Taken:
    """What a trial takes in which no attempt succeeds, its first attempt included."""
    mode, later = condition.plan.mode, condition.plan.iterations - 1
    told = max(map(tokens_in, FIXED[mode.fixed])) if mode.fixed else lengths.feedback
    prompts = later * lengths.prompt
    if mode.shows_history:
        history = condition.plan.history
        shown = told if history.sight == "nothing" else lengths.reply + told
        prompts += shown * sum(map(history.latest, range(1, later + 1)))
    requests, replies = later * lengths.requests, later * lengths.draws
    read, written = prompts * lengths.requests, replies * lengths.reply
    parts = [
        first_attempt(condition, lengths, setting),
        lengths.calls(condition.solver, requests, read, written, setting),
        _judged(condition, replies, lengths, setting),
    ]
    if condition.feedback_model is not None:
        grown = (lengths.reply + told) * (later * (later + 1) / 2)
        read = later * (lengths.prompt + lengths.solution) + grown
        written = later * lengths.feedback
        parts.append(lengths.calls(condition.feedback_model, later, read, written, setting))
    return total(parts)


def never_solved(
    group: Sequence[Condition], lengths: Sequence[Lengths], setting: Setting
) -> tuple[Taken, list[Taken]]:
    """What a problem takes that no condition ever solves, in all its epochs, and by condition.

    Args:
        group: conditions that share their first attempts.
        lengths: those of each condition.
    """
    pairs = list(zip(group, lengths, strict=True))
    each = [unsolved(condition, length, setting) for condition, length in pairs]
    shared = total(first_attempt(condition, length, setting) for condition, length in pairs[1:])
    return times(group[0].epochs, total([*each, times(-1.0, shared)])), each


def largest_draws(condition: Condition) -> tuple[float, float]:
    """(requests, replies) that a later attempt takes at most."""
    sampling, shows = condition.plan.sampling, condition.plan.mode.shows_history
    more = condition.plan.solve.calls - 1 if shows else 0
    if not sampling.reject:
        return 1.0 + more, 1.0 + more
    return (1.0 if sampling.eager else REQUESTS_OF_ALL_DRAWS) + more, float(MAX_DRAWS + more)


def _judged(condition: Condition, replies: float, lengths: Lengths, setting: Setting) -> Taken:
    if condition.task.judge is None or setting.judge is None:
        return Taken()
    read = replies * (lengths.prompt + lengths.reply + JUDGE_PROMPT_TOKENS)
    return lengths.calls(setting.judge, replies, read, replies * lengths.verdict, setting)
