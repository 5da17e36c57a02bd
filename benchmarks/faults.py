"""Faults: with 5% of all calls failing every trial finishes as without faults; a death is survived.

First the whole run with 429 (with and without Retry-After), 500, hangs, truncated and non-JSON
bodies and connections cut mid-body in equal shares; attempts and trials are compared with those of
a run without faults, row by row. Then a server that dies for good in the middle: the run stops by
itself with exit code 1 and one line, and when the server is back on its port the same command
finishes it, asking only again for what was in flight.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from benchmarks.common import (
    Figure,
    at_least,
    at_most,
    different_rows,
    exactly,
    friction,
    problems,
    rows,
    run_arguments,
    script,
    workspace,
)
from benchmarks.resume import asked_again, lost, stop
from benchmarks.simserver import Settings, SimulatedServer, simulated_server
from benchmarks.simserver.settings import FAULTS


def measure(
    *,
    count: int = 300,
    rate: float = 0.05,
    concurrency: int = 128,
    timeout: float = 3.0,
    patience: float = 60.0,
) -> list[Figure]:
    """Run without faults, with faults, and against a server that dies.

    Args:
        timeout: seconds after which the client gives up a call, which ends the hangs.
        patience: seconds that a run may go on after its server has died.
    """
    # The prefix cache is off: how much of it is warm depends on the order of arrival.
    settings = Settings(
        slots=64,
        decode_seconds=0.001,
        reply_tokens=60.0,
        prefix_cache=False,
        name_calls=True,
    )
    more = ("--feedback", "self", "--concurrency", concurrency, "--timeout", timeout)
    with workspace() as directory, simulated_server(settings) as server:
        data, sound = problems(directory, count), directory / "sound"
        friction(*run_arguments(server.url, sound, data, *more)).expect(0)
        calls = server.stats()["calls"]
        return [
            *random_faults(server, directory, data, more, rate, sound),
            *server_death(server, directory, data, more, calls, patience, sound),
        ]


def random_faults(
    server: SimulatedServer,
    directory: Path,
    data: Path,
    more: tuple[object, ...],
    rate: float,
    sound: Path,
) -> list[Figure]:
    """Run with faults at a rate, and compare with the run in ``sound``."""
    server.reset()
    server.change(**{fault: rate / len(FAULTS) for fault in FAULTS})
    out = directory / "faults"
    run = friction(*run_arguments(server.url, out, data, *more))
    server.change(**dict.fromkeys(FAULTS, 0.0))
    outcomes: dict[str, Any] = server.stats()["outcomes"]
    injected = sum(outcomes.get(fault, 0) for fault in FAULTS)
    seen = ", ".join(f"{fault} {outcomes.get(fault, 0)}" for fault in FAULTS)
    share = injected / sum(outcomes.values())
    return [
        at_least("faults: share of calls", 100 * share, 80 * rate, "%"),
        Figure("faults: injected", seen),
        exactly("faults: exit code", run.exit_code, 0),
        exactly("faults: rows that differ", different_rows(sound, out), 0),
        Figure("faults: wall time", run.seconds, "s"),
    ]


def server_death(
    server: SimulatedServer,
    directory: Path,
    data: Path,
    more: tuple[object, ...],
    calls: int,
    patience: float,
    sound: Path,
) -> list[Figure]:
    """Run until the server dies after half of the calls, resume, compare with ``sound``."""
    server.reset()
    server.change(die_after=calls // 2)
    out = directory / "death"
    arguments = run_arguments(server.url, out, data, *more, "--quiet")
    stopped = friction(*arguments)
    death = stop(server, out)
    failed = rows(out, "trials", ("status",)).count(("failed",))
    server.change(die_after=0)
    server.revive()
    finished = friction(*arguments)
    log = server.log()
    unanswered, unkept = lost(log, [death])
    said = stopped.errors.strip()
    return [
        exactly("death: exit code", stopped.exit_code, 1),
        Figure("death: what it said", said),
        exactly("death: lines that end it", len(re.findall("^friction: ", said, re.M)), 1),
        exactly("death: tracebacks", said.count("Traceback"), 0),
        at_most("death: run stopped after", stopped.seconds, patience, "s"),
        Figure("death: trials recorded as failed", failed),
        exactly("back: exit code", finished.exit_code, 0),
        exactly("back: rows that differ", different_rows(sound, out), 0),
        exactly("back: asked again though in the journal", asked_again(log, [death]), 0),
        Figure("lost at the death: not answered", unanswered),
        Figure("lost at the death: answered, not received", unkept),
    ]


if __name__ == "__main__":
    script(measure)
