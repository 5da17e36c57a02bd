"""What calls take, as one vector: the quantities that an estimate is about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from feedback_friction.engine.models.price_list import Cost
from feedback_friction.protocol.records import Usage


class Taken(NamedTuple):
    """What one or several calls take.

    Attributes:
        calls: requests.
        uncached_prompt_tokens: tokens of prompts that no cache held.
        cached_prompt_tokens: tokens of prompts from the server's prefix cache.
        completion_tokens: tokens of replies, reasoning included.
        cost_usd: US dollars; not a number where a price is unknown.
        busy_seconds: wall time of the calls, one after the other.
    """

    calls: float = 0.0
    uncached_prompt_tokens: float = 0.0
    cached_prompt_tokens: float = 0.0
    completion_tokens: float = 0.0
    cost_usd: float = 0.0
    busy_seconds: float = 0.0


def of_call(usage: Usage, cost: Cost, seconds: float) -> Taken:
    """What one call took."""
    fresh = usage.prompt_tokens - usage.cached_tokens
    usd = float("nan") if cost is None else cost
    return Taken(1.0, fresh, usage.cached_tokens, usage.completion_tokens, usd, seconds)


def total(parts: Iterable[Taken]) -> Taken:
    """The sum."""
    sums = [0.0] * len(Taken._fields)
    for part in parts:
        for at, value in enumerate(part):
            sums[at] += value
    return Taken(*sums)


def times(factor: float, taken: Taken) -> Taken:
    """A multiple."""
    return Taken(*(factor * value for value in taken))


def larger(one: Taken, other: Taken) -> Taken:
    """The larger of each quantity; what is not a number stays so."""
    return Taken(*(a if a != a or a >= b else b for a, b in zip(one, other, strict=True)))


def smallest(parts: Iterable[Taken]) -> Taken:
    """The smallest of each quantity."""
    return Taken(*(min(values) for values in zip(*parts, strict=True)))
