"""How often the intervals of ``friction causes`` hold what was planted.

``python -m benchmarks.causes``: simulated solvers with planted drag, d' and criterion, dose curve
and teachers; 300 runs of each design (2,000 of those that cost nothing). A design fails where an
interval holds the truth in less than 92% of its runs, less three standard errors of that share.
"""

from __future__ import annotations

import math
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from statistics import NormalDist

import numpy as np

from feedback_friction.analysis.stats.components import crossed
from feedback_friction.analysis.stats.detection import detection
from feedback_friction.analysis.stats.differences import mean_difference
from feedback_friction.analysis.stats.dose import response
from feedback_friction.analysis.stats.intervals import Estimate

LEAST = 0.92
CHEAP, DEAR = 2_000, 300
DOSES = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
Rng = np.random.Generator
Covered = Iterator[tuple[str, Estimate, float]]
z = NormalDist().inv_cdf


def sensitivities(hit: float, alarm: float, trials: int, rng: Rng) -> Covered:
    """d' and criterion of a solver with these rates."""
    found = detection(
        float(rng.binomial(trials, hit)), trials, float(rng.binomial(trials, alarm)), trials
    )
    yield "d'", found.sensitivity, z(hit) - z(alarm)
    yield "criterion", found.criterion, -(z(hit) + z(alarm)) / 2


def drags(seen: float, unseen: float, problems: int, rng: Rng) -> Covered:
    """How much more often an answer comes back that is seen."""
    again = [(rng.random(problems) < share).astype(float) for share in (seen, unseen)]
    gaps = list(again[0] - again[1])
    yield "repeats", mean_difference(gaps, [1.0] * problems), seen - unseen


def curves(low: float, high: float, problems: int, rng: Rng) -> Covered:
    """The effect of a straight dose curve, and its half where it is not level."""
    chances = low + (high - low) * DOSES
    values = (rng.random((problems, len(DOSES))) < chances).astype(float)
    found = response(DOSES, values, rising=True, seed=int(rng.integers(2**31)))
    yield "effect", found.effect, high - low
    if high > low:
        yield "half", found.half, 0.5


def matrices(problems: int, rng: Rng) -> Covered:
    """The parts of the variance of three students with three teachers."""
    students, teachers = np.array([0.1, 0.3, 0.6]), np.array([-0.05, 0.0, 0.1])
    chances = students[:, None] + teachers[None, :]
    draws = (rng.random((3, 3, problems)) < chances[:, :, None]).astype(float)
    rest = float((chances * (1 - chances)).mean())
    parts = [float(students.var(ddof=1)), float(teachers.var(ddof=1)), 0.0, rest]
    found = crossed(draws, seed=int(rng.integers(2**31)))
    for (name, share), truth in zip(found.items(), parts, strict=True):
        yield name, share, truth / sum(parts)


Design = tuple[str, Callable[[Rng], Covered], int]


def designs() -> Iterator[Design]:
    """Every design by name, and how many runs it takes."""
    for trials in (20, 60, 200):
        for hit, alarm in ((0.5, 0.5), (0.7, 0.3), (0.9, 0.1), (0.97, 0.5)):
            name = f"hits {hit:.0%}, false alarms {alarm:.0%}, {trials} trials of each"
            yield name, lambda rng, h=hit, a=alarm, n=trials: sensitivities(h, a, n, rng), CHEAP
    for problems in (30, 127):
        name = f"drag: 80% against 40% come back, {problems} problems"
        yield name, lambda rng, n=problems: drags(0.8, 0.4, n, rng), CHEAP
    for problems in (60, 200):
        name = f"dose: 10% to 70%, {problems} problems"
        yield name, lambda rng, n=problems: curves(0.1, 0.7, n, rng), DEAR
    for share, problems in ((0.3, 60), (0.3, 200), (0.01, 60), (0.01, 200)):
        name = f"dose: {share:.0%} whatever the dose, {problems} problems"
        yield name, lambda rng, s=share, n=problems: curves(s, s, n, rng), DEAR
    for problems in (100, 300):
        yield f"3 x 3 matrix, {problems} problems", lambda rng, n=problems: matrices(n, rng), DEAR


def covered(design: Design, seed: int = 0) -> dict[str, tuple[float, float]]:
    """By what is estimated, the share of runs that hold the truth, and the mean estimate's bias."""
    _, draw, runs = design
    held, off = Counter[str](), defaultdict[str, float](float)
    for run in range(runs):
        for what, estimate, truth in draw(np.random.default_rng([seed, run])):
            held[what] += estimate.low <= truth <= estimate.high
            off[what] += 0.0 if math.isnan(estimate.value) else estimate.value - truth
    return {what: (held[what] / runs, off[what] / runs) for what in off}


def main() -> int:
    """Print the table; returns 1 where a design falls short."""
    print("| planted | what | runs that hold it, % | bias |\n|---|---|---|---|")
    short = []
    for design in designs():
        name, _, runs = design
        for what, (share, bias) in covered(design).items():
            print(f"| {name} | {what} | {100 * share:.1f} | {bias:+.3f} |", flush=True)
            if share < LEAST - 3 * math.sqrt(LEAST * (1 - LEAST) / runs):
                short.append(f"{name}: {what} {share:.3f}")
    print("\n".join(short) if short else "every design holds", file=sys.stderr)
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
