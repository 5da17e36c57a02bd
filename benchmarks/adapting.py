"""What is learnt from drawn forms is what was planted, and nothing where nothing was.

Simulated solvers, wrong at first, get one of four forms by lot in up to three rounds. For one kind
the best form depends on whether the answer came back, for the other nothing matters; problems
differ in how easily they are solved. Truths are means over 40,000 problems. Of the runs: how often
the 95% intervals hold the worth of a form, and of the learnt rule the worth that running it brings;
what share of the best rule's gain over the best form it reaches; how often anything is recommended
where nothing matters. Some seven minutes of one core for 300 runs of each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from random import Random

import numpy as np

from benchmarks.common import Figure, at_least, at_most, script
from benchmarks.planted import Uptake, alike, by_state, eases
from feedback_friction.analysis.policy_learning import learn
from feedback_friction.modes import ADAPTIVE
from feedback_friction.policy import State

FORMS = ("verdict", "locate", "contrast", "explain")
POPULATION = 40_000


class Truth:
    """The chance of a right next attempt by state and form, in the states that a draw brings."""

    def __init__(self, uptake: Uptake) -> None:
        chances: dict[State, list[list[float]]] = defaultdict(list)
        for decision, ease in eases(uptake, FORMS, POPULATION, seed=-1):
            state = decision.state
            chances[state].append([min(1.0, ease * uptake(form, state)) for form in FORMS])
        self.total = sum(map(len, chances.values()))
        self.sums = {state: np.sum(each, axis=0) for state, each in chances.items()}

    def of(self, forms: Sequence[str]) -> float:
        """What a rule is worth that gives these forms, one for each state of ``sums``."""
        found = zip(forms, self.sums.values(), strict=True)
        return float(sum(each[FORMS.index(form)] for form, each in found)) / self.total


def measure(*, runs: int = 300, problems: int = 500) -> list[Figure]:
    """Learn from ``runs`` runs of each kind of solver."""
    truth = Truth(by_state)
    states = list(truth.sums)
    best = truth.of([max(FORMS, key=lambda form: by_state(form, state)) for state in states])
    fixed = {form: truth.of([form] * len(states)) for form in FORMS}
    covered: dict[str, list[bool]] = defaultdict(list)
    errors, gains = [], []
    for seed in range(runs):
        drawn = [each for each, _ in eases(by_state, FORMS, problems, seed)]
        found = learn(drawn, 0.0, 1.0)
        ran = truth.of([found.policy.choose(state, Random(0)).form for state in states])
        gains.append((ran - max(fixed.values())) / (best - max(fixed.values())))
        for worth in found.worths:
            value = ran if worth.name == ADAPTIVE.name else fixed.get(worth.name)
            if value is None:
                continue
            kind = "rule" if worth.name == ADAPTIVE.name else "form"
            for how, interval in (("doubly robust", worth.robust), ("weighted", worth.weighted)):
                covered[f"{kind}, {how}"].append(interval.low <= value <= interval.high)
            if kind == "form":
                errors.append(worth.robust.value - value)
    told = sum(
        learn([each for each, _ in eases(alike, FORMS, problems, seed)], 0.0, 1.0).recommends
        is not None
        for seed in range(runs)
    )
    figures = [
        at_least(f"intervals that hold the worth of a {name}", 100 * float(np.mean(each)), 92, "%")
        for name, each in covered.items()
    ]
    return [
        *figures,
        at_most("bias of the worth of a form", 100 * abs(float(np.mean(errors))), 0.5, "points"),
        at_least("share of the best rule's gain reached", 100 * float(np.mean(gains)), 90, "%"),
        at_most("recommended where nothing matters", 100 * told / runs, 5, "%"),
    ]


if __name__ == "__main__":
    script(measure)
