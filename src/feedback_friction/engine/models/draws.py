"""Several draws as one completion."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence

from feedback_friction.errors import RunStoppedError
from feedback_friction.protocol.records import Completion


def joined(one: Completion, other: Completion, seconds: float) -> Completion:
    """The replies of two completions of one request, which took that many seconds together."""
    return Completion(
        one.replies + other.replies, one.usage + other.usage, seconds, one.model or other.model
    )


async def all_of(calls: Sequence[Coroutine[object, object, Completion]]) -> list[Completion]:
    """All results; the first failure cancels the rest and is raised as itself."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call) for call in calls]
    except ExceptionGroup as failures:
        stops = [e for e in failures.exceptions if isinstance(e, RunStoppedError)]
        raise (stops or failures.exceptions)[0] from None
    return [task.result() for task in tasks]
