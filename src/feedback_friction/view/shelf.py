"""The run directories as they are served: each read on a thread of its own, its state remembered.

What is expensive (the index of the grid, accuracy with intervals) is made once for every state of
the journal. While a run writes to it, what is shown may lag by ten times what making it takes, so
that a page that is left open never costs the machine more than a tenth of one core.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from feedback_friction.analysis.journal import open_journal, read_conditions, run_of_trials
from feedback_friction.errors import UsageError
from feedback_friction.view.index import (
    Numbers,
    make_index,
    put_strange,
    read_numbers,
    read_strange,
)

if TYPE_CHECKING:
    from feedback_friction.engine.passes.reopen import Prompts, Sent

_LAG = 10.0  # times what it took to make, for which what is shown may stand while a run goes on

Result = TypeVar("Result")


class Strange(NamedTuple):
    """A condition of one run, as another run shows it beside its own."""

    run: str
    arm: int
    version: int  # of its run
    rows: list[tuple[object, ...]]  # its trials, as ``index.put_strange`` takes them


class Run:
    """A run as it is read: a connection that holds the index, and the results by condition."""

    def __init__(self, name: str, directory: Path) -> None:
        """Open a run; for the thread that will read it."""
        self.name, self.directory = name, directory
        self._stack = ExitStack()
        self.db = self._stack.enter_context(open_journal(directory))
        self._results: list[Numbers] = []
        self._prompts: Prompts | None = None
        self._version, self._made, self._took = -1, 0.0, 0.0
        self._beside: tuple[str, int, int] | None = None  # whose trials stand in the index

    def state(self) -> int:
        """A number that changes whenever what is shown does; brings it up to date first."""
        self.refreshed()
        return self._version

    def refreshed(self) -> list[Numbers]:
        """The numbers of every condition; the index is of the same moment."""
        begun = time.monotonic()
        version: int = self.db.execute("PRAGMA data_version").fetchone()[0]
        if version == self._version or begun - self._made < _LAG * self._took:
            return self._results
        make_index(self.db)
        self._results = [
            read_numbers(self.db, arm, condition)
            for arm, condition in enumerate(read_conditions(self.db), 1)
        ]
        self._version, self._beside = version, None
        self._made = time.monotonic()
        self._took = self._made - begun
        return self._results

    def strange(self, arm: int) -> Strange:
        """One of its conditions, for another run to show."""
        if not 1 <= arm <= len(self.refreshed()):
            raise UsageError(f"no such condition in the run '{self.name}'")
        return Strange(self.name, arm, self._version, read_strange(self.db, arm))

    def put_beside(self, other: Strange) -> None:
        """Have another run's condition stand beside its own, as condition 0 of the index."""
        self.refreshed()
        if self._beside != other[:3]:
            put_strange(self.db, other.rows)
            self._beside = other[:3]

    def sent(self, at: int, problem: str, epoch: int) -> tuple[Sent, ...]:
        """The exact prompts of a trial."""
        from feedback_friction.engine.passes.reopen import Prompts  # loads the tasks

        results = self.refreshed()
        if not 1 <= at <= len(results):
            raise UsageError("no such condition in this run")
        if self._prompts is None:
            self._prompts = Prompts(self.directory)
        return self._prompts.of(results[at - 1].condition.condition, problem, epoch)

    def close(self) -> None:
        """Close the connection."""
        self._stack.close()


class Shelved:
    """One run directory; all that reads it happens on its own thread, one after the other."""

    def __init__(self, name: str, directory: Path) -> None:
        """Serve a directory under a name."""
        self.name, self.directory = name, directory
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="view")
        self._run: Run | None = None

    async def do(self, work: Callable[[Run], Result]) -> Result:
        """What ``work`` makes of the run as it is now."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._with, work)

    def _with(self, work: Callable[[Run], Result]) -> Result:
        try:
            if self._run is None:
                self._run = Run(self.name, self.directory)
            return work(self._run)
        except sqlite3.Error as error:
            raise UsageError(f"cannot read {self.directory}: {error}") from error

    async def close(self) -> None:
        """Close the connection, on the thread that opened it."""
        if self._run is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._run.close)
        self._thread.shutdown()


def shelve(directories: Sequence[Path]) -> dict[str, Shelved]:
    """The directories by the name under which each is served, which stands in addresses."""
    found: dict[str, Shelved] = {}
    for directory in dict.fromkeys(each.resolve() for each in directories):
        run_of_trials(directory)
        Run(directory.name, directory).close()
        base = name = re.sub(r"[^\w.-]+", "-", directory.name, flags=re.ASCII).strip("-.") or "run"
        number = 2
        while name in found:
            name, number = f"{base}-{number}", number + 1
        found[name] = Shelved(name, directory)
    return found
