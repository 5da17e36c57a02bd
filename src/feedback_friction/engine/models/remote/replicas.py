"""Several servers of one model: who gets which problem, and who is believed to be down.

A problem stays with the replica that it was first given to, so that the server's prefix cache holds
the beginning of its next prompt. A new problem goes to the replica with the fewest calls under way
(join the shortest queue), which also keeps a slower replica from falling behind; among equals, to
the one that rendezvous hashing names (Thaler and Ravishankar, 1998), the same in every run.

A replica that cannot be reached is marked down; its problems move to others, and one call at a time
looks whether it is back. So is one that asks for more patience than a prefix is worth (a rate limit
with a long Retry-After). What moved returns when its first replica is back and has less to do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from feedback_friction.engine.models.remote.endpoint import Endpoint
from feedback_friction.engine.models.remote.faults import FaultKind

# Failures in a row that mark a replica down.
UNREACHABLE, FAULTY = 2, 8
COOLING, LONGEST_COOLING = 5.0, 60.0  # seconds until the first probe, doubled after each that fails
PATIENCE = 5.0  # seconds: what a replica asks to wait for longer is waited for elsewhere
LIMITS = 3  # rate limits of one call, one after the other, after which it goes elsewhere
LONGEST_LIMIT = 120.0  # seconds that a replica's wait is honoured: a probe costs nothing


@dataclass(eq=False, slots=True)
class Replica:
    """One server and what is known of its health."""

    endpoint: Endpoint  # where it is
    in_flight: int = 0  # calls under way
    down_until: float | None = None  # clock time of the next probe; None while it is up
    down_since: float = 0.0  # clock time at which it was last marked down
    probing: bool = False  # one call is looking whether it is back
    unreachable: int = 0  # failures to connect since its last answer
    faulty: int = 0  # unusable answers since its last usable one
    cooling: float = 0.0  # seconds between its probes


class Replicas:
    """The servers of one model."""

    def __init__(self, endpoints: Sequence[Endpoint], clock: Callable[[], float]):
        """Begin with all of them up; ``clock`` gives monotonic seconds."""
        self.all = tuple(Replica(endpoint) for endpoint in endpoints)
        self._clock = clock
        self._home: dict[str, Replica] = {}
        self._left: dict[str, Replica] = {}  # by problem that moved, its first replica

    def place(self, problem: str) -> Replica:
        """The replica that a call for this problem goes to."""
        if len(self.all) == 1:
            return self.all[0]
        probe = self._due_for_probe()
        if probe is not None:
            return probe
        home = self._home.get(problem)
        if home is None:
            home = self._home[problem] = self._least_busy(problem)
        elif home.down_until is not None:
            home = self._move(problem, home)
        left = self._left.get(problem, home)
        if left.down_until is None and left.in_flight < home.in_flight:
            del self._left[problem]
            home = self._home[problem] = left
        return home

    def answered(self, replica: Replica, began: float = math.inf) -> None:
        """Note that the replica answered, if only to refuse.

        ``began`` is the clock time at which it was asked: what it was asked before it was marked
        down says nothing of how it is now.
        """
        replica.unreachable = replica.faulty = 0
        if began >= replica.down_since:
            replica.down_until = None
            replica.probing = False

    def limited(
        self, replica: Replica, problem: str, retry_after: float | None, times: int
    ) -> bool:
        """Note that the replica takes no call for now.

        Args:
            replica: who said so.
            problem: what it was asked.
            retry_after: seconds that it asked to wait.
            times: failures of this call so far, this one included.

        Returns:
            Whether another replica is to be asked instead, without that wait.
        """
        if len(self.all) == 1:
            return False
        replica.unreachable = replica.faulty = 0
        asked = min(retry_after or 0.0, LONGEST_LIMIT)
        if asked > PATIENCE or replica.probing:
            self.mark_down(replica, COOLING, asked)
        elif times < LIMITS and replica.down_until is None:
            return False
        return self._move(problem, replica).down_until is None

    def failed(self, replica: Replica, kind: FaultKind) -> None:
        """Note a failure; enough of them in a row mark the replica down."""
        if kind is FaultKind.UNREACHABLE:
            replica.unreachable += 1
        else:
            replica.faulty += 1
        if replica.probing:
            self.mark_down(replica, min(2 * replica.cooling, LONGEST_COOLING))
        elif replica.down_until is None and (
            replica.unreachable >= UNREACHABLE or replica.faulty >= FAULTY
        ):
            self.mark_down(replica)

    def mark_down(self, replica: Replica, cooling: float = COOLING, pause: float = 0.0) -> None:
        """Leave a replica alone for that pause, or at least until it has cooled.

        Its problems move when they next call.
        """
        replica.cooling = cooling
        replica.probing = False
        replica.down_since = self._clock()
        replica.down_until = max(
            replica.down_until or 0.0, replica.down_since + max(cooling, pause)
        )

    def _due_for_probe(self) -> Replica | None:
        """A replica whose cooling is over; the call that gets it is the only probe for a while."""
        now = self._clock()
        for replica in self.all:
            if replica.down_until is not None and replica.down_until <= now:
                replica.down_until = now + replica.cooling
                replica.probing = True
                return replica
        return None

    def _move(self, problem: str, home: Replica) -> Replica:
        """Give a problem to another replica; it stays where it is when no other one is up."""
        other = self._least_busy(problem, home)
        if other is not home:
            self._left.setdefault(problem, home)
            if self._left[problem] is other:
                del self._left[problem]
            self._home[problem] = other
        return other

    def _least_busy(self, problem: str, left: Replica | None = None) -> Replica:
        """Of the replicas that are up, without the one that is left, that with the fewest calls.

        When none is up it is the one that may be first to be so again.
        """
        up = [each for each in self.all if each.down_until is None and each is not left]
        if up:
            return min(up, key=lambda each: (each.in_flight, _rank(each, problem)))
        return min(self.all, key=lambda each: (each.down_until or 0.0, _rank(each, problem)))


def _rank(replica: Replica, problem: str) -> bytes:
    return blake2b(f"{replica.endpoint.label}\n{problem}".encode(), digest_size=8).digest()
