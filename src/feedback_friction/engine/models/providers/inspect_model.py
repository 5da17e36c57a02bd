"""Every provider but the OpenAI-compatible ones, through inspect_ai's Model API.

inspect_ai makes single attempts here: how often a call is tried again, when the run stops, and how
many replies come from one request is decided by the same policies as on the fast path. Every call
carries its whole configuration, because a model of inspect_ai inherits what a call leaves open.
"""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from inspect_ai._util.error import PrerequisiteError
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    GenerateConfig,
    get_model,
)
from yarl import URL

from feedback_friction.engine.models.base import identity_of
from feedback_friction.engine.models.model_options import seconds_for
from feedback_friction.engine.models.providers.inspect_reply import (
    original,
    read_exception,
    read_output,
)
from feedback_friction.engine.models.providers.provider_table import EXTRA, INSPECT_PROVIDERS
from feedback_friction.engine.models.remote.calls import CallOptions, Calls, Route
from feedback_friction.engine.models.remote.chat_reply import without_secrets
from feedback_friction.engine.models.remote.dialect import (
    WITHOUT,
    Form,
    Quirk,
    messages_of,
    parameters,
)
from feedback_friction.engine.models.remote.faults import Fault, one_line
from feedback_friction.errors import UsageError
from feedback_friction.protocol.records import Completion, Generate, Message, Reply
from feedback_friction.redact import Secrets, environment_secrets

_INSPECT_LOG = logging.getLogger("inspect_ai")
_MESSAGES: dict[str, type[ChatMessage]] = {
    "system": ChatMessageSystem,
    "user": ChatMessageUser,
    "assistant": ChatMessageAssistant,
}
# The SDK would try again by itself, unseen by breaker and retries.
_SINGLE_ATTEMPTS: dict[str, dict[str, Any]] = {"anthropic": {"max_retries": 0}}


class InspectModel(Route):
    """A model of one of inspect_ai's providers.

    Attributes:
        name: as the user gave it, ``"provider/NAME"``.
        identity: the name, and its options where it has any.
        simulated: False.
    """

    simulated = False

    def __init__(
        self,
        name: str,
        options: CallOptions | None = None,
        *,
        base_url: str | None = None,
        concurrency: int = 256,
    ):
        """Prepare; nothing is sent yet.

        Args:
            base_url: another server than the provider's own.
            concurrency: calls at once, at most.

        Raises:
            UsageError: the provider's package or key is missing, or it does not take an option.
        """
        self.name = name
        self._provider = name.partition("/")[0]
        self._options = options = options or CallOptions()
        self._concurrency = concurrency
        self.identity = identity_of(name, options.model)
        self._model = _opened(name, options, base_url)
        # What the provider was sent, and so may quote in a reply.
        password = URL(base_url or "").password or ""
        self._secrets = Secrets((self._model.api.api_key or "", password))
        lacks = INSPECT_PROVIDERS[self._provider].lacks
        self._calls = Calls(name, name, options, lacks)
        self.dialect = self._calls.dialect
        self._warnings = _Warnings(self._calls.tell)
        _INSPECT_LOG.addHandler(self._warnings)
        _INSPECT_LOG.propagate = False

    def __repr__(self) -> str:
        return f"InspectModel({self.name!r})"

    async def check(self) -> None:
        """Nothing can be asked of a provider without paying; ``__init__`` checked the rest."""

    async def close(self) -> None:
        """Close the provider's connections."""
        _INSPECT_LOG.removeHandler(self._warnings)
        await self._model.api.aclose()

    async def generate(self, request: Generate) -> Completion:
        """Answer with exactly ``request.n`` replies; raises as ``base.Model`` says."""
        for quirk in sorted(self.dialect.quirks & _needed(request), key=lambda quirk: quirk.name):
            self._calls.tell(quirk.value)
        with self._calls.breaker.watch():
            return await self._calls.answer(request, lambda: self)

    async def attempt(
        self, request: Generate, form: Form, seed: int, is_lowered: bool
    ) -> Completion | Fault:
        """One attempt, and what came of it."""
        limit = self._calls.most_tokens(request, form)
        n, config = form.n, self._config(request, form, seed, limit)
        messages = [inspect_message(message) for message in messages_of(request, form.quirks)]
        began = self._options.clock()
        try:
            output = await self._model.generate(messages, config=config)
        except PrerequisiteError as error:  # a parameter that this model can never take
            self._calls.breaker.open(f"{self.name}: {_plain(error)}")
            self._calls.breaker.raise_if_open()
            raise
        except Exception as error:  # every SDK has exceptions of its own, without a common class
            found = read_exception(
                error,
                retryable=bool(self._model.api.should_retry(original(error))),
                max_tokens=limit,
                is_lowered=is_lowered,
                secrets=self._secrets | environment_secrets(os.environ),
            )
            return found if isinstance(found, Fault) else Completion((Reply("", found),) * n)
        seconds = self._options.clock() - began
        outcome = read_output(output, seconds=seconds, logprobs=request.logprobs)
        if isinstance(outcome, Completion):
            outcome = replace(outcome, replies=outcome.replies[:n])
            return without_secrets(outcome, self._secrets.hide)
        return replace(outcome, message=self._secrets.hide(outcome.message))

    def _config(self, request: Generate, form: Form, seed: int, limit: int) -> GenerateConfig:
        """The whole configuration of one attempt, without what the provider does not take."""
        options = self._options
        return GenerateConfig(
            max_retries=0,
            attempt_timeout=math.ceil(seconds_for(options.timeout, limit)),
            max_connections=self._concurrency,
            max_tokens=limit,
            **sampled(request, form, seed),
            reasoning_tokens=options.model.reasoning_tokens,
            reasoning_effort=options.model.reasoning_effort,  # type: ignore[arg-type] # checked
            # Writing to Anthropic's cache costs a quarter more, and only turns of a chat come
            # again: a transcript is one message that grows.
            cache_prompt=any(message.role == "assistant" for message in request.messages),
        )

    def key_refused(self, said: str) -> str:
        """The message to the owner of the refused key."""
        given = (name for name in self._model.api.api_key_vars if os.environ.get(name))
        key = next((f"the key in {name}" for name in given), "the key")
        return f"{self.name}: {key} is refused ({said})"


