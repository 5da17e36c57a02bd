"""The fast path against a live server: what is sent, and what becomes of what comes back."""

import asyncio
import email.utils
import time as wall
from typing import Any

import pytest
from fake_server import (
    Answer,
    choice,
    completion,
    cut,
    drop,
    error,
    hang,
    held,
    serving,
    slow,
    text,
)
from models_client import ask, client, run

from feedback_friction.engine.models.base import RefusedError, TransientError
from feedback_friction.engine.models.model_options import ModelOptions
from feedback_friction.engine.models.remote import breaker
from feedback_friction.engine.models.remote.retry import RetryPolicy
from feedback_friction.errors import NotBegunError
from feedback_friction.protocol.records import Message, Reply, Usage
from feedback_friction.settings import Decoding

PLAIN = {
    "model": "tiny",
    "messages": [
        {"role": "system", "content": "Think."},
        {"role": "user", "content": "2 + 2?"},
    ],
    "temperature": 0.0,
    "max_tokens": 2000,
    "seed": 7,
}


@pytest.mark.parametrize(
    ("changes", "sent"),
    [
        ({}, {}),
        ({"n": 3}, {"n": 3}),
        ({"decoding": Decoding(top_p=0.9)}, {"top_p": 0.9}),
        ({"logprobs": True}, {"logprobs": True}),
        ({"temperature": 0.45, "max_tokens": 5}, {"temperature": 0.45, "max_tokens": 5}),
        ({"seed": 2**40 + 5}, {"seed": 5}),
    ],
)
def test_a_request_holds_what_was_asked_for_and_nothing_else(
    changes: dict[str, Any], sent: dict[str, Any]
) -> None:
    async def main() -> None:
        async with serving() as server, client(server) as (model, _, _):
            await model.generate(ask(**changes))
        assert server.bodies == [PLAIN | sent]
        assert "Authorization" not in server.headers[0]

    run(main())


def test_extra_fields_win_over_ours() -> None:
    async def main() -> None:
        extra = {"reasoning_effort": "low", "max_tokens": 9}
        options = ModelOptions(extra=extra)
        async with serving() as server, client(server, options=options) as (model, _, _):
            await model.generate(ask())
        assert server.bodies == [PLAIN | extra]

    run(main())


def test_a_completion_is_read_whole() -> None:
    async def main() -> None:
        answer = completion(choice("<think>2+2</think>4"), choice("4"), usage=(10, 20))
        async with (
            serving(slow(0.05, answer)) as server,
            client(server, clock=wall.monotonic) as (model, _, _),
        ):
            found = await model.generate(ask(n=2))
        assert found.replies == (Reply("4", reasoning="2+2"), Reply("4"))
        assert found.usage == Usage(10, 20)
        assert found.model == "tiny-1"
        assert 0.05 <= found.seconds < 5

    run(main())


TRANSIENT: dict[str, Answer] = {
    "408": error(408),
    "409": error(409),
    "425": error(425),
    "429": error(429, {"error": {"message": "slow down"}}),
    "500": error(500, "oops"),
    "502": error(502, "<html>bad gateway</html>"),
    "503": error(503),
    "504": error(504),
    "529": error(529),
    "truncated": text('{"choices": [{"message": {"content": "4'),
    "no choices": text('{"id": "x"}'),
    "aborted": completion(choice("4", finish_reason="abort")),
    "error within 200": text('{"error": {"message": "upstream", "code": 502}}'),
    "empty": text(""),
    "cut off": cut,
    "dropped": drop,
    "silent": hang,
}


@pytest.mark.parametrize("fault", TRANSIENT)
def test_a_transient_failure_is_tried_again_and_never_becomes_a_reply(fault: str) -> None:
    async def main() -> None:
        async with (
            serving(TRANSIENT[fault], TRANSIENT[fault], completion(choice("4"))) as server,
            client(server, timeout=1.0 if fault == "silent" else 60.0) as (model, time, _),
        ):
            found = await model.generate(ask())
        assert found.replies == (Reply("4"),)
        assert found.failures == 2
        assert server.bodies == [PLAIN] * 3
        assert len(time.slept) == 2

    run(main())


@pytest.mark.parametrize("fault", ["500", "no choices", "cut off"])
def test_a_failure_that_persists_is_an_error_with_its_cause(fault: str) -> None:
    async def main() -> None:
        async with (
            serving(TRANSIENT[fault]) as server,
            client(server, retry=RetryPolicy(attempts=4)) as (model, _, _),
        ):
            with pytest.raises(TransientError, match=r"^openai/tiny: .*\(failed 4 times\)$"):
                await model.generate(ask())
        assert len(server.bodies) == 4

    run(main())


