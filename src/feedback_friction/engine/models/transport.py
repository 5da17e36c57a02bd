"""The connection pool of a run, and what its exceptions mean."""

from __future__ import annotations

import os
import socket

import aiohttp

from feedback_friction.engine.models.faults import Fault, FaultKind, one_line


class Pool:
    """Connections that the models of a run share; closed by the last model that lets go.

    Attributes:
        session: what calls go through.
    """

    def __init__(self, connections: int):
        """Open at most ``connections`` at once, over all servers; within the running event loop."""
        connector = aiohttp.TCPConnector(
            limit=connections,
            # uvicorn (vLLM, SGLang) closes idle connections after 5 s: never meet it half-way.
            keepalive_timeout=4.0,
            ttl_dns_cache=300,
            socket_factory=_kept_alive,
        )
        self.session = aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), read_bufsize=2**18
        )
        self._users = 0

    def join(self) -> None:
        """Count one more user."""
        self._users += 1

    async def leave(self) -> None:
        """Count one user less, and close with the last."""
        self._users -= 1
        if self._users == 0:
            await self.session.close()


def lost(error: Exception) -> Fault:
    """The fault that an exception of the transport amounts to, in words of our own.

    Some exceptions of aiohttp show the headers of the request, or the password of a proxy, in
    their repr: those go no further.
    """
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return Fault(FaultKind.UNREACHABLE, "its certificate is not trusted")
    if isinstance(error, aiohttp.ClientConnectorError):
        return Fault(FaultKind.UNREACHABLE, _reason(error.os_error), cause=error.os_error)
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return Fault(FaultKind.UNREACHABLE, "no connection in time", cause=error)
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return Fault(FaultKind.UNREACHABLE, f"the proxy answers HTTP {error.status}")
    if isinstance(error, TimeoutError):
        return Fault(FaultKind.FAULTY, "no answer in time", cause=error)
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
