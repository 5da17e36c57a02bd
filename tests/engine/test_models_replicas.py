"""Replicas: a problem keeps its server, the load is even, the dead are left alone and looked at."""

import pytest
from yarl import URL

from feedback_friction.engine.models.remote.endpoint import Endpoint
from feedback_friction.engine.models.remote.faults import FaultKind
from feedback_friction.engine.models.remote.replicas import (
    COOLING,
    FAULTY,
    LIMITS,
    LONGEST_LIMIT,
    UNREACHABLE,
    Replica,
    Replicas,
)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def make(count: int) -> tuple[Replicas, Clock]:
    clock = Clock()
    urls = [f"http://server{i}:8000/v1" for i in range(count)]
    return Replicas([Endpoint(URL(url), url) for url in urls], clock), clock


def kill(replicas: Replicas, replica: Replica) -> None:
    for _ in range(UNREACHABLE):
        replicas.failed(replica, FaultKind.UNREACHABLE)


def test_a_problem_stays_with_its_replica() -> None:
    replicas, _ = make(3)
    first = {str(i): replicas.place(str(i)) for i in range(200)}
    for replica in replicas.all:
        replica.in_flight += 5 * replicas.all.index(replica)
    assert all(replicas.place(problem) is home for problem, home in first.items())


def test_problems_that_come_alone_are_spread_the_same_way_in_every_run() -> None:
    one, other = make(3)[0], make(3)[0]
    names = [str(i) for i in range(600)]
    shares = [one.place(name).endpoint.label for name in names]
    assert shares == [other.place(name).endpoint.label for name in reversed(names)][::-1]
    assert all(160 < shares.count(label) < 240 for label in set(shares))


@pytest.mark.parametrize("count", [2, 3, 5])
def test_problems_that_come_together_are_spread_evenly(count: int) -> None:
    replicas, _ = make(count)
    for i in range(60):
        replicas.place(str(i)).in_flight += 1
    loads = [replica.in_flight for replica in replicas.all]
    assert max(loads) - min(loads) <= 1


def test_a_dead_replica_loses_its_problems_and_the_others_keep_theirs() -> None:
    replicas, _ = make(3)
    homes = {str(i): replicas.place(str(i)) for i in range(300)}
    dead = replicas.all[1]
    kill(replicas, dead)
    for problem, home in homes.items():
        now = replicas.place(problem)
        assert now is not dead
        assert now is home or home is dead


def test_a_moved_problem_stays_where_it_went() -> None:
    replicas, clock = make(2)
    dead = replicas.place("p")
    kill(replicas, dead)
    moved = replicas.place("p")
    clock.now += COOLING
    assert replicas.place("probe") is dead
    replicas.answered(dead)
    assert replicas.place("p") is moved


def test_one_call_at_a_time_probes_a_dead_replica_at_growing_intervals() -> None:
    replicas, clock = make(2)
    dead = replicas.all[0]
    kill(replicas, dead)
    intervals = []
    for _ in range(6):
        began = clock.now
        while replicas.place("p") is not dead:
            clock.now += 0.5
        intervals.append(clock.now - began)
        assert replicas.place("p") is not dead  # the probe is under way
        replicas.failed(dead, FaultKind.UNREACHABLE)
    assert intervals == [5, 10, 20, 40, 60, 60]


def test_calls_that_were_under_way_when_it_died_do_not_postpone_the_probe() -> None:
    replicas, clock = make(2)
    dead = replicas.all[0]
    for _ in range(100):
        replicas.failed(dead, FaultKind.FAULTY)
    clock.now += COOLING
    assert replicas.place("p") is dead


def test_a_replica_that_answers_again_gets_new_problems() -> None:
    replicas, clock = make(2)
    dead = replicas.all[0]
    kill(replicas, dead)
    clock.now += COOLING
    assert replicas.place("probe") is dead
    replicas.answered(dead)
    assert {replicas.place(str(i)) for i in range(40)} == set(replicas.all)


def test_random_faults_do_not_mark_a_replica_down() -> None:
    replicas, _ = make(2)
    replica = replicas.all[0]
    for _ in range(20):
        for _ in range(FAULTY - 1):
            replicas.failed(replica, FaultKind.FAULTY)
        replicas.answered(replica)
    assert replica.down_until is None