def test_a_page_ends_the_run_as_the_first_answer_and_is_a_fault_later() -> None:
    page = text("<html><body>Welcome to nginx</body></html>")

    async def main() -> None:
        async with serving(page) as server, client(server) as (model, _, _):
            with pytest.raises(NotBegunError, match=r"OpenAI-compatible.*Welcome to nginx"):
                await model.generate(ask())
            assert len(server.bodies) == 2  # the second asks for something harmless
        async with serving(page, completion()) as server, client(server) as (model, _, _):
            assert (await model.generate(ask())).replies == (Reply("reply 0"),)
        async with (
            serving(completion(), page, completion(choice("4"))) as server,
            client(server) as (model, _, notices),
        ):
            await model.generate(ask())
            assert (await model.generate(ask("p2"))).replies == (Reply("4"),)
        assert len(server.bodies) == 3
        assert ["Welcome to nginx; it is asked again" in line for line in notices] == [True]

    run(main())


def test_retry_after_is_honoured_in_each_form() -> None:
    async def main() -> None:
        soon = email.utils.formatdate(wall.time() + 50, usegmt=True)
        script = [
            error(429, headers={"Retry-After": "7"}),
            error(503, headers={"retry-after-ms": "20500"}),
            error(429, headers={"Retry-After": soon}),
            error(429, headers={"Retry-After": "86400"}),
            completion(),
        ]
        async with serving(*script) as server, client(server) as (model, time, _):
            await model.generate(ask())
        base, longest = RetryPolicy().base, RetryPolicy().longest_wait
        for slept, asked in zip(time.slept, [7, 20.5, 48, longest], strict=True):
            assert asked <= slept <= asked + base + 2

    run(main())


def test_a_refused_request_is_not_tried_again() -> None:
    async def main() -> None:
        refusal = error(400, {"error": {"message": "bad\nvalue"}})
        async with serving(refusal) as server, client(server) as (model, time, _):
            with pytest.raises(RefusedError, match=r"http://127.*/v1: HTTP 400: bad value$"):
                await model.generate(ask())
        assert len(server.bodies) == 1
        assert time.slept == []

    run(main())


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("This model's maximum context length is 4096 tokens.", "context_length"),
        ("Content Exists Risk", "content_filter"),
    ],
)
def test_a_refusal_that_is_a_result_comes_back_as_replies_without_text(
    message: str, reason: Any
) -> None:
    async def main() -> None:
        async with (
            serving(error(400, {"error": {"message": message}})) as server,
            client(server) as (model, _, _),
        ):
            found = await model.generate(ask(n=3))
            assert found.replies == (Reply("", reason),) * 3
        assert len(server.bodies) == 1

    run(main())


def test_missing_replies_are_drawn_with_seeds_of_their_own() -> None:
    async def main() -> None:
        some = completion(choice("a"), choice("b"), choice("c", finish_reason="abort"))
        async with (
            serving(some, completion(choice("d"), choice("e"))) as server,
            client(server) as (model, _, _),
        ):
            found = await model.generate(ask(n=4, temperature=0.5))
        assert [reply.text for reply in found.replies] == ["a", "b", "d", "e"]
        assert found.usage == Usage(20, 4)
        assert [body["n"] for body in server.bodies] == [4, 2]
        assert server.bodies[0]["seed"] == 7 != server.bodies[1]["seed"]

    run(main())


def test_a_server_that_ignores_n_is_asked_several_times_at_once_from_then_on() -> None:
    async def main() -> None:
        one = slow(0.02, completion(choice("a")))
        async with serving(one) as server, client(server) as (model, _, notices):
            first = await model.generate(ask(n=5))
            second = await model.generate(ask(n=5))
        assert len(first.replies) == len(second.replies) == 5
        asked = [body.get("n", 1) for body in server.bodies]
        assert asked == [5] + [1] * 9
        seeds = [body["seed"] for body in server.bodies]
        assert len(set(seeds[:5])) == 5
        assert sorted(seeds[5:]) == sorted(seeds[:5])  # the same request draws the same seeds
        assert notices == [
            "openai/tiny: it gives one reply a request: several are asked for by several requests"
        ]

    run(main())


def unsupported(name: str, message: str = "") -> Answer:
    said = message or f"Unsupported parameter: '{name}' is not supported with this model."
    return error(400, {"error": {"message": said, "param": name, "code": "unsupported_parameter"}})


def test_what_a_server_does_not_take_is_left_out_and_told_once() -> None:
    async def main() -> None:
        script = [
            unsupported("max_tokens", "No 'max_tokens'. Use 'max_completion_tokens' instead."),
            unsupported("temperature"),
            unsupported("seed"),
            unsupported("logprobs"),
            unsupported("top_p"),
            completion(),
        ]
        async with serving(*script) as server, client(server) as (model, time, notices):
            for _ in range(3):
                await model.generate(ask(logprobs=True, decoding=Decoding(top_p=0.5)))
        bare = {"model": "tiny", "messages": PLAIN["messages"], "max_completion_tokens": 2000}
        assert server.bodies[5:] == [bare] * 3
        assert len(notices) == 5
        assert time.slept == []

    run(main())


