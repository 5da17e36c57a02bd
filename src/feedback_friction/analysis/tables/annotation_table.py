"""Why trials stay unsolved, and what a solver that took up its feedback would have reached."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from feedback_friction.analysis.annotations import CLASSES, labels, usual_annotator
from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.stats.arrays import MISSING, UNSOLVED, BoolArray, IntArray
from feedback_friction.analysis.stats.categories import Category
from feedback_friction.analysis.stats.corrected import corrected
from feedback_friction.analysis.stats.friction import (
    OTHER_REASON,
    RESISTANT,
    STOPPED,
    UNLABELLED,
    Friction,
    friction,
)
from feedback_friction.analysis.stats.proportions import class_shares
from feedback_friction.analysis.tables.gold import suspect_gold
from feedback_friction.analysis.tables.shared_columns import (
    SETTING_SCHEMA,
    Row,
    conditions,
    frame,
    missing,
    setting,
    spread,
    spread_schema,
)

_UNREADABLE = "unreadable"
_ANNOTATOR_SCHEMA: dict[str, type[pl.DataType]] = {
    "annotator": pl.String,
    "annotator_kind": pl.String,
    "annotator_simulated": pl.Boolean,
}
_COUNTS: dict[str, type[pl.DataType]] = {
    "n": pl.Int64,
    "unsolved": pl.Int64,
    "stopped": pl.Int64,
    "unreadable": pl.Int64,
    "missing": pl.Int64,
}


def categories(runs: Runs, annotator: str | None = None) -> pl.DataFrame:
    """Shares of resistance, quality and other among labelled trials: a row a condition and class.

    Columns: the condition, ``annotator`` (whose labels these are) with ``annotator_kind`` and
    ``annotator_simulated``, ``category``, ``count``, ``share`` with limits of its own and ``joint``
    limits that hold for all three at once, ``n`` labelled trials, ``unsolved`` trials in all, of
    which ``stopped`` ones (a model refused to go on) are never labelled, ``unreadable`` labels (no
    answer of the judge could be read: there is no label), ``missing`` trials. The shares speak for
    the unsolved trials that did not stop as far as the labelled ones are a random sample of them.

    Args:
        annotator: whose labels; by default, for each run, the annotator with most labels.
    """
    rows = []
    for each in _labelled(runs, annotator):
        counts = [(each.codes == index).sum(axis=1) for index in range(len(CLASSES))]
        table = np.stack(counts, axis=1).astype(np.float64)
        for name, found in zip(CLASSES, class_shares(table), strict=True):
            rows.append(
                setting(each.condition)
                | each.who
                | {"category": name, "count": found.count}
                | spread("share", found.share)
                | {"joint_low": found.joint.low, "joint_high": found.joint.high}
                | each.counts(found.share.n)
            )
    shares: dict[str, type[pl.DataType]] = {"category": pl.String, "count": pl.Int64}
    limits: dict[str, type[pl.DataType]] = {"joint_low": pl.Float64, "joint_high": pl.Float64}
    schema = SETTING_SCHEMA | _ANNOTATOR_SCHEMA | shares | spread_schema("share") | limits
    return frame(rows, schema | _COUNTS)


_ESTIMATES = ("initial", "final", "resistance", "target", "friction", "relative")
_CORRECTED = ("resistance", "target", "friction", "relative")


def target(runs: Runs, annotator: str | None = None) -> pl.DataFrame:
    """Target accuracy, friction and relative friction: one row a condition.

    Columns: the condition, the annotator as in ``categories``, ``initial``, ``final``,
    ``resistance`` (share of the labelled trials), ``target``, ``friction`` and ``relative`` with
    limits that hold the sampling of problems and of labels, ``annotation_low`` and
    ``annotation_high`` (where the target of these very trials may come to lie once all unsolved
    ones are labelled), ``annotated`` trials, ``n`` trials, and the counts of ``categories``.
    Stopped trials count as unsolved, and as not resistant. See ``stats.friction`` for the reading
    of the paper's target accuracy that this is.

    Those limits take the labels for the truth. Where people labelled trials of a judge, too, the
    columns ``corrected_resistance`` to ``corrected_relative`` do not (``stats.corrected``).
    ``both`` counts the trials with both labels, and ``labels_to_halve`` how many would make the
    interval of the corrected friction half as wide, null where no number of labels would. They are
    null for labels by people, and where nobody checked the judge.

    Args:
        annotator: whose labels; by default, for each run, the annotator with most labels.
    """
    rows = []
    for each in _labelled(runs, annotator):
        found = friction(each.first, each.marks)
        row = setting(each.condition) | each.who
        for name in _ESTIMATES:
            row |= spread(name, getattr(found, name))
        ends = {"annotation_low": found.annotation.low, "annotation_high": found.annotation.high}
        rows.append(
            row
            | _by_people(each)
            | ends
            | {"annotated": found.annotated}
            | each.counts(found.final.n)
        )
    corrected = (f"corrected_{name}" for name in _CORRECTED)
    schema = SETTING_SCHEMA | _ANNOTATOR_SCHEMA | spread_schema(*_ESTIMATES, *corrected)
    checked = dict.fromkeys(("both", "labels_to_halve"), pl.Int64)
    ends_schema = dict.fromkeys(("annotation_low", "annotation_high"), pl.Float64)
    return frame(rows, schema | checked | ends_schema | {"annotated": pl.Int64} | _COUNTS)


def _by_people(each: _Labelled) -> Row:
    """The columns of a judge's friction as people correct it; null where they did not."""
    both = int(((each.people != UNLABELLED) & (each.marks >= 0)).sum())
    columns = [column for name in _CORRECTED for column in spread_schema(f"corrected_{name}")]
    if each.who["annotator_kind"] != "judge" or not both:
        return dict.fromkeys(columns) | {"both": both, "labels_to_halve": None}
    found = corrected(each.first, each.marks, each.people)
    row: Row = {"both": both, "labels_to_halve": found.labels_to_halve}
    for name in _CORRECTED:
        row |= spread(f"corrected_{name}", getattr(found, name))
    return row


