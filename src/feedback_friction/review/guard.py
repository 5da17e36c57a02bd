"""Who may talk to the review server: the browser that was given the token, and nobody else.

A page on another site can make a browser send requests to this machine. So every request must carry
the token in its path; it must name this server as its host (a foreign name that resolves to this
machine is refused: DNS rebinding); and a request that changes something must come from a page of
this server, as JSON. The headers allow the page nothing but its own files.
"""

from __future__ import annotations

import hmac
import secrets

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from feedback_friction.errors import FrictionError, UsageError

HOSTS = ("127.0.0.1", "localhost")
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def new_token() -> str:
    """A token that cannot be guessed: 256 random bits."""
    return secrets.token_urlsafe(32)


class Guard:
    """The middleware; ``port`` is set once it is known."""

    def __init__(self, token: str) -> None:
        """Guard with a token."""
        self._token = token.encode()
        self.port = 0

    @property
    def _authorities(self) -> set[str]:
        return {f"{host}:{self.port}" for host in HOSTS}

    def refusal(self, request: web.Request) -> web.Response | None:
        """What is answered to a request that may not pass; None for one that may."""
        if request.headers.get("Host", "").lower() not in self._authorities:
            return web.json_response({"error": "another host"}, status=403)
        given = request.path.split("/")[1] if request.path.count("/") > 1 else ""
        if not hmac.compare_digest(given.encode("utf-8", "surrogatepass"), self._token):
            return web.json_response({"error": "a token is required"}, status=403)
        if request.method in ("GET", "HEAD"):
            return None
        if request.headers.get("Origin", "") not in {f"http://{a}" for a in self._authorities}:
            return web.json_response({"error": "another origin"}, status=403)
        if request.content_type != "application/json":
            return web.json_response({"error": "JSON is required"}, status=415)
        return None

    def middleware(self) -> Middleware:
        """The check and the headers, around every handler."""

        @web.middleware
        async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
            response = self.refusal(request)
            if response is None:
                try:
                    answer = await handler(request)
                except UsageError as error:
                    answer = web.json_response({"error": str(error)}, status=400)
                except FrictionError as error:
                    answer = web.json_response({"error": str(error)}, status=500)
                except web.HTTPException as error:
                    answer = web.json_response({"error": error.reason}, status=error.status)
            else:
                answer = response
            answer.headers.update(HEADERS)
            return answer

        return check
