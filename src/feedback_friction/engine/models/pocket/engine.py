"""Orders in, replies out: sequences wait here until a worker has room for them.

Each worker has a thread of its own, and goes its own pace: while one chooses tokens, which Python
does one thread at a time, another multiplies.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from feedback_friction.engine.models.pocket.grids import Weights
from feedback_friction.engine.models.pocket.memory import Prefixes
from feedback_friction.engine.models.pocket.orders import ClosedError, Limits, Order, Served
from feedback_friction.engine.models.pocket.sequence import Job, Sequence
from feedback_friction.engine.models.pocket.worker import Worker

MOST_THREADS = 4  # Python's own share of the work is not done in parallel


class _Blas:
    """BLAS on one thread while any engine serves, and then on as many as before the first.

    Threads of its own would wait for each other at every one of many small products.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._engines = 0
        self._limited: Any = None

    def take(self) -> None:
        """An engine begins."""
        with self._lock:
            if self._engines == 0:
                self._limited = ThreadpoolController().limit(limits=1, user_api="blas")
            self._engines += 1

    def give_back(self) -> None:
        """An engine has ended."""
        with self._lock:
            self._engines -= 1
            if self._engines == 0:
                self._limited.restore_original_limits()


_BLAS = _Blas()


class Engine:
    """Serves orders in threads of its own, which start with the first order.

    Attributes:
        prefixes: what is known of prompts' beginnings.
        threads: how many there are.
    """

    def __init__(
        self, weights: Weights, ends: frozenset[int], limits: Limits | None = None
    ) -> None:
        """Make an engine.

        Args:
            ends: tokens that end a reply.
        """
        self.prefixes = Prefixes()
        self._limits = limits or Limits()
        self._context = weights.shape.context
        self.threads = count = self._limits.threads or min(_cores(), MOST_THREADS)
        share = replace(
            self._limits,
            sequences=max(1, self._limits.sequences // count),
            memory=self._limits.memory // count,
        )
        self._workers = [Worker(self, weights, ends, share) for _ in range(count)]
        self._started: list[threading.Thread] = []
        self._waiting: deque[Sequence] = deque()
        self._changed = threading.Condition()
        self._reason: BaseException | None = None  # why it is closed
        self._has_blas = False

    @property
    def running(self) -> int:
        """How many sequences are under way."""
        return sum(len(each.running) for each in self._workers)

    def submit(self, order: Order) -> Future[Served]:
        """Hand in an order; cancelling the future gives up its sequences at the next step.

        Raises:
            ClosedError: the engine is closed, or failed.
        """
        job = Job(order)
        with self._changed:
            if self._reason is not None:
                raise ClosedError("the engine is closed")
            if not self._started:
                self._start_threads()
            self._waiting.append(Sequence(job, 0, self._context))
            self._changed.notify_all()
        return job.future

    def close(self) -> None:
        """Give up what is under way; returns when the threads have ended."""
        self._fail(ClosedError("the engine was closed"))
        for thread in self._started:
            thread.join()
        with self._changed:
            has_blas, self._has_blas = self._has_blas, False
        if has_blas:
            _BLAS.give_back()

    # --- for the workers -------------------------------------------------------------------------

    def take(self, worker: Worker) -> Sequence | None:
        """The next sequence for a worker that has room, and no more than its share already."""
        with self._changed:
            while self._waiting and self._waiting[0].job.future.cancelled():
                self._waiting.popleft()
            if not self._waiting or len(worker.running) >= min(worker.most, self._share()):
                return None
            return self._waiting.popleft() if worker.has_room(self._waiting[0]) else None

    def put_first(self, sequences: Iterable[Sequence]) -> None:
        """Let sequences wait before all others, in their order; closed, tell those who wait."""
        given = list(sequences)
        with self._changed:
            reason = self._reason
            if reason is None:
                self._waiting.extendleft(reversed(given))
                self._changed.notify_all()
        if reason is not None:
            for each in given:
                each.job.fail(reason)

    def make_room(self) -> None:
        """Forget prefixes until they fit into the memory beside the sequences, or into a share."""
        held = sum(each.held for each in self._workers)
        self.prefixes.shrink(max(self._limits.memory - held, self._limits.for_prefixes))

    def _share(self) -> int:
        """How many sequences each worker would have if all that wait ran too."""
        return -(-(self.running + len(self._waiting)) // len(self._workers))

    # --- threads ---------------------------------------------------------------------------------

    def _start_threads(self) -> None:
        _BLAS.take()
        self._has_blas = True
        try:
            for worker in self._workers:
                thread = threading.Thread(
                    target=self._work, args=(worker,), name="pocket", daemon=True
                )
                thread.start()
                self._started.append(thread)
        except BaseException as error:
            self._fail(error)
            raise

    def _work(self, worker: Worker) -> None:
        """What a thread does until the engine is closed, or fails."""
        try:
            while self._wait(worker):
                worker.step()
        except Exception as error:  # whatever it is: nobody may wait for ever
            self._fail(error)
        for each in worker.running:
            each.job.fail(self._reason or ClosedError("the engine was closed"))

    def _wait(self, worker: Worker) -> bool:
        """Wait until there is something to do for a worker; False when the engine is closed."""
        with self._changed:
            while self._reason is None and not worker.running and not self._waiting:
                self._changed.wait()
            return self._reason is None

    def _fail(self, reason: BaseException) -> None:
        """Close, and tell those who wait; workers tell those whose replies they are writing."""
        with self._changed:
            self._reason = self._reason or reason
            waiting, self._waiting = self._waiting, deque()
            self._changed.notify_all()
        for each in waiting:
            each.job.fail(self._reason)


def _cores() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
