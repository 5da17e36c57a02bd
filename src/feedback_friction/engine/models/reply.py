"""From the body of a chat completion to replies: tolerant of dialects, strict about content.

Whatever is not plainly a reply is none: a choice that the server itself calls aborted, a message
without text, a body without choices. The caller asks again; nothing is made up.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import orjson

from feedback_friction.protocol.records import Completion, FinishReason, Reply, Usage


class MalformedError(Exception):
    """A body that holds no usable completion; the text says what is wrong with it."""


_FINISH: Mapping[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",  # Mistral: the context was full before max_tokens
    "content_filter": "content_filter",
    "sensitive": "content_filter",  # Zhipu
    "safety": "content_filter",  # Gemini
    "recitation": "content_filter",  # Gemini
    "prohibited_content": "content_filter",  # Gemini
}
# The server gave up on this choice: vLLM and SGLang, OpenRouter, DeepSeek, Zhipu.
_BROKEN = frozenset({"abort", "error", "insufficient_system_resource", "network_error"})
_THINKING = (("<think>", "</think>"), ("[THINK]", "[/THINK]"))
# Servers write -9999 where JSON has no minus infinity (vLLM): no information about confidence.
_NO_LOGPROB = -9999.0


def parse_json(body: bytes) -> Any:
    """Parse a body; NaN and infinities become null, lone surrogates question marks.

    Raises:
        MalformedError: it is not JSON.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    # Python servers may write NaN or -Infinity, and cut an emoji in half: legal for json.loads.
    try:
        loose = json.loads(body, parse_constant=lambda _: None)
        tidy = json.dumps(loose, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
        return orjson.loads(tidy)
    except (ValueError, RecursionError) as error:
        raise MalformedError("the body is not JSON") from error


def read_completion(data: object, n: int, *, seconds: float, logprobs: bool) -> Completion:
    """The first ``n`` usable replies of a parsed body, with its usage; at least one, maybe fewer.

    Args:
        data: the parsed body of a chat completion.
        n: number of replies that were asked for; any beyond are dropped.
        seconds: wall time of the call, to be recorded.
        logprobs: read token log-probabilities.

    Raises:
        MalformedError: there is no usable reply in it.
    """
    choices = data.get("choices") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(choices, list):
        raise MalformedError("the body has no choices")
    replies = tuple(
        reply for choice in choices[:n] if (reply := _reply(choice, logprobs)) is not None
    )
    if not replies:
        raise MalformedError("the body has no complete reply")
    model = data.get("model")
    name = model if isinstance(model, str) else ""
    return Completion(replies, _usage(data.get("usage")), seconds, name)


def split_thinking(content: str) -> tuple[str, str | None]:
    """Split a leading ``<think>...</think>`` off: (answer, reasoning or None).

    An unclosed one is all reasoning: the model ran out of tokens before it answered. A close
    without its opening ends reasoning as well: the templates of DeepSeek-R1 and its kin put the
    opening into the prompt.
    """
    head = content.lstrip()
    for opening, closing in _THINKING:
        if head.startswith(opening):
            thought, _, answer = head[len(opening) :].partition(closing)
            return answer.lstrip(), thought.strip() or None
    thought, closing, answer = content.partition("</think>")
    if closing and "<think>" not in thought:
        return answer.lstrip(), thought.strip() or None
    return content, None


def _reply(choice: object, logprobs: bool) -> Reply | None:
    if not isinstance(choice, dict):
        return None
    reason = str(choice.get("finish_reason")).lower()
    finish = _FINISH.get(reason, "stop")
    # Azure leaves out the message that it filtered.
    message = choice.get("message", {} if finish == "content_filter" else None)
    if not isinstance(message, dict) or reason in _BROKEN:
        return None
    content = _content(message)
    if content is None:
        return None
    text, thought = content
    given = message.get("reasoning_content") or message.get("reasoning")
    reasoning = "\n".join(part for part in (given, thought) if isinstance(part, str))
    mean = _mean_logprob(choice.get("logprobs")) if logprobs else None
    return Reply(text, finish, mean, reasoning or None)


def _content(message: dict[str, object]) -> tuple[str, str | None] | None:
    """Answer and inline reasoning of a message; None where its content is not text."""
    content = message.get("content")
    if content is None:
        # A structured refusal is what the model said; tool calls alone are no text at all.
        refusal = message.get("refusal")
        return (refusal if isinstance(refusal, str) else "", None)
    if isinstance(content, str):
        return split_thinking(content)
    if isinstance(content, list):  # Mistral's reasoning models: typed parts
        return _parts(content, "text"), _parts(content, "thinking") or None
    return None


def _parts(content: list[object], kind: str) -> str:
    texts = []
    for part in content:
        if isinstance(part, dict) and part.get("type") == kind:
            inner = part.get(kind)
            texts.append(_parts(inner, "text") if isinstance(inner, list) else inner)
    return "".join(text for text in texts if isinstance(text, str))


def _mean_logprob(logprobs: object) -> float | None:
    """Mean natural log-probability per token, over the tokens that have a finite one."""
    if not isinstance(logprobs, dict):
        return None
    content = logprobs.get("content")
    values: object = logprobs.get("token_logprobs")  # the form of the older completions endpoint
    if isinstance(content, list):
        values = [entry.get("logprob") for entry in content if isinstance(entry, dict)]
    if not isinstance(values, list):
        return None
    known = [v for v in values if isinstance(v, float | int) and _NO_LOGPROB < v < math.inf]
    return math.fsum(known) / len(known) if known else None


def _usage(usage: object) -> Usage:
    if not isinstance(usage, dict):
        return Usage()
    prompt, completion = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
    cached = prompt.get("cached_tokens") if isinstance(prompt, dict) else None
    reasoning = completion.get("reasoning_tokens") if isinstance(completion, dict) else None
    return Usage(
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
        # DeepSeek counts its cache under a name of its own.
        cached_tokens=_count(cached) or _count(usage.get("prompt_cache_hit_tokens")),
        reasoning_tokens=_count(reasoning),
    )


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0