def test_calls_that_learn_the_same_at_the_same_time_all_succeed() -> None:
    async def main() -> None:
        async def answer(request: Any, body: dict[str, Any]) -> Any:
            then = completion() if "temperature" not in body else unsupported("temperature")
            return await slow(0.01, then)(request, body)

        async with serving(answer) as server, client(server) as (model, _, notices):
            await asyncio.gather(*(model.generate(ask(str(i))) for i in range(20)))
        assert len(server.bodies) == 40
        assert len(notices) == 1

    run(main())


def test_a_server_that_is_still_not_content_is_believed() -> None:
    async def main() -> None:
        async with serving(unsupported("seed")) as server, client(server) as (model, _, _):
            with pytest.raises(RefusedError, match="'seed' is not supported"):
                await model.generate(ask())
        assert len(server.bodies) == 2

    run(main())


def test_vllm_at_temperature_0_draws_one_by_one_and_above_it_together() -> None:
    async def main() -> None:
        async def vllm(request: Any, body: dict[str, Any]) -> Any:
            greedy = body["temperature"] == 0 and body.get("n", 1) > 1
            said = {"error": {"message": "n must be 1 when using greedy sampling, got 4."}}
            return await (error(400, said) if greedy else completion())(request, body)

        async with serving(vllm) as server, client(server) as (model, _, _):
            assert len((await model.generate(ask(n=4))).replies) == 4
            assert len((await model.generate(ask(n=4, temperature=0.5))).replies) == 4
        assert [body.get("n", 1) for body in server.bodies] == [4, 1, 1, 1, 1, 4]

    run(main())


def test_a_context_smaller_than_what_is_to_be_generated_is_an_error_of_the_command() -> None:
    async def main() -> None:
        said = {"error": {"message": "This model's maximum context length is 1024 tokens."}}
        async with serving(error(400, said)) as server, client(server) as (model, _, _):
            with pytest.raises(RefusedError, match="2000 tokens to generate leave no room"):
                await model.generate(ask())

    run(main())


def test_a_prompt_that_json_cannot_carry_is_refused() -> None:
    async def main() -> None:
        async with serving() as server, client(server) as (model, _, _):
            with pytest.raises(RefusedError, match="half a character"):
                await model.generate(ask(messages=(Message("user", "\ud83d"),)))
        assert server.bodies == []

    run(main())


def test_a_redirect_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breaker, "FIRST_REFUSALS", 9)

    async def main() -> None:
        async with serving() as other, serving() as server:
            server.script = [error(307, headers={"Location": other.url})]
            async with client(server, key="k") as (model, _, _):
                with pytest.raises(Exception, match="HTTP 307: moved to"):
                    await model.generate(ask())
        assert other.bodies == []

    run(main())


def test_a_cancelled_call_leaves_nothing_behind() -> None:
    async def main() -> None:
        async with (
            serving(hang, completion(choice("4"))) as server,
            client(server, connections=1) as (model, _, _),
        ):
            call = asyncio.create_task(model.generate(ask()))
            while not server.bodies:
                await asyncio.sleep(0.001)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            assert (await model.generate(ask())).replies == (Reply("4"),)
        assert [replica.in_flight for replica in model.replicas.all] == [0]

    run(main())


def test_waiting_for_a_connection_is_not_taken_for_a_silent_server() -> None:
    async def main() -> None:
        async with (
            serving(slow(0.3, completion())) as server,
            client(server, connections=1, timeout=1.2) as (model, time, _),
        ):
            await asyncio.gather(*(model.generate(ask()) for _ in range(5)))
        assert len(server.bodies) == 5
        assert time.slept == []

    run(main())


def test_a_model_that_is_listed_is_asked_by_all_at_once() -> None:
    async def main() -> None:
        go_on = asyncio.Event()
        async with (
            serving(held(go_on, completion(choice("4")))) as server,
            client(server) as (
                model,
                _,
                _,
            ),
        ):
            await model.check()
            calls = [asyncio.create_task(model.generate(ask(f"p{i}"))) for i in range(8)]
            while len(server.bodies) < 8:  # and none of them has been answered
                await asyncio.sleep(0.001)
            go_on.set()
            await asyncio.gather(*calls)

    run(main())


def test_reasoning_tokens_come_on_top_of_the_limit_on_the_answer() -> None:
    async def main() -> None:
        options = ModelOptions(reasoning_tokens=64)
        async with serving() as server, client(server, options=options) as (model, _, _):
            await model.generate(ask())
        assert server.bodies == [PLAIN | {"max_tokens": 2064, "thinking_token_budget": 64}]

    run(main())
