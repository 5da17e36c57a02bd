"""What servers send: bodies of completions and of errors, and when to ask again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from hypothesis import strategies as st

from benchmarks.fuzzing import Target
from benchmarks.fuzzing.corpus import cases, mutated, pieces, texts
from feedback_friction.engine.models.remote.chat_reply import (
    MalformedError,
    failure_in,
    parse_json,
    read_completion,
)
from feedback_friction.engine.models.remote.faults import fault_of, read_error
from feedback_friction.engine.models.remote.retry import retry_after
from feedback_friction.reading.reasoning import split_reasoning

_MOST_TOKENS = 2**31


def targets() -> Iterator[Target]:
    """The readers of bodies and headers."""
    errors = [case["body"] for case in cases("models_errors") if isinstance(case["body"], dict)]
    whole = [case["body"] for case in cases("models_failures_within")]
    yield Target("completion", bodies(), _check_completion)
    damaged = mutated([*errors, *whole]).map(_body) | texts().map(_bytes) | st.binary(max_size=200)
    yield Target("error body", st.tuples(st.integers(100, 999), damaged), _check_error)
    dates = st.datetimes().map(lambda when: when.strftime("%a, %d %b %Y %H:%M:%S GMT"))
    headers = st.dictionaries(
        st.sampled_from(["Retry-After", "retry-after-ms", "x-ratelimit-reset-requests"]),
        pieces() | dates,
    )
    yield Target("retry-after", headers, _check_retry)
    yield Target("thinking", texts(), _check_thinking)


def bodies() -> st.SearchStrategy[bytes]:
    """What may come with the status 200: completions with parts exchanged, failures, anything."""
    replies = [case["body"] for case in cases("models_replies") if isinstance(case["body"], dict)]
    whole = [case["body"] for case in cases("models_failures_within")]
    return mutated([*replies, *whole]).map(_body) | texts().map(_bytes) | st.binary(max_size=200)


def _body(value: Any) -> bytes:
    return json.dumps(value).encode()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _check_completion(body: bytes) -> None:
    with suppress(MalformedError):
        data = parse_json(body)
        failure_in(data)
        completion = read_completion(data, 2, seconds=1.0, logprobs=True)
        assert 1 <= len(completion.replies) <= 2
        usage = completion.usage
        for tokens in (usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens):
            assert isinstance(tokens, int)
            assert 0 <= tokens < _MOST_TOKENS
        for reply in completion.replies:
            assert isinstance(reply.text, str)
            assert reply.reasoning is None or isinstance(reply.reasoning, str)
            assert reply.mean_logprob is None or -9999 < reply.mean_logprob <= 0


def _check_error(answer: tuple[int, bytes]) -> None:
    status, body = answer
    fault_of(status, read_error(body))


def _check_retry(headers: dict[str, str]) -> None:
    seconds = retry_after(headers, 1.7e9)
    assert seconds is None or seconds >= 0


def _check_thinking(text: str) -> None:
    answer, reasoning = split_reasoning(text)
    assert len(answer) + len(reasoning or "") <= len(text)
