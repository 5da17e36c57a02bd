"""What the tests of the fast path share: a request, a clock that nobody waits for, a model."""

from __future__ import annotations

import asyncio
import heapq
import os
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fake_server import FakeServer

from feedback_friction.engine.models.model_options import CallOptions
from feedback_friction.engine.models.remote.endpoint import endpoints
from feedback_friction.engine.models.remote.openai import OpenAIModel
from feedback_friction.engine.models.remote.transport import Pool
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


class SharedTime:
    """A clock for several calls: when all of them sleep, it moves on to the next to wake."""

    def __init__(self, calls: int) -> None:
        self.now = 0.0
        self._calls = calls
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        alarm: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now + seconds, id(alarm), alarm))
        if len(self._sleepers) == self._calls:
            self.now, _, next_alarm = heapq.heappop(self._sleepers)
            next_alarm.set_result(None)
        await alarm


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


async def friction(*arguments: str, **environ: str) -> tuple[int, str, str]:
    """Run the command as a process, without the keys that are set here: code, output, errors."""
    clean = {k: v for k, v in os.environ.items() if not k.endswith(("_API_KEY", "_BASE_URL"))}
    process = await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).with_name("friction")), *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=clean | environ,
    )
    output, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


@asynccontextmanager
async def client(
    *servers: FakeServer | str, key: str = "", connections: int = 64, **options: Any
) -> AsyncIterator[tuple[OpenAIModel, FakeTime, list[str]]]:
    """A model behind those servers (or URLs), its clock, and the notices it gives."""
    fake, notices = FakeTime(), list[str]()
    defaults = {"clock": fake.clock, "sleep": fake.sleep, "notice": notices.append}
    urls = [server if isinstance(server, str) else server.url for server in servers]
    found = endpoints(urls, {"FRICTION_API_KEY": key})
    made = CallOptions(**defaults | options)
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
