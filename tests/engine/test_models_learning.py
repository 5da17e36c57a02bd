"""What a call learns from a refusal: tried once, kept where it helped, told once."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from fake_server import Answer, choice, completion, error, serving, text
from models_client import ask, client, run

from feedback_friction.engine.models.base import RefusedError, TransientError
from feedback_friction.engine.models.remote.dialect import Quirk
from feedback_friction.engine.run.launch import remember
from feedback_friction.errors import RunStoppedError
from feedback_friction.protocol.records import Reply
from feedback_friction.settings import Decoding

FOLDED = [{"role": "user", "content": "Think.\n\n2 + 2?"}]
Body = dict[str, Any]


def refusing(
    what: Callable[[Body], bool], status: int, said: str, then: Answer | None = None
) -> Answer:
    async def answer(request: web.Request, body: Body) -> web.StreamResponse:
        if what(body):
            return await error(status, {"error": {"message": said}})(request, body)
        return await (then or completion())(request, body)

    return answer


def has_system(body: Body) -> bool:
    return any(message["role"] == "system" for message in body["messages"])


@pytest.mark.parametrize(
    ("status", "said", "calls"),
    [
        (400, "System role not supported", 2),
        (422, "Template error: Conversation roles must alternate user/assistant/...", 2),
        (400, "'messages[0].role' does not support 'system' with this model.", 2),
        (500, "Jinja Exception: System role not supported", 3),
        (500, "Only user, assistant and tool roles are supported, got system.", 3),
    ],
)
def test_without_a_system_role_its_text_heads_the_first_message(
    status: int, said: str, calls: int
) -> None:
    async def main() -> None:
        async with (
            serving(refusing(has_system, status, said)) as server,
            client(server) as (model, _, notices),
        ):
            await model.generate(ask())
            await model.generate(ask("p2"))
        assert len(server.bodies) == calls + 1
        assert [body["messages"] for body in server.bodies[-2:]] == [FOLDED] * 2
        assert sum("no system role" in line for line in notices) == 1

    run(main())


def test_calls_that_are_refused_while_another_learns_are_asked_again() -> None:
    async def main() -> None:
        picky = refusing(lambda body: "seed" in body, 400, "unexpected keyword 'seed'")

        async def answer(request: web.Request, body: Body) -> web.StreamResponse:
            if len(server.bodies) > 1 and "seed" in body:  # until the first call has learnt
                await asyncio.sleep(0.2)
            return await picky(request, body)

        async with serving(answer) as server, client(server) as (model, _, notices):
            await asyncio.gather(*(model.generate(ask(f"p{each}")) for each in range(5)))
        assert sum("seed" in body for body in server.bodies) <= 5
        assert len(notices) == 1

    run(main())


def test_of_what_a_refusal_names_what_matters_least_is_left_out_first() -> None:
    said = "`temperature` and `top_p` cannot both be specified"

    async def main() -> None:
        both = refusing(lambda body: {"temperature", "top_p"} <= body.keys(), 400, said)
        async with serving(both) as server, client(server) as (model, _, _):
            await model.generate(ask(decoding=Decoding(top_p=0.9)))
        assert ["temperature" in body for body in server.bodies] == [True, True]
        assert model.dialect.quirks == {Quirk.NO_TOP_P}

    run(main())


def test_what_did_not_help_is_not_kept_and_the_first_refusal_is_the_reason() -> None:
    async def main() -> None:
        bad = error(400, {"error": {"message": "temperature: the prompt is bad"}})
        async with (
            serving(completion(), bad) as server,
            client(server) as (model, _, notices),
        ):
            await model.generate(ask())
            with pytest.raises(RefusedError, match="the prompt is bad"):
                await model.generate(ask("p2"))
            assert len(server.bodies) == 2  # it has taken a temperature before
        async with serving(bad) as server, client(server) as (model, _, _):
            with pytest.raises(RefusedError, match="the prompt is bad"):
                await model.generate(ask())
            assert ["temperature" in body for body in server.bodies] == [True, False]
            assert not model.dialect.quirks
        assert not notices

    run(main())


def test_a_server_error_is_a_lesson_only_in_the_same_words_twice() -> None:
    async def main() -> None:
        script = [error(500, {"error": f"{each}: seed lost"}) for each in "abc"]
        async with serving(*script, completion()) as server, client(server) as (model, _, _):
            await model.generate(ask())
            assert ["seed" in body for body in server.bodies] == [True] * 4
            assert not model.dialect.quirks
        async with serving(error(500, "seed lost")) as server, client(server) as (model, _, _):
            with pytest.raises((RunStoppedError, TransientError), match="seed lost"):
                await model.generate(ask())
            assert not model.dialect.quirks

    run(main())


def test_a_reply_gets_the_tokens_that_its_prompt_leaves_and_then_the_trial_stops() -> None:
    said = "maximum context length is 1024 tokens; 600 tokens in the messages, 2000 to write"

    async def main() -> None:
        too_long = refusing(lambda body: body["max_tokens"] > 424, 400, said)
        async with serving(too_long) as server, client(server) as (model, _, notices):
            await model.generate(ask())
            await model.generate(ask("p2"))
        assert [body["max_tokens"] for body in server.bodies] == [2000, 424, 2000, 424]
        assert len(notices) == 1
        never = error(400, {"error": {"message": said}})
        async with serving(never) as server, client(server) as (model, _, _):
            assert (await model.generate(ask())).replies == (Reply("", "context_length"),)
        assert len(server.bodies) == 2

    run(main())


def test_a_limit_on_tokens_is_learnt_once() -> None:
    said = "max_tokens is too large: 2000. This model supports at most 500 completion tokens"

    async def main() -> None:
        capped = refusing(lambda body: body["max_tokens"] > 500, 400, said)
        async with serving(capped) as server, client(server) as (model, _, notices):
            await model.generate(ask())
            await model.generate(ask("p2"))
            await model.generate(ask("p3", max_tokens=100))
        assert [body["max_tokens"] for body in server.bodies] == [2000, 500, 500, 100]
        assert notices == [
            "openai/tiny: it allows at most 500 tokens a reply: the limit is lowered to that"
        ]

    run(main())


STREAM = (
    'data: {"model": "tiny-1", "choices": [{"index": 0, "delta": {"role": "assistant"}}]}\n\n'
    'data: {"choices": [{"index": 0, "delta": {"reasoning_content": "2 and 2"}}]}\n\n'
    'data: {"choices": [{"index": 0, "delta": {"content": "It is"}}]}\n\n'
    ": keep alive\n\n"
    'data: {"choices": [{"index": 0, "delta": {"content": " 4."}, "finish_reason": "stop"}]}\n\n'
    'data: {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 3}}\n\n'
)


@pytest.mark.parametrize(
    "stream", [STREAM + "data: [DONE]\n\n", STREAM, STREAM.replace("\n", "\r\n")]
)
def test_a_server_that_only_streams_is_read(stream: str) -> None:
    said = "This model only support stream mode, please enable the stream parameter"

    async def main() -> None:
        only = refusing(lambda body: not body.get("stream"), 400, said, text(stream))
        async with serving(only) as server, client(server) as (model, _, notices):
            found = await model.generate(ask())
            await model.generate(ask("p2"))
        assert found.replies == (Reply("It is 4.", "stop", None, "2 and 2"),)
        assert (found.usage.prompt_tokens, found.usage.completion_tokens) == (5, 3)
        assert found.model == "tiny-1"
        assert [body.get("stream") for body in server.bodies] == [None, True, True]
        assert server.bodies[1]["stream_options"] == {"include_usage": True}
        assert len(notices) == 1

    run(main())


def test_a_stream_that_breaks_off_is_no_reply() -> None:
    async def main() -> None:
        broken = text(STREAM.partition("It is")[0] + 'It is"}}]}\n\n')
        async with (
            serving(broken, text(STREAM)) as server,
            client(server) as (model, _, notices),
        ):
            found = await model.generate(ask())
        assert found.replies[0].text == "It is 4."
        assert "broke off" in notices[0]

    run(main())


def test_a_resumed_run_asks_as_the_interrupted_one_did(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"schema": 1, "config": {}}')

    async def main() -> None:
        picky = refusing(lambda body: "seed" in body, 400, "unexpected keyword argument 'seed'")
        async with serving(picky) as server, client(server) as (model, _, _):
            remember([model], tmp_path)
            await model.generate(ask())
        learnt = json.loads((tmp_path / "run.json").read_text())["learnt"]
        assert learnt == {"openai/tiny": {"quirks": ["NO_SEED"]}}
        async with serving() as server, client(server) as (model, _, notices):
            remember([model], tmp_path)
            await model.generate(ask())
        assert "seed" not in server.bodies[0]
        assert len(notices) == 1

    run(main())


@pytest.mark.parametrize("learnt", [[], {"openai/tiny": 5}, {"openai/tiny": {"quirks": [7, "X"]}}])
def test_a_damaged_memory_is_passed_over(learnt: object, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps({"schema": 1, "config": {}, "learnt": learnt}))

    async def main() -> None:
        async with serving(completion(choice("4"))) as server, client(server) as (model, _, _):
            remember([model], tmp_path)
            assert (await model.generate(ask())).replies == (Reply("4"),)

    run(main())


def test_no_reply_decides_how_another_is_read() -> None:
    thought = choice("Maybe it is 5", finish_reason="length")

    async def main() -> None:
        script = [
            completion(thought),
            completion(choice("5?</think>It is 4.")),
            completion(thought),
        ]
        async with serving(*script) as server, client(server) as (model, _, notices):
            before, answer, cut = [
                (await model.generate(ask(each))).replies[0] for each in ("p1", "p2", "p3")
            ]
        assert (answer.text, answer.reasoning) == ("It is 4.", "5?")
        assert before == cut == Reply("Maybe it is 5", "length")
        assert notices == []

    run(main())


def test_parts_that_are_not_read_are_named() -> None:
    parts = [{"type": "image_url", "image_url": {"url": "x"}}, {"type": "text", "text": "4"}]
    reply = {"message": {"content": parts}, "finish_reason": "stop"}

    async def main() -> None:
        async with serving(completion(reply)) as server, client(server) as (model, _, notices):
            assert (await model.generate(ask())).replies[0].text == "4"
        assert ["parts of type 'image_url'" in line for line in notices] == [True]

    run(main())