def confusion(runs: Runs) -> pl.DataFrame:
    """What people say of the trials that a judge gave each label: a row a condition and two labels.

    Columns: the condition, the annotator as in ``categories``, ``judged`` (the judge's label),
    ``said`` (what most people say), ``count`` of trials, all nine pairs of labels in turn. Empty
    where nobody labelled trials of a judge.
    """
    rows = []
    for each in _labelled(runs):
        if each.who["annotator_kind"] != "judge" or (each.said < 0).all():
            continue
        pairs = Counter(zip(each.codes.ravel().tolist(), each.said.ravel().tolist(), strict=True))
        rows += [
            setting(each.condition)
            | each.who
            | {"judged": judged, "said": said, "count": pairs[i, j]}
            for i, judged in enumerate(CLASSES)
            for j, said in enumerate(CLASSES)
        ]
    labels_of = {"judged": pl.String, "said": pl.String, "count": pl.Int64}
    return frame(rows, SETTING_SCHEMA | _ANNOTATOR_SCHEMA | labels_of)


def without_suspects(runs: Runs) -> pl.DataFrame:
    """Friction with and without the problems whose gold answer is in doubt: a row a condition.

    Columns: the condition, the annotator, ``friction`` of all problems, ``without`` of those that
    ``gold.suspect_gold`` does not list, each with limits, the ``suspects`` left out, and ``n``
    trials of the others. Empty where there are no suspects.
    """
    suspects = suspect_gold(runs)
    rows = []
    for each in _labelled(runs):
        same_task = suspects.filter(
            pl.col("task") == each.condition["task"],
            pl.col("digits").eq_missing(pl.lit(each.condition["digits"])),
        )
        listed = set(same_task["problem_id"]) & set(each.ids)
        if not listed:
            continue
        others = each.friction_without(listed)
        rows.append(
            setting(each.condition)
            | each.who
            | spread("friction", friction(each.first, each.marks).friction)
            | spread("without", others.friction)
            | {"suspects": len(listed), "n": others.friction.n}
        )
    counts = dict.fromkeys(("suspects", "n"), pl.Int64)
    shares = spread_schema("friction", "without")
    return frame(rows, SETTING_SCHEMA | _ANNOTATOR_SCHEMA | shares | counts)


