"""The whole of every trial: all its attempts, those after a right answer too, with their texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.journal import ENDED, answer_text, open_journal, rows_if
from feedback_friction.analysis.table import Row

Key = tuple[str, int]  # problem id, epoch


@dataclass(frozen=True, slots=True)
class Round:
    """One attempt."""

    answer: str | None  # by which attempts are compared (``journal.answer_text``); None for none
    right: bool  # whether it is correct
    text: str  # the reply
    # the wrong answer that the feedback on it argued for, as ``answer``; "" for none
    suggested: str = ""


Trials = Mapping[Key, tuple[Round, ...]]

_ROWS = """
    SELECT a.problem_id, a.epoch, a.iteration, a.prediction, a.choices, a.is_correct, a.response
    FROM attempts a JOIN trials t USING (condition, problem_id, epoch)
    WHERE a.condition = ? AND t.status IN {ended}
    ORDER BY a.problem_id, a.epoch, a.iteration
"""
_SUGGESTED = """
    SELECT problem_id, epoch, iteration, text FROM asides
    WHERE condition = ? AND kind = 'suggested'
"""


def rounds(runs: Runs, condition: Row) -> Trials:
    """The attempts of a condition's trials that ended, by problem and epoch."""
    return _read(runs.directories[condition["run"]], condition["condition"])


def wrong_first(trials: Trials) -> dict[Key, tuple[Round, ...]]:
    """The trials whose first attempt is wrong and is followed by a second."""
    return {key: trial for key, trial in trials.items() if len(trial) > 1 and not trial[0].right}


def right_again(trial: tuple[Round, ...]) -> bool:
    """Whether the second attempt is right."""
    return trial[1].right


@lru_cache(maxsize=64)
def _read(directory: Path, condition: str) -> Trials:
    with open_journal(directory) as db:
        suggested = {
            (row["problem_id"], row["epoch"], row["iteration"]): row["text"]
            for row in rows_if(db, "asides", _SUGGESTED, (condition,))
        }
        rows = db.execute(_ROWS.format(ended=ENDED), (condition,))
        return {
            key: tuple(
                Round(
                    answer_text(row["prediction"], row["choices"]),
                    bool(row["is_correct"]),
                    row["response"],
                    answer_text(suggested.get((*key, row["iteration"])), row["choices"]) or "",
                )
                for row in trial
            )
            for key, trial in groupby(rows, key=lambda row: (row["problem_id"], row["epoch"]))
        }
