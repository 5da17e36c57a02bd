"""Do several solvers fail on the same problems, more than chance would have it?"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from feedback_friction.analysis.stats.arrays import BoolArray, FloatArray, IntArray
from feedback_friction.analysis.stats.intervals import Estimate, share


@dataclass(frozen=True, slots=True)
class Shared:
    """Problems on which certain solvers fail.

    Attributes:
        solvers: positions of the solvers.
        count: number of problems.
    """

    solvers: tuple[int, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Chance:
    """The overlap ratio if every solver failed as often as it does, but on problems at random.

    Attributes:
        mean: expected ratio.
        low: lower end of its central 95%.
        high: upper end of its central 95%.
        p_value: one-sided: how often chance gives a ratio at least as large as the observed one.
    """

    mean: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True, slots=True)
class Overlap:
    """Failures shared by two, three or more solvers.

    Attributes:
        failures: number of problems that each solver fails on.
        all: number of problems that every solver fails on.
        union: number of problems that at least one solver fails on.
        ratio: ``all / union`` with Wilson's interval; n is the union; ``nan`` when nobody fails.
        chance: the ratio under independence; None when nobody fails.
        pairs: problems that both solvers of a pair fail on, whatever the others do.
        exclusive: problems that exactly these solvers fail on, most solvers first: the bars of an
            UpSet plot; combinations without a problem are left out.
        n: number of problems that all solvers have.
        missing: number of problems that only some of them have.
    """

    failures: tuple[int, ...]
    all: int
    union: int
    ratio: Estimate
    chance: Chance | None
    pairs: tuple[Shared, ...]
    exclusive: tuple[Shared, ...]
    n: int
    missing: int


def overlap(
    failed: FloatArray,
    rng: np.random.Generator,
    level: float = 0.95,
    resamples: int = 100_000,
) -> Overlap:
    """Count the failures that solvers share, and compare with chance.

    Chance keeps each solver's number of failures and places them on problems at random,
    independently of the other solvers. The ratio under it is drawn exactly: adding one solver, the
    numbers of its failures that fall into the intersection and into the union so far are
    hypergeometric, so no placement has to be made.

    Args:
        failed: shape (solvers, problems): 1 where the solver fails, 0 where not, ``nan`` where the
            trial is missing; at least 2 solvers.
        rng: draws the ratio under chance.
        level: confidence level of the ratio's interval.
        resamples: number of draws.

    Raises:
        ValueError: fewer than 2 solvers.

    Source: the ratio all / union of the study's Table 2 (arXiv 2506.11930); the null model is the
    permutation of each solver's failures over problems.
    """
    if failed.ndim != 2 or len(failed) < 2:
        raise ValueError("overlap takes (solvers, problems) with at least 2 solvers")
    known = ~np.isnan(failed)
    kept = known.all(axis=0)
    fails = failed[:, kept] > 0.5
    everyone, anyone = int(fails.all(axis=0).sum()), int(fails.any(axis=0).sum())
    counts, n = fails.sum(axis=1), int(kept.sum())
    return Overlap(
        failures=tuple(int(count) for count in counts),
        all=everyone,
        union=anyone,
        ratio=share(everyone, anyone, level),
        chance=_chance(everyone / anyone, counts, n, rng, resamples) if anyone else None,
        pairs=tuple(
            Shared((i, j), int((fails[i] & fails[j]).sum()))
            for i, j in combinations(range(len(fails)), 2)
        ),
        exclusive=_exclusive(fails),
        n=n,
        missing=int((known.any(axis=0) & ~kept).sum()),
    )


def _chance(
    observed: float, counts: IntArray, n: int, rng: np.random.Generator, resamples: int
) -> Chance:
    """Draw the ratio with the solvers' failures placed at random; see ``overlap``."""
    shared = np.full(resamples, counts[0])
    union = shared.copy()
    for count in counts[1:]:
        inside = rng.hypergeometric(shared, n - shared, count)
        # Of the problems outside the intersection, the union's rest and those nobody fails on.
        beside = rng.hypergeometric(union - shared, n - union, count - inside)
        union += count - inside - beside
        shared = inside
    ratios = shared / union
    low, high = np.quantile(ratios, [0.025, 0.975])
    extreme = int(np.sum(ratios >= observed - 1e-12))
    return Chance(float(ratios.mean()), float(low), float(high), (1 + extreme) / (1 + resamples))


def _exclusive(fails: BoolArray) -> tuple[Shared, ...]:
    """Problems by the exact set of solvers that fail on them, without those nobody fails on."""
    patterns, counts = np.unique(fails.T, axis=0, return_counts=True)
    shared = [
        Shared(tuple(int(solver) for solver in np.flatnonzero(pattern)), int(count))
        for pattern, count in zip(patterns, counts, strict=True)
        if pattern.any()
    ]
    return tuple(sorted(shared, key=lambda each: (-len(each.solvers), each.solvers)))
