"""From inspect_ai's outputs and exceptions to completions and faults.

A refusal comes from inspect_ai as a normal output with the text of the error as the completion:
the stop reason is read first, and the text only where the model wrote it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

import orjson
from inspect_ai.model import (
    ChatCompletionChoice,
    ContentReasoning,
    ModelOutput,
    ModelUsage,
    StopReason,
)

from feedback_friction.engine.models.remote.chat_reply import counted, mean_logprob, usage_of
from feedback_friction.engine.models.remote.faults import (
    Fault,
    FaultKind,
    meaning,
    one_line,
    read_error,
)
from feedback_friction.engine.models.remote.message import joined
from feedback_friction.engine.models.remote.retry import retry_after
from feedback_friction.protocol.records import Completion, FinishReason, Reply, Token, Usage
from feedback_friction.redact import NONE, Secrets

_FINISH: Mapping[StopReason, FinishReason] = {
    "stop": "stop",
    "tool_calls": "stop",
    "unknown": "stop",
    "max_tokens": "length",
    "model_length": "length",
    "content_filter": "content_filter",
}
_NO_CONTENT = "(no content)"  # what inspect_ai writes where a model wrote nothing
# The SDKs share no classes: these are the names of what they raise, or wrap, without a connection.
_NO_CONNECTION = frozenset(
    {
        "ConnectError",  # httpx
        "ConnectTimeout",  # httpx
        "ClientConnectorError",  # aiohttp
        "ClientConnectorDNSError",  # aiohttp
        "ConnectionRefusedError",
        "EndpointConnectionError",  # botocore
        "gaierror",
    }
)


def read_output(output: ModelOutput, *, seconds: float, logprobs: bool) -> Completion | Fault:
    """The replies of an output with its usage, or the fault that it amounts to.

    Args:
        output: what inspect_ai made of the provider's answer.
        seconds: wall time of the call, to be recorded.
        logprobs: read token log-probabilities.
    """
    if not output.choices:
        kind = FaultKind.FAULTY if output.error else FaultKind.EMPTY
        return Fault(kind, one_line(f"no reply in the answer {output.error or ''}"))
    if output.error and output.choices[0].stop_reason not in ("model_length", "content_filter"):
        return Fault(FaultKind.FAULTY, one_line(output.error))
    written = output.usage is not None and output.usage.output_tokens > 0
    replies = tuple(
        _reply(choice, written=written and not output.error, logprobs=logprobs)
        for choice in output.choices
    )
    usage = usage_of(replies, _usage(output.usage))
    return Completion(replies, usage, seconds, output.model)


def _reply(choice: ChatCompletionChoice, *, written: bool, logprobs: bool) -> Reply:
    """One reply; ``written`` tells that the model wrote something at all."""
    if choice.stop_reason == "content_filter":
        return Reply("", "content_filter")
    if choice.stop_reason == "model_length" and not written:
        return Reply("", "context_length")
    content = choice.message.content
    thoughts = [
        part.summary or "" if part.redacted else part.reasoning
        for part in (content if isinstance(content, list) else ())
        if isinstance(part, ContentReasoning)
    ]
    text, reasoning = joined(choice.message.text, thoughts)
    told = choice.logprobs.content if logprobs and choice.logprobs is not None else []
    return Reply(
        "" if text == _NO_CONTENT else text,
        _FINISH[choice.stop_reason],
        mean_logprob([each.logprob for each in told]),
        reasoning,
        tuple(Token(each.token, mean_logprob([each.logprob])) for each in told),
    )


def _usage(usage: ModelUsage | None) -> Usage:
    """Tokens as OpenAI counts them: the prompt includes what was read from or put into a cache."""
    if usage is None:
        return Usage(unknown=1)
    cached = usage.input_tokens_cache_read or 0
    return counted(
        usage.input_tokens + cached + (usage.input_tokens_cache_write or 0),
        usage.output_tokens,
        cached,
        usage.reasoning_tokens,
    )


def read_exception(
    error: Exception,
    *,
    retryable: bool,
    max_tokens: int,
    secrets: Secrets = NONE,
) -> FinishReason | Fault:
    """What an exception of a provider's SDK means: a result without text, or a fault.

    Args:
        error: as inspect_ai raised it.
        retryable: whether inspect_ai would try again.
        max_tokens: how many tokens the request wanted to generate.
        secrets: what no message may show.
    """
    cause = original(error)
    status = _status(cause)
    if status is None:
        return _without_status(cause, secrets)
    answer = read_error(_body(cause), secrets.hide)
    found = meaning(status, answer, max_tokens=max_tokens, retry_after=_retry_after(cause))
    if isinstance(found, Fault) and found.kind is FaultKind.REFUSED and retryable:
        # An error within a stream has the status of the stream; the provider knows better.
        return Fault(FaultKind.FAULTY, found.message, found.retry_after, status, answer, cause)
    return found


def original(error: Exception) -> Exception:
    """The SDK's own exception within those of tenacity and inspect_ai."""
    attempt = getattr(error, "last_attempt", None)  # tenacity.RetryError
    inner = attempt.exception() if attempt is not None else None
    if isinstance(inner, Exception):
        return original(inner)
    if type(error).__name__ == "ModelGenerateError" and isinstance(error.__cause__, Exception):
        return original(error.__cause__)
    return error


def _status(error: Exception) -> int | None:
    """The HTTP status that an SDK's exception carries, under the name that it has there."""
    named = [getattr(error, name, None) for name in ("status_code", "code", "status")]
    named.append(_boto(error, "ResponseMetadata").get("HTTPStatusCode"))
    return next((v for v in named if isinstance(v, int) and 200 <= v < 600), None)


def _boto(error: Exception, part: str) -> Mapping[str, object]:
    response = getattr(error, "response", None)
    found = response.get(part) if isinstance(response, dict) else None
    return found if isinstance(found, dict) else {}


def _body(error: Exception) -> bytes:
    """What the server said, as JSON where the SDK kept it so."""
    for found in (
        getattr(error, "body", None),
        getattr(error, "details", None),
        _boto(error, "Error"),
    ):
        if found and isinstance(found, dict | list):
            return orjson.dumps(found, default=str, option=orjson.OPT_NON_STR_KEYS)
    return str(error).encode("utf-8", "replace")


def _retry_after(error: Exception) -> float | None:
    headers = getattr(getattr(error, "response", None), "headers", None)
    headers = headers or _boto(error, "ResponseMetadata").get("HTTPHeaders")
    return retry_after(headers, time.time()) if isinstance(headers, Mapping) else None


def _without_status(error: Exception, secrets: Secrets) -> Fault:
    """No HTTP status: no connection, no answer in time, or an answer that the SDK cannot read."""
    names = {type(each).__name__ for each in _chain(error)}
    if names & _NO_CONNECTION:
        return Fault(FaultKind.UNREACHABLE, "no connection", cause=error)
    if any("Timeout" in name for name in names):
        return Fault(FaultKind.FAULTY, "no answer in time", cause=error)
    message = one_line(f"{type(error).__name__}: {secrets.hide(str(error))}")
    return Fault(FaultKind.FAULTY, message, cause=error)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and those behind it."""
    found: BaseException | None = error
    for _ in range(10):
        if found is None:
            return
        yield found
        found = found.__cause__ or found.__context__
