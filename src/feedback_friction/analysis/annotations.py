"""Labels of unsolved trials as frames, and how far those who gave them agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from itertools import combinations
from pathlib import Path

import numpy as np
import polars as pl

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.journal import read_run
from feedback_friction.analysis.stats.arrays import IntArray
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.analysis.stats.intervals import share as share_of
from feedback_friction.analysis.stats.raters import (
    UNRATED,
    ClassAgreement,
    alpha,
    class_agreement,
    kappa,
)
from feedback_friction.errors import UsageError
from feedback_friction.labels import Category, Kind, Label, read_labels

CLASSES = tuple(category.value for category in Category)
_WHOLE = {"epoch", "round", "malformed", "simulated"}


def labels(runs: Runs) -> pl.DataFrame:
    """Every label of the runs: a row a label, ``run`` before the columns of ``labels.Label``."""
    schema: dict[str, type[pl.DataType]] = {"run": pl.Int64}
    for column in fields(Label):
        schema[column.name] = pl.Int64 if column.name in _WHOLE else pl.String
    rows = [
        {"run": run} | asdict(label)
        for run, directory in enumerate(runs.directories)
        for label in read_labels(directory)
    ]
    return pl.DataFrame(rows, schema=schema, orient="row")


def usual_annotator(found: pl.DataFrame) -> str | None:
    """The annotator with most labels, by name where several have as many; None without labels."""
    if found.is_empty():
        return None
    counts = found.group_by("annotator").len().sort(["len", "annotator"], descending=[True, False])
    name: str = counts["annotator"][0]
    return name


@dataclass(frozen=True, slots=True)
class Pair:
    """Two annotators on the trials that both labelled."""

    first: str  # an annotator
    second: str  # another
    share: Estimate  # of the trials labelled alike, with Wilson's interval
    kappa: Estimate  # Cohen's kappa


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far all annotators of a run agree on resistance, quality and other."""

    annotators: dict[str, tuple[Kind, bool, int]]  # name -> (kind, simulated, number of labels)
    pairs: tuple[Pair, ...]  # every two annotators
    # Krippendorff's alpha over all; n is the number of trials with 2 labels or more
    alpha: Estimate
    classes: dict[str, ClassAgreement]  # agreement on each of the ``CLASSES``
    trials: int  # number of trials with a label at all


def read_agreement(directory: Path) -> Agreement:
    """The agreement of those who labelled trials of a run directory.

    A person's label counts as it was before the labels of others were shown (``blind``), since the
    agreement of one who knows the other's answer says nothing.

    Raises:
        UsageError: no run directory, nothing was labelled, or the labels cannot be read.
    """
    read_run(directory)
    found = read_labels(directory)
    if not found:
        raise UsageError(
            f"{directory} has no labels yet; 'friction annotate' and 'friction review' make some"
        )
    return agreement(found)


def agreement(found: Sequence[Label]) -> Agreement:
    """The agreement of some labels of one run; see ``read_agreement``."""
    judges = {each.annotator for each in found if each.kind == "judge"}
    names = sorted({each.annotator for each in found}, key=lambda name: (name in judges, name))
    ratings = rating_matrix(found, names)
    pairs = []
    for (first, one), (second, other) in combinations(zip(names, ratings, strict=True), 2):
        both = (one != UNRATED) & (other != UNRATED)
        alike = share_of(int((one == other)[both].sum()), int(both.sum()))
        pairs.append(Pair(first, second, alike, kappa(one, other, len(CLASSES))))
    annotators = {}
    for name in names:
        own = [each for each in found if each.annotator == name]
        annotators[name] = (own[0].kind, any(each.simulated for each in own), len(own))
    return Agreement(
        annotators,
        tuple(pairs),
        alpha(ratings, len(CLASSES)),
        dict(zip(CLASSES, class_agreement(ratings, len(CLASSES)), strict=True)),
        ratings.shape[1],
    )


def rating_matrix(found: Sequence[Label], names: Sequence[str]) -> IntArray:
    """Blind categories as an array of shape (annotators, trials): an index of ``CLASSES``.

    Where no answer of a judge could be read, it gave none.
    """
    trials = sorted({each.trial for each in found})
    column = {trial: index for index, trial in enumerate(trials)}
    row = {name: index for index, name in enumerate(names)}
    ratings = np.full((len(names), len(trials)), UNRATED, dtype=np.int64)
    for each in found:
        if each.kind == "judge" and each.round is None:
            continue
        ratings[row[each.annotator], column[each.trial]] = CLASSES.index(each.blind)
    return ratings
