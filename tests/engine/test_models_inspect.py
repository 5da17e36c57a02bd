"""Other providers through inspect_ai, against local stand-ins of their HTTP APIs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fake_providers import (
    Answer,
    Said,
    StandIn,
    anthropic_error,
    blocked,
    content,
    google_error,
    message,
    slowly,
    standing_in,
)
from fake_server import free_port
from models_client import FakeTime, ask, run

from feedback_friction.engine.models.base import KeyRefusedError, RefusedError, TransientError
from feedback_friction.engine.models.model_options import CallOptions, ModelOptions
from feedback_friction.engine.models.providers.inspect_model import InspectModel
from feedback_friction.engine.models.remote.retry import RetryPolicy
from feedback_friction.errors import RunStoppedError, UsageError
from feedback_friction.protocol.records import Message, Reply, Usage
from feedback_friction.settings import Decoding

CLAUDE, GEMINI = "anthropic/claude-3-7-sonnet-20250219", "google/gemini-2.5-flash"
KEY = "sk-secret-0123456789"


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys for both providers, and nothing else of the environment that they would read."""
    for name in ("ANTHROPIC_AUTH_TOKEN", "GEMINI_API_KEY", "GOOGLE_BASE_URL", "ANTHROPIC_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("GOOGLE_API_KEY", KEY)


@asynccontextmanager
async def provider(
    spec: str, *script: Answer, base_url: str = "", **options: Any
) -> AsyncIterator[tuple[InspectModel, StandIn, FakeTime, list[str]]]:
    """A model behind a stand-in with that script, its clock, and the notices it gives."""
    fake, notices = FakeTime(), list[str]()
    defaults = {"clock": fake.clock, "sleep": fake.sleep, "notice": notices.append}
    async with standing_in(*script) as server:
        made = CallOptions(**{**defaults, **options})
        model = InspectModel(spec, made, base_url=base_url or server.url)
        try:
            yield model, server, fake, notices
        finally:
            await model.close()


def asked(spec: str, *script: Answer, options: dict[str, Any] | None = None, **changes: Any) -> Any:
    """What one request came to, what the stand-in was sent, and the notices."""
    found: list[Any] = []

    async def main() -> None:
        async with provider(spec, *script, **options or {}) as (model, server, _, notices):
            found.extend([await model.generate(ask(**changes)), server, notices])

    run(main())
    return found


# --- what is sent and read -----------------------------------------------------------------------


@pytest.mark.slow
def test_anthropic_is_asked_for_one_reply_and_its_usage_counts_the_cache() -> None:
    completion, server, notices = asked(CLAUDE, message("4", read=5, written=3))
    (body,) = server.bodies
    assert body["model"] == "claude-3-7-sonnet-20250219"
    assert body["max_tokens"] == 2000
    assert body["messages"] == [{"role": "user", "content": "2 + 2?"}]
    assert body["system"][0]["text"] == "Think."
    assert not {"temperature", "top_p", "seed", "thinking"} & set(body)
    assert completion.replies == (Reply("4"),)
    assert completion.usage == Usage(prompt_tokens=28, completion_tokens=7, cached_tokens=5)
    assert completion.model == "claude-3-7-sonnet-20250219"
    assert [line.removeprefix(f"{CLAUDE}: ") for line in notices] == [
        "it accepts no seed: its replies cannot be reproduced",
        "it takes no temperature: its own default is used at every attempt",
    ]


def test_google_is_asked_with_every_parameter_that_it_takes() -> None:
    completion, server, notices = asked(
        GEMINI,
        content("4", thought="two and two", thought_tokens=3, cached=4, logprobs=(-0.1, -0.3)),
        temperature=0.45,
        decoding=Decoding(top_p=0.9),
        logprobs=True,
    )
    (body,) = server.bodies
    config = body["generationConfig"]
    assert (config["temperature"], config["topP"], config["maxOutputTokens"]) == (0.45, 0.9, 2000)
    assert config["responseLogprobs"] is True
    assert completion.replies == (Reply("4", "stop", pytest.approx(-0.2), "two and two"),)
    assert completion.usage == Usage(20, 10, 4, 3)
    assert notices == [f"{GEMINI}: it accepts no seed: its replies cannot be reproduced"]


def test_a_chat_keeps_its_turns() -> None:
    turns = (Message("user", "2 + 2?"), Message("assistant", "5"), Message("user", "Again."))
    for spec, answer in ((CLAUDE, message()), (GEMINI, content("4"))):
        _, server, _ = asked(spec, answer, messages=turns)
        sent = str(server.bodies[0].get("messages") or server.bodies[0]["contents"])
        assert sent.index("2 + 2?") < sent.index("'5'") < sent.index("Again.")


def test_only_the_turns_of_a_chat_are_put_into_anthropics_cache() -> None:
    turns = (Message("user", "2 + 2?"), Message("assistant", "5"), Message("user", "Again."))
    for messages, cached in ((turns[:1], False), (turns, True)):
        _, server, _ = asked(CLAUDE, message(), messages=messages)
        assert ("cache_control" in str(server.bodies[0])) is cached


def test_extended_thinking_has_its_budget_on_top_and_its_text_apart() -> None:
    options = {"options": ModelOptions(reasoning_tokens=4000)}
    completion, server, notices = asked(
        CLAUDE, message("4", thinking="two and two"), options=options, temperature=1.0
    )
    (body,) = server.bodies
    assert body["max_tokens"] == 6000
    assert body["thinking"]["type"] == "enabled"
    assert body["thinking"]["budget_tokens"] == 4000
    assert completion.replies == (Reply("4", reasoning="two and two"),)
    assert completion.usage == Usage(20, 7, 0, 5)
    assert len(notices) == 1  # the seed; at temperature 1 nothing else is missing


def test_reasoning_that_was_asked_for_and_does_not_show_is_told() -> None:
    options = {"options": ModelOptions(reasoning_tokens=64)}
    _, server, notices = asked(GEMINI, content("4"), options=options)
    assert server.bodies[0]["generationConfig"]["thinkingConfig"]["thinking_budget"] == 64
    assert notices[-1] == f"{GEMINI}: it was asked to reason, and its reply shows no reasoning"


def test_thinking_that_a_model_writes_into_its_answer_is_taken_out() -> None:
    completion, _, _ = asked(CLAUDE, message("<think>2+2</think>4"))
    assert completion.replies == (Reply("4", reasoning="2+2"),)


# --- several replies -----------------------------------------------------------------------------


def test_a_provider_without_n_draws_at_once() -> None:
    answers = [slowly(message(str(number)), 0.2) for number in range(5)]
    completion, server, _ = asked(CLAUDE, *answers, n=5)
    assert sorted(reply.text for reply in completion.replies) == ["0", "1", "2", "3", "4"]
    assert (len(server.bodies), server.at_once) == (5, 5)
    assert completion.usage == Usage(100, 35)


def test_a_provider_with_n_is_asked_once() -> None:
    completion, server, _ = asked(GEMINI, content("a", "b", "c"), n=3)
    assert [reply.text for reply in completion.replies] == ["a", "b", "c"]
    assert [body["generationConfig"]["candidateCount"] for body in server.bodies] == [3]


def test_replies_that_are_missing_are_drawn_and_n_is_not_asked_for_again() -> None:
    async def main() -> None:
        async with provider(GEMINI, content("a")) as (model, server, _, notices):
            for _ in range(2):
                assert len((await model.generate(ask(n=3))).replies) == 3
            counts = [b["generationConfig"].get("candidateCount") for b in server.bodies]
            assert counts == [3, *[None] * 5]
            assert sum("one reply a request" in line for line in notices) == 1

    run(main())


@pytest.mark.parametrize(
    ("refusal", "says", "changes"),
    [
        ("Multiple candidates is not enabled for this model", "one reply a request", {"n": 2}),
        ("Logprobs is not enabled for models/gemini", "log-probabilities", {"logprobs": True}),
    ],
)
def test_what_a_model_of_google_does_not_take_is_left_out_and_told(
    refusal: str, says: str, changes: dict[str, Any]
) -> None:
    refused = google_error(400, "INVALID_ARGUMENT", refusal)
    completion, _, notices = asked(GEMINI, refused, content("a"), **changes)
    assert len(completion.replies) == changes.get("n", 1)
    assert any(says in line for line in notices)


# --- refusals that are results -------------------------------------------------------------------

RESULTS: dict[str, tuple[str, Answer, Reply]] = {
    "Claude refuses": (CLAUDE, message("I cannot", stop="refusal"), Reply("", "content_filter")),
    "Claude's output is filtered": (
        CLAUDE,
        anthropic_error(400, "invalid_request_error", "Output blocked by content filtering policy"),
        Reply("", "content_filter"),
    ),
    "too long for Claude": (
        CLAUDE,
        anthropic_error(
            400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"
        ),
        Reply("", "context_length"),
    ),
    "too large for Anthropic": (
        CLAUDE,
        anthropic_error(413, "request_too_large", "Request exceeds the maximum size"),
        Reply("", "context_length"),
    ),
    "Claude is cut off": (CLAUDE, message("4 beca", stop="max_tokens"), Reply("4 beca", "length")),
    "Claude says nothing": (CLAUDE, message(""), Reply("")),
    "Google blocks the prompt": (GEMINI, blocked, Reply("", "content_filter")),
    "Google blocks the reply": (
        GEMINI,
        content("Th", finish="SAFETY"),
        Reply("", "content_filter"),
    ),
    "too long for Gemini": (
        GEMINI,
        google_error(
            400,
            "INVALID_ARGUMENT",
            "The input token count (1200000) exceeds the maximum number of tokens allowed",
        ),
        Reply("", "context_length"),
    ),
    "Gemini is cut off": (GEMINI, content("4 be", finish="MAX_TOKENS"), Reply("4 be", "length")),
    "Gemini says nothing": (GEMINI, content(""), Reply("")),
}


@pytest.mark.parametrize("name", RESULTS)
def test_a_refusal_is_a_result_without_the_text_of_the_error(name: str) -> None:
    spec, answer, reply = RESULTS[name]
    completion, server, _ = asked(spec, answer)
    assert completion.replies == (reply,)
    assert len(server.bodies) == 1


# --- failures ------------------------------------------------------------------------------------

OVERLOADED = anthropic_error(529, "overloaded_error", "Overloaded")
TRANSIENT: dict[str, tuple[str, Answer]] = {
    "Anthropic's rate limit": (CLAUDE, anthropic_error(429, "rate_limit_error", "slow down")),
    "Anthropic is overloaded": (CLAUDE, OVERLOADED),
    "Anthropic fails": (CLAUDE, anthropic_error(500, "api_error", "Internal server error")),
    "Google's rate limit": (GEMINI, google_error(429, "RESOURCE_EXHAUSTED", "slow down")),
    "Google is overloaded": (GEMINI, google_error(503, "UNAVAILABLE", "overloaded")),
    "Google fails": (GEMINI, google_error(500, "INTERNAL", "an internal error")),
}


@pytest.mark.parametrize("name", TRANSIENT)
def test_a_transient_failure_is_tried_again_by_us_alone(name: str) -> None:
    spec, fault = TRANSIENT[name]
    good = message("4") if spec == CLAUDE else content("4")

    async def main() -> None:
        async with provider(spec, fault, fault, good) as (model, server, time, _):
            completion = await model.generate(ask())
            assert completion.replies == (Reply("4"),)
            assert len(server.bodies) == 3
            assert len(time.slept) == 2

    run(main())


def test_a_servers_retry_after_is_honoured() -> None:
    limited = anthropic_error(429, "rate_limit_error", "slow down", retry_after="17")

    async def main() -> None:
        async with provider(CLAUDE, limited, message()) as (model, _, time, _):
            await model.generate(ask())
            assert 17 <= time.slept[0] <= 18

    run(main())


def test_a_failure_that_persists_is_an_error_and_never_a_reply() -> None:
    async def main() -> None:
        policy = RetryPolicy(attempts=3)
        async with provider(CLAUDE, anthropic_error(500, "api_error", "oops"), retry=policy) as (
            model,
            server,
            _,
            _,
        ):
            with pytest.raises(TransientError, match=r"HTTP 500: oops \(failed 3 times\)$"):
                await model.generate(ask())
            assert len(server.bodies) == 3

    run(main())


def test_a_provider_that_does_not_answer_is_given_up_and_asked_again() -> None:
    async def main() -> None:
        slow = slowly(message("late"), 10)
        async with provider(CLAUDE, slow, message("4"), timeout=2.0) as (model, server, _, _):
            assert (await model.generate(ask())).replies == (Reply("4"),)
            assert len(server.bodies) == 2

    run(main())


def test_a_provider_that_cannot_be_reached_stops_the_run_within_a_minute() -> None:
    async def main() -> None:
        url = f"http://127.0.0.1:{free_port()}"
        async with provider(CLAUDE, base_url=url) as (model, _, time, _):
            with pytest.raises(RunStoppedError, match=f"^{CLAUDE} could not be reached for "):
                await model.generate(ask())
            assert 30 <= time.now <= 60

    run(main())


REFUSED_KEYS = {
    CLAUDE: anthropic_error(401, "authentication_error", f"invalid x-api-key {KEY}"),
    GEMINI: google_error(400, "INVALID_ARGUMENT", f"API key not valid: {KEY}"),
}


@pytest.mark.slow
@pytest.mark.parametrize("spec", REFUSED_KEYS)
def test_a_refused_key_stops_the_run_and_names_the_variable_without_showing_it(spec: str) -> None:
    async def main() -> None:
        async with provider(spec, REFUSED_KEYS[spec]) as (model, server, _, _):
            with pytest.raises(KeyRefusedError, match=r"the key in \w+_API_KEY is refused") as no:
                await model.generate(ask())
            assert KEY not in str(no.value)
            with pytest.raises(RunStoppedError):
                await model.generate(ask())
            assert len(server.bodies) == 1

    run(main())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spec", "answer"),
    [
        (CLAUDE, anthropic_error(404, "not_found_error", "model: claude-x")),
        (GEMINI, google_error(404, "NOT_FOUND", "models/gemini-x is not found")),
    ],
)
def test_a_model_that_is_not_there_stops_the_run_at_the_first_call(
    spec: str, answer: Answer
) -> None:
    async def main() -> None:
        async with provider(spec, answer) as (model, server, _, _):
            with pytest.raises(RunStoppedError, match="refused the first call: HTTP 404"):
                await model.generate(ask())
            assert len(server.bodies) == 1

    run(main())


