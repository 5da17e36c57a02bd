"""The connection pool, proxies, and what the exceptions of the transport are taken for."""

import errno
import socket
from typing import Any

import aiohttp
import pytest
from fake_server import serving
from models_client import ask, run
from yarl import URL

from feedback_friction.engine.models.registry import ModelSettings, open_models
from feedback_friction.engine.models.remote.faults import FaultKind
from feedback_friction.engine.models.remote.transport import _kept_alive, lost

PLACE: Any = aiohttp.client_reqrep.ConnectionKey("h", 1, False, True, None, None, None)


def request_info() -> aiohttp.RequestInfo:
    headers: Any = {"Authorization": "Bearer sk-secret"}
    return aiohttp.RequestInfo(URL("http://h"), "POST", headers, URL("http://h"))


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (
            aiohttp.ClientConnectorError(PLACE, OSError(errno.ECONNREFUSED, "Connect call failed")),
            FaultKind.UNREACHABLE,
            "connection refused",
        ),
        (
            aiohttp.ClientConnectorDNSError(PLACE, OSError(None, "Domain name not found")),
            FaultKind.UNREACHABLE,
            "domain name not found",
        ),
        (
            aiohttp.ClientConnectorCertificateError(PLACE, Exception("self-signed")),
            FaultKind.UNREACHABLE,
            "its certificate is not trusted; if it is your own, name the file of its authority in "
            "SSL_CERT_FILE",
        ),
        (aiohttp.ConnectionTimeoutError(), FaultKind.UNREACHABLE, "no connection in time"),
        (
            aiohttp.ClientHttpProxyError(request_info(), (), status=407),
            FaultKind.UNREACHABLE,
            "the proxy answers HTTP 407",
        ),
        (aiohttp.SocketTimeoutError(), FaultKind.FAULTY, "no answer in time"),
        (TimeoutError(), FaultKind.FAULTY, "no answer in time"),
        (aiohttp.ClientPayloadError(), FaultKind.FAULTY, "the answer broke off"),
        (
            aiohttp.ClientResponseError(request_info(), ()),
            FaultKind.FAULTY,
            "the answer is not HTTP",
        ),
        (aiohttp.ServerDisconnectedError(), FaultKind.FAULTY, "the connection broke"),
        (ConnectionResetError(), FaultKind.FAULTY, "the connection broke"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_an_exception_of_the_transport_is_put_in_our_words(
    error: Exception, kind: FaultKind, message: str
) -> None:
    fault = lost(error)
    assert (fault.kind, fault.message) == (kind, message)
    assert "secret" not in repr(fault)


def test_connections_are_kept_alive_through_long_silent_calls() -> None:
    address = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", 1))
    with _kept_alive(address) as sock:
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1


def test_calls_go_through_the_proxy_of_the_environment() -> None:
    async def main() -> None:
        async with serving() as proxy:
            settings = ModelSettings("openai/tiny", ("http://far.example:8000",))
            model = open_models({"solver": settings}, {"http_proxy": proxy.url})["solver"]
            await model.check()
            assert len((await model.generate(ask())).replies) == 1
            await model.close()
        assert proxy.headers[0]["Host"] == "far.example:8000"

    run(main())
