"""Who may talk to the server of the page: the browser that was given the token, and nobody else.

A page on another site can make a browser send requests to this machine. So every request must carry
the token in its path; it must name this server as its host (a foreign name that resolves to this
machine is refused: DNS rebinding); and a request that changes something must come from a page of
this server, as JSON. The headers allow the page nothing but its own files.
"""

from __future__ import annotations

import hmac
import secrets

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from feedback_friction.tracebacks import kept

HOSTS = ("127.0.0.1", "localhost")
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_HEADERS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]


def new_token() -> str:
    """A token that cannot be guessed: 256 random bits."""
    return secrets.token_urlsafe(32)


class Guard:
    """Stands before the application; ``port`` is set once it is known."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        """Guard an application with a token."""
        self._app = app
        self._token = token.encode()
        self.port = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or have it answered, with the headers on whatever is answered."""
        if scope["type"] != "http":  # no page of ours opens a web socket
            return
        begun = False

        async def guarded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                message["headers"] = [*message.get("headers", []), *_HEADERS]
            await send(message)

        try:
            await (self._refusal(Request(scope)) or self._app)(scope, receive, guarded)
        except ClientDisconnect:  # whoever asked is gone
            return
        except Exception as error:
            if not begun:  # else the application has said it, and raised it once more for a log
                await _refused(kept(error), 500)(scope, receive, guarded)

    @property
    def _authorities(self) -> set[str]:
        return {f"{host}:{self.port}" for host in HOSTS}

    def _refusal(self, request: Request) -> Response | None:
        """What is answered to a request that may not pass; None for one that may."""
        if request.headers.get("host", "").lower() not in self._authorities:
            return _refused("another host", 403)
        path: str = request.scope["path"]
        given = path.split("/")[1] if path.count("/") > 1 else ""
        if not hmac.compare_digest(given.encode("utf-8", "surrogatepass"), self._token):
            return _refused("a token is required", 403)
        if request.method in ("GET", "HEAD"):
            return None
        if request.headers.get("origin", "") not in {f"http://{a}" for a in self._authorities}:
            return _refused("another origin", 403)
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return _refused("JSON is required", 415)
        return None


def _refused(why: str, status: int) -> Response:
    return JSONResponse({"error": why}, status)
