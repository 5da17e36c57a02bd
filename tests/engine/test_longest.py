"""Who goes first: what is expected to last longest, learnt from what was seen of its problem."""

from __future__ import annotations

import asyncio
import random

from hypothesis import given
from hypothesis import strategies as st

from feedback_friction.engine.journal.rows import Seen
from feedback_friction.engine.run.longest import Longest, Places

ONE, OTHER = ("t", "one"), ("t", "other")


def expecting(**known):
    longest = Longest()
    places = {"one": ONE, "other": OTHER}
    longest.begin({"tutor": 10}, [(places[name], seen) for name, seen in known.items()])
    return longest


def test_of_problems_that_nothing_is_known_of_the_one_furthest_behind_goes_first():
    longest = expecting()
    left = [longest.left(ONE, iteration, "tutor") for iteration in range(10)]
    assert left == sorted(left, reverse=True)
    assert left[0] == 10 * left[9]


def test_long_replies_and_many_attempts_of_other_conditions_are_expected_again():
    plain, long = Seen(4, 400, [2]), Seen(4, 4000, [2])
    assert expecting(one=long, other=plain).left(ONE, 0) > expecting(one=long, other=plain).left(
        OTHER, 0
    )
    stubborn = expecting(one=Seen(4, 400, [10, 10]), other=Seen(4, 400, [1, 1]))
    assert stubborn.left(ONE, 0) > stubborn.left(OTHER, 0)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=30), st.integers(1, 4))
def test_places_go_to_the_heaviest_and_never_to_more_than_there_are(weights, count):
    async def main():
        places, order, held = Places(count), [], 0

        async def work(weight):
            nonlocal held
            await places.take(weight)
            held += 1
            assert held <= count
            order.append(weight)
            await asyncio.sleep(0)
            held -= 1
            places.give()

        await asyncio.gather(*(work(each) for each in weights))
        return order

    order = asyncio.run(main())
    assert sorted(order) == sorted(weights)
    waited = order[count:]  # those before found a free place
    assert waited == sorted(waited, reverse=True)


@given(st.integers(0, 9))
def test_a_waiter_that_is_cancelled_takes_no_place_with_it(seed):
    async def main():
        rng, places, done = random.Random(seed), Places(2), 0

        async def work(weight):
            nonlocal done
            await places.take(weight)
            try:
                await asyncio.sleep(0)
                done += 1
            finally:
                places.give()

        tasks = [asyncio.create_task(work(rng.random())) for _ in range(20)]
        for _ in range(3):
            await asyncio.sleep(0)
        for each in rng.sample(tasks, 8):
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        cancelled = sum(each.cancelled() for each in tasks)
        assert done == 20 - cancelled
        async with asyncio.timeout(5):  # both places are there still
            await asyncio.gather(places.take(1), places.take(1))

    asyncio.run(main())
