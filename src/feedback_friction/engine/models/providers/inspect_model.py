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

from feedback_friction.engine.models.model_options import CallOptions
from feedback_friction.engine.models.providers.inspect_reply import (
    original,
    read_exception,
    read_output,
)
from feedback_friction.engine.models.providers.provider_table import EXTRA, INSPECT_PROVIDERS
from feedback_friction.engine.models.remote.calls import RemoteModel, textless
from feedback_friction.engine.models.remote.chat_reply import without_secrets
from feedback_friction.engine.models.remote.dialect import (
    WITHOUT,
    Quirks,
    messages_of,
    parameters,
)
from feedback_friction.engine.models.remote.endpoint import Endpoint
from feedback_friction.engine.models.remote.faults import Fault, one_line
from feedback_friction.engine.models.remote.replicas import Replica
from feedback_friction.errors import UsageError
from feedback_friction.protocol.records import Completion, Generate, Message
from feedback_friction.redact import environment_secrets

_INSPECT_LOG = logging.getLogger("inspect_ai")
_MESSAGES: dict[str, type[ChatMessage]] = {
    "system": ChatMessageSystem,
    "user": ChatMessageUser,
    "assistant": ChatMessageAssistant,
}
# The SDK would try again by itself, unseen by breaker and retries.
_SINGLE_ATTEMPTS: dict[str, dict[str, Any]] = {"anthropic": {"max_retries": 0}}


class InspectModel(RemoteModel):
    """A model of one of inspect_ai's providers."""

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
        self._concurrency = concurrency
        self._model = _opened(name, options or CallOptions(), base_url)
        # With what the provider is sent, and so may quote in a reply.
        url, key = URL(base_url or ""), self._model.api.api_key or ""
        server = Endpoint(url, "", key, user=url.password or "")
        super().__init__(name, [server], options, INSPECT_PROVIDERS[name.partition("/")[0]].lacks)
        self._warnings = _Warnings(self.tell)
        _INSPECT_LOG.addHandler(self._warnings)
        _INSPECT_LOG.propagate = False

    async def check(self) -> None:
        """Nothing can be asked of a provider without paying; ``__init__`` checked the rest."""

    async def close(self) -> None:
        """Close the provider's connections."""
        _INSPECT_LOG.removeHandler(self._warnings)
        await self._model.api.aclose()

    async def generate(self, request: Generate) -> Completion:
        """Answer with exactly ``request.n`` replies; raises as ``base.Model`` says."""
        for quirk in sorted(self.dialect.quirks & _needed(request), key=lambda quirk: quirk.name):
            self.tell(quirk.value)
        return await super().generate(request)

    async def attempt(
        self, replica: Replica, request: Generate, quirks: Quirks
    ) -> Completion | Fault:
        """One attempt, and what came of it."""
        messages = [inspect_message(message) for message in messages_of(request, quirks)]
        began = self.settings.clock()
        try:
            output = await self._model.generate(messages, config=self._config(request, quirks))
        except PrerequisiteError as error:  # a parameter that this model can never take
            self.breaker.open(f"{self.name}: {_plain(error)}")
            self.breaker.raise_if_open()
            raise
        except Exception as error:  # every SDK has exceptions of its own, without a common class
            found = read_exception(
                error,
                retryable=bool(self._model.api.should_retry(original(error))),
                max_tokens=request.max_tokens,
                secrets=self.secrets | environment_secrets(os.environ),
            )
            return found if isinstance(found, Fault) else textless(found, request)
        seconds = self.settings.clock() - began
        outcome = read_output(output, seconds=seconds, logprobs=request.logprobs)
        if isinstance(outcome, Completion):
            outcome = replace(outcome, replies=outcome.replies[: request.n])
            return without_secrets(outcome, self.secrets.hide)
        return replace(outcome, message=self.secrets.hide(outcome.message))

    def _config(self, request: Generate, quirks: Quirks) -> GenerateConfig:
        """The whole configuration of one attempt, without what the provider does not take."""
        model = self.settings.options
        return GenerateConfig(
            max_retries=0,
            attempt_timeout=math.ceil(self.seconds(request)),
            max_connections=self._concurrency,
            max_tokens=request.max_tokens,
            **sampled(request, quirks),
            reasoning_tokens=model.reasoning_tokens,
            reasoning_effort=model.reasoning_effort,  # type: ignore[arg-type] # checked
            # Writing to Anthropic's cache costs a quarter more, and only turns of a chat come
            # again: a transcript is one message that grows.
            cache_prompt=any(message.role == "assistant" for message in request.messages),
        )

    def key_refused(self, replica: Replica, said: str) -> str:
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
    arguments = _SINGLE_ATTEMPTS.get(name.partition("/")[0], {}) | dict(options.options.extra)
    try:
        return get_model(name, base_url=base_url, memoize=False, **arguments)
    except PrerequisiteError as error:
        line = _plain(error)
        hint = f" (the usual providers: {EXTRA})" if "pip install" in line else ""
        raise UsageError(f"{name}: {line}{hint}") from error
    except (TypeError, ValueError, ImportError, OSError) as error:
        raise UsageError(f"{name} cannot be used: {_shown(str(error))}") from error


def sampled(request: Generate, quirks: Quirks = frozenset()) -> dict[str, Any]:
    """How replies are sampled, as arguments of ``GenerateConfig``.

    What it has no name for goes into the bodies of providers that speak OpenAI's API.
    """
    asked = parameters(request, quirks)
    unnamed = {name: asked.pop(name) for name in asked.keys() - GenerateConfig.model_fields}
    several = {"num_choices": request.n} if request.n > 1 else {}
    return {**asked, **several, "extra_body": unnamed or None}


def _needed(request: Generate) -> Quirks:
    """The quirks that take something away from this request, which the user should know of."""
    usual = {"temperature"} if request.temperature == 1 else set()
    asked = parameters(request).keys() & WITHOUT.keys()
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
