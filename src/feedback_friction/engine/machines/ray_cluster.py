"""A run on several machines with Ray: its parts as tasks, their journals merged at the end.

A hop through Ray costs more than a whole call of ours, so a task is a part of the run, not a trial
(``conditions.Part``): it runs our engine, with its own models, and writes a run directory of its
own below the run's, on a file system that every node sees. What a task wrote outlives it: Ray
starts the task of a dead node again elsewhere, and it resumes its part. The driver makes no call;
it reads the parts' journals to say how far they are, and merges them. Keys of providers come from
the environment of the node that a task runs on, never from here.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import time
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from feedback_friction.analysis.journal import RUN_FILE, open_journal
from feedback_friction.engine.journal.store import FILE_NAME, Journal
from feedback_friction.engine.machines.merging import merge
from feedback_friction.engine.run.budget import Amount, paid_before
from feedback_friction.engine.run.caller import Caller, Spent
from feedback_friction.engine.run.conditions import Part
from feedback_friction.engine.run.launch import execute
from feedback_friction.engine.run.prepare import Prepared, prepare
from feedback_friction.engine.run.runner import Note, Progress, Watch
from feedback_friction.errors import FrictionError, RunStoppedError, UsageError, reason
from feedback_friction.extras import need
from feedback_friction.settings import Operation, Settings

LOCAL = "local"
PARTS = "parts"  # in the run directory, while the run is under way
_STOP = "stop"  # a file there: finish the calls under way, start none
_LOOK_SECONDS = 1.0
_REACH_SECONDS = 10.0
_STILL_SECONDS = 300.0  # without any change, before the user is told
_LOST_SECONDS = 3600.0  # and before the run is given up
_LOCK_SECONDS = 60.0  # until a dead node's process has released its directory


@dataclass(slots=True)
class Cluster:
    """What is under way, to be watched as a ``Runner`` is."""

    progress: Progress  # of all parts together
    folder: Path  # of the parts
    before: int = 0  # trials that the run held before
    caller: Any = field(init=False)

    def __post_init__(self) -> None:
        self.caller = self

    def drain(self) -> None:
        """Tell every part to start no further call."""
        (self.folder / _STOP).touch()

    def look(self) -> None:
        """Count what the parts' journals hold."""
        statuses: dict[str, int] = {}
        spent, ended = Spent(), 0
        for journal in self.folder.glob(f"*/{FILE_NAME}"):
            counted = _counts(journal)
            if counted is not None:
                found, calls, tokens = counted
                ended += sum(found.values()) - self.before
                spent.calls += calls
                spent.usage = replace(
                    spent.usage, completion_tokens=spent.usage.completion_tokens + tokens
                )
                for status, count in found.items():
                    statuses[status] = statuses.get(status, 0) + count
        self.progress.statuses, self.progress.spent = statuses, spent


def _counts(journal: Path) -> tuple[dict[str, int], int, int] | None:
    """Trials by status, calls and tokens in a part's journal; None while it is being made."""
    try:
        with open_journal(journal.parent) as db:
            trials = db.execute("SELECT status, count(*) FROM trials GROUP BY status").fetchall()
            calls, tokens = db.execute(
                "SELECT count(*), coalesce(sum(completion_tokens), 0) FROM completions"
            ).fetchone()
    except UsageError:
        return None
    return dict(map(tuple, trials)), calls, tokens


async def execute_on_ray(
    prepared: Prepared, directory: Path, command: list[str], watch: Watch, notice: Note
) -> Progress:
    """Run a prepared run in parts on a Ray cluster, and merge them into a directory.

    Raises:
        UsageError: Ray is missing or cannot be reached, or the directory holds something else.
        RunStoppedError: a part stopped, or nothing moved for an hour; resumable.
    """
    ray, workers = _connected(prepared.settings.operation)
    folder = directory.resolve() / PARTS
    try:
        gathered(directory, command)
        shares = _shares(prepared, directory, workers)
        parts = [_begun(directory, Part(number + 1, workers)) for number in range(workers)]
        held = _counts(directory.resolve() / FILE_NAME)
        cluster = Cluster(Progress(Spent()), folder, sum(held[0].values()) if held else 0)
        watch(cluster)  # type: ignore[arg-type] # has what is watched of a runner
        task = ray.remote(num_cpus=1, max_retries=-1, scheduling_strategy="SPREAD")(_work)
        pending = {
            task.remote(share, part, command): part
            for share, part in zip(shares, parts, strict=True)
        }
        ended = await _waited(ray, pending, cluster, notice)
    finally:
        ray.shutdown()
    return _summed(ended, prepared, gathered(directory, command))


def _connected(operation: Operation) -> tuple[Any, int]:
    """Ray, connected, and how many parts there are to be."""
    need("ray", "ray")
    import ray

    local = operation.ray == LOCAL
    _refuse_closed(str(operation.ray))
    try:
        ray.init(
            address=LOCAL if local else operation.ray,
            num_cpus=operation.workers if local else None,
            include_dashboard=False if local else None,
            log_to_driver=False,
            logging_level="ERROR",
        )
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UsageError(f"cannot reach Ray at '{operation.ray}': {reason}") from error
    return ray, operation.workers or max(1, len(ray.nodes()))


