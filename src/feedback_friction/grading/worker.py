"""Symbolic comparison (``proof``), in worker processes that may be killed.

Expressions in replies are hostile input: ``9^{9^{9^9}}`` or a nested integral can keep a computer
algebra system busy for years, or eat all memory. So each comparison runs in a process of its own
kind, which a limit on CPU time and memory ends; the next comparison starts a new one.

No verdict depends on how fast the machine is. The limit is on CPU time, which a busy machine does
not use up; a worker has loaded the library and compared with it before its time counts; the limit
is a hundred times what the slowest honest comparison took on the machine where it was set (0.2 s),
so that a machine five times slower has twenty times enough; and a comparison that passes a limit
all the same is undecided, not wrong.

The workers are plain child processes with a pipe, not ``multiprocessing``: nothing is forked from
a process with threads and event loops, and the user's main module is not imported again. They start
when first needed, ignore Ctrl-C (their parent decides), and end when their input does, even where
the parent was killed.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import TextIO

from feedback_friction.errors import RunStoppedError

CPU_SECONDS = 20.0
MEMORY_BYTES = 2 << 30
_START_SECONDS = 600.0
_WALL_FACTOR = 30  # a worker that got no CPU for this many times its limit is taken for lost
# The library catches what it runs into, a lack of memory too, and then calls expressions different.
# A number that needs more than the limit grows by doubling: a third of the limit was taken before.
_GROWN = 4
_MAX_WORKERS = 4
# How a worker ends that passed its limit: the kernel's timer, or the parent's guard.
_KILLED = frozenset({-int(getattr(signal, "SIGPROF", 27)), -int(getattr(signal, "SIGKILL", 9))})


_PROGRAM = """
import sys
from feedback_friction.grading.worker import serve
serve(sys.stdin, float(sys.argv[1]), int(sys.argv[2]))
"""


class Comparison(StrEnum):
    """What came of a symbolic comparison."""

    EQUAL = "equal"
    DIFFERENT = "different"
    OPEN = "open"  # neither refuted nor proved
    TIMEOUT = "timeout"
    CRASH = "crash"


UNDECIDED = frozenset({Comparison.OPEN, Comparison.TIMEOUT, Comparison.CRASH})


class _WorkerDiedError(Exception):
    """The worker's pipe closed: it was killed by a limit, or crashed."""


class _Worker:
    """A child process, started when it is needed; used by one thread at a time."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None
        self.stopped = False

    def compare(self, asked: tuple[str, str], cpu_seconds: float, memory_bytes: int) -> Comparison:
        """One comparison; a limit that was passed is an answer too."""
        self._check()
        if self.process is None:
            self._start(cpu_seconds, memory_bytes)
        try:
            return Comparison(str(self._answered(asked, _WALL_FACTOR * cpu_seconds)))
        except _WorkerDiedError:
            status = self._end()
            self._check()
            return Comparison.TIMEOUT if status in _KILLED else Comparison.CRASH

    def stop(self) -> None:
        """Kill the process; a comparison under way, in another thread, raises."""
        self.stopped = True
        if (process := self.process) is not None:
            process.kill()
            process.wait()

    def _check(self) -> None:
        if self.stopped:
            self._end()
            raise RunStoppedError("stopped while expressions were being compared")

    def _start(self, cpu_seconds: float, memory_bytes: int) -> None:
        source = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH", "")]))
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", _PROGRAM, str(cpu_seconds), str(memory_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,
        )
        try:
            self._answered(None, _START_SECONDS)
        except _WorkerDiedError:
            self._end()
            self._check()
            raise RunStoppedError(
                "the process that compares expressions does not start; "
                "is math-verify installed in this environment?"
            ) from None
        self._check()  # stopped meanwhile

    def _answered(self, request: object, seconds: float) -> object:
        """The reply to a request, or to the start where there is none."""
        process = self.process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        guard = threading.Timer(seconds, process.kill)
        guard.daemon = True
        guard.start()
        try:
            if request is not None:
                process.stdin.write(json.dumps(request) + "\n")
                process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = ""
        finally:
            guard.cancel()
        if not line.endswith("\n"):
            raise _WorkerDiedError
        return json.loads(line)

    def _end(self) -> int:
        """End the process, if there is one, and reap it; its exit status."""
        process, self.process = self.process, None
        if process is None:
            return 0
        with suppress(subprocess.TimeoutExpired):
            process.wait(1)  # it may end by itself; killing it at once would hide how
        process.kill()
        status = process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        return status


class WorkerPool:
    """Up to ``size`` workers, shared by any number of threads.

    A thread that finds all of them busy waits; each comparison ends within the CPU limit. Only
    comparisons wait here: answers that are decided without one never do.

    Args:
        size: number of processes at most; by default one per core, at most four.
        cpu_seconds: limit on the CPU time of one comparison.
        memory_bytes: limit on the address space of a worker (where the system knows such limits).
    """

    def __init__(
        self,
        size: int | None = None,
        cpu_seconds: float = CPU_SECONDS,
        memory_bytes: int = MEMORY_BYTES,
    ):
        self.cpu_seconds, self.memory_bytes = cpu_seconds, memory_bytes
        count = size or min(_MAX_WORKERS, os.cpu_count() or 1)
        self._workers = [_Worker() for _ in range(count)]
        self._free: queue.LifoQueue[_Worker] = queue.LifoQueue()
        for worker in self._workers:
            self._free.put(worker)

    @property
    def processes(self) -> list[subprocess.Popen[str]]:
        """The child processes that there are now."""
        return [each.process for each in self._workers if each.process is not None]

    def compare(self, gold: str, answer: str) -> Comparison:
        """Whether two expressions are equal (``proof.compare``); gold comes first.

        Raises:
            RunStoppedError: when no worker can be started, or the pool was closed meanwhile.
        """
        worker = self._free.get()
        try:
            return worker.compare((gold, answer), self.cpu_seconds, self.memory_bytes)
        finally:
            self._free.put(worker)

    def close(self) -> None:
        """Kill all workers at once; comparisons under way raise ``RunStoppedError``."""
        for worker in self._workers:
            worker.stop()


_pool: WorkerPool | None = None
_abandoned: list[WorkerPool] = []
_pool_lock = threading.Lock()


@lru_cache(maxsize=16384)
def symbolically(gold: str, answer: str) -> Comparison:
    """Compare two expressions in the shared pool; the same question is asked only once.

    What was undecided stays so until ``forget``.
    """
    return _shared_pool().compare(gold, answer)


def forget() -> None:
    """Ask everything again: whoever begins or resumes a run tries what was undecided."""
    symbolically.cache_clear()


def _shared_pool() -> WorkerPool:
    global _pool
    with _pool_lock:
        if _pool is None:
            _pool = WorkerPool()
        return _pool


@atexit.register
def stop_workers() -> None:
    """End the shared pool's processes; the next comparison starts new ones."""
    global _pool
    with _pool_lock:
        pool, _pool = _pool, None
    if pool is not None:
        pool.close()


