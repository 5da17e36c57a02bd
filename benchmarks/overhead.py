"""Overhead: at zero latency the engine completes at least 3,000 calls a second, journal included.

Decimal multiplication, ten wrong attempts a problem; ``binary`` feedback needs no call, ``self``
feedback one for each attempt but the last. Speed is taken at the server, from the first arrival to
the last reply; processor time is that of the whole command, its start included. The bare client
makes as many calls of like shape with aiohttp alone, in turn with the engine. The best of several
repeats counts, for both: whatever else the machine does can only slow a run down.
"""

from __future__ import annotations

import sys

from benchmarks.common import (
    Figure,
    Started,
    at_least,
    problems,
    run_arguments,
    script,
    start_friction,
    workspace,
)
from benchmarks.simserver import Settings, SimulatedServer, simulated_server


def measure(
    *, count: int = 1000, concurrency: int = 256, reply_tokens: float = 100.0, repeats: int = 5
) -> list[Figure]:
    """Measure the engine and the bare client in turn, in both feedback modes."""
    settings = Settings(p_first=0.0, p_gain=0.0, reply_tokens=reply_tokens)
    figures = []
    with workspace() as directory, simulated_server(settings) as server:
        data = problems(directory, count)
        for mode, calls in (("binary", 10), ("self", 19)):
            engine, bare = [], []
            for repeat in range(repeats):
                out = directory / f"{mode}-{repeat}"
                more = ("--feedback", mode, "--concurrency", concurrency)
                run = start_friction(*run_arguments(server.url, out, data, *more))
                engine.append(_timed(server, run, count * calls))
                bare.append(_timed(server, _bare(server, count, calls, concurrency), count * calls))
            speed, bare_speed = (max(run[0] for run in runs) for runs in (engine, bare))
            figures += [
                at_least(f"{mode}: calls a second", speed, 3000),
                Figure(f"{mode}: bare client", bare_speed, "calls a second"),
                Figure(f"{mode}: engine / bare", speed / bare_speed),
                Figure(f"{mode}: engine's CPU a call", min(run[1] for run in engine), "us"),
                Figure(f"{mode}: bare client's CPU a call", min(run[1] for run in bare), "us"),
                Figure(f"{mode}: server's CPU a call", min(run[2] for run in engine), "us"),
            ]
    return figures


def _timed(server: SimulatedServer, run: Started, calls: int) -> tuple[float, float, float]:
    """Calls a second at the server, and microseconds of CPU a call of client and server.

    Raises:
        RuntimeError: the client failed, or made another number of calls.
    """
    cpu_before = server.stats()["cpu_seconds"]
    ended = run.wait().expect(0)
    stats = server.stats()
    server.reset()
    if stats["outcomes"] != {"ok": calls}:
        raise RuntimeError(f"expected {calls} calls, the server saw {stats['outcomes']}")
    seconds = stats["last_departure"] - stats["first_arrival"]
    server_cpu = stats["cpu_seconds"] - cpu_before
    return calls / seconds, ended.cpu_seconds / calls * 1e6, server_cpu / calls * 1e6


def _bare(server: SimulatedServer, count: int, calls: int, concurrency: int) -> Started:
    options = {
        "--base-url": server.url,
        "--problems": count,
        "--calls": calls,
        "--concurrency": concurrency,
    }
    flat = [str(part) for option in options.items() for part in option]
    return Started([sys.executable, "-m", "benchmarks.bare", *flat])


if __name__ == "__main__":
    script(measure)