def test_with_all_down_calls_go_on_trying() -> None:
    replicas, _ = make(2)
    for replica in replicas.all:
        kill(replicas, replica)
    assert replicas.place("p") in replicas.all


def test_a_single_server_is_never_left_alone() -> None:
    replicas, _ = make(1)
    kill(replicas, replicas.all[0])
    assert replicas.place("p") is replicas.all[0]


def limit(
    replicas: Replicas,
    replica: Replica,
    problem: str = "p",
    after: float | None = 3600,
    times: int = 1,
) -> bool:
    return replicas.limited(replica, problem, after, times)


def test_a_replica_that_asks_for_a_long_wait_hands_its_problems_over() -> None:
    replicas, _ = make(3)
    homes = {str(i): replicas.place(str(i)) for i in range(300)}
    limited = replicas.all[1]
    asker = next(problem for problem, home in homes.items() if home is limited)
    assert limit(replicas, limited, asker)
    for problem, home in homes.items():
        now = replicas.place(problem)
        assert now is not limited
        assert now is home or home is limited


def test_a_short_wait_is_waited_where_the_prefix_is_but_not_for_ever() -> None:
    replicas, _ = make(2)
    home = replicas.place("p")
    other = next(each for each in replicas.all if each is not home)
    assert not limit(replicas, home, "p", 1.0, 1)
    assert not limit(replicas, home, "p", None, LIMITS - 1)
    assert replicas.place("p") is home
    assert limit(replicas, home, "p", 1.0, LIMITS)
    assert replicas.place("p") is other
    assert home.down_until is None  # its other problems stay


def test_a_limited_replica_is_looked_at_and_gets_some_of_its_problems_back() -> None:
    replicas, clock = make(2)
    problems = [str(i) for i in range(40)]
    homes = {problem: replicas.place(problem) for problem in problems}
    limited, other = replicas.all
    mine = [problem for problem in problems if homes[problem] is limited]
    limit(replicas, limited, mine[0])
    assert {replicas.place(problem) for problem in problems} == {other}
    clock.now += LONGEST_LIMIT
    assert replicas.place(mine[0]) is limited
    assert {replicas.place(problem) for problem in problems} == {other}  # one call looks
    replicas.answered(limited, clock.now)
    other.in_flight = 10
    back = []
    for problem in problems:
        if replicas.place(problem) is limited:
            back.append(problem)
            limited.in_flight += 1
            other.in_flight -= 1
    assert set(back) <= set(mine)  # what never moved stays where its prefix is
    assert len(back) == 5  # the load is even now
    assert [problem for problem in problems if replicas.place(problem) is limited] == back


def test_a_probe_that_is_limited_again_is_followed_by_another_wait() -> None:
    replicas, clock = make(2)
    limited = replicas.place("p")
    limit(replicas, limited, "p", 30)
    clock.now += 30
    assert replicas.place("p") is limited
    limit(replicas, limited, "p", 60)
    clock.now += 59
    assert replicas.place("p") is not limited
    clock.now += 1
    assert replicas.place("p") is limited


def test_what_was_asked_before_the_limit_does_not_lift_it() -> None:
    replicas, clock = make(2)
    limited, began = replicas.place("p"), clock.now
    clock.now += 1
    limit(replicas, limited, "p")
    replicas.answered(limited, began)
    assert replicas.place("p") is not limited
    replicas.answered(limited, clock.now)
    assert limited.down_until is None


def test_a_shorter_wait_that_comes_late_does_not_shorten_the_first() -> None:
    replicas, clock = make(2)
    limited = replicas.place("p")
    limit(replicas, limited, "p", 100)
    limit(replicas, limited, "p", 10)
    clock.now += 99
    assert replicas.place("q") is not limited


def test_when_every_replica_is_limited_calls_wait_as_they_are_told() -> None:
    replicas, _ = make(2)
    one, other = replicas.all
    assert limit(replicas, one)
    assert not limit(replicas, other)
    single, _ = make(1)
    assert not limit(single, single.all[0])
