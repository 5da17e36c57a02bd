"""What a solver does with the feedback of a frozen set, over all its tasks; and beside the loop."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.stats.association import spearman
from feedback_friction.analysis.stats.detection import detection
from feedback_friction.analysis.stats.raters import kappa
from feedback_friction.analysis.table import Row, conditions, fields_of, frame, grouped, once, table
from feedback_friction.analysis.tables.selectivity import moved, share_of, worth_of
from feedback_friction.analysis.whole_trials import Key, Round, right_again, rounds, wrong_first
from feedback_friction.mode_names import recorded_mode

_LEAST = 5  # trials of a cell whose share is ranked

Trials = dict[Key, tuple[Round, ...]]


@table(
    "run int, solver text, sampling text, history text, simulated bool, uptake estimate",
    "repeated estimate, kept estimate, sensitivity estimate, criterion estimate",
    "wrong int, right int",
)
def frozen(runs: Runs) -> Iterator[Row]:
    """Uptake, repetition and selectivity on a frozen set: one row a solver and way to go on.

    ``uptake`` is the share of the ``wrong`` answers that are right after right feedback,
    ``repeated`` the share that come back; ``kept`` the share of the ``right`` answers that stay
    right when a wrong one is argued for, or they are called wrong. ``sensitivity`` (d') and
    ``criterion`` are of giving another answer (``selectivity``). All tasks of the set together.
    """
    asked = (condition for condition, _, _ in conditions(runs) if _is_frozen(runs, condition))
    for group in grouped(asked, ("run", "solver", "sampling", "history")):
        wrong, right = _gathered(runs, group, signal=True), _gathered(runs, group, signal=False)
        if wrong and right:
            found = detection(*worth_of([*wrong.items()]), *worth_of([*right.items()]))
            yield group[0] | {
                **fields_of(found),
                "uptake": share_of(wrong.items(), right_again),
                "repeated": share_of(
                    wrong.items(), lambda trial: trial[0].answer is not None and not moved(trial)
                ),
                "kept": share_of(right.items(), right_again),
                "wrong": len(wrong),
                "right": len(right),
            }


def _is_frozen(runs: Runs, condition: Row) -> bool:
    return bool(runs.documents[condition["run"]]["config"].get("frozen_items"))


def _gathered(runs: Runs, group: list[Row], *, signal: bool) -> Trials:
    """Wrong answers with right feedback, or right ones that were challenged, of all tasks."""
    found: Trials = {}
    for condition in group:
        mode = recorded_mode(condition["feedback"])
        wanted = mode.informs and not mode.challenges and mode.writer not in ("noise", "late")
        if (wanted if signal else mode.challenges) is False:
            continue
        for (problem, epoch), trial in rounds(runs, condition).items():
            if len(trial) > 1 and trial[0].right is not signal:
                found[f"{condition['task']}/{condition['feedback']}/{problem}", epoch] = trial
    return found


@once
def beside_live(runs: Runs) -> pl.DataFrame:
    """How a frozen set agrees with the loop it stands for: one row a pair of runs.

    ``kappa`` is of being right at the second attempt, over the ``n`` problems that both runs asked
    the same solver under the same mode, wrong at first in both. ``rank`` is Spearman's correlation
    of the uptake of the ``cells`` (solver, task, mode) that both have, on any problems.
    """
    sides: dict[int, Cells] = {}
    frozen_runs = set()
    for condition, _, _ in conditions(runs):
        cell = (condition["solver"], condition["task"], condition["feedback"])
        wrong = wrong_first(rounds(runs, condition))
        sides.setdefault(condition["run"], {}).setdefault(cell, {}).update(wrong)
        if _is_frozen(runs, condition):
            frozen_runs.add(condition["run"])
    rows = (
        {"run": live, "frozen_run": frozen_run} | _compared(sides[live], sides[frozen_run])
        for frozen_run in sorted(frozen_runs)
        for live in sides
        if live not in frozen_runs and {*sides[live]} & {*sides[frozen_run]}
    )
    columns = "run int, frozen_run int, kappa estimate, n int, rank estimate, cells int"
    return frame(rows, columns).fill_nan(None)


Cells = dict[tuple[str, str, str], Trials]


def _compared(live: Cells, frozen_side: Cells) -> Row:
    pairs = [*_pairs(live, frozen_side)]
    ratings = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    agreed = kappa(ratings[:, 0], ratings[:, 1], 2)
    shares = [
        [np.mean([right_again(trial) for trial in side[cell].values()])
         for side in (live, frozen_side)]
        for cell in live
        if cell in frozen_side and min(len(live[cell]), len(frozen_side[cell])) >= _LEAST
    ]  # fmt: skip
    both = np.array(shares, dtype=np.float64).reshape(-1, 2)
    ranked = spearman(both[:, 0], both[:, 1])
    return {"kappa": agreed, "n": len(pairs), "rank": ranked, "cells": len(shares)}


def _pairs(live: Cells, frozen_side: Cells) -> Iterator[tuple[int, int]]:
    """Right or not at the second attempt, live and frozen, of the problems of both."""
    for cell in live:
        for key, trial in live[cell].items():
            other = frozen_side.get(cell, {}).get(key)
            if other is not None:
                yield int(right_again(trial)), int(right_again(other))
