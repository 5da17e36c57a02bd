"""Report: of 100,000 attempts in under 60 s of processor time and 1 GB, the page under 5 MB.

The run is made by the simulated student in this process, six conditions on problems that the
command itself generates; ``friction results`` and ``friction report`` are timed, each in a process
of its own.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

from benchmarks.common import Figure, at_least, at_most, friction, problems, script, workspace

MODES = ("retry", "placebo", "binary", "self", "process", "strong")
STUDENT = "student/ability=0.2,resistant=0.6"  # solves little, so that trials are long


def measure(*, count: int = 2_500, attempts: int = 100_000) -> list[Figure]:
    """Make the run, report it, and measure the report."""
    with workspace() as directory:
        run, out = directory / "run", directory / "report"
        modes = [word for mode in MODES for word in ("--feedback", mode)]
        made = friction(
            "run", "decimal_multiplication", "--solver", STUDENT, "--feedback-model", STUDENT,
            *modes, "--data", problems(directory, count), "--temperature", "1", "--logprobs",
            "--quiet", "--json", "--out", run,
        ).expect(0)  # fmt: skip
        with closing(sqlite3.connect(run / "journal.sqlite")) as db:
            there = db.execute("SELECT count(*) FROM attempts").fetchone()[0]
        printed = friction("results", run).expect(0)
        ended = friction("report", run, "--reference", "paper", "--out", out).expect(0)
        page = (out / "index.html").stat().st_size / 1e6
        figures = sum(1 for _ in (out / "figures").glob("*.svg"))
    return [
        Figure("conditions", len(json.loads(made.output)["conditions"])),
        at_least("attempts", there, attempts),
        Figure("making the run", made.seconds, "s"),
        at_most("results: processor time", printed.cpu_seconds, 2, "s"),
        at_most("report: processor time", ended.cpu_seconds, 60, "s"),
        at_most("report: peak memory", ended.peak_mb, 1000, "MB"),
        at_most("report: page", page, 5, "MB"),
        Figure("report: figures", figures),
    ]


if __name__ == "__main__":
    script(measure)
