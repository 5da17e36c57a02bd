"""Sharing: a second condition on the same problems reuses the first attempts that they share.

Every mode is run alone, then both in one run. The first attempt of a problem has the same prompt,
parameters and draw in both, so together they make one call less for each problem, no call is made
twice, and the attempts are those of the runs alone.
"""

from __future__ import annotations

from benchmarks.common import (
    Figure,
    exactly,
    friction,
    problems,
    rows,
    run_arguments,
    script,
    workspace,
)
from benchmarks.simserver import Settings, simulated_server


def measure(*, count: int = 300, one: str = "binary", other: str = "self") -> list[Figure]:
    """Count the calls at the server."""
    # Cached tokens depend on what the server saw before; without a cache all rows must be equal.
    settings = Settings(prefix_cache=False)
    calls, attempts = {}, {}
    with workspace() as directory, simulated_server(settings) as server:
        data = problems(directory, count)
        for modes in ((one,), (other,), (one, other)):
            out = directory / "+".join(modes)
            more = [part for mode in modes for part in ("--feedback", mode)]
            friction(*run_arguments(server.url, out, data, *more)).expect(0)
            stats = server.stats()
            server.reset()
            calls[modes], attempts[modes] = stats["calls"], set(rows(out, "attempts"))
        repeated = stats["asked_twice"]
    both, separate = (one, other), attempts[one,] | attempts[other,]
    return [
        Figure(f"calls of {one} alone", calls[one,]),
        Figure(f"calls of {other} alone", calls[other,]),
        Figure("calls of both in one run", calls[both]),
        exactly("calls saved", calls[one,] + calls[other,] - calls[both], count),
        exactly("calls made twice", repeated, 0),
        exactly("attempts that differ from the runs alone", len(attempts[both] ^ separate), 0),
    ]


if __name__ == "__main__":
    script(measure)
