"""Everything about the simulated server that can be set, at the start or while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

FAULTS = (
    "rate_limit",
    "rate_limit_after",
    "server_error",
    "hang",
    "truncated",
    "not_json",
    "cut",
)


@dataclass(frozen=True, slots=True)
class Settings:
    """How the server behaves; the defaults are a server without limits, latency or faults.

    One token is four characters. Rates are probabilities in [0, 1].

    Attributes:
        slots: sequences served at once, others queue first in, first out; 0 is no limit.
        prefill_seconds: time per prompt token that is not in the prefix cache.
        decode_seconds: time per generated token.
        time_scale: factor on all service times.
        reply_tokens: median length of a reply; a reply is filled up to its drawn length.
        reply_sigma: standard deviation of the logarithm of the length (lognormal); 0 is no tail.
        p_first: probability that a first attempt is right.
        p_gain: what every earlier attempt in the prompt adds to it.
        p_silent: probability that a reply states no answer.
        p_repeat: probability that a wrong attempt repeats the problem's usual wrong answer.
        p_leak: probability that feedback states the right answer.
        prefix_cache: whether prompts are cached by their beginning.
        block_tokens: tokens per block of the prefix cache.
        cache_blocks: blocks that the prefix cache holds; the least recently used leave first.
        max_model_len: limit on prompt plus reply in tokens, refused with 400; 0 is no limit.
        models: names served; another is answered with 404; empty accepts any name.
        api_key: the only accepted bearer token; empty accepts any.
        name_calls: whether a reply names its model NAME#KEY, with the key of the call in the log,
            so that what a client kept can be matched with what it asked.
        seed: seeds the replies and the faults.
        rate_limit: rate of 429 without Retry-After.
        rate_limit_after: rate of 429 with Retry-After.
        retry_after: the seconds that Retry-After names.
        server_error: rate of 500.
        hang: rate of calls that are never answered.
        truncated: rate of 200 with half of the JSON body, under a matching Content-Length.
        not_json: rate of 200 with an HTML page.
        cut: rate of connections closed in the middle of the body.
        filtered: share of prompts whose reply is cut by a content filter (``finish_reason``).
        filtered_400: share of prompts that are refused by a content filter with 400.
        replies: texts of which one, by the prompt, is every reply; empty writes replies instead.
        bodies: texts of which one, by the prompt, is the whole answer to an odd prompt.
        odd: share of prompts whose answer is one of ``bodies``, however often they are asked.
        die_after: after that many calls the port closes for good; 0 never.
    """

    slots: int = 0
    prefill_seconds: float = 0.0
    decode_seconds: float = 0.0
    time_scale: float = 1.0
    reply_tokens: float = 100.0
    reply_sigma: float = 0.0
    p_first: float = 0.2
    p_gain: float = 0.05
    p_silent: float = 0.0
    p_repeat: float = 0.5
    p_leak: float = 0.3
    prefix_cache: bool = True
    block_tokens: int = 16
    cache_blocks: int = 100_000
    max_model_len: int = 0
    models: tuple[str, ...] = ()
    api_key: str = ""
    name_calls: bool = False
    seed: int = 0
    rate_limit: float = 0.0
    rate_limit_after: float = 0.0
    retry_after: float = 1.0
    server_error: float = 0.0
    hang: float = 0.0
    truncated: float = 0.0
    not_json: float = 0.0
    cut: float = 0.0
    filtered: float = 0.0
    filtered_400: float = 0.0
    replies: tuple[str, ...] = ()
    bodies: tuple[str, ...] = ()
    odd: float = 0.0
    die_after: int = 0

    def changed(self, changes: Mapping[str, object]) -> Settings:
        """These settings with some changed.

        Raises:
            ValueError: a name is unknown or a value has the wrong type.
        """
        values: dict[str, object] = {}
        for name, value in changes.items():
            default = next((f.default for f in fields(self) if f.name == name), None)
            if default is None:
                raise ValueError(f"unknown setting '{name}'")
            values[name] = _converted(name, value, type(default))
        return replace(self, **values)  # type: ignore[arg-type]


def _converted(name: str, value: object, kind: type) -> object:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind is tuple and isinstance(value, list | tuple):
        return tuple(str(each) for each in value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ValueError(f"setting '{name}' must be of type {kind.__name__}")
    return value
