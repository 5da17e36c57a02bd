"""Why trials stay unsolved, and what a solver that took up its feedback would have reached."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from feedback_friction.analysis.annotations import CLASSES, labels, usual_annotator
from feedback_friction.analysis.frames import Runs, by_trial
from feedback_friction.analysis.stats.arrays import MISSING, UNSOLVED, IntArray
from feedback_friction.analysis.stats.corrected import corrected
from feedback_friction.analysis.stats.friction import (
    OTHER_REASON,
    RESISTANT,
    STOPPED,
    UNLABELLED,
    friction,
)
from feedback_friction.analysis.stats.proportions import class_shares
from feedback_friction.analysis.table import CONDITION, Row, conditions, fields_of, rows_of, table
from feedback_friction.analysis.tables.gold import suspect_gold
from feedback_friction.labels import Category

_LABELLED = f"{CONDITION}, annotator text, annotator_kind text, annotator_simulated bool"
_COUNTS = "n int, unsolved int, stopped int, unreadable int, missing int"


@table(
    _LABELLED,
    "category text, count int, share estimate, joint_low float, joint_high float",
    _COUNTS,
)
def categories(runs: Runs, annotator: str | None = None) -> Iterator[Row]:
    """Shares of resistance, quality and other among labelled trials: a row a condition and class.

    ``annotator``: whose labels these are; ``share`` has limits of its own, and ``joint`` limits
    that hold for all three classes at once; ``n`` labelled trials, of the ``unsolved`` ones, of
    which ``stopped`` ones (a model refused to go on) are never labelled; ``unreadable``: labels
    for which no answer of the judge could be read. The shares speak for the unsolved trials that
    did not stop as far as the labelled ones are a random sample of them.

    Args:
        annotator: whose labels; by default, for each run, the annotator with most labels.
    """
    for each in _labelled(runs, annotator):
        counts = [(each.codes == index).sum(axis=1) for index in range(len(CLASSES))]
        shares = class_shares(np.stack(counts, axis=1).astype(np.float64))
        for name, found in zip(CLASSES, shares, strict=True):
            yield each.about | {
                "category": name,
                "count": found.count,
                "share": found.share,
                "joint_low": found.joint.low,
                "joint_high": found.joint.high,
                "n": found.share.n,
            }


_ESTIMATES = ("initial", "final", "resistance", "target", "friction", "relative")
_CORRECTED = ("resistance", "target", "friction", "relative")


@table(
    _LABELLED,
    *(f"{name} estimate" for name in _ESTIMATES),
    *(f"corrected_{name} estimate" for name in _CORRECTED),
    "both int, labels_to_halve int, annotated int",
    _COUNTS,
)
def target(runs: Runs, annotator: str | None = None) -> Iterator[Row]:
    """Target accuracy, friction and relative friction: one row a condition.

    ``initial`` to ``relative`` have limits that hold the sampling of problems and of labels;
    ``resistance`` is the share of the ``annotated`` trials; ``n`` trials; annotator and counts as
    in ``categories``. Stopped trials count as unsolved, and as not resistant. See
    ``stats.friction`` for the reading of the paper's target accuracy that this is.

    Those limits take the labels for the truth. Where people labelled trials of a judge, too, the
    columns ``corrected_resistance`` to ``corrected_relative`` do not (``stats.corrected``).
    ``both`` counts the trials with both labels, and ``labels_to_halve`` how many would make the
    interval of the corrected friction half as wide, null where no number of labels would. They are
    null for labels by people, and where nobody checked the judge.

    Args:
        annotator: whose labels; by default, for each run, the annotator with most labels.
    """
    for each in _labelled(runs, annotator):
        found = friction(each.first, each.marks)
        row = fields_of(found) | each.about
        row |= {
            "both": int(((each.people != UNLABELLED) & (each.marks >= 0)).sum()),
            "n": found.final.n,
        }
        if each.about["annotator_kind"] == "judge" and row["both"]:
            checked = corrected(each.first, each.marks, each.people)
            row |= {f"corrected_{name}": getattr(checked, name) for name in _CORRECTED}
            row["labels_to_halve"] = checked.labels_to_halve
        yield row


@table(_LABELLED, "judged text, said text, count int")
def confusion(runs: Runs) -> Iterator[Row]:
    """What people say of the trials that a judge gave each label: a row a condition and two labels.

    ``judged``: the judge's label; ``said``: what most people say; ``count`` of trials, all nine
    pairs of labels in turn. Empty where nobody labelled trials of a judge.
    """
    for each in _labelled(runs):
        if each.about["annotator_kind"] != "judge" or (each.said < 0).all():
            continue
        pairs = Counter(zip(each.codes.ravel().tolist(), each.said.ravel().tolist(), strict=True))
        for i, judged in enumerate(CLASSES):
            for j, said in enumerate(CLASSES):
                yield each.about | {"judged": judged, "said": said, "count": pairs[i, j]}


@table(_LABELLED, "friction estimate, without estimate, suspects int, n int")
def without_suspects(runs: Runs) -> Iterator[Row]:
    """Friction with and without the problems whose gold answer is in doubt: a row a condition.

    ``friction`` of all problems, ``without`` of those that ``gold.suspect_gold`` does not list, the
    ``suspects`` left out, and ``n`` trials of the others. Empty where there are no suspects.
    """
    suspects = suspect_gold(runs)
    for each in _labelled(runs):
        same_task = suspects.filter(
            pl.col("task") == each.about["task"],
            pl.col("digits").eq_missing(pl.lit(each.about["digits"])),
        )
        doubted = np.isin(each.ids, same_task["problem_id"].to_list())
        if not doubted.any():
            continue
        others = np.where(doubted[:, np.newaxis], MISSING, each.first)
        without = friction(others, each.marks).friction
        yield each.about | {
            "friction": friction(each.first, each.marks).friction,
            "without": without,
            "suspects": int(doubted.sum()),
            "n": without.n,
        }


@dataclass(frozen=True, slots=True)
class _Labelled:
    """A condition with labels; the arrays have shape (problems, epochs)."""

    about: Row  # the columns that say which condition and whose labels, and count its trials
    ids: list[str]  # its problems
    first: IntArray  # first-solved iterations
    codes: IntArray  # the annotator's labels as an index of ``CLASSES``, -1 where there is none
    # what most people said before they saw other labels, in the same way; -1 without a majority
    said: IntArray
    marks: IntArray  # the annotator's labels as ``stats.friction`` takes them
    people: IntArray  # people's labels as ``stats.friction`` takes them


def _marks(codes: IntArray) -> IntArray:
    resistant = codes == CLASSES.index(Category.RESISTANCE)
    return np.where(codes < 0, UNLABELLED, np.where(resistant, RESISTANT, OTHER_REASON))


def _labelled(runs: Runs, annotator: str | None = None) -> Iterator[_Labelled]:
    """Every condition that has labels, but those with trials in flight.

    Of these only what stayed unsolved to its end is labelled, which is no sample of what is
    unsolved so far.
    """
    every = labels(runs)
    for condition, ids, first in conditions(runs):
        name = annotator or usual_annotator(every.filter(pl.col("run") == condition["run"]))
        there = rows_of(every, condition)
        own = there.filter(pl.col("annotator") == (name or ""))
        if own.is_empty() or condition["iterations"] < condition["planned"]:
            continue
        readable = ~(pl.col("round").is_null() & (pl.col("kind") == "judge"))
        codes = _codes(own.filter(readable).select("problem_id", "epoch", "category"), ids, first)
        said = _codes(_majority(there.filter(pl.col("kind") == "person")), ids, first)
        stopped = rows_of(runs.trials, condition).filter(pl.col("status") == "stopped")
        refused = stopped.select("problem_id", "epoch", pl.lit(1)).iter_rows()
        has_stopped = by_trial(refused, ids, first.shape[1], 0) == 1
        about = condition | {
            "annotator": name,
            "annotator_kind": own["kind"][0],
            "annotator_simulated": bool(own["simulated"].max()),
            "unsolved": int((first == UNSOLVED).sum()),
            "stopped": int(has_stopped.sum()),
            "unreadable": own.filter(~readable).height,
        }
        marks = np.where(has_stopped, STOPPED, _marks(codes))
        yield _Labelled(about, ids, first, codes, said, marks, _marks(said))


def _majority(people: pl.DataFrame) -> pl.DataFrame:
    """Problem, epoch and what more people said of it than anything else, before they saw more."""
    trial = ["problem_id", "epoch"]
    counts = people.group_by(*trial, "blind").len()
    most = counts.filter(pl.col("len") == pl.col("len").max().over(trial))
    return most.filter(pl.len().over(trial) == 1).select(*trial, "blind")


def _codes(found: pl.DataFrame, ids: list[str], first: IntArray) -> IntArray:
    """Labels, from problem, epoch and label, as an index of ``CLASSES``; -1 without one."""
    known = found.filter(pl.col("problem_id").is_in(ids)).iter_rows()
    rows = ((problem, epoch, CLASSES.index(category)) for problem, epoch, category in known)
    # A trial that was run again since, and solved, is no longer one to explain.
    return np.where(first == UNSOLVED, by_trial(rows, ids, first.shape[1], -1), -1)
