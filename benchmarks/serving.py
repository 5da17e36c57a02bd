"""Serving: the simulated server answers at least 8,000 calls a second, so it is no bottleneck.

A raw client in another process keeps 50 connections busy with prompts as the engine sends them:
a first attempt, a sixth one with its history, and one that asks for log-probabilities. The speed
that one core of the server can reach is taken from its processor time, so that the client's share
of a small machine does not count against it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping

import orjson
import uvloop

from benchmarks.common import Figure, at_least, script
from benchmarks.simserver import Settings, simulated_server

CONNECTIONS = 50
ATTEMPT = "### Attempt\nLet me work through this.\n" + "and so on " * 40
HEAD = (
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
)


class Client(asyncio.Protocol):
    """Sends one body after another over one connection, each after the reply to the one before."""

    def __init__(self, bodies: Iterator[bytes], done: asyncio.Future[None]):
        self._bodies, self._done, self._buffer = bodies, done, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        start = self._buffer.find(b"Content-Length: ") + 16
        end = self._buffer.find(b"\r\n\r\n") + 4
        if len(self._buffer) >= end + int(self._buffer[start : self._buffer.find(b"\r", start)]):
            self._buffer = b""
            self._send()

    def _send(self) -> None:
        body = next(self._bodies, None)
        if body is None:
            self._transport.close()
            self._done.set_result(None)
        else:
            self._transport.write(HEAD % len(body) + body)  # type: ignore[attr-defined]


def bodies(first: int, count: int, history: int, extra: Mapping[str, object]) -> Iterator[bytes]:
    """Requests of one connection."""
    for number in range(count):
        question = f"Calculate the following question: {10000 + first} * {20000 + number}."
        user = "\n\n".join([question, *[ATTEMPT] * history, question])
        messages = [{"role": "user", "content": user}]
        body = {"model": "m", "messages": messages, "temperature": 0, "max_tokens": 2000, **extra}
        yield orjson.dumps(body)


async def load(port: int, count: int, history: int, extra: Mapping[str, object]) -> None:
    """Send so many requests over each of the connections."""
    loop = asyncio.get_running_loop()
    ends = [loop.create_future() for _ in range(CONNECTIONS)]
    for first, end in enumerate(ends):
        client = Client(bodies(first, count, history, extra), end)
        await loop.create_connection(lambda client=client: client, "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.gather(*ends)


def measure(*, count: int = 300, reply_tokens: float = 100.0) -> list[Figure]:
    """Measure three kinds of call."""
    cases: dict[str, tuple[int, dict[str, object]]] = {
        "first attempt": (0, {}),
        "sixth attempt": (5, {}),
        "sixth attempt, logprobs": (5, {"logprobs": True}),
    }
    figures = []
    for name, (history, extra) in cases.items():
        with simulated_server(Settings(reply_tokens=reply_tokens)) as server:
            before = server.stats()["cpu_seconds"]
            uvloop.run(load(server.port, count, history, extra))
            stats = server.stats()
        seconds = stats["last_departure"] - stats["first_arrival"]
        cpu = stats["cpu_seconds"] - before
        figures += [
            at_least(f"{name}: calls a second of CPU", stats["calls"] / cpu, 8000),
            Figure(f"{name}: calls a second measured", stats["calls"] / seconds),
        ]
    return figures


if __name__ == "__main__":
    script(measure)
