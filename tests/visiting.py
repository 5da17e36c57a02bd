"""Visits the page over HTTP as a browser does, unless told otherwise."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp

from feedback_friction.view.server import serving


class Page:
    """A client that sends what the page sends."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session, self.url = session, url
        parts = urlsplit(url)
        self.port, self.token = parts.port, parts.path.strip("/")
        self.origin = f"http://{parts.netloc}"

    async def get(self, path, **headers):
        async with self.session.get(self.url + path, headers=headers) as response:
            return response.status, (await response.read()).decode(), response.headers

    async def page(self, path):
        status, body, _ = await self.get(path)
        assert status == 200, body
        return body

    async def get_json(self, path):
        return json.loads(await self.page(path))

    async def post(self, path, body, **headers):
        sent = {"Origin": self.origin, "Content-Type": "application/json"} | headers
        kept = {name: value for name, value in sent.items() if value is not None}
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.session.post(
            self.url + path, data=data, headers=kept, skip_auto_headers=["Content-Type"]
        ) as response:
            body = await response.read()
            return response.status, json.loads(body) if response.content_type.endswith(
                "json"
            ) else body

    async def raw(self, data):
        """The beginning of what is answered to bytes sent as they are."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        await writer.drain()
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        return answer


@asynccontextmanager
async def opened(*directories, **asked) -> AsyncIterator[Page]:
    async with serving(directories, **asked) as (url, _), aiohttp.ClientSession() as session:
        yield Page(session, url)


def visit(*directories, steps, **asked):
    """What an asynchronous function of a page returns, of a server over the directories."""

    async def main():
        async with opened(*directories, **asked) as page:
            return await steps(page)

    return asyncio.run(main())
