"""What a search makes of several calls at a time, some of which fail."""

import asyncio
from itertools import permutations

import pytest

from feedback_friction.engine.models.base import KeyRefusedError, TransientError
from feedback_friction.engine.passes.prompt_search import together
from feedback_friction.engine.run.caller import Drained
from feedback_friction.errors import RunStoppedError


async def ending(result):
    if isinstance(result, BaseException):
        raise result
    return result


def run(results):
    async def all_of_them():
        return await together([ending(each) for each in results])

    return asyncio.run(all_of_them())


def test_results_come_in_the_order_of_the_work():
    assert run([3, 1, 2]) == [3, 1, 2]


def test_a_call_that_failed_for_good_stops_the_search_and_says_why():
    with pytest.raises(RunStoppedError, match="the server is gone") as stopped:
        run([1, TransientError("the server is gone"), 2])
    assert isinstance(stopped.value.__cause__, TransientError)


IN_THEIR_ORDER = [
    asyncio.CancelledError(),
    KeyRefusedError("the key is refused"),
    Drained(),
    TransientError("the server is gone"),
    ZeroDivisionError(),
]


@pytest.mark.parametrize("first", range(len(IN_THEIR_ORDER) - 1))
def test_of_several_errors_the_one_that_says_most_is_raised(first):
    wanted = type(IN_THEIR_ORDER[first])
    for errors in permutations(IN_THEIR_ORDER[first:]):
        with pytest.raises((asyncio.CancelledError, RunStoppedError, Drained)) as raised:
            run(errors)
        assert wanted in (type(raised.value), type(raised.value.__cause__))
