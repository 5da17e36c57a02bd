"""As many requests at once as the operating system gives this process file descriptors for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

_OTHERS = 96  # journal, log, workers, pipes, name look-ups and whatever the libraries hold


def fitting(concurrency: int, notice: Callable[[str], None]) -> int:
    """The concurrency that the limit on open files allows, after raising the limit where it may.

    Every request in flight holds a connection, and so a descriptor. macOS gives a process 256.

    Args:
        concurrency: requests in flight that were asked for.
        notice: told, in one line, where they do not fit.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return concurrency
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = concurrency + _OTHERS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(ValueError, OSError):  # a system may refuse what it names as its limit
            resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return concurrency
    fits = max(1, soft - _OTHERS)
    notice(
        f"{fits} requests at once instead of {concurrency}: this process may open only {soft} "
        "files and connections (ulimit -n)"
    )
    return fits
