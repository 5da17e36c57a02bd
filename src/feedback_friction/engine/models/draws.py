"""Several draws as one completion."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence

from feedback_friction.engine.models.remote.dialect import draw_seed
from feedback_friction.errors import RunStoppedError
from feedback_friction.protocol.records import Completion, Generate


def joined(one: Completion, other: Completion, seconds: float) -> Completion:
    """The replies of two completions of one request, which took that many seconds together."""
    return Completion(
        one.replies + other.replies,
        one.usage + other.usage,
        seconds,
        one.model or other.model,
        one.failures + other.failures,
    )


async def drawn(
    request: Generate,
    call: Callable[[Generate, int, int], Coroutine[object, object, Completion]],
    most: Callable[[], int],
    learn: Callable[[], None],
) -> Completion:
    """Exactly ``request.n`` replies: a server that gives fewer than asked for is asked again.

    Args:
        call: makes one request for (n replies, a seed) and tries it until it succeeds; it may come
            to ask for fewer.
        most: the most replies that one request may ask for, as far as is known.
        learn: told when a server turns out to ignore n without a word.
    """
    completion = await _some(request, request.n, 0, call, most, learn)
    while (so_far := len(completion.replies)) < request.n:
        more = await _some(request, request.n - so_far, so_far, call, most, learn)
        completion = joined(completion, more, completion.seconds + more.seconds)
    return completion


async def _some(
    request: Generate,
    n: int,
    so_far: int,
    call: Callable[[Generate, int, int], Coroutine[object, object, Completion]],
    most: Callable[[], int],
    learn: Callable[[], None],
) -> Completion:
    """Between 1 and ``n`` replies; all of them where it is known how many a request may ask for."""
    size = min(n, most())
    if size == n:
        completion = await call(request, n, draw_seed(request.seed, so_far))
        if len(completion.replies) == 1 < min(n, most()):
            learn()
        return completion
    parts = await all_of(
        [
            call(request, min(size, n - begin), draw_seed(request.seed, so_far + begin))
            for begin in range(0, n, size)
        ]
    )
    first = parts[0]
    for part in parts[1:]:
        first = joined(first, part, max(first.seconds, part.seconds))
    return first


async def all_of(calls: Sequence[Coroutine[object, object, Completion]]) -> list[Completion]:
    """All results; the first failure cancels the rest and is raised as itself."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call) for call in calls]
    except ExceptionGroup as failures:
        stops = [e for e in failures.exceptions if isinstance(e, RunStoppedError)]
        raise (stops or failures.exceptions)[0] from None
    return [task.result() for task in tasks]
