"""Replicas: one of two servers dies in the middle of a run, and nothing is lost.

The run on two servers of which one dies for good has to end by itself as the run on one healthy
server does, row by row: its problems move to the server that is left, and whatever was in flight is
asked again there.
"""

from __future__ import annotations

import json

from benchmarks.common import (
    Figure,
    at_least,
    different_rows,
    exactly,
    friction,
    problems,
    rows,
    run_arguments,
    script,
    workspace,
)
from benchmarks.simserver import Settings, simulated_server


def measure(*, count: int = 200, concurrency: int = 64, share: float = 0.25) -> list[Figure]:
    """Run on one server, then on two of which one dies.

    Args:
        share: the server dies after answering this share of all calls.
    """
    # The prefix cache is off: how much of it is warm depends on the order of arrival.
    settings = Settings(slots=64, decode_seconds=0.001, reply_tokens=60.0, prefix_cache=False)
    more = ("--feedback", "self", "--concurrency", concurrency, "--quiet", "--json")
    with (
        workspace() as directory,
        simulated_server(settings) as one,
        simulated_server(settings) as other,
    ):
        data, sound, out = problems(directory, count), directory / "sound", directory / "death"
        friction(*run_arguments(one.url, sound, data, *more)).expect(0)
        calls = one.stats()["calls"]
        one.reset()
        other.change(die_after=round(share * calls))
        run = friction(*run_arguments(one.url, out, data, *more, "--base-url", other.url))
        outcomes = other.stats()["outcomes"]
        failed = rows(out, "trials", ("status",)).count(("failed",))
        (condition,) = json.loads(run.output)["conditions"]
        return [
            Figure("calls on one healthy server", calls),
            at_least("answered by the server that died", outcomes.get("ok", 0), 1),
            at_least("lost with it, in flight or refused", outcomes.get("died", 0), 1),
            exactly("exit code", run.exit_code, 0),
            exactly("trials failed", failed, 0),
            exactly("trials missing", condition["missing"], 0),
            exactly("rows that differ", different_rows(sound, out), 0),
            Figure("wall time", run.seconds, "s"),
        ]


if __name__ == "__main__":
    script(measure)
