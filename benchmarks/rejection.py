"""Rejection: drawn lazily it takes at most 1/8 of the tokens of 25 draws, and 1/10 of the time.

100 problems under ``heat+reject`` on a server with 64 slots, where a reply takes 6 s x the time
scale. Beside it the eager form (all 25 draws in one request), and a driver that asks for the 25
draws one after the other, as the reference code of the study does; its problems do not wait for
each other. Each of the three is the same loop with the same prompts; which answers come differs.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.barrier import Steps, advance, ask
from benchmarks.common import (
    Figure,
    at_least,
    at_most,
    exactly,
    friction,
    problems,
    rows,
    run_arguments,
    script,
    workspace,
)
from benchmarks.simserver import Settings, SimulatedServer, simulated_server
from feedback_friction.mode_names import parse_mode
from feedback_friction.protocol.records import Completion, Generate, Usage
from feedback_friction.protocol.task import Task
from feedback_friction.protocol.trial import trial
from feedback_friction.settings import Plan, Selection
from feedback_friction.tasks.catalog import get_page, load_problems
from feedback_friction.ways import MAX_DRAWS, parse_sampling


def measure(
    *,
    count: int = 100,
    slots: int = 64,
    reply_tokens: float = 300.0,
    time_scale: float = 0.06,
    p_repeat: float = 0.5,
) -> list[Figure]:
    """Run all three on servers of the same settings."""
    settings = Settings(
        slots=slots,
        prefill_seconds=0.0002,
        decode_seconds=0.02,
        time_scale=time_scale,
        reply_tokens=reply_tokens,
        p_first=0.05,
        p_gain=0.03,
        p_repeat=p_repeat,
    )
    with workspace() as directory:
        data = problems(directory, count)
        found = {}
        for sampling in ("heat+reject", "heat+reject-eager"):
            out = directory / sampling
            with simulated_server(settings) as server:
                friction(*run_arguments(server.url, out, data, "--sampling", sampling)).expect(0)
                found[sampling] = server.stats()
                sizes = Counter(entry.n for entry in server.log())
        later = sum(iteration > 0 for (iteration,) in rows(out, "attempts", ("iteration",)))
        with simulated_server(settings) as server:
            asyncio.run(one_by_one(server, data))
            found["one by one"] = server.stats()
            retries = sum(entry.n for entry in server.log()) - count
    lazy, eager, slow = found.values()
    prompts = {
        "n = 25": eager["prompt_tokens"] / later,
        "one by one": slow["prompt_tokens"] / (retries / MAX_DRAWS),
    }
    return [
        *(
            Figure(f"{name}: {what}", value, unit)
            for name, stats in found.items()
            for what, value, unit in (
                ("completion tokens", stats["completion_tokens"], ""),
                ("prompt tokens", stats["prompt_tokens"], ""),
                ("time", _makespan(stats), "s"),
            )
        ),
        exactly("eager: requests of 25 draws - attempts after the first", sizes[25] - later, 0),
        at_most(
            "eager: prompts sent for an attempt's 25 draws",
            MAX_DRAWS * prompts["n = 25"] / prompts["one by one"],
            1.25,
        ),
        at_most(
            "completion tokens: heat+reject / all 25",
            lazy["completion_tokens"] / eager["completion_tokens"],
            1 / 8,
        ),
        at_least("time: one by one / heat+reject", _makespan(slow) / _makespan(lazy), 10),
    ]


def _makespan(stats: Mapping[str, Any]) -> float:
    return float(stats["last_departure"] - stats["first_arrival"])


async def one_by_one(server: SimulatedServer, data: Path) -> None:
    """All trials at once, the draws of each attempt one after the other."""
    page = get_page("decimal_multiplication")
    mode = parse_mode("binary", has_feedback_model=False)
    plan = Plan(mode, parse_sampling("heat+reject-eager"))
    loaded = load_problems(page, Selection(data=data))
    url = f"{server.url}/chat/completions"
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        headers={"Content-Type": "application/json"},
        timeout=aiohttp.ClientTimeout(total=None),
    ) as session:
        steps = (trial(problem, page.task, plan) for problem in loaded)
        await asyncio.gather(*(_one_trial(session, url, each, page.task) for each in steps))


async def _one_trial(session: aiohttp.ClientSession, url: str, steps: Steps, task: Task) -> None:
    request = advance(steps, task, None)
    while request is not None:
        request = advance(steps, task, await _in_turn(session, url, request))


async def _in_turn(session: aiohttp.ClientSession, url: str, request: Generate) -> Completion:
    """The replies of a request, each asked for when the one before has come."""
    replies, usage = [], Usage()
    for number in range(request.n):
        single = replace(request, n=1, seed=request.seed + number)
        completion = await ask(session, url, single)
        replies += completion.replies
        usage += completion.usage
    return Completion(tuple(replies), usage)


if __name__ == "__main__":
    script(measure)
