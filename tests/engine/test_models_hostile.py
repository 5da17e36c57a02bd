"""What a server may do to its client: bodies without end, bombs, bytes one by one, quoted keys."""

import asyncio
import base64
import gzip
import json
import tracemalloc
import zlib
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import web
from fake_server import choice, completion, error, listing, serving, text
from models_client import KEY, ask, client, run

from feedback_friction.engine.models.base import RefusedError, TransientError
from feedback_friction.engine.models.model_options import CallOptions
from feedback_friction.engine.models.remote.endpoint import endpoints
from feedback_friction.engine.models.remote.openai import OpenAIModel
from feedback_friction.engine.models.remote.retry import RetryPolicy
from feedback_friction.engine.models.remote.transport import Pool, TooLargeError, most_bytes, read
from feedback_friction.errors import UsageError
from feedback_friction.protocol.records import Reply, Usage

CHUNK = bytes(2**16)
MIB = 2**20


class Body:
    """A response whose body is told what was taken of it.

    Attributes:
        taken: chunks that were read.
    """

    def __init__(self, *chunks: bytes, endless: bool = False, status: int = 200):
        self.status, self.headers, self.content = status, dict[str, str](), self
        self.taken, self.closed = 0, False
        self._chunks, self._endless = chunks, endless

    async def iter_any(self) -> AsyncIterator[bytes]:
        while True:
            for chunk in self._chunks:
                self.taken += 1
                yield chunk
            if not self._endless:
                return

    def close(self) -> None:
        self.closed = True


def read_all(body: Body, limit: int) -> bytes:
    return asyncio.run(read(body, limit)).body  # type: ignore[arg-type]


def test_of_a_body_without_end_no_more_is_read_than_it_may_have() -> None:
    body = Body(CHUNK, endless=True)
    with pytest.raises(TooLargeError, match="more than 1 MiB"):
        read_all(body, MIB)
    assert body.taken == MIB // len(CHUNK) + 1
    assert body.closed


def test_an_honest_body_is_read_whole() -> None:
    assert read_all(Body(b"one, ", b"two"), 8) == b"one, two"
    assert read_all(Body(), MIB) == b""


def test_an_error_says_enough_by_its_status_when_its_body_is_too_large() -> None:
    assert read_all(Body(CHUNK, endless=True, status=401), MIB) == b""


def test_what_a_body_may_have_grows_with_what_was_asked_for() -> None:
    plain = most_bytes(0, 1000)
    assert most_bytes(0, 2000) - plain == plain - most_bytes(0, 0) >= 1000 * 4 * 20
    assert most_bytes(0, 1000, logprobs=6) - plain >= 1000 * 6 * 200
    assert most_bytes(5000, 1000) - plain >= 6 * 5000
    assert most_bytes(0, 10**12) < 2**30


BOMBS = {
    "gzip": gzip.compress(bytes(2**26)),
    "deflate": zlib.compress(bytes(2**26)),
    "raw deflate": zlib.compress(bytes(2**26), wbits=-15),
}


@pytest.mark.parametrize("packed", BOMBS)
def test_a_bomb_takes_no_more_memory_than_a_body_may(packed: str) -> None:
    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        named = {"Content-Encoding": packed.split()[-1]}
        return web.Response(body=BOMBS[packed], headers=named)

    async def main() -> None:
        async with serving(answer) as server:
            pool = Pool(1)
            pool.join()
            tracemalloc.start()
            async with pool.session.post(f"{server.url}/v1/chat/completions", json={}) as response:
                with pytest.raises(TooLargeError):
                    await read(response, MIB)
            _, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            await pool.leave()
            assert most < 8 * MIB < 2**26

    run(main())


async def endless(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """Spaces in chunks, for ever."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    while True:
        await response.write(b" " * 2**16)


async def bomb(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    return web.Response(body=BOMBS["gzip"], headers={"Content-Encoding": "gzip"})


async def brotli(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    return web.Response(body=b"\x8b", headers={"Content-Encoding": "br"})


async def drip(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """One byte after the other, for ever."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (endless, "the answer has more than [0-9]+ MiB"),
        (bomb, "the answer has more than [0-9]+ MiB"),
        (brotli, "answer"),
        (drip, r"no answer within 1 s \(--timeout\)"),
    ],
)
def test_an_answer_that_is_too_large_or_too_slow_is_a_failed_attempt(fault: Any, says: str) -> None:
    async def main() -> None:
        policy = RetryPolicy(attempts=2)
        async with (
            serving(fault, fault, fault, completion(choice("4"))) as server,
            client(server, timeout=1.0, retry=policy) as (model, _, _),
        ):
            with pytest.raises(TransientError, match=says):
                await model.generate(ask())
            assert (await model.generate(ask())).replies == (Reply("4"),)
        assert len(server.bodies) == 4

    run(main())


