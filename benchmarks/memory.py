"""Memory: 14,000 problems x 10 attempts stay under 1 GB, and take no more than a tenth of them.

Memory must grow with what is in flight, not with the length of the run. Every attempt is wrong and
gets ``self`` feedback, which makes 266,000 calls for the full size; peak resident set of the
command, at zero latency. "Flat" allows for what has to be kept per call and per problem: a key of
each completion, and the problems themselves.
"""

from __future__ import annotations

from benchmarks.common import Figure, at_most, friction, problems, run_arguments, script, workspace
from benchmarks.simserver import Settings, simulated_server


def measure(
    *, count: int = 14_000, feedback: str = "self", reply_tokens: float = 300.0
) -> list[Figure]:
    """Measure at a tenth and at the full size."""
    settings = Settings(p_first=0.0, p_gain=0.0, reply_tokens=reply_tokens, prefix_cache=False)
    peaks, figures = [], []
    for size in (count // 10, count):
        with workspace() as directory, simulated_server(settings) as server:
            data = problems(directory, size)
            more = ("--feedback", feedback)
            run = friction(*run_arguments(server.url, directory / "run", data, *more)).expect(0)
            calls = server.stats()["calls"]
            journal = sum(file.stat().st_size for file in (directory / "run").iterdir()) / 1e6
        peaks.append(run.peak_mb)
        figures += [
            at_most(f"{size:,} problems: peak memory", run.peak_mb, 1000, "MB"),
            Figure(f"{size:,} problems: calls", calls),
            Figure(f"{size:,} problems: run directory", journal, "MB"),
            Figure(f"{size:,} problems: wall time", run.seconds, "s"),
        ]
    figures.append(at_most("full size / a tenth", peaks[1] / peaks[0], 1.5))
    return figures


if __name__ == "__main__":
    script(measure)
