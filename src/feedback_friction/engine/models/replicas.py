"""Several servers of one model: who gets which problem, and who is believed to be down.

A problem stays with the replica that it was first given to, so that the server's prefix cache holds
the beginning of its next prompt. A new problem goes to the replica with the fewest calls under way
(join the shortest queue), which also keeps a slower replica from falling behind; among equals, to
the one that rendezvous hashing names (Thaler and Ravishankar, 1998), the same in every run.

A replica that cannot be reached is marked down; its problems move to others for good, and one call
at a time looks whether it is back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from yarl import URL

from feedback_friction.engine.models.endpoint import Endpoint
from feedback_friction.engine.models.faults import FaultKind


@dataclass(frozen=True, slots=True)
class ReplicaPolicy:
    """When a replica counts as down, and for how long it is left alone.

    Attributes:
        unreachable: failures to connect, one after the other, that mark it down.
        faulty: unusable answers, one after the other, that mark it down.
        cooling: seconds until the first probe; doubled after each probe that fails.
        longest_cooling: limit of that doubling, in seconds.
    """

    unreachable: int = 2
    faulty: int = 8
    cooling: float = 5.0
    longest_cooling: float = 60.0


@dataclass(eq=False, slots=True)
class Replica:
    """One server and what is known of its health.

    Attributes:
        endpoint: where it is.
        url: where its chat completions are.
        headers: sent with each call; never shown, they hold the key.
        in_flight: calls under way.
        down_until: clock time of the next probe; None while it is up.
        probing: one call is looking whether it is back.
        unreachable: failures to connect since its last answer.
        faulty: unusable answers since its last usable one.
        cooling: seconds between its probes.
    """

    endpoint: Endpoint
    url: URL = field(init=False, repr=False)
    headers: dict[str, str] = field(init=False, repr=False)
    in_flight: int = 0
    down_until: float | None = None
    probing: bool = False
    unreachable: int = 0
    faulty: int = 0
    cooling: float = 0.0

    def __post_init__(self) -> None:
        self.url = self.endpoint.at("chat/completions")
        self.headers = {"Content-Type": "application/json"} | self.endpoint.headers()


class Replicas:
    """The servers of one model."""

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        clock: Callable[[], float],
        policy: ReplicaPolicy | None = None,
    ):
        """Begin with all of them up; ``clock`` gives monotonic seconds."""
        self.all = tuple(Replica(endpoint) for endpoint in endpoints)
        self._clock = clock
        self._policy = policy or ReplicaPolicy()
        self._home: dict[str, Replica] = {}

    @property
    def in_flight(self) -> int:
        """Calls under way at all replicas."""
        return sum(replica.in_flight for replica in self.all)

    def place(self, problem: str) -> Replica:
        """The replica that a call for this problem goes to."""
        if len(self.all) == 1:
            return self.all[0]
        probe = self._due_for_probe()
        if probe is not None:
            return probe
        home = self._home.get(problem)
        if home is None or home.down_until is not None:
            home = self._home[problem] = self._least_busy(problem)
        return home

    def answered(self, replica: Replica) -> None:
        """Note that the replica answered, if only to refuse."""
        replica.unreachable = replica.faulty = 0
        replica.down_until = None
        replica.probing = False

    def failed(self, replica: Replica, kind: FaultKind) -> None:
        """Note a failure; enough of them in a row mark the replica down."""
        if kind is FaultKind.UNREACHABLE:
            replica.unreachable += 1
        else:
            replica.faulty += 1
        if replica.probing:
            self._mark_down(replica, min(2 * replica.cooling, self._policy.longest_cooling))
        elif replica.down_until is None and (
            replica.unreachable >= self._policy.unreachable or replica.faulty >= self._policy.faulty
        ):
            self.mark_down(replica)

    def mark_down(self, replica: Replica) -> None:
        """Leave a replica alone for a while; its problems move when they next call."""
        self._mark_down(replica, self._policy.cooling)

    def _mark_down(self, replica: Replica, cooling: float) -> None:
        replica.cooling = cooling
        replica.probing = False
        replica.down_until = self._clock() + cooling

    def _due_for_probe(self) -> Replica | None:
        """A replica whose cooling is over; the call that gets it is the only probe for a while."""
        now = self._clock()
        for replica in self.all:
            if replica.down_until is not None and replica.down_until <= now:
                replica.down_until = now + replica.cooling
                replica.probing = True
                return replica
        return None

    def _least_busy(self, problem: str) -> Replica:
        """Of the replicas that are up (of all, when none is) the one with the fewest calls."""
        up = [replica for replica in self.all if replica.down_until is None] or self.all
        return min(up, key=lambda replica: (replica.in_flight, _rank(replica, problem)))


def _rank(replica: Replica, problem: str) -> bytes:
    return blake2b(f"{replica.endpoint.label}\n{problem}".encode(), digest_size=8).digest()
