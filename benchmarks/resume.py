"""Resume: killed with SIGKILL five times and finished, a run gives what an uninterrupted one gives.

The server is deterministic. Attempts and trials are compared row by row, all columns but those that
time. After each kill the journal is read: a completion that is in it must not be asked for again.
So what is repeated was in flight: not answered yet, or answered and not yet written. At one kill
that is at most as much as there may be requests in flight.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.common import (
    Figure,
    at_most,
    different_rows,
    exactly,
    friction,
    problems,
    rows,
    run_arguments,
    script,
    start_friction,
    workspace,
)
from benchmarks.simserver import Entry, Settings, SimulatedServer, simulated_server


@dataclass(frozen=True, slots=True)
class Stop:
    """The end of a session that did not finish.

    Attributes:
        calls: how many calls had come to the server in all sessions so far.
        kept: keys of the calls whose completions were in the journal.
    """

    calls: int
    kept: frozenset[str]


def measure(
    *, count: int = 300, kills: int = 5, seed: int = 0, concurrency: int = 128
) -> list[Figure]:
    """Run through, run with kills, compare."""
    # The prefix cache is off: how much of it is warm depends on the order of arrival.
    settings = Settings(
        slots=64,
        decode_seconds=0.001,
        reply_tokens=60.0,
        reply_sigma=0.8,
        prefix_cache=False,
        name_calls=True,
    )
    with workspace() as directory, simulated_server(settings) as server:
        data = problems(directory, count)
        whole, killed = directory / "whole", directory / "killed"
        more = ("--feedback", "self", "--concurrency", concurrency)
        friction(*run_arguments(server.url, whole, data, *more)).expect(0)
        total = server.stats()["calls"]
        server.reset()
        arguments = run_arguments(server.url, killed, data, *more)
        stops = _kill_at_random(server, arguments, killed, total, kills, seed)
        last = friction(*arguments).expect(0)
        log = server.log()
        different, attempts = different_rows(whole, killed), len(rows(whole, "attempts"))
    unanswered, unwritten = lost(log, stops)
    return [
        Figure("attempts compared", attempts),
        exactly("rows that differ", different, 0),
        exactly("kills", len(stops), kills),
        Figure("calls of an uninterrupted run", total),
        Figure("calls with the kills", len(log)),
        exactly("asked again though in the journal", asked_again(log, stops), 0),
        Figure("lost at a kill: not yet answered", unanswered),
        Figure("lost at a kill: answered, not yet written", unwritten),
        at_most("lost at the worst kill", most_lost(log, stops), concurrency),
        Figure("last session", last.seconds, "s"),
    ]


def _kill_at_random(
    server: SimulatedServer,
    arguments: Sequence[object],
    out: Path,
    total: int,
    kills: int,
    seed: int,
) -> list[Stop]:
    """Start the command and kill it at random points of its work, time after time."""
    dice = random.Random(seed)
    points = sorted(dice.uniform(0.02, 0.85) * total for _ in range(kills))
    stops: list[Stop] = []
    for point in points:
        process = start_friction(*arguments)
        time.sleep(dice.random() * 0.05)
        while server.stats()["calls"] < point and process.is_running():
            time.sleep(0.005)
        if not process.is_running():
            break
        process.kill()
        process.wait().expect(-9)
        stops.append(stop(server, out))
    return stops


def stop(server: SimulatedServer, out: Path) -> Stop:
    """What the server has seen and what the journal has kept, after a session has ended."""
    calls = server.stats()["calls"]
    names = rows(out, "completions", ("server_model",)) if (out / "journal.sqlite").exists() else []
    return Stop(calls, frozenset(name.partition("#")[2] for (name,) in names))


def asked_again(log: Sequence[Entry], stops: Sequence[Stop]) -> int:
    """Number of calls for completions that the journal had kept in an earlier session."""
    ends = [*(each.calls for each in stops[1:]), len(log)]
    return sum(
        entry.key in each.kept
        for each, end in zip(stops, ends, strict=True)
        for entry in log[each.calls : end]
    )


def lost(log: Sequence[Entry], stops: Sequence[Stop]) -> tuple[int, int]:
    """Calls that had come to the server and were not kept: not answered, and answered."""
    missing = [entry for each in _missing(log, stops) for entry in each]
    unanswered = sum(entry.outcome != "ok" for entry in missing)
    return unanswered, len(missing) - unanswered


def most_lost(log: Sequence[Entry], stops: Sequence[Stop]) -> int:
    """The most calls of one session that were not kept."""
    return max((len(each) for each in _missing(log, stops)), default=0)


def _missing(log: Sequence[Entry], stops: Sequence[Stop]) -> list[list[Entry]]:
    """By session that was killed, its calls that were not kept."""
    starts = [0, *(each.calls for each in stops[:-1])]
    return [
        [entry for entry in log[start : each.calls] if entry.key not in each.kept]
        for each, start in zip(stops, starts, strict=False)
    ]


if __name__ == "__main__":
    script(measure)
