"""What helps whom: the effects of forms of feedback that were drawn, and how predictions held."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import nan

import numpy as np
import polars as pl

from feedback_friction.analysis.choices import Decision, groups_of, in_order, read_choices
from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.stats import offpolicy
from feedback_friction.analysis.stats.arrays import FloatArray
from feedback_friction.analysis.stats.calibration import calibration
from feedback_friction.analysis.stats.clusters import clustered_share
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.analysis.tables.shared_columns import Row, frame, once, spread, spread_schema
from feedback_friction.forms import FORMS
from feedback_friction.policy import features

FEWEST = 20  # decisions of a kind of state; fewer tell nothing
HORIZONS = {"next attempt": "right", "next two attempts": "right_later"}

_SETTING: dict[str, type[pl.DataType]] = {
    "run": pl.Int64,
    "task": pl.String,
    "digits": pl.Int64,
    "solver": pl.String,
    "feedback": pl.String,
}
_GROUP = (*_SETTING, "condition")


@once
def forms(runs: Runs) -> pl.DataFrame:
    """Of runs that drew forms by lot, what each brought: one row a form, state and horizon.

    ``share``: right attempts after the form, weighted by the inverse of its probability;
    ``effect``: what it adds to the ``against`` form (``verdict`` where it was drawn), doubly robust
    with a ridge model cross-fitted by problem; ``effect_weighted``: the same by weights alone. All
    with 95% intervals clustered by problem. ``state`` is what the solver was in before the
    feedback; a form whose effect differs from state to state is one for an adaptive rule. ``n``:
    decisions for this form, of so many ``problems``. ``next two attempts``: solved within two, of
    the decisions with two attempts left, whatever was drawn for the second.
    """
    rows = [row for group in _drawn_groups(runs) for row in _effects(group)]
    schema: dict[str, type[pl.DataType]] = {
        **_SETTING,
        "horizon": pl.String,
        "state": pl.String,
        "form": pl.String,
        "against": pl.String,
        **spread_schema("share", "effect", "effect_weighted"),
        "n": pl.Int64,
        "problems": pl.Int64,
    }
    return frame(rows, schema)


def _drawn_groups(runs: Runs) -> Iterator[list[Decision]]:
    """Decisions that were drawn, by condition."""
    found: dict[tuple[int, str], list[Decision]] = {}
    for each in read_choices(runs.directories):
        if each.is_drawn:
            found.setdefault((each.run, each.condition), []).append(each)
    return iter(found.values())


def _effects(group: Sequence[Decision]) -> Iterator[Row]:
    for horizon, outcome in HORIZONS.items():
        known = [each for each in group if getattr(each, outcome) is not None]
        names = sorted({each.form for each in known}, key=_order)
        if len(names) < 2:
            continue
        data = _arrays(known, names, outcome)
        model = offpolicy.predicted(data, offpolicy.ridge(len(names)))
        states = [groups_of(each.state) for each in known]
        kinds = in_order({kind for each in states for kind in each})
        for kind in kinds:
            rows = np.array([kind in each for each in states])
            if rows.sum() >= FEWEST:
                where = {name: getattr(known[0], name) for name in _SETTING}
                yield from (
                    where | {"horizon": horizon, "state": kind} | row
                    for row in _within(data, model, rows, names)
                )


def _order(name: str) -> tuple[int, str]:
    return list(FORMS).index(name.partition(":")[0]), name


def _arrays(known: Sequence[Decision], names: Sequence[str], outcome: str) -> offpolicy.Drawn:
    found = [features(each.state) for each in known]
    columns = sorted({name for each in found for name in each})
    clusters = {problem: at for at, problem in enumerate(dict.fromkeys(e.problem for e in known))}
    return offpolicy.Drawn(
        np.array([[each.get(name, 0.0) for name in columns] for each in found]),
        np.array([names.index(each.form) for each in known]),
        np.array([each.propensity for each in known]),
        np.array([float(getattr(each, outcome)) for each in known]),
        np.array([clusters[each.problem] for each in known]),
        len(names),
    )


def _within(
    data: offpolicy.Drawn, model: FloatArray, rows: FloatArray, names: Sequence[str]
) -> Iterator[Row]:
    """The forms' shares and effects among the decisions of a kind of state."""
    part = offpolicy.Drawn(
        data.states[rows],
        data.chosen[rows],
        data.propensity[rows],
        data.outcome[rows],
        np.unique(data.cluster[rows], return_inverse=True)[1],
        data.treatments,
    )
    robust, weighted, least = [], [], []
    for at in range(len(names)):
        rule = offpolicy.always(part, at)
        robust.append(offpolicy.doubly_robust(part, rule, model[rows]))
        weighted.append(offpolicy.weighted(part, rule))
        least.append(offpolicy.least_variance(part, rule))
    for at, name in enumerate(names):
        mine, rare = part.chosen == at, least[0] + least[at]
        yield {
            "form": name,
            "against": names[0],
            **spread("share", _share(part, mine)),
            **spread("effect", _gap(part, robust[at], robust[0], at, rare)),
            **spread("effect_weighted", _gap(part, weighted[at], weighted[0], at, rare)),
            "n": int(mine.sum()),
            "problems": len({*part.cluster[mine].tolist()}),
        }