@pytest.mark.parametrize("fault", [endless, bomb])
def test_a_list_of_models_without_end_is_no_list(fault: Any) -> None:
    async def main() -> None:
        async with serving(models=fault) as server, client(server) as (model, _, _):
            with pytest.raises(UsageError, match="lists models without end"):
                await model.check()

    run(main())


def test_the_request_asks_for_what_the_client_can_unpack() -> None:
    async def packed(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        said = await completion(choice("4"))(request, body)
        assert isinstance(said, web.Response)
        said.enable_compression(web.ContentCoding.gzip)
        return said

    async def main() -> None:
        async with serving(packed) as server, client(server) as (model, _, _):
            assert (await model.generate(ask())).replies == (Reply("4"),)
        assert server.headers[0]["Accept-Encoding"] == "gzip, deflate"

    run(main())


QUOTED = {
    "plain": KEY,
    "escaped": KEY.replace("s", "\\u0073", 1),
    "escaped twice": KEY.replace("s", "\\\\u0073", 1),
    "percent": "%" + quote(KEY, safe="").encode().hex("%"),
    "base64": base64.b64encode(f"user:{KEY}".encode()).decode(),
    "cut": KEY[:-4],
}


@pytest.mark.parametrize("how", QUOTED)
@pytest.mark.parametrize("where", ["content", "reasoning_content", "model"])
def test_a_reply_that_quotes_the_key_loses_it_before_it_is_kept(how: str, where: str) -> None:
    async def main() -> None:
        # As a server writes it: what is escaped in the body is plain again once it is parsed.
        message = {"content": "4", "role": "assistant"}
        fields = {"model": "tiny-1", "choices": [{"message": message, "finish_reason": "stop"}]}
        holder = fields if where == "model" else message
        holder[where] = "@"
        body = json.dumps(fields).replace("@", f"the key is {QUOTED[how]}")
        async with serving(text(body)) as server, client(server, key=KEY) as (model, _, _):
            shown = repr(await model.generate(ask()))
        assert "the key is " in shown
        assert "0123456789" not in shown
        assert "MDEyMzQ1Njc4" not in shown
        assert "the key is ***" in shown or how in ("base64", "escaped twice")

    run(main())


@pytest.mark.parametrize("how", QUOTED)
@pytest.mark.parametrize("status", [400, 404, 500])
def test_an_error_that_quotes_the_key_loses_it(how: str, status: int) -> None:
    async def main() -> None:
        said = error(
            status, '{"error": {"message": "no: @", "param": "@"}}'.replace("@", QUOTED[how])
        )
        policy = RetryPolicy(attempts=1)
        async with serving(said) as server, client(server, key=KEY, retry=policy) as (model, _, _):
            with pytest.raises(Exception, match="no: ") as raised:
                await model.generate(ask())
        assert "0123456789" not in str(raised.value)
        assert "MDEyMzQ1Njc4" not in str(raised.value)

    run(main())


def test_a_list_that_quotes_the_key_loses_it() -> None:
    async def main() -> None:
        async with (
            serving(models=listing(KEY)) as server,
            client(server, key=KEY) as (model, _, notices),
        ):
            await model.check()
        assert "0123456789" not in "".join(notices)
        assert "***" in "".join(notices)

    run(main())


@pytest.mark.parametrize("key", ["x", "context", "exceeds", "exceeds the available"[:8]])
def test_what_an_error_means_does_not_depend_on_the_key(key: str) -> None:
    async def main() -> None:
        said = error(400, {"error": {"message": "request exceeds the available context size"}})
        async with serving(said) as server, client(server, key=key.strip()) as (model, _, _):
            found = await model.generate(ask())
        assert found.replies == (Reply("", "context_length"),)

    run(main())


def test_a_key_as_short_as_local_servers_are_given_is_not_taken_out_of_replies() -> None:
    async def main() -> None:
        reply = completion(choice("x is EMPTY"))
        async with serving(reply) as server, client(server, key="EMPTY") as (model, _, _):
            assert (await model.generate(ask())).replies == (Reply("x is EMPTY"),)

    run(main())


def test_a_user_in_the_url_works_whatever_key_there_is() -> None:
    async def main() -> None:
        notices: list[str] = []
        async with serving(completion(choice("hunter2-hunter2"))) as server:
            url = server.url.replace("http://", "http://me:hunter2-hunter2@")
            found = endpoints([url], {"FRICTION_API_KEY": KEY})
            made = CallOptions(notice=notices.append)
            model = OpenAIModel("openai/tiny", found, pool=Pool(1), options=made)
            await model.check()
            answer = await model.generate(ask())
            await model.close()
        basic = base64.b64encode(b"me:hunter2-hunter2").decode()
        assert server.headers[0]["Authorization"] == f"Basic {basic}"
        assert answer.replies == (Reply("***"),)
        assert notices == [
            f"{server.url}/v1 is sent the user and password of its URL, not FRICTION_API_KEY"
        ]

    run(main())


@pytest.mark.parametrize(
    "usage",
    [None, {}, {"prompt_tokens": 2**63, "completion_tokens": 1e308}, {"prompt_tokens": "9"}],
)
def test_tokens_that_are_not_counted_are_unknown_and_said_to_be_once(usage: Any) -> None:
    async def main() -> None:
        body = json.dumps({"choices": [choice("4")], "usage": usage})
        async with serving(text(body)) as server, client(server) as (model, _, notices):
            assert (await model.generate(ask())).usage == Usage(unknown=1)
            assert (await model.generate(ask(n=1))).usage == Usage(unknown=1)
        assert len(notices) == 1
        assert "tokens and cost are unknown" in notices[0]

    run(main())


@pytest.mark.parametrize("after", ["99999999999999999999", "1e400", "١٢", "0x10", "Mon"])
@pytest.mark.parametrize("date", [False, True])
def test_a_wait_that_is_none_is_not_believed(after: str, date: bool) -> None:
    async def main() -> None:
        value = f"Tue, 14 Nov {after} 22:14:20 GMT" if date else after
        headers = {"Retry-After": value.encode("utf-8").decode("latin-1")}
        async with (
            serving(error(429, headers=headers), completion()) as server,
            client(server) as (model, time, _),
        ):
            await model.generate(ask())
        assert len(server.bodies) == 2
        assert sum(time.slept) <= RetryPolicy().longest_wait + 1

    run(main())


def test_a_failure_within_a_200_is_asked_again_and_never_graded() -> None:
    async def main() -> None:
        failed = choice("The answer is (A)", error={"code": 502, "message": "disconnected"})
        async with (
            serving(completion(failed), completion(choice("4"))) as server,
            client(server) as (model, time, _),
        ):
            assert (await model.generate(ask())).replies == (Reply("4"),)
        assert len(time.slept) == 1

    run(main())


def test_a_failure_within_a_200_means_what_its_code_says() -> None:
    async def main() -> None:
        said = text(
            json.dumps({"choices": [choice("4")], "error": {"code": 404, "message": "gone"}})
        )
        async with serving(said) as server, client(server) as (model, _, _):
            with pytest.raises(Exception, match="HTTP 404: gone"):
                await model.generate(ask())

    run(main())


@pytest.mark.parametrize("calls", [1, 5])
def test_prompts_that_get_no_reply_fail_alone_and_stop_no_run(calls: int) -> None:
    async def main() -> None:
        empty = text('{"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 0}}')
        async with serving(empty) as server, client(server) as (model, _, _):
            for at in range(calls):
                with pytest.raises(TransientError, match="gave no reply, and no reason why"):
                    await model.generate(ask(f"p{at}"))
        assert len(server.bodies) == calls * RetryPolicy().empty

    run(main())


@pytest.mark.parametrize("status", [500, 429])
def test_one_prompt_that_a_server_cannot_bear_fails_alone(status: int) -> None:
    async def answer(request: Any, body: dict[str, Any]) -> Any:
        bearable = "2 + 2?" not in str(body["messages"])
        return await (completion() if bearable else error(status, "oops"))(request, body)

    async def main() -> None:
        often = RetryPolicy(attempts=30)  # for longer than the breaker bears from several prompts
        async with serving(answer) as server, client(server, retry=often) as (model, _, _):
            with pytest.raises(TransientError, match=r"failed \d+ times"):
                await model.generate(ask())
            assert sum("2 + 2?" not in str(body["messages"]) for body in server.bodies) == 1

    run(main())


def test_a_prompt_that_is_blocked_is_filtered() -> None:
    async def main() -> None:
        said = text('{"choices": [], "promptFeedback": {"blockReason": "SAFETY"}}')
        async with serving(said) as server, client(server) as (model, _, _):
            found = await model.generate(ask(n=2))
        assert found.replies == (Reply("", "content_filter"),) * 2
        assert len(server.bodies) == 1

    run(main())


def test_a_redirect_that_names_the_key_does_not_show_it() -> None:
    async def main() -> None:
        moved = error(302, headers={"Location": f"https://h/login?next={quote(KEY)}&k={KEY}"})
        async with serving(moved) as server, client(server, key=KEY) as (model, _, _):
            with pytest.raises(Exception, match="moved to https://h/login") as raised:
                await model.generate(ask())
        assert "0123456789" not in str(raised.value)
        assert not isinstance(raised.value, RefusedError)

    run(main())
