"""Several solvers on the same problems: do they fail on the same ones?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.stats.arrays import MISSING, FloatArray
from feedback_friction.analysis.stats.overlap import Overlap, overlap
from feedback_friction.analysis.table import Row, conditions, fields_of, once, table

_ALIKE = ("task", "digits", "feedback", "sampling", "history")
_GROUP = "task text, digits int, feedback text, sampling text, history text"


@once
def overlaps(runs: Runs) -> list[tuple[Row, tuple[str, ...], Overlap]]:
    """Failure overlap by task, digits, feedback, sampling and history, of two solvers or more.

    A problem counts as failed by a solver when none of its epochs was solved, in any of the runs.
    """
    groups: dict[tuple[object, ...], dict[str, dict[str, float]]] = defaultdict(dict)
    for condition, ids, first in conditions(runs):
        failed = np.where((first == MISSING).all(axis=1), np.nan, (first < 0).all(axis=1))
        solvers = groups[tuple(condition[name] for name in _ALIKE)]
        found = solvers.setdefault(condition["solver"], {})
        for problem, value in zip(ids, failed.tolist(), strict=True):
            found[problem] = float(np.fmin(found.get(problem, np.nan), value))
    return [
        (
            dict(zip(_ALIKE, key, strict=True)),
            tuple(solvers),
            overlap(_matrix(solvers), np.random.default_rng(0)),
        )
        for key, solvers in groups.items()
        if len(solvers) > 1
    ]


def _matrix(solvers: dict[str, dict[str, float]]) -> FloatArray:
    ids = sorted({problem for failed in solvers.values() for problem in failed})
    return np.array(
        [[failed.get(problem, np.nan) for problem in ids] for failed in solvers.values()]
    )


@table(
    _GROUP,
    "solvers text, all int, union int, ratio estimate, chance estimate, p_value float, n int",
    "missing int",
)
def overlap_summary(runs: Runs) -> Iterator[Row]:
    """All / union of the failures, and the ratio expected by chance: one row a group."""
    for about, solvers, found in overlaps(runs):
        yield about | fields_of(found) | {"solvers": ", ".join(solvers)}


@table(_GROUP, "solvers text, size int, count int, n int")
def overlap_sets(runs: Runs) -> Iterator[Row]:
    """Problems that exactly these solvers fail on: the bars of an UpSet plot."""
    for about, solvers, found in overlaps(runs):
        for shared in found.exclusive:
            yield about | {
                "solvers": ", ".join(solvers[index] for index in shared.solvers),
                "size": len(shared.solvers),
                "count": shared.count,
                "n": found.n,
            }
