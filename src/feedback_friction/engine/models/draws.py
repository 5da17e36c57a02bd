"""Several draws as one completion."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence

from feedback_friction.engine.models.dialect import draw_seed
from feedback_friction.errors import RunStoppedError
from feedback_friction.protocol.records import Completion, Generate


def joined(one: Completion, other: Completion, seconds: float) -> Completion:
    """The replies of two completions of one request, which took that many seconds together."""
    return Completion(
        one.replies + other.replies, one.usage + other.usage, seconds, one.model or other.model
    )


async def drawn(
    request: Generate,
    call: Callable[[Generate, int, int], Coroutine[object, object, Completion]],
    one_a_request: Callable[[], bool],
    learn: Callable[[], None],
) -> Completion:
    """Exactly ``request.n`` replies: a server that gives fewer than asked for is asked again.

    Args:
        call: makes one request for (n replies, a seed) and tries it until it succeeds.
        one_a_request: whether each reply is known to need a request of its own.
        learn: told when a server turns out to ignore n without a word.
    """
    completion = await _some(request, request.n, 0, call, one_a_request, learn)
    while (so_far := len(completion.replies)) < request.n:
        more = await _some(request, request.n - so_far, so_far, call, one_a_request, learn)
        completion = joined(completion, more, completion.seconds + more.seconds)
    return completion


async def _some(
    request: Generate,
    n: int,
    so_far: int,
    call: Callable[[Generate, int, int], Coroutine[object, object, Completion]],
    one_a_request: Callable[[], bool],
    learn: Callable[[], None],
) -> Completion:
    """Between 1 and ``n`` replies; all of them where each needs a request of its own."""
    if n == 1 or not one_a_request():
        completion = await call(request, n, draw_seed(request.seed, so_far))
        if len(completion.replies) == 1 < n and not one_a_request():
            learn()
        return completion
    singles = await all_of(
        [call(request, 1, draw_seed(request.seed, so_far + i)) for i in range(n)]
    )
    first = singles[0]
    for single in singles[1:]:
        first = joined(first, single, max(first.seconds, single.seconds))
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
