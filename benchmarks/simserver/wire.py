"""HTTP/1.1 over raw asyncio, as much of it as a client of a model server uses.

Written by hand because the server must not be the bottleneck of what it measures: one request is
one ``find`` for the head, one slice for the body and one ``write`` for the reply. Requests without
Content-Length have no body; chunked requests are refused with 411.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

MAX_HEAD = 64 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """A request: path without query, header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


Handler = Callable[[Request, "Connection"], None]


class Connection(asyncio.Protocol):
    """One client connection: hands over one request at a time, keeps alive, tells when it is gone.

    Attributes:
        on_gone: called once if the client leaves before its request is answered.
    """

    def __init__(self, handler: Handler, alive: set[Connection]):
        self._handler, self._alive = handler, alive
        self._buffer = b""
        self._busy = False
        self._close_after = False
        self._transport: asyncio.Transport | None = None
        self.on_gone: Callable[[], None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport = transport  # type: ignore[assignment]
        self._alive.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._alive.discard(self)
        self._transport = None
        on_gone, self.on_gone = self.on_gone, None
        if on_gone is not None:
            on_gone()

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        if not self._busy:
            self._next()

    def respond(
        self, status: int, body: bytes, kind: str = "application/json", extra: str = ""
    ) -> None:
        """Answer the current request; ``extra`` is further header lines, each ending in CRLF."""
        self.on_gone = None
        if self._transport is None:
            return
        self._transport.write(_head(status, len(body), kind, extra) + body)
        if self._close_after:
            self._transport.close()
            return
        self._busy = False
        if self._buffer:
            self._next()

    def respond_cut(self, body: bytes) -> None:
        """Promise the whole body, send half of it, and hang up."""
        self.on_gone = None
        if self._transport is not None:
            self._transport.write(
                _head(200, len(body), "application/json", "") + body[: len(body) // 2]
            )
            self._transport.close()

    def abort(self) -> None:
        """Hang up without another byte."""
        if self._transport is not None:
            self._transport.abort()

    def _next(self) -> None:
        head_end = self._buffer.find(b"\r\n\r\n")
        if head_end < 0:
            if len(self._buffer) > MAX_HEAD:
                self._refuse(431)
            return
        try:
            method, path, headers = _parse_head(self._buffer[:head_end])
            length = int(headers.get("content-length", "0"))
        except ValueError:
            self._refuse(400)
            return
        if "transfer-encoding" in headers:
            self._refuse(411)
            return
        end = head_end + 4 + length
        if len(self._buffer) < end:
            return
        body, self._buffer = self._buffer[head_end + 4 : end], self._buffer[end:]
        self._busy = True
        self._close_after = headers.get("connection", "").lower() == "close"
        self._handler(Request(method, path, headers, body), self)

    def _refuse(self, status: int) -> None:
        self._close_after = True
        self._buffer = b""
        self.respond(status, b"")


def _parse_head(head: bytes) -> tuple[str, str, dict[str, str]]:
    lines = head.decode("latin-1").split("\r\n")
    method, target, _version = lines[0].split(" ")
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return method, target.partition("?")[0], headers


def _head(status: int, length: int, kind: str, extra: str) -> bytes:
    if status == 200 and not extra:
        return b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n" % (
            kind.encode(),
            length,
        )
    return (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {length}\r\n{extra}\r\n"
    ).encode()
