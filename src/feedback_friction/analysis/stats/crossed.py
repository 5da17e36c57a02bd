"""How much of the variance of a gain is the student's, the teacher's, or that of both together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from feedback_friction.analysis.stats.arrays import FloatArray
from feedback_friction.analysis.stats.intervals import Estimate

RESAMPLES = 1_000
PARTS = ("student", "teacher", "interaction", "rest")


@dataclass(frozen=True, slots=True)
class Split:
    """Shares of the variance of one trial's gain, by ``PARTS``; they add up to 1."""

    shares: tuple[Estimate, ...]


def split(cells: list[list[FloatArray]], seed: int = 0, level: float = 0.95) -> Split:
    """The variance split of crossed students and teachers.

    Two-way random effects with replication, by the moments of unweighted means: the variance of the
    students' means, the teachers' and the interaction's, each less what the parts below it add,
    never below 0. Limits come from a bootstrap over problems, the same in every cell; they are for
    these students and teachers, of which there are too few to speak of others.

    Args:
        cells: by student and teacher, the gain at each problem, shape (problems,); nan where the
            student was right at first, or the trial is missing. At least two of each.

    Source: Searle, Casella and McCulloch (1992), Variance Components, sections 4.3 and 5.5.
    """
    values = np.array(cells)
    rng = np.random.default_rng(seed)
    problems = values.shape[2]
    tails = [(1 - level) / 2, (1 + level) / 2]
    point = _shares(values)
    draws = [_shares(values[:, :, rng.integers(0, problems, problems)]) for _ in range(RESAMPLES)]
    kept = np.array([draw for draw in draws if not np.isnan(draw).any()])
    if not len(kept):
        return Split(tuple(Estimate(float(each), 0.0, 1.0, problems) for each in point))
    lows, highs = np.quantile(kept, tails, axis=0)
    return Split(
        tuple(
            Estimate(float(each), float(low), float(high), problems)
            for each, low, high in zip(point, lows, highs, strict=True)
        )
    )


def _shares(values: FloatArray) -> FloatArray:
    """The four shares; nan where a cell has no trials or nothing varies."""
    counts = (~np.isnan(values)).sum(axis=2)
    nothing = np.full(len(PARTS), np.nan)
    if not counts.all() or (counts < 2).all():
        return nothing
    means = np.nansum(values, axis=2) / counts
    within = np.nansum((values - means[:, :, None]) ** 2) / max(1, (counts - 1).sum())
    size = len(counts.ravel()) / (1 / counts).sum()  # the harmonic mean of the cells' trials
    students, teachers = means.shape
    rows = means.mean(axis=1) - means.mean()
    columns = means.mean(axis=0) - means.mean()
    left = means - means.mean() - rows[:, None] - columns[None, :]
    both_square = (left**2).sum() / ((students - 1) * (teachers - 1))
    both = max(0.0, both_square - within / size)
    student = max(0.0, (rows**2).sum() / (students - 1) - both_square / teachers)
    teacher = max(0.0, (columns**2).sum() / (teachers - 1) - both_square / students)
    parts = np.array([student, teacher, both, within])
    return parts / parts.sum() if parts.sum() > 0 else nothing
