"""Contextual drag: what the sight of its own attempts does to a solver's next one."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import polars as pl

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.stats.clusters import cluster_means, share_of_problems
from feedback_friction.analysis.stats.differences import mean_difference
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.analysis.table import CONDITION, Row, conditions, frame, grouped, once
from feedback_friction.analysis.whole_trials import Key, Round, rounds, wrong_first
from feedback_friction.mode_names import recorded_mode
from feedback_friction.ways import TRANSCRIPT, control_of

Locate = Callable[[str, str, str], str | None]
_ALIKE = ("run", "task", "digits", "solver", "feedback", "sampling")
_SHARES = ("right", "repeated", "same_line")


@once
def histories(runs: Runs, locate: Locate | None = None) -> pl.DataFrame:
    """What the second attempt has of the first, by what was shown of it: one row a condition.

    Of the trials whose first attempt is wrong in all conditions that differ in their history alone:
    ``right``, ``repeated`` (the same wrong answer), ``same_line`` (the same first wrong line; null
    without ``locate``), ``distance`` (edit distance of the two workings, 0 to 1), and each of them
    less what it is in the ``reference``, every problem weighing the same. The reference is the
    control of what the solver does before it answers where that was run, else the transcript where
    there is one. ``n``: such trials.

    Args:
        locate: the first wrong line of a reply, from task, problem id and text; None where nothing
            finds one.
    """
    shown = (
        condition
        for condition, _, _ in conditions(runs)
        if recorded_mode(condition["feedback"]).shows_history and condition["iterations"] > 1
    )
    groups = [group for group in grouped(shown, _ALIKE) if len(group) > 1]
    rows = (row for group in groups for row in _rows(runs, group, locate))
    measures = (f"{name} estimate, {name}_less estimate" for name in (*_SHARES, "distance"))
    return frame(rows, CONDITION, "reference text", *measures, "n int").fill_nan(None)


def _rows(runs: Runs, group: Sequence[Row], locate: Locate | None) -> Iterator[Row]:
    arms = [wrong_first(rounds(runs, condition)) for condition in group]
    shared = set.intersection(*({*arm} for arm in arms))
    if not shared:
        return
    keys = sorted(shared)
    by_way = {each["history"]: at for at, each in enumerate(group)}
    usual = [at for at, each in enumerate(group) if each["history"] == TRANSCRIPT.name]
    reference = usual[0] if usual else 0
    measured = [
        [_measured(arm[key], group[0]["task"], key, locate) for key in keys] for arm in arms
    ]
    for at, condition in enumerate(group):
        against = by_way.get(control_of(condition["history"]), reference)
        row = condition | {"reference": group[against]["history"], "n": len(keys)}
        for name in (*_SHARES, "distance"):
            pairs = [
                (problem, one[name], other[name])
                for (problem, _), one, other in zip(
                    keys, measured[at], measured[against], strict=True
                )
            ]
            own = [(problem, value) for problem, value, _ in pairs if value is not None]
            gaps = [(p, a - b) for p, a, b in pairs if a is not None and b is not None]
            is_share = name in _SHARES
            row[name] = share_of_problems(own) if is_share else _mean(own, is_share=False)
            row[f"{name}_less"] = _mean(gaps, is_share=is_share)
        yield row


def _measured(
    trial: Sequence[Round], task: str, key: Key, locate: Locate | None
) -> dict[str, float | None]:
    first, second = trial[:2]
    same_line = None
    if locate is not None and (line := locate(task, key[0], first.text)) is not None:
        again = None if second.right else locate(task, key[0], second.text)
        same_line = float(again == line)
    return {
        "right": float(second.right),
        "repeated": float(first.answer is not None and first.answer == second.answer),
        "same_line": same_line,
        "distance": edit_distance(first.text, second.text),
    }


def _mean(known: Sequence[tuple[str, float]], *, is_share: bool) -> Estimate:
    """The mean over problems of a difference: of a share as of single trials, else of values."""
    means, trials = cluster_means(known)
    return mean_difference(means, trials if is_share else [math.inf] * len(means))


_WORDS = re.compile(r"\w+|[^\w\s]")
MOST_WORDS = 1_000  # of each text; more would take seconds a pair


def edit_distance(one: str, other: str) -> float:
    """Words and signs to insert, delete or replace, as a share of the longer text; 0 if alike.

    Levenshtein's distance over words, of at most 1,000 of each text, row by row: what insertions
    add along a row is a running minimum. 0 for two empty texts.

    Source: Wagner and Fischer (1974), Journal of the ACM 21:168-173.
    """
    first, second = (_WORDS.findall(text)[:MOST_WORDS] for text in (one, other))
    if first == second:
        return 0.0
    codes = {word: code for code, word in enumerate(dict.fromkeys([*first, *second]))}
    row_words = np.array([codes[word] for word in second], dtype=np.int64)
    places = np.arange(len(second) + 1)
    row = places.copy()
    for number, word in enumerate(first, 1):
        changed = row[:-1] + (row_words != codes[word])
        best = np.concatenate(([number], np.minimum(changed, row[1:] + 1)))
        row = np.minimum.accumulate(best - places) + places
    return float(row[-1]) / max(len(first), len(second))
