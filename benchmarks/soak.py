"""Soak: half an hour of 200 calls a second, one in twenty of which fails, loses and leaks nothing.

Every attempt is wrong and gets ``self`` feedback. The faults are those of ``faults.py`` in equal
shares. The command's own memory and its open file descriptors are read every few seconds. Nothing
is kept in memory for a call that was made; caches fill at first, so that what counts is the slope
after the first third: a line through the means of equal stretches of the rest, by least squares,
with the interval that the scatter of these means gives it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import linregress, t

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
KEPT_A_CALL = 50  # bytes: a key of the journal alone takes more
STRETCHES = 10


@dataclass(frozen=True, slots=True)
class Sample:
    """The command at one moment in seconds: memory of its own in bytes, open file descriptors."""

    moment: float
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
        decode_seconds=0.5 * concurrency / rate / 60,  # the rest goes into faults, retries, waiting
        **dict.fromkeys(FAULTS, faults / len(FAULTS)),
    )
    with workspace() as directory, simulated_server(settings) as server:
        data, out = problems(directory, count), directory / "run"
        more = ("--feedback", "self", "--concurrency", concurrency, "--timeout", 10.0, "--quiet")
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
        *_growth(samples, kept / ended.seconds),
    ]


def _growth(samples: list[Sample], rate: float) -> list[Figure]:
    """How memory and descriptors go on after the first third, at so many calls a second."""
    third = len(samples) // 3
    early, late = samples[:third], samples[third:]
    slope, error = (each / rate for each in _slope(late))
    some, more = (max((each.descriptors for each in part), default=0) for part in (early, late))
    return [
        Figure(
            "memory at the end of the first third", early[-1].memory / 1e6 if early else 0, "MB"
        ),
        Figure("memory at the end, at most", max(each.memory for each in late) / 1e6, "MB"),
        at_most("memory kept a call after the first third", slope, KEPT_A_CALL, "bytes"),
        Figure("  95% interval", f"{slope - error:,.0f} to {slope + error:,.0f}", "bytes"),
        Figure("descriptors in the first third, at most", some),
        at_most("descriptors after it, at most", more, some * 1.1 + 2),
    ]


def _slope(samples: list[Sample]) -> tuple[float, float]:
    """Bytes a second by least squares through the means of stretches; half of its 95% interval."""
    parts = np.array_split(np.array([(s.moment, s.memory) for s in samples], float), STRETCHES)
    moments, memory = np.array([part.mean(axis=0) for part in parts if len(part)]).T
    if len(moments) < 3:
        return 0.0, float("inf")
    found = linregress(moments, memory)
    return found.slope, found.stderr * t.ppf(0.975, len(moments) - 2)


def _sample(pid: int) -> list[Sample]:
    """One look at a process; none once it has ended."""
    place = Path("/proc", str(pid))
    try:
        resident, shared = map(int, (place / "statm").read_text().split()[1:3])
        descriptors = len(list((place / "fd").iterdir()))
    except (OSError, IndexError):
        return []
    own = (resident - shared) * 4096  # pages of files come and go as others need the memory
    return [Sample(time.monotonic(), own, descriptors)] if own else []


if __name__ == "__main__":
    script(measure)
