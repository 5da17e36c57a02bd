"""Do several solvers fail on the same problems, more than chance would have it?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from feedback_friction.analysis.stats.arrays import BoolArray, FloatArray, IntArray
from feedback_friction.analysis.stats.intervals import Estimate, share


@dataclass(frozen=True, slots=True)
class Shared:
    """Problems on which certain solvers fail."""

    solvers: tuple[int, ...]  # positions of the solvers
    count: int  # number of problems


@dataclass(frozen=True, slots=True)
class Overlap:
    """Failures shared by two, three or more solvers."""

    all: int  # number of problems that every solver fails on
    union: int  # number of problems that at least one solver fails on
    # ``all / union`` with Wilson's interval; n is the union; ``nan`` when nobody fails
    ratio: Estimate
    # the ratio if every solver failed as often as it does, but on problems at random: its mean and
    # the ends of its central 95%; n is the union; None when nobody fails
    chance: Estimate | None
    # one-sided: how often chance gives a ratio at least as large as the observed one; None when
    # nobody fails
    p_value: float | None
    # problems that exactly these solvers fail on, most solvers first: the bars of an UpSet plot;
    # combinations without a problem are left out
    exclusive: tuple[Shared, ...]
    n: int  # number of problems that all solvers have
    missing: int  # number of problems that only some of them have


def overlap(failed: FloatArray, rng: np.random.Generator, resamples: int = 100_000) -> Overlap:
    """Count the failures that solvers share, and compare with chance.

    Chance keeps each solver's number of failures and places them on problems at random,
    independently of the other solvers. The ratio under it is drawn exactly: adding one solver, the
    numbers of its failures that fall into the intersection and into the union so far are
    hypergeometric, so no placement has to be made.

    Args:
        failed: shape (solvers, problems): 1 where the solver fails, 0 where not, ``nan`` where the
            trial is missing; at least 2 solvers.
        rng: draws the ratio under chance.
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
    chance = p_value = None
    if anyone:
        ratios = _by_chance(counts, n, rng, resamples)
        low, high = np.quantile(ratios, [0.025, 0.975])
        chance = Estimate(float(ratios.mean()), float(low), float(high), anyone)
        extreme = int(np.sum(ratios >= everyone / anyone - 1e-12))
        p_value = (1 + extreme) / (1 + resamples)
    return Overlap(
        all=everyone,
        union=anyone,
        ratio=share(everyone, anyone),
        chance=chance,
        p_value=p_value,
        exclusive=_exclusive(fails),
        n=n,
        missing=int((known.any(axis=0) & ~kept).sum()),
    )


def _by_chance(counts: IntArray, n: int, rng: np.random.Generator, resamples: int) -> FloatArray:
    """Draws of the ratio with the solvers' failures placed at random; see ``overlap``."""
    shared = np.full(resamples, counts[0])
    union = shared.copy()
    for count in counts[1:]:
        inside = rng.hypergeometric(shared, n - shared, count)
        # Of the problems outside the intersection, the union's rest and those nobody fails on.
        beside = rng.hypergeometric(union - shared, n - union, count - inside)
        union += count - inside - beside
        shared = inside
    return np.asarray(shared / union)


def _exclusive(fails: BoolArray) -> tuple[Shared, ...]:
    """Problems by the exact set of solvers that fail on them, without those nobody fails on."""
    patterns, counts = np.unique(fails.T, axis=0, return_counts=True)
    shared = [
        Shared(tuple(int(solver) for solver in np.flatnonzero(pattern)), int(count))
        for pattern, count in zip(patterns, counts, strict=True)
        if pattern.any()
    ]
    return tuple(sorted(shared, key=lambda each: (-len(each.solvers), each.solvers)))
