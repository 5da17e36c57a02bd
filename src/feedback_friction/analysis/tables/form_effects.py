"""What helps whom: the effects of forms of feedback that were drawn, and how predictions held."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import nan

import numpy as np

from feedback_friction.analysis.choices import (
    Decision,
    groups_of,
    in_form_order,
    in_order,
    read_choices,
    weighted_share,
)
from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.policy_learning import as_drawn
from feedback_friction.analysis.stats import offpolicy
from feedback_friction.analysis.stats.arrays import BoolArray, FloatArray
from feedback_friction.analysis.stats.association import calibration
from feedback_friction.analysis.stats.clusters import share_of_trials
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.analysis.table import Row, fields_of, table

FEWEST = 20  # decisions of a kind of state; fewer tell nothing
HORIZONS = {"next attempt": "right", "next two attempts": "right_later"}

_CONDITION = "run int, task text, digits int, solver text, feedback text"
_ABOUT = ("run", "task", "digits", "solver", "feedback", "condition")


@table(
    _CONDITION,
    "horizon text, state text, form text, against text",
    "share estimate, effect estimate, effect_weighted estimate, n int, problems int",
)
def forms(runs: Runs) -> Iterator[Row]:
    """Of runs that drew forms at random, what each brought: one row a form, state and horizon.

    ``share``: right attempts after the form, weighted by the inverse of its probability;
    ``effect``: what it adds to the ``against`` form (``verdict`` where it was drawn), doubly robust
    with a ridge model cross-fitted by problem; ``effect_weighted``: the same by weights alone. All
    with 95% intervals clustered by problem. ``state`` is what the solver was in before the
    feedback; a form whose effect differs from state to state is one for an adaptive rule. ``n``:
    decisions for this form, of so many ``problems``. ``next two attempts``: solved within two, of
    the decisions with two attempts left, whatever was drawn for the second.
    """
    drawn = [each for each in read_choices(runs.directories) if each.is_drawn]
    for about, group in _by_condition(drawn):
        for row in _effects(group):
            yield about | row


def _by_condition(decisions: Iterable[Decision]) -> list[tuple[Row, list[Decision]]]:
    """Decisions by condition, after the columns that say which."""
    groups: dict[tuple[object, ...], list[Decision]] = {}
    for each in decisions:
        groups.setdefault(tuple(getattr(each, name) for name in _ABOUT), []).append(each)
    return [(dict(zip(_ABOUT, key, strict=True)), group) for key, group in groups.items()]


def _effects(group: Sequence[Decision]) -> Iterator[Row]:
    for horizon, outcome in HORIZONS.items():
        known = [each for each in group if getattr(each, outcome) is not None]
        names = in_form_order({each.form for each in known})
        if len(names) < 2:
            continue
        data, _ = as_drawn(known, names, outcome)
        model = offpolicy.predicted(data, offpolicy.ridge(len(names)))
        states = [groups_of(each.state) for each in known]
        kinds = in_order({kind for each in states for kind in each})
        for kind in kinds:
            rows = np.array([kind in each for each in states])
            if rows.sum() >= FEWEST:
                here = [each for each, is_here in zip(known, rows, strict=True) if is_here]
                for row in _within(data, model, rows, names):
                    given = [each for each in here if each.form == row["form"]]
                    yield row | {
                        "horizon": horizon,
                        "state": kind,
                        "share": weighted_share(given, [getattr(each, outcome) for each in given]),
                        "n": len(given),
                        "problems": len({each.problem for each in given}),
                    }


def _within(
    data: offpolicy.Drawn, model: FloatArray, rows: BoolArray, names: Sequence[str]
) -> Iterator[Row]:
    """The forms' effects among the decisions of a kind of state."""
    part = data.among(rows)
    robust, weighted, least = [], [], []
    for at in range(len(names)):
        rule = offpolicy.always(part, at)
        robust.append(offpolicy.doubly_robust(part, rule, model[rows]))
        weighted.append(offpolicy.weighted(part, rule))
        least.append(offpolicy.least_variance(part, rule))
    for at, name in enumerate(names):
        rare = least[0] + least[at]
        yield {
            "form": name,
            "against": names[0],
            "effect": _gap(part, robust[at], robust[0], at, rare),
            "effect_weighted": _gap(part, weighted[at], weighted[0], at, rare),
        }


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


@table(
    _CONDITION,
    "condition text, low float, high float, predicted float, repeated estimate, n int",
    "brier float, base_brier float, auroc float",
)
def repetition_predicted(runs: Runs) -> Iterator[Row]:
    """How well the detector of useless feedback held: predicted chances of a repeated answer.

    One row a condition that chooses forms and a tenth of the scale: the mean ``predicted`` chance
    and the share that ``repeated``, with its interval by problem; ``brier`` against ``base_brier``
    (the overall share as everyone's prediction) and ``auroc``, of the condition.
    """
    known = [each for each in read_choices(runs.directories) if each.repeated is not None]
    for about, group in _by_condition(known):
        predicted = np.array([each.predicted for each in group])
        happened = np.array([float(bool(each.repeated)) for each in group])
        found = calibration(predicted, happened)
        for bin in found.bins:
            mine = [
                (each.problem, bool(each.repeated))
                for each in group
                if bin.low <= each.predicted < bin.high or (bin.high == each.predicted == 1.0)
            ]
            row = about | fields_of(found) | fields_of(bin)
            yield row | {"repeated": share_of_trials(mine)}
