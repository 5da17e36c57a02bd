"""Problems whose gold answer is in doubt: independent voices agree on another one.

Such a problem looks like friction and is none: the feedback argues for a wrong answer. Agreement
proves nothing, it says where to look. What is repeated is not agreement: the conditions of a run
share their first attempts, and a solver that keeps to its first answer under five of them has said
it once.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

import polars as pl

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.journal import answer_text
from feedback_friction.analysis.tables.shared_columns import Row, frame, once

VOICES = 3  # that agree, of one solver
SHARE = 2 / 3  # of all voices on the problem

ProblemKey = tuple[str, int | None, str]  # task, digits, problem id


@dataclass(frozen=True, slots=True)
class Voice:
    """A trial's last answer, as far as it is evidence of its own.

    Attributes:
        run: its run.
        solver: who answered.
        epoch: its repetition; 0 for all without a temperature, which draw the same reply.
        condition: the condition under which the first answer was changed; "" where it was kept,
            since all conditions share the first attempt.
        answer: the last answer; None where it is right.
    """

    run: int
    solver: str
    epoch: int
    condition: str
    answer: str | None


@once
def suspect_gold(runs: Runs) -> pl.DataFrame:
    """Problems on which voices agree on one answer that is not gold: one row a problem.

    A voice is a trial's last answer; trials that keep a first answer which they share are one. At
    least three voices, or two solvers, give the answer, and two thirds of all voices on the
    problem. Columns: ``task``, ``digits``, ``problem_id``, ``gold``, ``answer``, ``voices`` that
    give it, ``all_voices``, ``share`` of them, ``solvers``, ``conditions`` and ``epochs`` that give
    it, ``trials`` that end with it, ``solved`` trials. Most voices first.
    """
    golds = _golds(runs)
    rows: list[Row] = []
    for (task, digits, problem), ends in _ends(runs).items():
        voices = {voice for voice, _ in ends}
        said = Counter(voice.answer for voice in voices if voice.answer is not None)
        if not said:
            continue
        answer, count = said.most_common(1)[0]
        giving = [voice for voice in voices if voice.answer == answer]
        solvers = {voice.solver for voice in giving}
        if (count < VOICES and len(solvers) < 2) or count < SHARE * len(voices):
            continue
        rows.append(
            {
                "task": task,
                "digits": digits,
                "problem_id": problem,
                "gold": golds[task, problem],
                "answer": answer,
                "voices": count,
                "all_voices": len(voices),
                "share": count / len(voices),
                "solvers": len(solvers),
                "conditions": len({name for each, name in ends if each.answer == answer}),
                "epochs": len({(each.run, each.epoch) for each in giving}),
                "trials": sum(each.answer == answer for each, _ in ends),
                "solved": sum(each.answer is None for each, _ in ends),
            }
        )
    rows.sort(key=lambda row: (-row["solvers"], -row["voices"], row["task"], row["problem_id"]))
    return frame(rows, _SCHEMA)


_SCHEMA: dict[str, type[pl.DataType]] = {
    "task": pl.String,
    "digits": pl.Int64,
    "problem_id": pl.String,
    "gold": pl.String,
    "answer": pl.String,
    "voices": pl.Int64,
    "all_voices": pl.Int64,
    "share": pl.Float64,
    "solvers": pl.Int64,
    "conditions": pl.Int64,
    "epochs": pl.Int64,
    "trials": pl.Int64,
    "solved": pl.Int64,
}


def _golds(runs: Runs) -> Mapping[tuple[str, str], str]:
    """The gold answer of each problem in words: the option's text where there are options."""
    rows = runs.problems.select("task", "problem_id", "gold", "choices").iter_rows()
    return {
        (task, problem): str(answer_text(gold, choices)) for task, problem, gold, choices in rows
    }


def _ends(runs: Runs) -> Mapping[ProblemKey, list[tuple[Voice, str]]]:
    """The voice and the condition of every trial that gave an answer at last, by problem."""
    found: dict[ProblemKey, list[tuple[Voice, str]]] = defaultdict(list)
    settings = {
        (row["run"], row["condition"]): row for row in runs.conditions.iter_rows(named=True)
    }
    for (run, name, problem, epoch), trial in _trials(runs):
        first, last = (answer_text(row[4], row[5]) for row in (trial[0], trial[-1]))
        right = bool(trial[-1][6])
        if not right and last is None:
            continue
        condition = settings[run, name]
        drawn = epoch if any(row[7] is None or row[7] > 0 for row in trial) else 0
        changed = name if first != last else ""
        voice = Voice(run, condition["solver"], drawn, changed, None if right else last)
        found[condition["task"], condition["digits"], problem].append((voice, name))
    return found


def _trials(runs: Runs) -> Iterator[tuple[tuple[int, str, str, int], list[tuple[Any, ...]]]]:
    """The attempts of each trial, in order, after its run, condition, problem and epoch."""
    keys = ["run", "condition", "problem_id", "epoch"]
    columns = [*keys, "prediction", "choices", "is_correct", "temperature"]
    attempts = runs.attempts.sort(*keys, "iteration").select(columns).iter_rows()
    for key, rows in groupby(attempts, key=itemgetter(0, 1, 2, 3)):
        yield key, list(rows)
