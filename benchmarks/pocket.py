"""Pocket: the model within the process writes 5,000 tokens a second on two cores, in 500 MB.

64 sequences at once, whose contexts grow from 200 to 400 tokens; beside it 8 and 1. The prompts are
known when the replies are timed; what reading them takes is measured by itself. Memory is the peak
of the process with 64 sequences of 1,000 tokens. The best of several repeats counts, for the same
reason as in ``overhead``; beside the speed stands its share of what it would be if the products of
weights alone took time, which holds on a busy machine too.
"""

from __future__ import annotations

import json
import sys

from benchmarks.common import Ended, Figure, Started, at_least, at_most, script


def measure(*, model: str = "pocket/abacus", repeats: int = 10) -> list[Figure]:
    """Measure speed by the number of sequences, memory, and the time to the first token."""
    figures = []
    for sequences in (64, 8, 1):
        speeds = json.loads(_load(model, sequences, 200, 200, repeats).output)
        name, speed = f"{sequences} at once", speeds["tokens_per_second"]
        target = at_least(f"{name}: tokens a second", speed, 5000)
        figures += [
            target if sequences == 64 else Figure(target.name, speed),
            Figure(f"{name}: of products alone", speed / speeds["products_per_second"]),
            Figure(f"{name}: prompt tokens a second", speeds["prompt_tokens_per_second"]),
        ]
    start = min((_load(model, 1, 1, 1, 1) for _ in range(repeats)), key=lambda run: run.seconds)
    full = _load(model, 64, 900, 100, 1)
    return [
        *figures,
        at_most("from the start to the first token", start.seconds, 2, "s"),
        Figure("memory with one short sequence", start.peak_mb, "MB"),
        at_most("memory with 64 x 1,000 tokens", full.peak_mb, 500, "MB"),
    ]


def _load(model: str, sequences: int, prompt: int, reply: int, repeats: int) -> Ended:
    options = {
        "--model": model,
        "--sequences": sequences,
        "--prompt": prompt,
        "--reply": reply,
        "--repeats": repeats,
    }
    flat = [str(part) for option in options.items() for part in option]
    return Started([sys.executable, "-m", "benchmarks.pocket_load", *flat]).wait().expect(0)


if __name__ == "__main__":
    script(measure)
