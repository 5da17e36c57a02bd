"""What is found at the places of a run, kept in its journal, and a place while it is looked at."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from feedback_friction.analysis.journal import open_journal
from feedback_friction.engine.journal.store import Journal
from feedback_friction.inside import measures
from feedback_friction.inside.measures import Seen
from feedback_friction.inside.network import Network, Read
from feedback_friction.inside.places import Key, Place, trains

Value = dict[str, Any]


@dataclass(slots=True)
class Notebook:
    """The findings of one model in a run's journal."""

    journal: Journal
    directory: Path  # of the run
    settings: str  # what decides the findings, as JSON
    _known: dict[str, dict[Key, Value]] = field(default_factory=dict)  # by probe and place

    def of(self, probe: str, look: Look) -> Value:
        """What is known of a place; empty where nothing is."""
        if probe not in self._known:
            with open_journal(self.directory) as db:
                rows = db.execute(
                    "SELECT * FROM probes WHERE probe = ? AND settings = ?", (probe, self.settings)
                )
                self._known[probe] = {
                    (row["condition"], row["problem_id"], row["epoch"], row["iteration"]):
                        json.loads(row["value"])
                    for row in rows
                }  # fmt: skip
        return self._known[probe].get(look.place.key, {})

    def keep(self, probe: str, look: Look, more: Value) -> None:
        """Add to what is known of a place."""
        before, key = self.of(probe, look), look.place.key
        value = before | look.about | more
        if value != before:
            names = ("condition", "problem_id", "epoch", "iteration")
            row = {"probe": probe, "settings": self.settings, **dict(zip(names, key, strict=True))}
            self.journal.add_now("probes", [row | {"value": json.dumps(value)}])
            self._known[probe][key] = value


class Look:
    """A place being looked at: its tokens, and its prompt's reading, made when first asked for."""

    def __init__(self, network: Network, place: Place) -> None:
        self.network, self.place = network, place

    @cached_property
    def seen(self) -> Seen:
        """The place in tokens."""
        return measures.see(self.network.loaded, self.place)

    @cached_property
    def read(self) -> Read:
        """The prompt, read."""
        return self.network.read(self.seen.ids)

    @property
    def about(self) -> Value:
        """What every finding says of its place."""
        place = self.place
        return {"outcome": place.outcome, "trains": trains(place.scene.problem.id)}
