"""The connection pool of a run, how much of an answer is read, and what its exceptions mean."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Mapping
from typing import NamedTuple

import aiohttp

from feedback_friction.engine.models.remote.faults import Fault, FaultKind, one_line

# A body may be this much longer than what was sent and what was asked for account for: model lists,
# error pages, reasoning that a server does not count.
_ALLOWANCE = 4 * 2**20
_MOST_BYTES = 2**29  # whatever was asked for
_ECHO = 6  # servers quote the request in some errors, each character as \uXXXX at worst
_BYTES_A_TOKEN = 256  # four is usual; the rest is for escapes and for reasoning that comes twice
_BYTES_A_LOGPROB = 512  # token, its bytes as a list of numbers, its log-probability
_UNTRUSTED = (
    "its certificate is not trusted; if it is your own, name the file of its authority in "
    "SSL_CERT_FILE"
)


class Answer(NamedTuple):
    """What came back from a server, whole and decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class TooLargeError(Exception):
    """A body is larger than what was asked for can be; the rest of it was not read."""


class Pool:
    """Connections that the models of a run share; closed by the last model that lets go.

    Attributes:
        session: what calls go through.
        slots: held by each call, so that none waits for a connection once its time counts.
    """

    def __init__(self, connections: int):
        """Open at most ``connections`` at once, over all servers; within the running event loop."""
        connector = aiohttp.TCPConnector(
            limit=0,  # the slots are the limit
            # uvicorn (vLLM, SGLang) closes idle connections after 5 s: never meet it half-way.
            keepalive_timeout=4.0,
            ttl_dns_cache=300,
            socket_factory=_kept_alive,
        )
        self.session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            read_bufsize=2**18,
            headers={"Accept-Encoding": "gzip, deflate"},
        )
        self.slots = asyncio.Semaphore(connections)
        self._users = 0

    def join(self) -> None:
        """Count one more user."""
        self._users += 1

    async def leave(self) -> None:
        """Count one user less, and close with the last."""
        self._users -= 1
        if self._users == 0:
            await self.session.close()


def most_bytes(sent: int, tokens: int, *, logprobs: int = 0) -> int:
    """The size, in bytes, above which no honest answer to a request can be.

    Args:
        sent: size of the request's body in bytes.
        tokens: tokens that all replies together may have.
        logprobs: log-probabilities asked for with each token, alternatives included.
    """
    each = _BYTES_A_TOKEN + logprobs * _BYTES_A_LOGPROB
    return min(_ALLOWANCE + _ECHO * sent + tokens * each, _MOST_BYTES)


async def read(response: aiohttp.ClientResponse, limit: int) -> Answer:
    """Read an answer of at most ``limit`` bytes, unpacked; of a larger one no more is read.

    aiohttp unpacks a compressed body piece by piece, as it is read. The body of an error that is
    larger than that is given as empty: its status says enough.

    Raises:
        TooLargeError: it is larger than that.
    """
    parts, size = list[bytes](), 0
    async for chunk in response.content.iter_any():
        parts.append(chunk)
        size += len(chunk)
        if size > limit:
            response.close()
            if response.status < 300:
                raise TooLargeError(f"the answer has more than {limit / 2**20:.0f} MiB")
            parts = []
            break
    return Answer(response.status, response.headers, b"".join(parts))


def lost(error: Exception, seconds: float | None = None) -> Fault:
    """The fault that an exception of the transport amounts to, in words of our own.

    Some exceptions of aiohttp show the headers of the request, or the password of a proxy, in
    their repr: those go no further. ``seconds`` is how long the whole call was given.
    """
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return Fault(FaultKind.UNREACHABLE, _UNTRUSTED)
    if isinstance(error, aiohttp.ClientConnectorError):
        return Fault(FaultKind.UNREACHABLE, _reason(error.os_error), cause=error.os_error)
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return Fault(FaultKind.UNREACHABLE, "no connection in time", cause=error)
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return Fault(FaultKind.UNREACHABLE, f"the proxy answers HTTP {error.status}")
    if isinstance(error, TimeoutError):
        within = "in time" if seconds is None else f"within {seconds:.0f} s (--timeout)"
        return Fault(FaultKind.FAULTY, f"no answer {within}", cause=error)
    if isinstance(error, TooLargeError):
        return Fault(FaultKind.FAULTY, str(error), cause=error)
    if isinstance(error, aiohttp.ClientPayloadError):
        return Fault(FaultKind.FAULTY, "the answer broke off", cause=error)
    if isinstance(error, aiohttp.ClientResponseError):
        return Fault(FaultKind.FAULTY, "the answer is not HTTP")
    return Fault(FaultKind.FAULTY, "the connection broke", cause=error)


def _reason(error: OSError) -> str:
    """The system's own words, the same for every event loop: "connection refused"."""
    if error.errno is not None and error.errno > 0:
        return os.strerror(error.errno).lower()
    return one_line(error.strerror or str(error) or "no connection").lower()


def _kept_alive(info: aiohttp.AddrInfoType) -> socket.socket:
    """A socket that notices a vanished server, and keeps long silent calls alive through NAT."""
    family, kind, protocol, _, _ = info
    sock = socket.socket(family=family, type=kind, proto=protocol)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, name):  # macOS and Windows lack some
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    return sock