def _share(part: offpolicy.Drawn, mine: FloatArray) -> Estimate:
    """Weighted share with the interval of clustered shares, which holds near 0 and 1 too."""
    clusters = sorted({*part.cluster[mine].tolist()})
    weights, right = [], []
    for cluster in clusters:
        here = mine & (part.cluster == cluster)
        weight = 1 / part.propensity[here]
        weights.append(float(weight.sum()))
        right.append(float((weight * part.outcome[here]).sum()))
    return clustered_share(right, weights)


def _gap(
    part: offpolicy.Drawn,
    one: tuple[float, FloatArray],
    other: tuple[float, FloatArray],
    at: int,
    least: float,
) -> Estimate:
    """What a form adds to the first one; nothing for the first itself."""
    if at == 0:
        return Estimate(nan, nan, nan, 0)
    gap = one[0] - other[0]
    found = offpolicy.estimate(gap, one[1] - other[1], part.cluster, least=least)
    return Estimate(gap, max(found.low, -1.0), min(found.high, 1.0), found.n)


@once
def repetition_predicted(runs: Runs) -> pl.DataFrame:
    """How well the detector of useless feedback held: predicted chances of a repeated answer.

    One row a condition that chooses forms and a tenth of the scale: the mean ``predicted`` chance
    and the share that ``repeated``, with its interval by problem; ``brier`` against ``base_brier``
    (the overall share as everyone's prediction) and ``auroc``, of the condition.
    """
    groups: dict[tuple[object, ...], list[Decision]] = {}
    for each in read_choices(runs.directories):
        if each.repeated is not None:
            groups.setdefault(tuple(getattr(each, name) for name in _GROUP), []).append(each)
    rows: list[Row] = []
    for key, group in groups.items():
        predicted = np.array([each.predicted for each in group])
        happened = np.array([float(bool(each.repeated)) for each in group])
        found = calibration(predicted, happened)
        for bin in found.bins:
            mine = [
                each
                for each in group
                if bin.low <= each.predicted < bin.high or (bin.high == each.predicted == 1.0)
            ]
            counts: dict[str, list[int]] = {}
            for each in mine:
                counts.setdefault(each.problem, []).append(int(bool(each.repeated)))
            share = clustered_share(
                [float(sum(each)) for each in counts.values()],
                [float(len(each)) for each in counts.values()],
            )
            rows.append(
                dict(zip(_GROUP, key, strict=True))
                | {"low": bin.low, "high": bin.high, "predicted": bin.predicted}
                | spread("repeated", share)
                | {
                    "n": bin.n,
                    "brier": found.brier,
                    "base_brier": found.base_brier,
                    "auroc": found.auroc,
                }
            )
    schema: dict[str, type[pl.DataType]] = {
        **_SETTING,
        "condition": pl.String,
        "low": pl.Float64,
        "high": pl.Float64,
        "predicted": pl.Float64,
        **spread_schema("repeated"),
        "n": pl.Int64,
        "brier": pl.Float64,
        "base_brier": pl.Float64,
        "auroc": pl.Float64,
    }
    return frame(rows, schema)
