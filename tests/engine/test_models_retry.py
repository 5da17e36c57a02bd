"""Waiting: bounds of the backoff, the server's own wishes, and when to give up."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_friction.engine.models.remote.faults import Fault, FaultKind
from feedback_friction.engine.models.remote.retry import Retries, RetryPolicy, retry_after

TRANSIENT = (FaultKind.UNREACHABLE, FaultKind.FAULTY, FaultKind.LIMITED)
NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


@given(st.integers(1, 10_000), st.sampled_from(TRANSIENT), st.integers())
def test_a_wait_is_between_nothing_and_its_ceiling(
    failures: int, kind: FaultKind, seed: int
) -> None:
    policy = RetryPolicy()
    ceiling = policy.ceiling(failures, kind)
    assert ceiling <= (policy.reconnect_cap if kind is FaultKind.UNREACHABLE else policy.cap)
    assert 0 <= policy.wait(failures, kind, Random(seed)) <= ceiling


@given(st.integers(1, 10_000), st.sampled_from(TRANSIENT))
def test_the_ceiling_never_falls(failures: int, kind: FaultKind) -> None:
    policy = RetryPolicy()
    assert policy.ceiling(failures, kind) <= policy.ceiling(failures + 1, kind)


@given(st.integers(1, 50), st.sampled_from(TRANSIENT), st.integers(), st.floats(0, 1e6))
def test_what_the_server_asks_for_is_waited_up_to_a_limit(
    failures: int, kind: FaultKind, seed: int, asked: float
) -> None:
    policy = RetryPolicy()
    wait = policy.wait(failures, kind, Random(seed), asked)
    honoured = min(asked, policy.longest_wait)
    assert honoured <= wait <= max(policy.cap, honoured + policy.base)


def test_waits_fill_their_range() -> None:
    policy, random = RetryPolicy(), Random(1)
    waits = [policy.wait(4, FaultKind.FAULTY, random) for _ in range(2000)]
    assert min(waits) < 0.05
    assert max(waits) > 3.95
    assert abs(sum(waits) / len(waits) - 2.0) < 0.1  # uniform on [0, 4]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 2.5 "}, 2.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7.0),
        ({"retry-after": "Tue, 14 Nov 2023 22:14:20 GMT"}, 60.0),
        ({"retry-after": "Tuesday, 14-Nov-23 22:14:20 GMT"}, 60.0),
        ({"retry-after": "Tue, 14 Nov 2023 22:14:20 -0000"}, 60.0),
        ({"retry-after": "Tue, 14 Nov 2023 22:12:20 GMT"}, 0.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_every_form(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


@given(st.text())
def test_no_header_breaks_the_reader(value: str) -> None:
    seconds = retry_after({"retry-after": value}, NOW)
    assert seconds is None or seconds >= 0


def count_waits(kind: FaultKind, policy: RetryPolicy) -> tuple[int, float]:
    """How many waits a call of failures of one kind gets, and how long they last."""
    retries, now, waits = Retries(policy, Random(3), 0.0), 0.0, 0
    while (wait := retries.next_wait(Fault(kind, "x"), now)) is not None:
        now, waits = now + wait, waits + 1
    return waits, now


def test_a_spoiled_call_has_a_number_of_attempts() -> None:
    assert count_waits(FaultKind.FAULTY, RetryPolicy(attempts=4))[0] == 3
    assert count_waits(FaultKind.FAULTY, RetryPolicy(attempts=1))[0] == 0


@pytest.mark.parametrize("kind", [FaultKind.UNREACHABLE, FaultKind.LIMITED])
def test_a_call_that_was_never_tried_is_bounded_by_time_alone(kind: FaultKind) -> None:
    waits, lasted = count_waits(kind, RetryPolicy(attempts=2, total=300))
    assert waits > 10
    assert lasted <= 300
