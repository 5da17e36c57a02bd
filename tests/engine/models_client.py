"""What the tests of the fast path share: a request, a clock that nobody waits for, a model."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from fake_server import FakeServer

from feedback_friction.engine.models.endpoint import endpoints
from feedback_friction.engine.models.openai import ClientOptions, OpenAIModel
from feedback_friction.engine.models.transport import Pool
from feedback_friction.problem import Problem
from feedback_friction.protocol.records import Generate, Message, Occasion

KEY = "sk-secret-0123456789"


class FakeTime:
    """A clock that moves only when somebody sleeps.

    Attributes:
        now: the time.
        slept: every sleep so far, in seconds.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)
        await asyncio.sleep(0)


class FastTime:
    """A clock that runs a hundred times as fast, for tests in which several calls wait at once."""

    def clock(self) -> float:
        return time.monotonic() * 100

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 100)


def ask(problem: str = "p1", **changes: Any) -> Generate:
    """A request for a reply to one message."""
    fields: dict[str, Any] = {
        "role": "solver",
        "speaker": "solver",
        "messages": (Message("system", "Think."), Message("user", "2 + 2?")),
        "temperature": 0.0,
        "max_tokens": 2000,
        "seed": 7,
        "occasion": Occasion(Problem(problem, "task", "2 + 2?", "4"), 0, 0, "binary"),
    }
    return Generate(**fields | changes)


@asynccontextmanager
async def client(
    *servers: FakeServer | str, key: str = "", connections: int = 64, **options: Any
) -> AsyncIterator[tuple[OpenAIModel, FakeTime, list[str]]]:
    """A model behind those servers (or URLs), its clock, and the notices it gives."""
    fake, notices = FakeTime(), list[str]()
    defaults = {"clock": fake.clock, "sleep": fake.sleep, "notice": notices.append}
    urls = [server if isinstance(server, str) else server.url for server in servers]
    found = endpoints(urls, {"FRICTION_API_KEY": key})
    made = ClientOptions(**defaults | options)
    model = OpenAIModel("openai/tiny", found, pool=Pool(connections), options=made)
    try:
        yield model, fake, notices
    finally:
        await model.close()


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a test's coroutine; nothing here takes long."""

    async def bounded() -> None:
        async with asyncio.timeout(30):
            await main

    asyncio.run(bounded())