def _after_fork() -> None:
    # The pipes belong to the parent; the pool is kept from the garbage collector, which would
    # write to them.
    global _pool, _pool_lock
    if _pool is not None:
        _abandoned.append(_pool)
    _pool, _pool_lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def serve(requests: Iterable[str], cpu_seconds: float, memory_bytes: int) -> None:
    """The worker's main loop: one JSON request a line in, one JSON reply a line out.

    Says "true" when it is ready; only what it is asked from then on is limited.
    """
    replies = _replies()
    compare = _comparer()
    _warm(compare)
    limit = _limits(memory_bytes)
    replies.write("true\n")
    replies.flush()
    for line in requests:
        limit(cpu_seconds)
        found = _compared(compare, *json.loads(line))
        limit(0)
        if found is not Comparison.EQUAL and _peak_bytes() > memory_bytes // _GROWN:
            os._exit(1)
        replies.write(json.dumps(found) + "\n")
        replies.flush()


def _replies() -> TextIO:
    """Standard output, kept from the library: what that prints is no reply."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    logging.disable(logging.CRITICAL)
    return replies


# One comparison of each kind that the library has code of its own for: what it loads and builds
# when it is first used is then there.
_WARMING = (
    ("2\\cos x \\sin x", "\\sin 2x"),
    ("\\frac{x^2-1}{\\sqrt{x}}", "\\frac{(x-1)(x+1)}{\\sqrt{x}}"),
    ("\\{1,2\\}", "\\{2,1\\}"),
    ("(0,1]\\cup[2,\\infty)", "[2,\\infty)\\cup(0,1]"),
    ("y=2x+3", "2x+3=y"),
    ("\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}", "\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}"),
    ("\\log_2 8", "3"),
)


def _warm(compare: Callable[[str, str], Comparison]) -> None:
    if [compare(*pair) for pair in _WARMING] != [Comparison.EQUAL] * len(_WARMING):
        raise RunStoppedError("math-verify does not compare as this program needs it to")


def _compared(compare: Callable[[str, str], Comparison], gold: str, answer: str) -> Comparison:
    try:
        return compare(gold, answer)
    except MemoryError:
        os._exit(1)
    except Exception:  # whatever a hostile expression brings the library to raise shows nothing
        return Comparison.DIFFERENT


def _peak_bytes() -> int:
    """The largest address space that this process had; 0 where the system does not tell."""
    try:
        status = Path("/proc/self/status").read_text("ascii")
    except OSError:
        return 0
    found = re.search(r"VmPeak:\s*(\d+) kB", status)
    return int(found[1]) << 10 if found else 0


def _comparer() -> Callable[[str, str], Comparison]:
    """The comparison, with the libraries that it takes a second to import."""
    from feedback_friction.grading.proof import compare

    return lambda gold, answer: Comparison(compare(gold, answer))


def _limits(memory_bytes: int) -> Callable[[float], None]:
    """Limit the memory of this process; return what sets the limit on its CPU time."""
    try:
        import resource
    except ImportError:  # Windows: the parent's guard on wall time has to do
        return lambda seconds: None
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    return lambda seconds: _set_timer(seconds)


def _set_timer(seconds: float) -> None:
    # The kernel ends the process, whatever it is in the middle of.
    signal.setitimer(signal.ITIMER_PROF, seconds)
