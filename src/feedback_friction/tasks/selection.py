"""Which problems of a task are asked: a fraction, or a number, even over groups if wanted.

All choice is by rank: a hash of seed, task and problem id, in which no other problem has a part.

- ``--fraction 0.1`` takes each problem whose rank is below 0.1. Adding, removing or reordering rows
  changes nothing for the others; the price is that the size is binomial around fraction * n (1,404
  of MMLU's 14,042, give or take 36).
- ``--fraction`` with ``--stratify`` takes the same share of every group, rounded: those of lowest
  rank. Adding a row can change at most one other problem of its group.
- ``--limit`` takes the first problems in the order of the rows; with ``--stratify`` as evenly from
  the groups as they have problems, of each those of lowest rank.

Groups are the values of a field (``subject``, ``level``), or for popularity (``s_pop``, ``o_pop``;
paper, section 4) ten strata with equally many problems each, whose limits depend on all rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Sequence
from itertools import accumulate, pairwise

from feedback_friction.errors import UsageError
from feedback_friction.problem import Problem
from feedback_friction.settings import Selection

BY_STRATUM = ("s_pop", "o_pop")  # the other fields by value
STRATA = 10


def sample(problems: Sequence[Problem], selection: Selection) -> list[Problem]:
    """The problems that a selection asks for, in the order of the rows.

    Raises:
        UsageError: the selection is wrong, or does not go with these problems.
    """
    if selection.stratify is None:
        chosen = [
            problem
            for problem in problems
            if selection.fraction is None or share(selection.seed, problem) < selection.fraction
        ]
        return chosen[: selection.limit]
    if selection.fraction is None and selection.limit is None:
        raise UsageError("--stratify needs --fraction or --limit")
    groups = _groups(problems, selection.stratify)
    ranked = [sorted(group, key=lambda each: share(selection.seed, each)) for group in groups]
    if selection.fraction is not None:
        sizes = _shares([len(group) for group in ranked], selection.fraction)
        ranked = [group[:size] for group, size in zip(ranked, sizes, strict=True)]
    taken = {id(each) for each in _evenly(ranked, selection.limit)}
    return [problem for problem in problems if id(problem) in taken]


def share(seed: int, problem: Problem) -> float:
    """Where in [0, 1) a problem falls."""
    return rank(f"{seed}:{problem.task}:{problem.id}")


def rank(name: str) -> float:
    """A number in [0, 1) from a name: uniform over names, and the same everywhere."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:7], "big") / 2**56


def strata(values: Sequence[float], count: int = STRATA) -> list[int]:
    """For each value, its stratum from 0 (lowest): equally many in each, equal values by position.

    Args:
        values: at least one.
        count: number of strata; sizes differ by one at most.
    """
    order = sorted(range(len(values)), key=lambda index: values[index])
    found = [0] * len(values)
    for position, index in enumerate(order):
        found[index] = position * count // len(values)
    return found


def _groups(problems: Sequence[Problem], field: str) -> list[list[Problem]]:
    """The problems by group, groups and problems in the order of the rows."""
    values = [getattr(problem, field) for problem in problems]
    if None in values:
        task = problems[values.index(None)].task
        raise UsageError(f"--stratify {field}: not every problem of {task} has one")
    names: Sequence[Hashable] = strata(values) if field in BY_STRATUM and values else values
    groups: dict[Hashable, list[Problem]] = {}
    for name, problem in zip(names, problems, strict=True):
        groups.setdefault(name, []).append(problem)
    return list(groups.values())


def _evenly(ranked: Sequence[Sequence[Problem]], limit: int | None) -> list[Problem]:
    """The first of every group, then the second, ..., up to the limit."""
    deepest = max((len(group) for group in ranked), default=0)
    in_turn = [group[depth] for depth in range(deepest) for group in ranked if depth < len(group)]
    return in_turn[:limit]


def _shares(sizes: Sequence[int], fraction: float) -> list[int]:
    """The share of every group in whole problems, so that all together are the share of all.

    Each group gets what the rounded running total grows by: rounding never adds up.
    """
    totals = [0, *accumulate(sizes)]
    rounded = [int(total * fraction + 0.5) for total in totals]
    return [more - less for less, more in pairwise(rounded)]