class _Warnings(logging.Handler):
    """Hands on what inspect_ai warns of: a parameter that it drops or replaces."""

    def __init__(self, tell: Callable[[str], None]):
        super().__init__(logging.WARNING)
        self._hand_on = tell

    def emit(self, record: logging.LogRecord) -> None:
        self._hand_on(_shown(record.getMessage()))


def _opened(name: str, options: CallOptions, base_url: str | None) -> Any:
    """The model of inspect_ai; the errors of its providers become one line."""
    arguments = _SINGLE_ATTEMPTS.get(name.partition("/")[0], {}) | dict(options.model.extra)
    try:
        return get_model(name, base_url=base_url, memoize=False, **arguments)
    except PrerequisiteError as error:
        line = _plain(error)
        hint = f" (the usual providers: {EXTRA})" if "pip install" in line else ""
        raise UsageError(f"{name}: {line}{hint}") from error
    except (TypeError, ValueError, ImportError, OSError) as error:
        raise UsageError(f"{name} cannot be used: {_shown(str(error))}") from error


def sampled(request: Generate, form: Form, seed: int) -> dict[str, Any]:
    """How replies are sampled, as arguments of ``GenerateConfig``.

    What it has no name for goes into the bodies of providers that speak OpenAI's API.
    """
    asked = parameters(request, form, seed)
    unnamed = {name: asked.pop(name) for name in asked.keys() - GenerateConfig.model_fields}
    several = {"num_choices": form.n} if form.n > 1 else {}
    return {**asked, **several, "extra_body": unnamed or None}


def _needed(request: Generate) -> frozenset[Quirk]:
    """The quirks that take something away from this request, which the user should know of."""
    usual = {"temperature"} if request.temperature == 1 else set()
    asked = parameters(request, Form(), request.seed).keys() & WITHOUT.keys()
    return frozenset(WITHOUT[name] for name in asked - usual)


def inspect_message(message: Message) -> ChatMessage:
    """A message of ours as inspect_ai's."""
    return _MESSAGES[message.role](content=message.content)


def _plain(error: PrerequisiteError) -> str:
    """Its message as one line, without the markup that inspect_ai puts into some."""
    text = str(error.message)
    for mark in ("[bold]", "[/bold]", "[blue]", "[/blue]", "ERROR:"):
        text = text.replace(mark, "")
    return _shown(text)


def _shown(text: str) -> str:
    """One line, without the keys of the environment."""
    return one_line(environment_secrets(os.environ).hide(text))
