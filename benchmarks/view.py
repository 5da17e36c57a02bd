"""View: of a run of 100,000 attempts, the first page and every other one takes under a second.

The run is made by the simulated student, six conditions; ``friction view`` serves it in a process
of its own, and every page is asked for over HTTP: the first one as soon as the server has said
where it is, then filters, a search for what is nowhere, the last page of the grid, and a trial.
"""

from __future__ import annotations

import re
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks.common import Figure, at_least, at_most, friction, problems, script, workspace
from benchmarks.report import MODES, STUDENT

LIMIT = 1.0  # seconds


def measure(*, count: int = 2_500, attempts: int = 100_000, run: str = "") -> list[Figure]:
    """Make the run (or take one that is there), serve it, and ask for pages."""
    with workspace() as directory:
        made = Path(run) if run else _made(directory, count)
        with closing(sqlite3.connect(made / "journal.sqlite")) as db:
            there = db.execute("SELECT count(*) FROM attempts").fetchone()[0]
        figures = [at_least("attempts", there, attempts)]
        with _serving(made) as url:
            first, page = _page(url)
            figures.append(at_most("first page", first, LIMIT, "s"))
            figures.append(Figure("first page", len(page) / 1e3, "kB"))
            link = re.search(r'href="([^"]*trial[?][^"]*)"', page)
            assert link is not None
            for name, path in (
                ("the same page again", ""),
                ("unsolved, the same wrong answer again", "?is=unsolved&has=same"),
                ("a search that finds nothing", "?q=is+nowhere"),
                ("the last page", "?page=1000000"),
                ("a trial", link[1].replace("&amp;", "&")),
            ):
                base = f"{url}runs/{made.name}/"
                figures.append(
                    at_most(name, _page(urllib.parse.urljoin(base, path))[0], LIMIT, "s")
                )
    return figures


def _made(directory: Path, count: int) -> Path:
    modes = [word for mode in MODES for word in ("--feedback", mode)]
    friction(
        "run", "decimal_multiplication", "--solver", STUDENT, "--feedback-model", STUDENT,
        *modes, "--data", problems(directory, count), "--temperature", "1", "--logprobs",
        "--quiet", "--json", "--out", directory / "run",
    ).expect(0)  # fmt: skip
    return directory / "run"


@contextmanager
def _serving(run: Path) -> Iterator[str]:
    """The address of ``friction view`` over a run."""
    command = [str(Path(sys.executable).with_name("friction")), "view", str(run), "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, bufsize=1) as server:
        assert server.stdout is not None
        try:
            yield next(line.strip() for line in server.stdout if line.startswith("http"))
        finally:
            server.send_signal(signal.SIGINT)


def _page(url: str) -> tuple[float, str]:
    """Seconds that a page took, and the page."""
    begun = time.perf_counter()
    with urllib.request.urlopen(url, timeout=60) as answer:
        page = answer.read().decode()
    return time.perf_counter() - begun, page


if __name__ == "__main__":
    script(measure)
