"""What reads untrusted input, and what must hold of it for any input.

A ``Target`` is a reader with a strategy for its inputs; ``targets`` lists them all. The same ones
serve the tests (a few examples each), ``python -m benchmarks.fuzz`` (for as long as one likes) and
atheris (``--engine atheris``, guided by coverage).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from hypothesis.strategies import SearchStrategy


@dataclass(frozen=True, slots=True)
class Target:
    """One reader of untrusted input.

    Attributes:
        name: what it is, e.g. ``"mask math_500"``.
        inputs: what it is given.
        check: gives it one input; raises for whatever must not happen: an error that is not
            documented, or a result that is not as it must be.
    """

    name: str
    inputs: SearchStrategy[Any]
    check: Callable[[Any], None]


def targets() -> Iterator[Target]:
    """Every target."""
    from benchmarks.fuzzing import bodies, files, runs, texts

    for module in (texts, bodies, files, runs):
        yield from module.targets()