def test_a_request_that_is_refused_for_good_fails_alone() -> None:
    async def main() -> None:
        refused = anthropic_error(400, "invalid_request_error", "messages: something is wrong")
        async with provider(CLAUDE, message("4"), refused, message("5")) as (model, _, time, _):
            await model.generate(ask())
            with pytest.raises(RefusedError, match="HTTP 400: messages: something is wrong"):
                await model.generate(ask())
            assert (await model.generate(ask())).replies == (Reply("5"),)
            assert time.slept == []

    run(main())


def test_a_budget_of_reasoning_that_a_model_cannot_have_stops_the_run_with_one_line() -> None:
    async def main() -> None:
        options = ModelOptions(reasoning_tokens=4000)
        async with provider("anthropic/claude-opus-4-7", message(), options=options) as (
            model,
            server,
            _,
            _,
        ):
            with pytest.raises(RunStoppedError, match="does not support 'reasoning_tokens'") as no:
                await model.generate(ask())
            assert "\n" not in str(no.value)
            assert server.bodies == []

    run(main())


def test_a_cancelled_call_leaves_nothing_behind() -> None:
    async def main() -> None:
        async with provider(CLAUDE, slowly(message("late"), 5), message("4")) as (
            model,
            server,
            *_,
        ):
            call = asyncio.create_task(model.generate(ask()))
            while not server.bodies:
                await asyncio.sleep(0.01)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            assert (await model.generate(ask())).replies == (Reply("4"),)

    run(main())


