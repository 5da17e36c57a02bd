"""What must be said beside every number that did not come from a language model of use."""

from __future__ import annotations

from collections.abc import Iterable

ABACUS = "pocket/abacus"
SIMULATION = "SIMULATION: a simulated student answered, not a language model"
MINIATURE = (
    f"MINIATURE: {ABACUS} is a small model trained to show feedback friction; "
    "it is no evidence about large models"
)


def caveats(solvers: Iterable[str], *, simulated: bool) -> list[str]:
    """The lines to print for these solvers; none for models that users would ask about."""
    lines = [SIMULATION] if simulated else []
    return [*lines, MINIATURE] if ABACUS in solvers else lines
