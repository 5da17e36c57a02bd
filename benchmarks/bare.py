"""The least that a client can do: the same number of calls with aiohttp and nothing else.

No journal, no grading, no masking, no retries: as many loops at once as connections, each of which
asks, appends the reply to its transcript, and asks again. ``overhead`` compares the engine with it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time

import aiohttp
import orjson
import uvloop


async def converse(
    session: aiohttp.ClientSession, url: str, first: int, step: int, count: int, calls: int
) -> None:
    """Every ``step``-th problem from the ``first`` on, each for so many calls."""
    for number in range(first, count, step):
        transcript = f"Calculate the following question: {10000 + number} * 54321."
        for seed in range(calls):
            body = {
                "model": "simulated",
                "messages": [{"role": "user", "content": transcript}],
                "temperature": 0.0,
                "max_tokens": 2000,
                "seed": seed,
                "n": 1,
            }
            async with session.post(url, data=orjson.dumps(body)) as reply:
                said = orjson.loads(await reply.read())
            transcript += "\n\n" + said["choices"][0]["message"]["content"]


async def run(base_url: str, problems: int, calls: int, concurrency: int) -> float:
    """Make all calls; returns calls per second."""
    url = f"{base_url}/chat/completions"
    start = time.perf_counter()
    async with (
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=concurrency),
            headers={"Content-Type": "application/json"},
        ) as session,
        asyncio.TaskGroup() as group,
    ):
        for first in range(concurrency):
            group.create_task(converse(session, url, first, concurrency, problems, calls))
    return problems * calls / (time.perf_counter() - start)


def main() -> None:
    """Parse the command line, run, and print the calls per second as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--problems", type=int, default=1000)
    parser.add_argument("--calls", type=int, default=10, help="calls per problem")
    parser.add_argument("--concurrency", type=int, default=256)
    options = parser.parse_args()
    speed = uvloop.run(run(options.base_url, options.problems, options.calls, options.concurrency))
    print(json.dumps({"calls_per_second": speed}))


if __name__ == "__main__":
    main()
