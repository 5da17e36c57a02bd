"""How many replies a server lets one request ask for: learnt from its refusals."""

from __future__ import annotations

from feedback_friction.engine.models.remote.dialect import limit_on_n
from feedback_friction.engine.models.remote.faults import Fault, FaultKind


class DrawLimit:
    """What is known of a server's limit on n.

    Attributes:
        most: replies that a request may ask for; None where all were allowed so far.
    """

    def __init__(self, most: int | None = None) -> None:
        """Begin with what is known beforehand."""
        self.most = most
        self._drawn = 1  # replies that one request has brought at most

    def fewer(self, fault: Fault, n: int) -> int | None:
        """How many replies to ask for after a request for ``n`` failed; None: n is not the trouble.

        A refusal that does not speak of n may be for it all the same, unless as many were drawn
        before: half of them are asked for, down to one.
        """
        if n == 1 or fault.answer is None:
            return None
        if fault.kind in (FaultKind.REFUSED, FaultKind.FAULTY):
            named = limit_on_n(fault.answer, n)
            if named is not None:
                return named
        blind = fault.kind is FaultKind.REFUSED and fault.status in (400, 422) and n > self._drawn
        return n // 2 if blind else None

    def drew(self, n: int, *, refused: bool) -> str | None:
        """Note that a request brought ``n`` replies; a line for the user where that is news.

        Args:
            refused: more were asked for before, and refused.
        """
        self._drawn = max(self._drawn, n)
        if not refused or (self.most is not None and self.most <= n):
            return None
        self.most = n
        replies = "one reply" if n == 1 else f"{n} replies"
        return f"it gives at most {replies} a request: more come by several requests"
