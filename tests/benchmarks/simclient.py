"""A client of the simulated server, for its tests."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from benchmarks.simserver import SimulatedServer

SYSTEM = "Work step by step and put the answer in \\boxed{}."
DECIMAL = "Calculate the following question: {} * {}."
HEX = "Calculate the following question, where each number is represented in base 16: {} * {}."


@dataclass(frozen=True)
class Answer:
    """What a client saw: status and body, or the name of the client's error."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    error: str = ""

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def texts(self) -> list[str]:
        return [choice["message"]["content"] for choice in self.json["choices"]]


def request(user: str, *, system: str = SYSTEM, **fields: object) -> dict[str, object]:
    messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
    return {"model": "m", "messages": messages, "temperature": 0, "max_tokens": 2000, **fields}


def ask_all(
    server: SimulatedServer,
    bodies: Sequence[Mapping[str, object]],
    *,
    at_once: int = 50,
    timeout: float = 30.0,
    headers: Mapping[str, str] | None = None,
) -> list[Answer]:
    """Send requests side by side; the answers in the requests' order."""

    async def one(session: aiohttp.ClientSession, body: Mapping[str, object]) -> Answer:
        url = server.url + "/chat/completions"
        try:
            async with session.post(url, json=body, headers=headers) as reply:
                return Answer(reply.status, dict(reply.headers), await reply.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            return Answer(0, {}, b"", type(error).__name__)

    async def all_of_them() -> list[Answer]:
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=at_once),
            timeout=aiohttp.ClientTimeout(total=timeout),
        ) as session:
            return await asyncio.gather(*(one(session, body) for body in bodies))

    return asyncio.run(all_of_them())


def ask(server: SimulatedServer, user: str, **fields: Any) -> Answer:
    return ask_all(server, [request(user, **fields)])[0]


def questions(count: int) -> list[dict[str, object]]:
    return [request(DECIMAL.format(10000 + i, 23456)) for i in range(count)]


def boxed(text: str) -> str:
    return re.findall(r"\\boxed\{([^}]*)\}", text)[-1]
