"""Warnings beside numbers: of simulated or tiny models, and of runs that have not ended."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

SIMULATION = "SIMULATION: a simulated student answered, not a language model"
STUDENT_IS = (
    "a simulated student with known parameters, not a language model: its numbers show how well "
    "the program measures, and nothing about any model"
)
ABACUS_IS = (
    "a small model trained to show feedback friction, and taught some of its errors; it is no "
    "evidence about large models"
)


def is_miniature(solver: str) -> bool:
    """Whether a model is abacus: ``gguf/abacus``, its file, or ``pocket/abacus`` of old runs."""
    provider, _, name = solver.partition("/")
    if provider == "gguf":
        return PurePath(name.lower()).name.removesuffix(".gguf") == "abacus"
    return solver == "pocket/abacus"


def miniature(solver: str) -> str:
    """The line to print for such a model."""
    return f"MINIATURE: {solver} is {ABACUS_IS}"


def caveats(solvers: Mapping[str, bool]) -> list[str]:
    """The lines to print for these solvers; none for models that users would ask about.

    Args:
        solvers: name -> whether it is a simulated student.
    """
    students = ", ".join(name for name, simulated in solvers.items() if simulated)
    lines = [f"{SIMULATION} ({students})"] if students else []
    return [*lines, *map(miniature, filter(is_miniature, solvers))]


def provisional(unfinished: int, what: str = "trials") -> str:
    """The line to print while trials have still to end, or to be tried again.

    Args:
        unfinished: how many.
        what: what is counted.
    """
    return (
        f"PROVISIONAL: {unfinished:,} {what} have not ended; each counts as far as it is known, "
        "and the numbers will change"
    )
