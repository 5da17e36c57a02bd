"""Startup: ``friction --help`` answers in under half a second."""

from __future__ import annotations

from statistics import median

from benchmarks.common import Figure, at_most, friction, script


def measure(*, repeats: int = 10) -> list[Figure]:
    """Time a warm start; the first, which compiles, is not counted."""
    runs = [friction("--help").expect(0) for _ in range(repeats + 1)][1:]
    return [
        at_most("median", median(run.seconds for run in runs), 0.5, "s"),
        at_most("slowest", max(run.seconds for run in runs), 0.5, "s"),
        Figure("CPU", median(run.cpu_seconds for run in runs), "s"),
        Figure("peak memory", median(run.peak_mb for run in runs), "MB"),
    ]


if __name__ == "__main__":
    script(measure)
