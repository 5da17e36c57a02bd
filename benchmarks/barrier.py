"""A driver with a barrier: all trials take their next step together, and wait for the slowest.

The same trial generator as the engine's, so that only the schedule differs: every trial asks once,
all calls are answered, every trial asks again. No journal and no retries. The reference code of the
study does this at each iteration.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import uvloop

from feedback_friction.mode_names import parse_mode
from feedback_friction.protocol.records import (
    Completion,
    Effect,
    Generate,
    Grade,
    Mask,
    Reply,
    Trial,
    Usage,
)
from feedback_friction.protocol.task import Task
from feedback_friction.protocol.trial import trial
from feedback_friction.settings import Plan, Selection
from feedback_friction.tasks.catalog import get_page, load_problems
from feedback_friction.ways import parse_sampling

Steps = Generator[Effect, Any, Trial]


def advance(steps: Steps, task: Task, answer: Completion | None) -> Generate | None:
    """Run a trial up to its next call; None when it has ended."""
    try:
        effect = next(steps) if answer is None else steps.send(answer)
        while not isinstance(effect, Generate):
            if isinstance(effect, Grade):
                effect = steps.send(task.grade(effect.problem, effect.response))
            elif isinstance(effect, Mask):
                effect = steps.send(task.mask(effect.problem, effect.text))
            else:
                effect = steps.send(None)
    except StopIteration:
        return None
    return effect


async def ask(session: aiohttp.ClientSession, url: str, request: Generate) -> Completion:
    """One call, without retries."""
    messages = [{"role": each.role, "content": each.content} for each in request.messages]
    body = {
        "model": "simulated",
        "messages": messages,
        "temperature": request.temperature,
        "max_tokens": request.max_tokens,
        "seed": request.seed,
        "n": request.n,
    }
    async with session.post(url, data=orjson.dumps(body)) as reply:
        reply.raise_for_status()
        said = orjson.loads(await reply.read())
    return _completion(said)


def _completion(said: Mapping[str, Any]) -> Completion:
    usage = Usage(said["usage"]["prompt_tokens"], said["usage"]["completion_tokens"])
    replies = (Reply(each["message"]["content"], each["finish_reason"]) for each in said["choices"])
    return Completion(tuple(replies), usage)


async def run(base_url: str, data: Path, mode: str, concurrency: int) -> None:
    """All trials of a file of decimal multiplication problems, step by step together."""
    page = get_page("decimal_multiplication")
    plan = Plan(parse_mode(mode, has_feedback_model=False), parse_sampling("greedy"))
    loaded = load_problems(page, Selection(data=data))
    trials = [trial(problem, page.task, plan, 0, loaded) for problem in loaded]
    waiting = {steps: advance(steps, page.task, None) for steps in trials}
    url = f"{base_url}/chat/completions"
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=concurrency),
        headers={"Content-Type": "application/json"},
        timeout=aiohttp.ClientTimeout(total=None),
    ) as session:
        while asked := {steps: each for steps, each in waiting.items() if each is not None}:
            answers = await asyncio.gather(*(ask(session, url, each) for each in asked.values()))
            waiting = {
                steps: advance(steps, page.task, answer)
                for steps, answer in zip(asked, answers, strict=True)
            }


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--feedback", default="self")
    parser.add_argument("--concurrency", type=int, default=64)
    options = parser.parse_args()
    uvloop.run(run(options.base_url, options.data, options.feedback, options.concurrency))


if __name__ == "__main__":
    main()
