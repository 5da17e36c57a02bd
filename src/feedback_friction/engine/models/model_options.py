"""What is asked of a model beyond the plain parameters: reasoning, and options of its own.

They belong to the model, in whatever role it speaks, and change what it replies: they are part of
the identity of its calls and of the run's configuration.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from feedback_friction.engine.models.remote.retry import RetryPolicy, rest
from feedback_friction.errors import UsageError
from feedback_friction.options import options_of
from feedback_friction.redact import SHORTEST, environment_secrets, secret_in
from feedback_friction.settings import EFFORTS, Decoding

_log = logging.getLogger(__name__)
# What has an option of its own would be journaled as it was given there, and sent otherwise.
_OWN_OPTIONS = {
    "model": "--solver",
    "messages": "--history",
    "n": "--sampling",
    "num_choices": "--sampling",
    "seed": "--seed",
    "temperature": "--temperature",
    **{name: each.flag for name, each in options_of(Decoding).items()},
    "max_tokens": "--max-tokens",
    "max_completion_tokens": "--max-tokens",
    "logprobs": "--logprobs",
    "base_url": "--base-url",
}


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """Options of one model."""

    # budget of reasoning tokens per reply, on top of the limit on the answer
    reasoning_tokens: int | None = None
    reasoning_effort: str | None = None  # one of ``EFFORTS``
    # further fields of the request body (OpenAI-compatible servers) or arguments of the provider
    # (all others), as JSON values
    extra: Mapping[str, object] = field(default_factory=dict)
    # whether the temperature is sent; else the server's own default counts
    sends_temperature: bool = True

    @property
    def identity(self) -> str:
        """The same text for the same options, whatever their order; empty where none is set."""
        options = self.as_dict()
        return orjson.dumps(options, option=orjson.OPT_SORT_KEYS).decode() if options else ""

    @property
    def reasons(self) -> bool:
        """Whether reasoning was asked for."""
        return bool(self.reasoning_tokens) or self.reasoning_effort not in (None, *EFFORTS[:2])

    def as_dict(self) -> dict[str, object]:
        """What is set, by name."""
        given = {
            "reasoning_tokens": self.reasoning_tokens,
            "reasoning_effort": self.reasoning_effort,
        }
        unsent = {} if self.sends_temperature else {"temperature": None}
        return {**{k: v for k, v in given.items() if v is not None}, **unsent, **self.extra}


def seconds_for(timeout: float | None, tokens: int) -> float:
    """How long one request may take in all, in seconds.

    Args:
        timeout: what the user asked for; None for ten minutes, or as long as a server needs that
            writes ten tokens a second to each of many callers, whichever is longer.
        tokens: the most that the reply may have, reasoning included.
    """
    return max(600.0, tokens / 10) if timeout is None else timeout


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOptions:
    """How a model's calls are made; every time is in seconds."""

    # reasoning and the model's own options; part of the identity of its calls
    options: ModelOptions = field(default_factory=ModelOptions)
    # longest time that one attempt may take; None for one that grows with the longest reply
    # (``seconds_for``). It counts from the moment a request has a slot of the pool.
    timeout: float | None = None
    connect_timeout: float = 10.0  # longest time to make a connection
    retry: RetryPolicy = field(default_factory=RetryPolicy)  # when a failed call is tried again
    # replies that one request may ask for; None where only the server knows
    most_draws: int | None = None
    # told, once each, what the user should know (a parameter that the server does not take, a
    # replica that is down); one line
    notice: Callable[[str], None] = _log.warning
    clock: Callable[[], float] = time.monotonic  # monotonic seconds
    sleep: Callable[[float], Awaitable[None]] = rest  # waits that many seconds


def parse_options(
    words: Sequence[str],
    flag: str,
    *,
    reasoning_tokens: int | None = None,
    reasoning_effort: str | None = None,
    sends_temperature: bool = True,
) -> ModelOptions:
    """Options from words like ``top_k=20``; a value that is JSON is read as such, else as text.

    ``reasoning_tokens`` and ``reasoning_effort`` may be given as words too.

    Args:
        words: as on the command line, each ``KEY=VALUE``.
        flag: the command line's name for them, for errors.
        reasoning_tokens: the option of that name.
        reasoning_effort: the option of that name.
        sends_temperature: False for ``--temperature none``.

    Raises:
        UsageError: not ``KEY=VALUE``, a key given twice, a key that has an option of its own or
            would hold a secret, or an impossible value.
    """
    extra: dict[str, object] = {}
    for word in words:
        key, value = _read(word, flag)
        if key in extra:
            raise UsageError(f"{flag} {key} is given twice")
        extra[key] = value
    reasoning = {"reasoning_tokens": reasoning_tokens, "reasoning_effort": reasoning_effort}
    for name, value in reasoning.items():
        if value is not None and name in extra:
            raise UsageError(f"{name} is given both as an option and with {flag}")
    tokens, effort = (extra.pop(name, value) for name, value in reasoning.items())
    if tokens is not None and (type(tokens) is not int or tokens < 1):
        raise UsageError(f"reasoning tokens must be a whole number of at least 1, not '{tokens}'")
    if effort is not None and (not isinstance(effort, str) or effort not in EFFORTS):
        raise UsageError(f"unknown reasoning effort '{effort}'; allowed: {', '.join(EFFORTS)}")
    return ModelOptions(tokens, effort, extra, sends_temperature)


def _read(word: str, flag: str) -> tuple[str, object]:
    key, equals, text = word.partition("=")
    if not equals or not key.strip():
        # Enough of it to recognise it by: it may be a header with a key in it.
        shown = word if len(word) < SHORTEST else f"{word[: SHORTEST // 2]}…"
        raise UsageError(f"{flag} must be of the form KEY=VALUE, not '{shown}'")
    if key in _OWN_OPTIONS:
        raise UsageError(f"{flag} {key} has an option of its own: use {_OWN_OPTIONS[key]}")
    if key == "stream":
        raise UsageError(f"{flag} {key} cannot be used: replies are read whole")
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        value = text
    # Options are part of a run's configuration.
    if secret := secret_in(key, value, environment_secrets(os.environ)):
        raise UsageError(
            f"{flag} {secret} would be stored: keys come from the environment, and a "
            "password from the user part of --base-url"
        )
    return key, value
