"""Makespan: without a barrier between iterations a run takes at most 1.15 x the ideal time.

Ideal is the service time of all calls divided by the slots of the server: no schedule is faster.
500 problems, up to ten attempts with ``self`` feedback, 64 slots, lognormal reply lengths. The
barrier driver runs the very same trials, but waits for the slowest problem at each step, as the
reference code of the study does.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.common import (
    Figure,
    Started,
    at_most,
    exactly,
    problems,
    run_arguments,
    script,
    start_friction,
    workspace,
)
from benchmarks.simserver import Settings, SimulatedServer, simulated_server


def measure(
    *,
    count: int = 500,
    slots: int = 64,
    sigma: float = 1.0,
    reply_tokens: float = 300.0,
    time_scale: float = 0.03,
    concurrency: int = 256,
    seed: int = 0,
) -> list[Figure]:
    """Measure the engine and the barrier driver on servers of the same settings."""
    settings = Settings(
        slots=slots,
        prefill_seconds=0.0002,
        decode_seconds=0.02,
        time_scale=time_scale,
        reply_tokens=reply_tokens,
        reply_sigma=sigma,
        p_first=0.1,
        p_gain=0.03,
        seed=seed,
    )
    with workspace() as directory:
        data = problems(directory, count)
        more = ("--feedback", "self", "--concurrency", concurrency)
        with simulated_server(settings) as server:
            run = start_friction(*run_arguments(server.url, directory / "run", data, *more))
            engine = _timed("engine", run, server, slots)
        with simulated_server(settings) as server:
            barrier = _timed("barrier", _barrier(server, data, slots), server, slots)
    return [
        *engine.figures,
        *barrier.figures,
        exactly("engine: calls beyond the barrier driver's", engine.calls - barrier.calls, 0),
        at_most("engine: makespan / ideal", engine.ratio, 1.15),
        Figure("barrier: makespan / ideal", barrier.ratio),
    ]


@dataclass(frozen=True, slots=True)
class _Timed:
    calls: int
    ratio: float
    figures: tuple[Figure, ...]


def _timed(name: str, run: Started, server: SimulatedServer, slots: int) -> _Timed:
    run.wait().expect(0)
    stats = server.stats()
    makespan = stats["last_departure"] - stats["first_arrival"]
    ideal = stats["busy_seconds"] / slots
    figures = (
        Figure(f"{name}: calls", stats["calls"]),
        Figure(f"{name}: makespan", makespan, "s"),
        Figure(f"{name}: ideal", ideal, "s"),
    )
    return _Timed(stats["calls"], makespan / ideal, figures)


def _barrier(server: SimulatedServer, data: Path, slots: int) -> Started:
    options = ("--base-url", server.url, "--data", str(data), "--concurrency", str(slots))
    return Started([sys.executable, "-m", "benchmarks.barrier", *options])


if __name__ == "__main__":
    script(measure)
