"""The breaker: what trips it, what does not, and what happens to calls that are under way."""

import asyncio
from collections.abc import Callable

import pytest

from feedback_friction.engine.models.remote.breaker import FAILURES, PATIENCE, REFUSALS, Breaker
from feedback_friction.engine.models.remote.faults import Fault, FaultKind
from feedback_friction.errors import RunStoppedError
from feedback_friction.protocol.records import Completion, Reply, Usage


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def fault(kind: FaultKind = FaultKind.UNREACHABLE, status: int | None = None) -> Fault:
    return Fault(kind, "connection refused", status=status)


def make() -> tuple[Breaker, Clock]:
    clock = Clock()
    return Breaker("openai/tiny: http://a:1/v1", clock), clock


def fail(
    breaker: Breaker,
    clock: Clock,
    kind: FaultKind,
    *,
    times: int,
    apart: float,
    under_way: int = 0,
) -> None:
    for _ in range(times):
        clock.now += apart
        breaker.failed(fault(kind), clock.now, under_way, object())
        asyncio.run(breaker.settle(spoiled))


async def spoiled() -> Fault:
    return fault(FaultKind.FAULTY)


@pytest.mark.parametrize(
    ("kind", "patience", "says"),
    [
        (FaultKind.UNREACHABLE, PATIENCE[FaultKind.UNREACHABLE], "could not be reached for 32 s"),
        (FaultKind.FAULTY, PATIENCE[FaultKind.FAULTY], "gave no usable answer for 128 s"),
        (FaultKind.LIMITED, PATIENCE[FaultKind.LIMITED], "let no call through for 960 s"),
    ],
)
def test_a_server_that_only_fails_stops_the_run_after_a_while(
    kind: FaultKind, patience: float, says: str
) -> None:
    breaker, clock = make()
    fail(breaker, clock, kind, times=8, apart=patience / 7.5)
    assert breaker.reason is None
    with pytest.raises(RunStoppedError) as stopped:
        fail(breaker, clock, kind, times=1, apart=patience / 7.5)
    assert str(stopped.value) == (
        f"openai/tiny: http://a:1/v1 {says} (9 failures in a row, the last: connection refused)"
    )


def test_many_failures_at_once_do_not_stop_a_run() -> None:
    breaker, clock = make()
    fail(breaker, clock, FaultKind.UNREACHABLE, times=1000, apart=0.02)
    assert breaker.reason is None


def test_few_failures_over_a_long_time_do_not_stop_a_run() -> None:
    breaker, clock = make()
    fail(breaker, clock, FaultKind.UNREACHABLE, times=FAILURES - 1, apart=100)
    assert breaker.reason is None


def test_one_success_starts_the_count_anew() -> None:
    breaker, clock = make()
    for _ in range(50):
        fail(breaker, clock, FaultKind.FAULTY, times=4, apart=60)
        breaker.succeeded()
    assert breaker.reason is None


def test_calls_under_way_may_still_succeed_and_are_waited_for() -> None:
    breaker, clock = make()
    fail(breaker, clock, FaultKind.FAULTY, times=20, apart=10, under_way=21)
    assert breaker.reason is None
    with pytest.raises(RunStoppedError):
        fail(breaker, clock, FaultKind.FAULTY, times=1, apart=10, under_way=21)


def test_a_long_call_that_fails_counts_from_its_beginning() -> None:
    breaker, clock = make()
    began, clock.now = clock.now, clock.now + 600
    for _ in range(FAILURES - 1):
        breaker.failed(fault(FaultKind.FAULTY), began, 0, object())
    asyncio.run(breaker.settle(spoiled))
    breaker.failed(fault(FaultKind.FAULTY), began, 0, object())
    with pytest.raises(RunStoppedError):
        asyncio.run(breaker.settle(spoiled))


@pytest.mark.parametrize(
    "answer",
    [
        Completion((Reply("yes", "stop"),), Usage(), 0.0),
        fault(FaultKind.EMPTY),
        fault(FaultKind.LIMITED),
        fault(FaultKind.REFUSED, 400),
    ],
    ids=["reply", "empty", "limited", "refused"],
)
def test_a_server_that_answers_something_harmless_is_not_to_blame(
    answer: Completion | Fault,
) -> None:
    breaker, clock = make()
    asked = 0

    async def ask() -> Completion | Fault:
        nonlocal asked
        asked += 1
        return answer

    for number in range(60):
        clock.now += 20
        breaker.failed(fault(FaultKind.FAULTY), clock.now, 0, f"poison {number % 3}")
        asyncio.run(breaker.settle(ask))
    assert (breaker.reason, asked) == (None, 1)  # these three problems are known from then on
    for number in range(60):
        clock.now += 20
        breaker.failed(fault(FaultKind.FAULTY), clock.now, 0, f"fresh {number}")
        if number < 7:
            asyncio.run(breaker.settle(ask))
    assert asked == 2
    with pytest.raises(RunStoppedError):
        asyncio.run(breaker.settle(spoiled))


