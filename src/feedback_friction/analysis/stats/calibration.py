"""How well predicted chances hold: Brier score, AUROC, and shares observed beside those predicted.

Sources: Brier (1950), Monthly Weather Review 78; AUROC as the Mann-Whitney statistic, ties counting
half (Hanley and McNeil 1982, Radiology 143).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from feedback_friction.analysis.stats.arrays import FloatArray

BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Predictions of about the same chance.

    Attributes:
        low, high: the bin holds predictions from ``low`` to below ``high``.
        predicted: their mean.
        happened: how many times it happened, of ``n``.
    """

    low: float
    high: float
    predicted: float
    happened: int
    n: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """How well predictions held.

    Attributes:
        brier: mean squared difference between prediction and outcome; ``nan`` without any.
        base_brier: the same of the overall share as everyone's prediction.
        auroc: chance that a case in which it happened had the higher prediction; ``nan`` where it
            always or never happened.
        n: predictions.
        bins: those that are not empty, in order.
    """

    brier: float
    base_brier: float
    auroc: float
    n: int
    bins: tuple[Bin, ...]


def calibration(predicted: FloatArray, happened: FloatArray) -> Calibration:
    """How well predicted chances hold against what happened (0 or 1), both of shape (n,)."""
    n = len(predicted)
    if not n:
        return Calibration(math.nan, math.nan, math.nan, 0, ())
    share = float(happened.mean())
    place = np.minimum((predicted * BINS).astype(int), BINS - 1)
    bins = tuple(
        Bin(
            at / BINS,
            (at + 1) / BINS,
            float(predicted[place == at].mean()),
            int(happened[place == at].sum()),
            int((place == at).sum()),
        )
        for at in range(BINS)
        if (place == at).any()
    )
    brier = float(((predicted - happened) ** 2).mean())
    return Calibration(brier, share * (1 - share), _auroc(predicted, happened), n, bins)


def _auroc(predicted: FloatArray, happened: FloatArray) -> float:
    yes, no = predicted[happened == 1], predicted[happened == 0]
    if not len(yes) or not len(no):
        return math.nan
    order = np.sort(no)
    below = np.searchsorted(order, yes, side="left")
    to = np.searchsorted(order, yes, side="right")
    return float(((below + to) / 2).sum() / (len(yes) * len(no)))
