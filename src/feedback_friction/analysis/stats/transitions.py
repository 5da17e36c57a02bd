"""What becomes of an answer when the solver tries again."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from feedback_friction.analysis.stats.clusters import clustered_share
from feedback_friction.analysis.stats.intervals import Estimate

Answer = tuple[str | None, bool]


class Move(StrEnum):
    """How an attempt's answer relates to those before it in the same trial."""

    SAME = "same wrong answer"
    BACK = "back to an old answer"
    NEW = "new wrong answer"
    NO_ANSWER = "no-answer"
    CORRECT = "correct"


@dataclass(frozen=True, slots=True)
class MoveShare:
    """One kind of move: how often it was made, and its share of all moves."""

    move: Move
    count: int
    share: Estimate


@dataclass(frozen=True, slots=True)
class Transitions:
    """Moves between attempts, over all trials of a condition."""

    # one entry for each move, in the order of ``Move``; n is the number of retries
    shares: tuple[MoveShare, ...]
    # entry k counts the moves from iteration k to k + 1, in the order of ``Move``
    by_iteration: tuple[tuple[int, ...], ...]
    # share of the retries that give a wrong answer which the trial gave before (same or back)
    repetition: Estimate


def moves(answers: Sequence[Answer]) -> tuple[Move, ...]:
    """Name the move that led to each answer of a trial but the first.

    Correct and no-answer are named for what they are. A wrong answer is ``SAME`` when the attempt
    just before gave it, ``BACK`` when only an earlier one did (also across a no-answer), and
    ``NEW`` when none did. Equal predictions are equal strings.

    Args:
        answers: prediction (None for no-answer) and correctness of each attempt, in order.
    """
    found, seen, previous = [], set[str | None](), None
    for index, (prediction, correct) in enumerate(answers):
        if correct:
            move = Move.CORRECT
        elif prediction is None:
            move = Move.NO_ANSWER
        elif prediction == previous:
            move = Move.SAME
        else:
            move = Move.BACK if prediction in seen else Move.NEW
        if index:
            found.append(move)
        seen.add(prediction)
        previous = prediction
    return tuple(found)


def transitions(
    trials: Sequence[Sequence[Answer]], problems: Sequence[Hashable] | None = None
) -> Transitions:
    """Count the moves of many trials, with cluster-robust intervals.

    The moves of a trial, and the trials of a problem, are alike: intervals are
    ``clusters.clustered_share`` with the problem as the unit.

    Args:
        trials: the answers of each trial, in order.
        problems: the problem of each trial; without it every trial is a problem of its own.

    Raises:
        ValueError: ``trials`` and ``problems`` differ in length.
    """
    named = range(len(trials)) if problems is None else problems
    if len(named) != len(trials):
        raise ValueError(f"{len(trials)} trials, but {len(named)} problems")
    kinds = {move: column for column, move in enumerate(Move)}
    rows: dict[Hashable, int] = {}
    longest = max((len(trial) for trial in trials), default=1)
    by_iteration = np.zeros((max(longest - 1, 0), len(kinds)), dtype=np.int64)
    by_problem = np.zeros((len(trials), len(kinds)))
    for problem, trial in zip(named, trials, strict=True):
        row = rows.setdefault(problem, len(rows))
        for step, move in enumerate(moves(trial)):
            by_iteration[step, kinds[move]] += 1
            by_problem[row, kinds[move]] += 1
    totals = by_problem.sum(axis=1)
    shares = tuple(
        MoveShare(move, int(by_iteration[:, k].sum()), clustered_share(by_problem[:, k], totals))
        for move, k in kinds.items()
    )
    repeated = by_problem[:, kinds[Move.SAME]] + by_problem[:, kinds[Move.BACK]]
    table = tuple(tuple(int(count) for count in row) for row in by_iteration)
    return Transitions(shares, table, clustered_share(repeated, totals))
