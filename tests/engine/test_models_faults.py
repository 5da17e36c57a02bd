"""What servers say when they do not answer: each in its own words, each put where it belongs."""

import json
from pathlib import Path
from typing import Any

import pytest

from effort import LINEAR, growth, repeated
from feedback_friction.engine.models.remote.dialect import Quirk, lessons
from feedback_friction.engine.models.remote.faults import (
    Fault,
    context_size,
    fault_of,
    meaning,
    one_line,
    prompt_length,
    read_error,
)

CASES = Path(__file__).parents[1] / "cases"
ERRORS = json.loads((CASES / "models_errors.json").read_text())
QUIRKS = json.loads((CASES / "models_quirks.json").read_text())
SENT = frozenset({"temperature", "top_p", "seed", "logprobs", "system", "max_tokens"})


def as_bytes(body: Any) -> bytes:
    return (body if isinstance(body, str) else json.dumps(body)).encode()


@pytest.mark.parametrize("case", ERRORS, ids=lambda case: case["server"])
def test_an_error_answer_is_taken_for_what_it_means(case: dict[str, Any]) -> None:
    answer = read_error(as_bytes(case["body"]))
    found = meaning(case["status"], answer, max_tokens=2000)
    assert (found.kind.name if isinstance(found, Fault) else found) == case["expect"]
    assert (found.room if isinstance(found, Fault) else None) == case.get("room")
    if "message" in case:
        assert isinstance(found, Fault)
        assert found.message == case["message"]


@pytest.mark.parametrize("case", QUIRKS, ids=lambda case: case["server"])
def test_a_refusal_reveals_the_quirk_of_a_server(case: dict[str, Any]) -> None:
    found = lessons(read_error(as_bytes(case["body"])), SENT, frozenset())
    assert sorted(quirk.name for quirk in found) == case["expect"]


def test_no_real_error_but_those_about_parameters_reveals_a_quirk() -> None:
    """Those that mean a finish reason, a key or a limit are never asked about."""
    revealing = {
        case["server"]
        for case in ERRORS
        if case["expect"] == "REFUSED"
        if lessons(read_error(as_bytes(case["body"])), SENT, frozenset())
    }
    assert revealing == {
        "Mistral, unknown field",
        "OpenAI, role",
        "OpenAI, more to generate than the model can",
        "SGLang, sum that nearly fits",
        "vLLM, more to generate than there is context",
        "a limit on what is written",
    }


def test_what_a_server_has_taken_is_not_what_it_refuses() -> None:
    answer = read_error(as_bytes({"error": {"message": "temperature 1.35 is not allowed"}}))
    assert lessons(answer, SENT, frozenset()) == [Quirk.NO_TEMPERATURE]
    assert lessons(answer, SENT, frozenset({"temperature"})) == []
    assert lessons(answer, frozenset({"seed"}), frozenset()) == []


@pytest.mark.parametrize("status", [401, 429])
def test_a_refused_key_or_a_rate_limit_is_never_a_reply(status: int) -> None:
    words = {"error": {"message": "content_filter: maximum context length", "code": None}}
    assert isinstance(meaning(status, read_error(as_bytes(words)), max_tokens=10), Fault)


def test_a_message_fits_one_line_of_a_terminal() -> None:
    line = one_line("a\r\n\x1b[31m" + "b" * 10_000)
    assert line.isprintable()
    assert len(line) == 300
    assert line.endswith("…")


HOSTILE_BODIES = {
    "tags": lambda size: "<" * size,
    "open tags": lambda size: repeated("<a", size),
    "nested objects": lambda size: repeated('{"error":', size),
    "nested lists": lambda size: "[" * size,
    "closed lists": lambda size: "[" * (size // 2) + "]" * (size // 2),
    "near misses": lambda size: json.dumps({"error": {"message": repeated("context size ", size)}}),
    "raw in raw": lambda size: json.dumps({"metadata": {"raw": json.dumps({"raw": "[" * size})}}),
}


@pytest.mark.parametrize("kind", HOSTILE_BODIES)
def test_work_grows_with_the_length_of_an_error_body(kind: str) -> None:
    body = HOSTILE_BODIES[kind]
    assert growth(read_error, lambda size: (body(size).encode(),), 4000) < LINEAR
    assert growth(fault_of, lambda size: (400, read_error(body(size).encode())), 4000) < LINEAR
    for number in (context_size, prompt_length):
        more = (2000,) if number is prompt_length else ()
        assert growth(number, lambda size, more=more: (body(size), *more), 4000) < LINEAR
    assert meaning(400, read_error(body(1_000_000).encode()), max_tokens=2000)
