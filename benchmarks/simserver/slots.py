"""Finite slots with a first-in, first-out queue: how many sequences a server decodes at once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable


class Job:
    """One sequence: waiting, running, or over.

    Attributes:
        seconds: its service time, known once it runs.
    """

    __slots__ = ("_begin", "_done", "_over", "_timer", "seconds")

    def __init__(self, begin: Callable[[], float], done: Callable[[], None]):
        self._begin, self._done = begin, done
        self._timer: asyncio.TimerHandle | None = None
        self._over = False
        self.seconds = 0.0


class Slots:
    """Serves jobs, ``count`` at a time (0: no limit).

    Attributes:
        running: jobs being served now.
        max_running: the most there were at once.
        max_waiting: the longest that the queue was.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, count: int):
        self._loop, self.count = loop, count
        self._waiting: deque[Job] = deque()
        self.running = self.max_running = self.max_waiting = 0

    def submit(self, begin: Callable[[], float], done: Callable[[], None]) -> Job:
        """Queue a job.

        Args:
            begin: called when the job gets its slot; returns its service time in seconds.
            done: called when that time is over.
        """
        job = Job(begin, done)
        self._waiting.append(job)
        self.serve()
        self.max_waiting = max(self.max_waiting, len(self._waiting))
        return job

    def cancel(self, job: Job) -> None:
        """Drop a job, which frees its slot at once, as when a client hangs up."""
        if job._over:
            return
        job._over = True
        if job._timer is None:
            self._waiting.remove(job)
            return
        job._timer.cancel()
        self.running -= 1
        self.serve()

    def serve(self) -> None:
        """Start what there is room for."""
        while self._waiting and (not self.count or self.running < self.count):
            job = self._waiting.popleft()
            self.running += 1
            self.max_running = max(self.max_running, self.running)
            job.seconds = job._begin()
            if job.seconds > 0:
                job._timer = self._loop.call_later(job.seconds, self._finish, job)
            else:
                self._end(job)

    def _finish(self, job: Job) -> None:
        self._end(job)
        self.serve()

    def _end(self, job: Job) -> None:
        job._over = True
        self.running -= 1
        job._done()
