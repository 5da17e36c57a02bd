"""Decisions of simulated solvers whose uptake is known, drawn without a run: for the estimators."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from feedback_friction.analysis.choices import Decision
from feedback_friction.policy import State

Uptake = Callable[[str, State], float]
ROUNDS = 3


def decided(uptake: Uptake, forms: Sequence[str], problems: int, seed: int) -> list[Decision]:
    """What a draw of forms decides for solvers that are wrong at first."""
    return [each for each, _ in eases(uptake, forms, problems, seed)]


def eases(
    uptake: Uptake, forms: Sequence[str], problems: int, seed: int, rounds: int = ROUNDS
) -> list[tuple[Decision, float]]:
    """The same, each decision with how much its problem multiplies the uptake.

    That is up to a fifth more or less, so that the decisions of a problem depend on each other.
    """
    rng = Random(seed)
    found = []
    for problem in range(problems):
        ease, state = rng.uniform(0.8, 1.2), State(0)
        for iteration in range(rounds):
            form = rng.choice(forms)
            right = rng.random() < min(1.0, ease * uptake(form, state))
            again = not right and rng.random() < 0.5
            decision = Decision(
                0, "toy | mixed", "toy", None, "student/planted", "mixed", f"p{problem}", 0,
                form, 1 / len(forms), state, 0.5, right, None, again, 100,
            )  # fmt: skip
            found.append((decision, ease))
            if right:
                break
            state = State(iteration + 1, again, state.stuck + again, 2 - again)
    return found


def by_state(form: str, state: State) -> float:
    """One form helps who is fresh, another who repeats, and a third nobody."""
    if form == "locate":
        return 0.1 if state.repeats else 0.6
    if form == "contrast":
        return 0.6 if state.repeats else 0.1
    return 0.1


def alike(form: str, state: State) -> float:
    """Nothing matters."""
    return 0.25
