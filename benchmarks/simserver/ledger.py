"""What was asked of the server and what it answered: sums, and one entry per call."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Entry:
    """One call for a completion.

    Attributes:
        key: hash of the request body: equal for equal requests.
        arrived: seconds since the epoch.
        left: when it was answered, refused, or given up by the client; None while it is open.
        outcome: ``ok``, the name of a fault or refusal, ``gone`` (the client hung up), or ``open``.
        n: number of replies asked for.
        prompt_tokens: tokens of the prompt, counted once whatever ``n``, when it is served.
        cached_tokens: how many of those were in the prefix cache.
        completion_tokens: tokens of all replies.
    """

    key: str
    arrived: float
    left: float | None = None
    outcome: str = "open"
    n: int = 1
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0


@dataclass(slots=True)
class Ledger:
    """All calls since the start or the last reset.

    Attributes:
        busy_seconds: service time of all sequences served, the scaled time that slots were taken.
    """

    entries: list[Entry] = field(default_factory=list)
    busy_seconds: float = 0.0

    def arrive(self, key: str) -> Entry:
        """Note a call that has just come in."""
        entry = Entry(key, time.time())
        self.entries.append(entry)
        return entry

    def leave(self, entry: Entry, outcome: str) -> None:
        """Note how a call ended."""
        entry.left, entry.outcome = time.time(), outcome

    def summary(self) -> dict[str, object]:
        """Sums over all calls; ``asked_twice`` counts requests that came more than once."""
        entries = self.entries
        asked = Counter(entry.key for entry in entries)
        return {
            "calls": len(entries),
            "outcomes": dict(Counter(entry.outcome for entry in entries)),
            "distinct": len(asked),
            "asked_twice": sum(count > 1 for count in asked.values()),
            "prompt_tokens": sum(entry.prompt_tokens for entry in entries),
            "cached_tokens": sum(entry.cached_tokens for entry in entries),
            "completion_tokens": sum(entry.completion_tokens for entry in entries),
            "busy_seconds": self.busy_seconds,
            "first_arrival": min((entry.arrived for entry in entries), default=None),
            "last_departure": max(
                (entry.left for entry in entries if entry.left is not None), default=None
            ),
        }
