"""Local: llama.cpp writes more tokens a second on this machine where it is asked several at once.

The model of the package and SmolLM2-135M, where it is installed, through the whole path of a run's
calls: a server of as many slots as there are requests, and replies that go on to their limit. The
prompts are known when the replies are timed. The best of several repeats counts, and ``threads``
are llama.cpp's own, for the same reason: whatever else the machine does can only slow it down.
"""

from __future__ import annotations

import asyncio
import os
import time

from benchmarks.common import Figure, at_least, script
from feedback_friction.engine.models.base import Model
from feedback_friction.engine.models.llama.gguf_files import installed
from feedback_friction.engine.models.model_options import ModelOptions
from feedback_friction.engine.models.registry import ModelSettings, open_models
from feedback_friction.problem import Problem
from feedback_friction.protocol.records import Generate, Message, Occasion

AT_ONCE = (1, 8, 32)
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def measure(*, reply: int = 100, repeats: int = 5, threads: int = CORES) -> list[Figure]:
    """Measure speed by the number of requests at once."""
    there = {each.name for each in installed()}
    figures = [Figure("threads of llama.cpp", threads)]
    for name in ("abacus", "smollm2"):
        if name not in there:
            figures.append(Figure(name, "not on this machine"))
            continue
        alone, *more = (asyncio.run(_speed(name, n, reply, repeats, threads)) for n in AT_ONCE)
        figures.append(Figure(f"{name}, 1 at once", alone, "tokens a second"))
        for n, speed in zip(AT_ONCE[1:], more, strict=True):
            figures.append(Figure(f"{name}, {n} at once", speed, "tokens a second"))
        figures.append(at_least(f"{name}: best of them / 1 at once", max(more) / alone, 1.25))
    return figures


async def _speed(name: str, at_once: int, reply: int, repeats: int, threads: int) -> float:
    """Tokens a second, the best of several repeats, after one that reads the prompts."""
    served = {"slots": at_once, "context": 512, "threads": threads, "ignore_eos": True}
    settings = ModelSettings(f"gguf/{name}", options=ModelOptions(extra=served))
    model = open_models({"solver": settings}, {})["solver"]
    try:
        await model.check()
        await _written(model, at_once, 1)
        found = []
        for _ in range(repeats):
            began = time.perf_counter()
            tokens = await _written(model, at_once, reply)
            found.append(tokens / (time.perf_counter() - began))
        return max(found)
    finally:
        await model.close()


async def _written(model: Model, at_once: int, reply: int) -> int:
    """Tokens of that many replies, asked for at once."""
    done = await asyncio.gather(*(model.generate(_request(n, reply)) for n in range(at_once)))
    return sum(each.usage.completion_tokens for each in done)


def _request(number: int, reply: int) -> Generate:
    question = f"Calculate the following question: {473 + number} * 628."
    problem = Problem(str(number), "decimal_multiplication", question, "0")
    messages = (Message("user", question),)
    return Generate(
        "solver", "solver", messages, 0.0, reply, number, Occasion(problem, 0, 0, "retry")
    )


if __name__ == "__main__":
    script(measure)