def test_an_answer_that_cannot_be_read_is_tried_again() -> None:
    async def main() -> None:
        nonsense = [lambda body: Said({}), lambda body: Said({"content": 3})]
        async with provider(CLAUDE, *nonsense, message("4")) as (model, server, *_):
            assert (await model.generate(ask())).replies == (Reply("4"),)
            assert len(server.bodies) == 3

    run(main())


# --- before any call -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "variable"),
    [(CLAUDE, "ANTHROPIC_API_KEY"), (GEMINI, "GOOGLE_API_KEY")],
)
def test_a_missing_key_is_named_before_any_call(
    spec: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(variable)
    with pytest.raises(UsageError, match=variable) as refused:
        InspectModel(spec)
    assert "\n" not in str(refused.value)


def test_a_provider_whose_package_is_missing_names_it_and_the_extra() -> None:
    with pytest.raises(UsageError, match=r"pip install mistralai .*feedback-friction\[providers\]"):
        InspectModel("mistral/mistral-large")


def test_an_argument_that_a_provider_does_not_know_is_refused() -> None:
    options = CallOptions(options=ModelOptions(extra={"frobnicate": 1}))
    with pytest.raises(UsageError, match=r"cannot be used: .*frobnicate"):
        InspectModel(CLAUDE, options)


def test_arguments_of_the_provider_are_handed_on() -> None:
    extra = {"extra_body": {"service_tier": "standard_only"}}
    _, server, _ = asked(CLAUDE, message(), options={"options": ModelOptions(extra=extra)})
    assert server.bodies[0]["service_tier"] == "standard_only"


def test_options_are_part_of_a_models_identity() -> None:
    plain = InspectModel(CLAUDE)
    thinking = InspectModel(CLAUDE, CallOptions(options=ModelOptions(reasoning_tokens=4000)))
    assert plain.identity == plain.name == thinking.name
    assert thinking.identity != plain.identity
