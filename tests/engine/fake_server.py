"""A tiny OpenAI-compatible server that answers by a script, for tests of the model layer.

A script is a list of answers; each request takes the next one, and the last one stays. An answer
is a coroutine function from the request to a response; those below make the usual ones.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Answer = Callable[[web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]


@dataclass
class FakeServer:
    """What the server was asked, and where it is.

    Attributes:
        url: its base URL, without a path.
        script: answers still to be given to POST requests.
        models: the answer to GET /v1/models.
        bodies: bodies of the POST requests so far.
        headers: their headers.
        under_way: POST requests that are being answered.
    """

    url: str
    script: list[Answer]
    models: Answer
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    under_way: int = 0
    runner: web.AppRunner | None = None

    async def stop(self) -> None:
        """Die: close the port and cut every connection."""
        if self.runner is not None:
            for task in [t for t in asyncio.all_tasks() if t.get_name() == self.url]:
                task.cancel()
            await self.runner.cleanup()

    async def post(self, request: web.Request) -> web.StreamResponse:
        """Answer a chat completion by the script."""
        body = await request.json()
        self.bodies.append(body)
        self.headers.append(dict(request.headers))
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        self.under_way += 1
        try:
            return await answer(request, body)
        finally:
            self.under_way -= 1

    async def get(self, request: web.Request) -> web.StreamResponse:
        """Answer GET /v1/models."""
        return await self.models(request, {})


@asynccontextmanager
async def serving(
    *script: Answer, models: Answer | None = None, port: int = 0
) -> AsyncIterator[FakeServer]:
    """A running server with that script (one that always completes, without any)."""
    server = FakeServer("", list(script) or [completion()], models or listing("tiny"))
    app = web.Application(client_max_size=2**26)
    app.router.add_post("/v1/chat/completions", server.post)
    app.router.add_get("/v1/models", server.get)
    server.runner = web.AppRunner(app, shutdown_timeout=0.01)
    await server.runner.setup()
    site = web.TCPSite(server.runner, "127.0.0.1", port)
    await site.start()
    server.url = f"http://127.0.0.1:{server.runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await server.runner.cleanup()


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def choice(text: str = "Hi", **more: Any) -> dict[str, Any]:
    """One choice of a completion."""
    return {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"} | more


def completion(*choices: dict[str, Any], usage: tuple[int, int] = (10, 2)) -> Answer:
    """Those choices; without any, as many as were asked for."""

    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        given = choices or [choice(f"reply {i}") for i in range(body.get("n", 1))]
        numbers = {"prompt_tokens": usage[0], "completion_tokens": usage[1]}
        return web.json_response({"model": "tiny-1", "choices": list(given), "usage": numbers})

    return answer


def error(status: int, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
    """An HTTP status with a JSON body (or text, for a string)."""

    async def answer(request: web.Request, asked: dict[str, Any]) -> web.StreamResponse:
        text = body if isinstance(body, str) else json.dumps(body)
        return web.Response(status=status, text=text, headers=headers)

    return answer


def text(body: str) -> Answer:
    """HTTP 200 with that body."""
    return error(200, body)


def listing(*names: str, **fields: Any) -> Answer:
    """A list of models."""
    entries = [{"id": name, "object": "model"} | fields for name in names]
    return error(200, {"object": "list", "data": entries})


async def cut(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """Half a body, then the connection breaks."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"choices": [')
    assert request.transport is not None
    request.transport.abort()
    return response


async def drop(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """No answer: the connection breaks."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def hang(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    """No answer, ever."""
    await asyncio.sleep(3600)
    return web.Response()


def held(go_on: asyncio.Event, then: Answer) -> Answer:
    """An answer when a test says so."""

    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        await go_on.wait()
        return await then(request, body)

    return answer


def slow(seconds: float, then: Answer) -> Answer:
    """An answer after a while."""

    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return await then(request, body)

    return answer