@pytest.mark.parametrize("milder", [FaultKind.FAULTY, FaultKind.LIMITED])
def test_a_milder_failure_proves_that_the_server_can_be_reached(milder: FaultKind) -> None:
    breaker, clock = make()
    for _ in range(9):
        fail(breaker, clock, FaultKind.UNREACHABLE, times=9, apart=1)
        fail(breaker, clock, milder, times=1, apart=1)
    assert breaker.reason is None


def test_a_graver_failure_does_not_interrupt_a_milder_streak() -> None:
    breaker, clock = make()
    for _ in range(12):
        fail(breaker, clock, FaultKind.FAULTY, times=1, apart=5)
        fail(breaker, clock, FaultKind.UNREACHABLE, times=1, apart=5)
    with pytest.raises(RunStoppedError, match="gave no usable answer for 120 s"):
        fail(breaker, clock, FaultKind.FAULTY, times=1, apart=5)


def test_the_first_calls_being_refused_stops_the_run() -> None:
    breaker, _ = make()
    breaker.refused(fault(FaultKind.REFUSED, 400))
    breaker.refused(fault(FaultKind.REFUSED, 400))
    with pytest.raises(RunStoppedError, match="refused 3 calls in a row, the last: connection"):
        breaker.refused(fault(FaultKind.REFUSED, 400))


@pytest.mark.parametrize("status", [404, 405])
def test_an_unknown_model_or_path_stops_the_run_at_once(status: int) -> None:
    breaker, _ = make()
    with pytest.raises(RunStoppedError, match="refused the first call"):
        breaker.refused(fault(FaultKind.REFUSED, status))


def test_refusals_after_a_success_stop_the_run_only_when_there_are_many() -> None:
    breaker, _ = make()
    breaker.succeeded()
    for _ in range(REFUSALS - 1):
        breaker.refused(fault(FaultKind.REFUSED, 404))
    breaker.succeeded()
    for _ in range(REFUSALS - 1):
        breaker.refused(fault(FaultKind.REFUSED, 400))
    with pytest.raises(RunStoppedError):
        breaker.refused(fault(FaultKind.REFUSED, 400))


def test_once_open_every_call_fails_with_the_same_line() -> None:
    breaker, _ = make()

    async def main() -> None:
        breaker.open("gone")
        breaker.open("another reason")
        with pytest.raises(RunStoppedError, match=r"^gone$"):
            async with breaker.watch():
                pytest.fail("a call began after the breaker opened")

    asyncio.run(main())


def watched(breaker: Breaker, action: Callable[[], object]) -> tuple[list[str], str]:
    """Ten calls that hang under the breaker while ``action`` is done; how each ended."""

    async def call() -> str:
        try:
            async with breaker.watch():
                await asyncio.sleep(3600)
        except RunStoppedError as error:
            return str(error)
        except asyncio.CancelledError:
            return "cancelled"
        return "finished"

    async def main() -> tuple[list[str], str]:
        calls = [asyncio.create_task(call()) for _ in range(10)]
        outsider = asyncio.create_task(asyncio.sleep(0.05, "untouched"))
        await asyncio.sleep(0)
        action()
        results = await asyncio.gather(*calls)
        assert all(task.cancelling() == 0 for task in calls)
        return results, await outsider

    return asyncio.run(main())


def test_calls_under_way_fail_fast_when_it_opens() -> None:
    breaker, _ = make()
    assert watched(breaker, lambda: breaker.open("gone")) == (["gone"] * 10, "untouched")


def test_a_cancellation_from_elsewhere_passes_through() -> None:
    breaker, _ = make()

    async def main() -> None:
        async def call() -> None:
            async with breaker.watch():
                await asyncio.sleep(3600)

        task = asyncio.create_task(call())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert breaker.reason is None

    asyncio.run(main())


def test_a_cancellation_from_elsewhere_wins_over_the_breaker() -> None:
    breaker, _ = make()

    async def main() -> None:
        async def call() -> None:
            async with breaker.watch():
                await asyncio.sleep(3600)

        task = asyncio.create_task(call())
        await asyncio.sleep(0)
        task.cancel()
        breaker.open("gone")
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_one_prompt_that_is_always_told_to_slow_down_does_not_stop_the_run() -> None:
    breaker, clock = make()

    async def ask() -> Completion | Fault:
        return Completion((Reply("yes", "stop"),), Usage(), 0.0)

    for _ in range(60):
        clock.now += 60
        breaker.failed(fault(FaultKind.LIMITED), clock.now, 0, "poison")
        asyncio.run(breaker.settle(ask))
    assert breaker.reason is None
