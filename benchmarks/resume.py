"""Resume: killed with SIGKILL five times and finished, a run gives what an uninterrupted one gives.

The server is deterministic. Attempts and trials are compared row by row, all columns but those that
time. No completion is asked for twice, except those in flight at a kill: asked before it, and not
yet committed to the journal. The server knows which of those it had not answered; those that it had
answered just before the kill must have been answered within the time that a commit may take.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

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

COMMIT_SECONDS = 0.25


def measure(
    *, count: int = 300, kills: int = 5, seed: int = 0, concurrency: int = 128
) -> list[Figure]:
    """Run through, run with kills, compare."""
    # The prefix cache is off: how much of it is warm depends on the order of arrival.
    settings = Settings(
        slots=64, decode_seconds=0.001, reply_tokens=60.0, reply_sigma=0.8, prefix_cache=False
    )
    with workspace() as directory, simulated_server(settings) as server:
        data = problems(directory, count)
        whole, killed = directory / "whole", directory / "killed"
        more = ("--feedback", "self", "--concurrency", concurrency)
        friction(*run_arguments(server.url, whole, data, *more)).expect(0)
        total = server.stats()["calls"]
        server.reset()
        arguments = run_arguments(server.url, killed, data, *more)
        moments = _kill_at_random(server, arguments, total, kills, seed)
        last = friction(*arguments).expect(0)
        log = server.log()
        different, attempts = different_rows(whole, killed), len(rows(whole, "attempts"))
    doubles, latest = repeated(log, moments)
    return [
        Figure("attempts compared", attempts),
        exactly("rows that differ", different, 0),
        exactly("kills", len(moments), kills),
        Figure("calls of an uninterrupted run", total),
        Figure("calls with the kills", len(log)),
        exactly("repeated though not in flight at a kill", doubles["other"], 0),
        Figure("repeated: unanswered at the kill", doubles["unanswered"]),
        Figure("repeated: answered, not yet committed", doubles["uncommitted"]),
        at_most("repeated: earliest answer before its kill", latest, COMMIT_SECONDS, "s"),
        at_most("repeated per kill", (len(log) - total) / kills, concurrency),
        Figure("last session", last.seconds, "s"),
    ]


def _kill_at_random(
    server: SimulatedServer, arguments: Sequence[object], total: int, kills: int, seed: int
) -> list[float]:
    """Start the command and kill it at random points of its work; returns when it was killed."""
    dice = random.Random(seed)
    points = sorted(dice.uniform(0.02, 0.95) * total for _ in range(kills))
    moments: list[float] = []
    for point in points:
        process = start_friction(*arguments)
        time.sleep(dice.random() * 0.05)
        while server.stats()["calls"] < point and process.is_running():
            time.sleep(0.005)
        if not process.is_running():
            break
        moments.append(time.time())
        process.kill()
        process.wait().expect(-9)
    return moments


def repeated(log: Sequence[Entry], moments: Sequence[float]) -> tuple[dict[str, int], float]:
    """Why calls were repeated.

    A repeated call is excused by the first kill after it was asked, if that was before it was asked
    again: then it was in flight, unless it had been answered long before.

    Returns:
        How many repeated calls had been unanswered at that kill, or answered and uncommitted, or
        neither; and the longest time from an answer to that kill, in seconds.
    """
    before: dict[str, Entry] = {}
    reasons = {"unanswered": 0, "uncommitted": 0, "other": 0}
    longest = 0.0
    for entry in log:
        earlier = before.get(entry.key)
        before[entry.key] = entry
        if earlier is None:
            continue
        kill = next((m for m in moments if earlier.arrived <= m <= entry.arrived), None)
        if kill is None:
            reasons["other"] += 1
        elif earlier.outcome == "gone" or earlier.left is None or earlier.left >= kill:
            reasons["unanswered"] += 1
        else:
            age = kill - earlier.left
            longest = max(longest, age)
            reasons["uncommitted" if age <= COMMIT_SECONDS else "other"] += 1
    return reasons, longest


if __name__ == "__main__":
    script(measure)
