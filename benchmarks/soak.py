"""Soak: half an hour of 200 calls a second, one in twenty of which fails, loses and leaks nothing.

Every attempt is wrong and gets ``self`` feedback. The faults are those of ``faults.py`` in equal
shares. The resident set and the open file descriptors of the command are read every few seconds;
no key is kept in memory, caches fill at first: memory may grow by few bytes a call at most.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.common import (
    Figure,
    at_least,
    at_most,
    exactly,
    problems,
    rows,
    run_arguments,
    script,
    start_friction,
    workspace,
)
from benchmarks.simserver import Settings, simulated_server
from benchmarks.simserver.settings import FAULTS

CALLS_A_TRIAL = 19  # ten attempts, and feedback on all but the last
KEPT_A_CALL = 400  # bytes


@dataclass(frozen=True, slots=True)
class Sample:
    """The command at one moment: resident set in bytes, and open file descriptors."""

    memory: int
    descriptors: int


def measure(
    *,
    minutes: float = 30.0,
    rate: float = 200.0,
    faults: float = 0.05,
    concurrency: int = 64,
    every: float = 5.0,
) -> list[Figure]:
    """Run for so long at so many calls a second.

    Args:
        faults: share of calls that fail.
        every: seconds between two looks at the command.
    """
    count = max(2, round(minutes * 60 * rate / CALLS_A_TRIAL))
    settings = Settings(
        p_first=0.0,
        p_gain=0.0,
        prefix_cache=False,
        reply_tokens=60.0,
        reply_sigma=0.0,
        decode_seconds=0.8 * concurrency / rate / 60,  # the rest goes into faults and retries
        **dict.fromkeys(FAULTS, faults / len(FAULTS)),
    )
    with workspace() as directory, simulated_server(settings) as server:
        data, out = problems(directory, count), directory / "run"
        more = ("--feedback", "self", "--concurrency", concurrency, "--timeout", 3.0, "--quiet")
        run = start_friction(*run_arguments(server.url, out, data, *more))
        samples = list[Sample]()
        while run.is_running():
            time.sleep(every)
            samples += _sample(run.pid)
        ended, outcomes = run.wait().expect(0, 1), server.stats()["outcomes"]
        kept = len(rows(out, "completions", ("key",)))
        statuses = [status for (status,) in rows(out, "trials", ("status",))]
    sound = outcomes["ok"]
    return [
        exactly("exit code", ended.exit_code, 0),
        exactly("trials without an end", count - len(statuses) + statuses.count("failed"), 0),
        exactly("calls that are missing", count * CALLS_A_TRIAL - kept, 0),
        exactly("calls answered and asked again", sound - kept, 0),
        at_least("share of faults", 100 * (1 - sound / sum(outcomes.values())), 80 * faults, "%"),
        Figure("calls a second", sum(outcomes.values()) / ended.seconds),
        Figure("wall time", ended.seconds / 60, "min"),
        Figure("processor time of the command a call", 1000 * ended.cpu_seconds / kept, "ms"),
        *_growth(samples, kept),
    ]


def _growth(samples: list[Sample], calls: int) -> list[Figure]:
    """How memory and descriptors in the last third compare with those in the middle third."""
    third = max(1, len(samples) // 3)
    middle, last = samples[third : 2 * third] or samples, samples[-third:]
    before, after = (max(each.memory for each in part) for part in (middle, last))
    some, more = (max(each.descriptors for each in part) for part in (middle, last))
    return [
        Figure("memory in the middle third", before / 1e6, "MB"),
        Figure("memory in the last third", after / 1e6, "MB"),
        at_most("memory kept a call", max(0, after - before) / (calls / 3), KEPT_A_CALL, "bytes"),
        Figure("descriptors in the middle third, at most", some),
        at_most("descriptors in the last third, at most", more, some * 1.1 + 2),
    ]


def _sample(pid: int) -> list[Sample]:
    """One look at a process; none once it has ended."""
    place = Path("/proc", str(pid))
    try:
        pages = int((place / "statm").read_text().split()[1])
        return [Sample(pages * 4096, len(list((place / "fd").iterdir())))]
    except (OSError, IndexError):
        return []


if __name__ == "__main__":
    script(measure)