def _refuse_closed(address: str) -> None:
    """Refuse an address where nothing listens: Ray itself would try it for minutes."""
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if address in (LOCAL, "auto"):
        return
    if not colon or not port.isdigit():
        raise UsageError(f"--ray must be 'local', 'auto' or HOST:PORT, not '{address}'")
    try:
        socket.create_connection((host, int(port)), timeout=_REACH_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise UsageError(f"cannot reach Ray at '{address}': {error}") from error


def gathered(directory: Path, command: list[str]) -> dict[str, int]:
    """Merge the parts that a directory holds into it, and take them away.

    Returns:
        The trials that it then holds, by status; empty where there were no parts.

    Raises:
        UsageError: they are of another run, or cannot be merged.
    """
    folder = directory / PARTS
    made = sorted(each.parent for each in folder.glob(f"*/{FILE_NAME}"))
    counts = merge(made, directory, command) if made else {}
    if folder.exists():
        shutil.rmtree(folder)
    return counts


def _begun(directory: Path, part: Part) -> Path:
    """A part's directory, which begins with all that the run has already."""
    folder = directory.resolve() / PARTS / f"{part.number}-of-{part.of}"
    try:
        folder.mkdir(parents=True)
        if (directory / FILE_NAME).exists():
            for name in (RUN_FILE, FILE_NAME):
                shutil.copy2(directory / name, folder / name)
    except OSError as error:
        raise UsageError(f"cannot write {folder}: {reason(error)}") from error
    return folder


def _shares(prepared: Prepared, directory: Path, workers: int) -> list[Settings]:
    """The settings of each part: its problems, and its share of what is limited."""
    settings = prepared.settings
    operation, paid = settings.operation, Amount()
    if (directory / FILE_NAME).exists():
        with closing(Journal(directory)) as journal:
            paid = paid_before(journal.paid(), prepared.prices)
    usd, tokens = operation.budget_usd, operation.budget_tokens
    shared = replace(
        operation,
        concurrency=max(1, operation.concurrency // workers),
        budget_usd=None if usd is None else paid.usd + max(0.0, usd - paid.usd) / workers,
        budget_tokens=None
        if tokens is None
        else max(1, paid.tokens + max(0, tokens - paid.tokens) // workers),
    )
    return [
        replace(settings, operation=replace(shared, part=str(Part(number, workers))))
        for number in range(1, workers + 1)
    ]


def _work(settings: Settings, folder: Path, command: list[str]) -> Progress | str:
    """Run a part, in a process of Ray's; returns its progress, or why it stopped, in one line."""

    async def main() -> Progress:
        def watch(runner: Any) -> None:
            asyncio.get_running_loop().create_task(_stopping(runner.caller, folder.parent / _STOP))

        return await execute(prepare(settings), folder, command, watch, lambda line: None)

    if not folder.is_dir():
        return f"{folder} is not seen from every node: --out must be on a shared file system"
    until = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            return asyncio.run(main())
        except FrictionError as error:
            if "another friction run" not in str(error) or time.monotonic() > until:
                return str(error)
            time.sleep(_LOOK_SECONDS)


async def _stopping(caller: Caller, told: Path) -> None:
    """Drain a part as soon as the run is told to stop."""
    while not told.exists():
        await asyncio.sleep(_LOOK_SECONDS)
    caller.drain()


async def _waited(
    ray: Any, pending: dict[Any, Path], cluster: Cluster, notice: Note
) -> list[Progress | str]:
    """Wait for all parts; says so when nothing moves, and gives up in the end."""
    ended: list[Progress | str] = []
    moved, seen, told = time.monotonic(), -1, False
    total = len(pending)
    while pending:
        ready, _ = ray.wait(list(pending), num_returns=len(pending), timeout=0)
        ended += [_result(ray, each, pending.pop(each)) for each in ready]
        cluster.look()
        now, calls = time.monotonic(), cluster.progress.spent.calls + len(ended)
        if calls != seen:
            moved, seen, told = now, calls, False
        elif now - moved > _STILL_SECONDS and not told:
            notice(f"no call has ended for {_STILL_SECONDS:.0f} s; {len(pending)} of {total} parts")
            told = True
        if now - moved > _LOST_SECONDS:
            raise RunStoppedError(f"{len(pending)} parts made no call for an hour")
        await asyncio.sleep(_LOOK_SECONDS)
    return ended


def _result(ray: Any, task: Any, part: Path) -> Progress | str:
    """What a task returned; what broke it is its part's line."""
    try:
        found: Progress | str = ray.get(task, timeout=_LOCK_SECONDS)
    except ray.exceptions.RayError as error:
        return f"part {part.name}: {' '.join(str(error).split())[:300]}"
    return found


def _summed(ended: list[Progress | str], prepared: Prepared, statuses: dict[str, int]) -> Progress:
    """The progress of all parts as that of the run."""
    done = [each for each in ended if isinstance(each, Progress)]
    if len(done) < len(ended):
        raise RunStoppedError(next(each for each in ended if isinstance(each, str)))
    progress = Progress(Spent(), statuses=statuses)
    progress.total = sum(len(each.problems) * each.epochs for each in prepared.conditions)
    for each in done:
        progress.reasons += each.reasons
        progress.stopped = progress.stopped or each.stopped
    return progress
