"""Inside: time and memory of a study, per 100 trials of some 500 tokens; memory stays bounded.

The trials are fourth attempts of abacus, whose prompts hold three attempts with their feedback.
Seconds are of the processor, over all threads. Memory is that of the whole process, after a third
of the trials and after all: it must not grow with their number. Needs torch.
"""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.common import Figure, at_most, script
from feedback_friction.api import run as make_run
from feedback_friction.cli.inside import WHAT
from feedback_friction.inside.start import look_inside

MODEL = "gguf/abacus"


def measure(*, trials: int = 100) -> list[Figure]:
    """Look into so many trials, part by part."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name) / "run"
        make_run(
            tasks=["decimal_multiplication"], digits=3, limit=3 * trials, solver=MODEL,
            feedback=["tutor", "binary"], iterations=4, max_tokens=160, out=directory,
        )  # fmt: skip
        look_inside(directory, "abacus", WHAT[:1], attempt=4, sample=1)  # loads everything once
        return list(_parts(directory, trials // 2))  # problems: two conditions each


def _parts(directory: Path, problems: int) -> Iterator[Figure]:
    sizes = []
    for part in WHAT:
        for sample in (problems // 3, problems):
            start = time.process_time()
            looked = look_inside(directory, "abacus", [part], attempt=4, sample=sample)
            spent = time.process_time() - start
            sizes.append(_memory())
            if sample == problems:
                new = len(looked.found.places) * 2 / 3
                yield Figure(f"{part}, 100 trials", 100 * spent / new, "s of processor")
        yield Figure(f"memory after {part}", sizes[-1], "MB")
    yield at_most("memory: growth from a third of the trials to all", _growth(sizes), 1.2, "x")


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def _growth(sizes: list[float]) -> float:
    """By how much memory grew at most from the third of a part's trials to all of them."""
    return max(more / less for less, more in zip(sizes[::2], sizes[1::2], strict=True))


if __name__ == "__main__":
    script(measure)
