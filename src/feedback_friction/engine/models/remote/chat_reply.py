"""From the body of a chat completion to replies: tolerant of dialects, strict about content.

Whatever is not plainly a reply is none: a choice that the server itself calls aborted, a message
without text, a body without choices. The caller asks again; nothing is made up.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from operator import is_
from typing import Any

import orjson

from feedback_friction.engine.models.remote.message import message_text
from feedback_friction.protocol.records import Completion, FinishReason, Reply, Token, Usage


class MalformedError(Exception):
    """A body that holds no usable completion; the text says what is wrong with it."""


class ForeignError(MalformedError):
    """A body of something that has no such API."""


class EmptyError(MalformedError):
    """A completion without any reply: the server works, and has nothing to say to this prompt."""


# Reasons by the words in them, since every family has its own: the first that fits counts. A model
# that ends its turn, or says what it ends with, is the rule, and everything else.
# None: the server gave up on it.
_FINISH: Mapping[str, FinishReason | None] = {
    # Azure, Gemini, Zhipu, Anthropic, Bedrock, Cohere
    r"filter|safety|sensitive|recitation|prohibited|block(?:ed|list)|spii|refus|guardrail|toxic"
    r"|moderat": "content_filter",
    # OpenAI, Anthropic, Mistral (the context was full before max_tokens), Cohere
    "length|max_|tokens|token_limit|context|error_limit": "length",
    # vLLM and SGLang, OpenRouter, DeepSeek, Zhipu, Cohere, Gemini
    r"abort|error|fail|cancel|time_?d?_?out|insufficient|network|malformed|unavailable|interrupt"
    r"|overload|exception": None,
}
# Servers write -9999 where JSON has no minus infinity (vLLM): no information about confidence.
_NO_LOGPROB = -9999.0
_ROUNDED_UP = 1e-3  # a probability of 1 in half precision may come out a little above it
# More than the longest context times the largest number of draws: a larger number is no count.
_MOST_TOKENS = 10**8


def parse_json(body: bytes) -> Any:
    """Parse a body; NaN and infinities become null, lone surrogates question marks.

    Raises:
        MalformedError: it is not JSON.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        if body.lstrip().startswith((b"data:", b"event:")):
            raise MalformedError(
                "it streams its answer as events, which was not requested"
            ) from None
    # Python servers may write NaN or -Infinity, and cut an emoji in half: legal for json.loads.
    try:
        loose = json.loads(body, parse_constant=lambda _: None)
        tidy = json.dumps(loose, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
        return orjson.loads(tidy)
    except (ValueError, RecursionError) as error:
        kind = MalformedError if body.lstrip()[:1] in (b"", b"{", b"[") else ForeignError
        raise kind("the body is not JSON") from error


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
    if not isinstance(data, dict) or not isinstance(choices, list | None):
        raise MalformedError("the body has no choices")
    if not choices:
        if (reason := _why_empty(data)) is not None:
            refused = (Reply("", reason),) * n
            return Completion(refused, usage_of(refused, _usage(data)), seconds, _model(data))
        if choices is None and "choices" not in data:
            kind = MalformedError if _NAMES & data.keys() else ForeignError
            raise kind("the body has no choices")
        raise EmptyError("the server gave no reply, and no reason why")
    replies = tuple(
        reply for choice in choices[:n] if (reply := _reply(choice, logprobs)) is not None
    )
    if not replies:
        raise MalformedError("the body has no complete reply")
    return Completion(replies, usage_of(replies, _usage(data)), seconds, _model(data))


_NAMES = frozenset({"id", "object", "model", "created", "usage"})  # of any completion
# Fields in which a body that is no completion says what went wrong.
_SAYS = (
    "message",
    "detail",
    "msg",
    "error_msg",
    "error_message",
    "errorMessage",
    "title",
    "reason",
)
_STATUSES = {
    "rate_?limit|too_many|overload|capacity|exhausted|throttl": 429,
    "auth|api_?key|permission": 401,
    "not_?found": 404,
    "invalid|bad_?request|validation|unsupported": 400,
}


def failure_in(data: object) -> tuple[int, bytes] | None:
    """The failure that a body with HTTP 200 holds, as a status and an error's body; else None.

    A gateway has sent its 200 before it knows that the model's server fails (OpenRouter): the error
    then stands beside the choices, in each of them, or in their place.
    """
    if not isinstance(data, dict):
        return None
    choices = data.get("choices")
    errors = [data.get("error"), data.get("errors")]
    if isinstance(choices, list) and choices:
        broken = [_error_of(choice) for choice in choices if isinstance(choice, dict)]
        errors += broken[:1] if len(broken) == len(choices) and all(broken) else []
    elif _speaks(data):
        errors.append({name: value for name, value in data.items() if name != "choices"})
    error = next((each for each in errors if each), None)
    return None if error is None else (_status(error), orjson.dumps({"error": error}))


def _speaks(data: Mapping[str, Any]) -> bool:
    """Whether a body without choices says something instead."""
    said = [name for name in _SAYS if isinstance(data.get(name), str)]  # FastChat, FastAPI
    status = data.get("base_resp")  # MiniMax
    has_failed = isinstance(status, dict) and bool(status.get("status_code"))
    return has_failed or (bool(said) and "promptFeedback" not in data)


def _status(error: object) -> int:
    """The HTTP status that an error within a 200 names, by number or by name; 502 for none."""
    fields = error if isinstance(error, dict) else {}
    given = [str(fields.get(name, "")).lower() for name in ("code", "status", "type")]
    numbers = [int(each) for each in given if re.fullmatch(r"[45][0-9]{2}", each, re.ASCII)]
    names = [
        status for words, status in _STATUSES.items() for each in given if re.search(words, each)
    ]
    return next(iter([*numbers, *names]), 502)


def _why_empty(data: Mapping[str, Any]) -> FinishReason | None:
    """Why there is no reply, where the body says so: the prompt was blocked."""
    feedback = data.get("promptFeedback", data.get("prompt_feedback"))  # Gemini
    if isinstance(feedback, dict) and (feedback.get("blockReason") or feedback.get("block_reason")):
        return "content_filter"
    results = data.get("prompt_filter_results")  # Azure
    for result in results if isinstance(results, list) else ():
        found = result.get("content_filter_results") if isinstance(result, dict) else None
        for each in found.values() if isinstance(found, dict) else ():
            if isinstance(each, dict) and each.get("filtered") is True:
                return "content_filter"
    return None


def without_secrets(completion: Completion, hide: Callable[[str], str]) -> Completion:
    """The completion with secrets hidden wherever the server may have quoted them."""
    replies, model = [_hidden(each, hide) for each in completion.replies], hide(completion.model)
    if model == completion.model and all(map(is_, replies, completion.replies)):
        return completion
    return replace(completion, replies=tuple(replies), model=model)


def _hidden(reply: Reply, hide: Callable[[str], str]) -> Reply:
    text, reasoning = hide(reply.text), reply.reasoning and hide(reply.reasoning)
    if (text, reasoning) == (reply.text, reply.reasoning):
        return reply
    tokens = reply.tokens if text == reply.text else ()
    return replace(reply, text=text, reasoning=reasoning, tokens=tokens)


def _model(data: Mapping[str, Any]) -> str:
    model = data.get("model")
    return model if isinstance(model, str) else ""


def _reply(choice: object, logprobs: bool) -> Reply | None:
    if not isinstance(choice, dict):
        return None
    finish = _finish(choice)
    # Azure leaves out the message that it filtered; the older endpoint has the text alone.
    text = choice.get("text", "" if finish == "content_filter" else None)
    message = choice.get("message", None if text is None else {"content": text})
    if not isinstance(message, dict) or finish is None or _error_of(choice):
        return None
    content = message_text(message)
    if content is None:
        return None
    text, reasoning = content
    mean = _mean_logprob(choice.get("logprobs")) if logprobs else None
    return Reply(text, finish, mean, reasoning, _tokens(choice) if logprobs else ())


def _finish(choice: Mapping[str, Any]) -> FinishReason | None:
    """Why a reply ended; None where the server gave up on it.

    What a gateway does not know its provider may have said.
    """
    names = ("finish_reason", "stop_reason", "native_finish_reason")
    said = [str(choice[name]).lower() for name in names if choice.get(name)]
    known = next((each for each in said if each not in ("unknown", "other")), "")
    return next((reason for words, reason in _FINISH.items() if re.search(words, known)), "stop")


def _error_of(choice: Mapping[str, Any]) -> object:
    """The error of a choice, beside its message or within it."""
    message = choice.get("message")
    return choice.get("error") or (message.get("error") if isinstance(message, dict) else None)


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
    return mean_logprob(values)


def _tokens(choice: Mapping[str, Any]) -> tuple[Token, ...]:
    """The tokens of a choice; llama.cpp gives their ids beside them, vLLM in a list of its own."""
    logprobs = choice.get("logprobs")
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    entries = content if isinstance(content, list) else []
    ids = choice.get("token_ids")
    ids = ids if isinstance(ids, list) and len(ids) == len(entries) else [None] * len(entries)
    return tuple(
        Token(str(entry.get("token", "")), mean_logprob([entry.get("logprob")]), _id(entry, number))
        for entry, number in zip(entries, ids, strict=True)
        if isinstance(entry, dict)
    )


def _id(entry: Mapping[str, Any], listed: object) -> int | None:
    """A token's id: "token_id:17" is vLLM's text of a token where ids were asked for."""
    named = re.fullmatch(r"token_id:([0-9]{1,9})", str(entry.get("token", "")), re.ASCII)
    return next(
        (
            number
            for each in (entry.get("id"), listed, named and named[1])
            if (number := tokens(each)) is not None
        ),
        None,
    )


def mean_logprob(values: Sequence[object]) -> float | None:
    """Mean of what can be log-probabilities among values of any kind; None where none can."""
    known = [
        min(value, 0.0)
        for value in values
        if isinstance(value, float | int) and not isinstance(value, bool)
        if _NO_LOGPROB < value <= _ROUNDED_UP
    ]
    return math.fsum(known) / len(known) if known else None


def _usage(data: Mapping[str, Any]) -> Usage:
    """What the server counted; unknown as a whole where prompt or reply were not counted."""
    usage = data.get("usage", data.get("usageMetadata", data))
    if not isinstance(usage, dict):
        return Usage(unknown=1)
    for inner in ("tokens", "billed_units"):  # Cohere
        usage = usage[inner] if isinstance(usage.get(inner), dict) else usage
    # OpenAI, Anthropic, Gemini, Bedrock, Ollama
    names = ("prompt_tokens", "input_tokens", "promptTokenCount", "inputTokens")
    prompt = _first(usage, *names, "prompt_eval_count")
    names = ("completion_tokens", "output_tokens", "candidatesTokenCount", "outputTokens")
    completion = _first(usage, *names, "eval_count", "generated_tokens")
    whole, read = tokens(usage.get("total_tokens")), tokens(prompt)
    if completion is None and whole and read:
        completion = whole - read
    return counted(
        prompt,
        completion,
        # DeepSeek counts its cache under a name of its own.
        _within(usage, "prompt_tokens_details", "input_tokens_details", name="cached_tokens")
        or _first(usage, "prompt_cache_hit_tokens", "cache_read_input_tokens"),
        _within(
            usage, "completion_tokens_details", "output_tokens_details", name="reasoning_tokens"
        )
        or _first(usage, "reasoning_tokens"),
    )


def is_answer(reply: Reply) -> bool:
    """Whether a model wrote it; a prompt that was refused is not read either, and free."""
    return bool(reply.text) or reply.finish_reason in ("stop", "length")


def usage_of(replies: Sequence[Reply], counted: Usage) -> Usage:
    """What replies took, where a server counted so much for them."""
    if counted.unknown and not any(map(is_answer, replies)):
        return Usage()
    if not counted.completion_tokens and any(reply.text for reply in replies):
        return Usage(unknown=1)  # something was written, and nothing was counted
    return counted


def counted(prompt: object, completion: object, cached: object, reasoning: object) -> Usage:
    """A usage from what a server says: integers, or floats that are integers, in a sane range.

    No prompt has no tokens: without its count the usage is unknown, as it is without the reply's.
    A part is never larger than the whole.
    """
    whole, written = tokens(prompt), tokens(completion)
    if not whole or written is None:
        return Usage(unknown=1)
    return Usage(
        prompt_tokens=whole,
        completion_tokens=written,
        cached_tokens=min(tokens(cached) or 0, whole),
        reasoning_tokens=tokens(reasoning) or 0,
    )


def tokens(value: object) -> int | None:
    """A number of tokens; None for what cannot be one."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value, re.ASCII):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value <= _MOST_TOKENS and value == int(value) else None


def _first(usage: Mapping[str, Any], *names: str) -> object:
    """The first of the names that holds a number of tokens; one above 0 where there is any."""
    found = [usage[name] for name in names if name in usage and tokens(usage[name]) is not None]
    return next((number for number in found if number), found[0] if found else None)


def _within(usage: Mapping[str, Any], *details: str, name: str) -> object:
    parts = (usage.get(detail) for detail in details)
    return next((part.get(name) for part in parts if isinstance(part, dict)), None)