@dataclass(frozen=True, slots=True)
class _Labelled:
    """A condition with labels; the arrays have shape (problems, epochs).

    Attributes:
        condition: its row.
        ids: its problems.
        first: first-solved iterations.
        codes: the annotator's labels as an index of ``CLASSES``, -1 where there is none.
        said: what most people said before they saw other labels, in the same way; -1 without a
            majority.
        marks: the annotator's labels as ``stats.friction`` takes them.
        who: the columns that say whose labels these are.
        unreadable: labels of a judge of which no answer could be read.
    """

    condition: Row
    ids: list[str]
    first: IntArray
    codes: IntArray
    said: IntArray
    marks: IntArray
    who: Row
    unreadable: int

    @property
    def people(self) -> IntArray:
        """People's labels as ``stats.friction`` takes them."""
        return _marks(self.said)

    def counts(self, n: int) -> Row:
        """The columns that count trials, of which ``n`` are behind the row's numbers."""
        return {
            "n": n,
            "unsolved": int((self.first == UNSOLVED).sum()),
            "stopped": int((self.marks == STOPPED).sum()),
            _UNREADABLE: self.unreadable,
            "missing": missing(self.first),
        }

    def friction_without(self, problems: Collection[str]) -> Friction:
        """The friction of the other problems."""
        left_out = np.array([problem in problems for problem in self.ids])
        return friction(np.where(left_out[:, np.newaxis], MISSING, self.first), self.marks)


def _marks(codes: IntArray) -> IntArray:
    resistant = codes == CLASSES.index(Category.RESISTANCE)
    return np.where(codes < 0, UNLABELLED, np.where(resistant, RESISTANT, OTHER_REASON))


def _labelled(runs: Runs, annotator: str | None = None) -> Iterator[_Labelled]:
    """Every condition that has labels."""
    every = labels(runs)
    for condition, ids, first in conditions(runs):
        in_run = every.filter(pl.col("run") == condition["run"])
        name = annotator or usual_annotator(in_run)
        there = in_run.filter(pl.col("condition") == condition["condition"])
        own = there.filter(pl.col("annotator") == (name or ""))
        if own.is_empty():
            continue
        readable = ~(pl.col("round").is_null() & (pl.col("kind") == "judge"))
        codes = _codes(own.filter(readable).select("problem_id", "epoch", "category"), ids, first)
        said = _codes(_majority(there.filter(pl.col("kind") == "person")), ids, first)
        who: Row = {
            "annotator": name,
            "annotator_kind": own["kind"][0],
            "annotator_simulated": bool(own["simulated"].max()),
        }
        unreadable = own.filter(~readable).height
        marks = np.where(_stopped(runs, condition, ids, first), STOPPED, _marks(codes))
        yield _Labelled(condition, ids, first, codes, said, marks, who, unreadable)


def _majority(people: pl.DataFrame) -> pl.DataFrame:
    """Problem, epoch and what more people said of it than anything else, before they saw more."""
    rows = []
    for (problem, epoch), group in people.group_by("problem_id", "epoch", maintain_order=True):
        (label, count), *others = Counter(group["blind"].to_list()).most_common(2)
        if not others or others[0][1] < count:
            rows.append((problem, epoch, label))
    schema = {"problem_id": pl.String, "epoch": pl.Int64, "category": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _codes(found: pl.DataFrame, ids: list[str], first: IntArray) -> IntArray:
    """Labels, from problem, epoch and label, as an index of ``CLASSES``; -1 without one."""
    codes = np.full(first.shape, -1, dtype=np.int64)
    position = {problem: index for index, problem in enumerate(ids)}
    for problem, epoch, category in found.iter_rows():
        # A trial that was run anew since, and solved, is no longer one to explain.
        if problem in position and first[position[problem], epoch] == UNSOLVED:
            codes[position[problem], epoch] = CLASSES.index(category)
    return codes


def _stopped(runs: Runs, condition: Row, ids: list[str], first: IntArray) -> BoolArray:
    """Where a model refused to go on."""
    found = np.zeros(first.shape, dtype=np.bool_)
    position = {problem: index for index, problem in enumerate(ids)}
    stopped = runs.trials.filter(
        pl.col("run") == condition["run"],
        pl.col("condition") == condition["condition"],
        pl.col("status") == "stopped",
    )
    for problem, epoch in stopped.select("problem_id", "epoch").iter_rows():
        found[position[problem], epoch] = True
    return found
