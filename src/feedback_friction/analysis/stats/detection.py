"""Signal detection: does a solver act on feedback more where it is right than where it is wrong?

Signals are trials with right feedback on wrong answers, noise trials with wrong feedback; "yes" is
that the solver acts on it. d' is how well it tells the two apart, the criterion how reluctant it is
to act at all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from scipy.special import betaincinv

from feedback_friction.analysis.stats.intervals import LEVEL, TAILS, Estimate, z_value

_Z = NormalDist().inv_cdf


@dataclass(frozen=True, slots=True)
class Detection:
    """How well a solver tells right feedback from wrong, and how readily it acts."""

    # d' = z(H) - z(F), in standard deviations; 0 where it tells nothing apart
    sensitivity: Estimate
    criterion: Estimate  # c = -(z(H) + z(F)) / 2; below 0 for a solver that acts on most feedback


def detection(hits: float, signals: float, false_alarms: float, noises: float) -> Detection:
    """d' and criterion from counts, with the log-linear correction.

    ``H = (hits + 1/2) / (signals + 1)``, likewise F, so that neither is 0 or 1. The limits of each
    rate are the quantiles of the Beta distribution of which it is the mean, taken to the scale of
    z, where they are combined as those of a difference and of a sum (MOVER). n is the number of
    trials of both kinds; without any of one kind there is no estimate.

    Source: Hautus (1995), Behavior Research Methods 27:46-51 (the correction); Zou and Donner
    (2008), Statistics in Medicine 27:1693-1702 (the limits); Macmillan and Creelman (2005),
    Detection Theory, chapters 1 and 2.

    Raises:
        ValueError: counts that are negative, or more hits than signals.
    """
    if not (0 <= hits <= signals and 0 <= false_alarms <= noises):
        raise ValueError("hits and false alarms must lie between 0 and their trials")
    n = round(signals + noises)
    if not signals or not noises:
        nothing = Estimate(math.nan, -math.inf, math.inf, n)
        return Detection(nothing, nothing)
    hit, alarm = _rate(hits, signals), _rate(false_alarms, noises)
    sensitivity = hit.value - alarm.value
    below = math.hypot(hit.value - hit.low, alarm.high - alarm.value)
    above = math.hypot(hit.high - hit.value, alarm.value - alarm.low)
    criterion = -(hit.value + alarm.value) / 2
    less = math.hypot(hit.high - hit.value, alarm.high - alarm.value) / 2
    more = math.hypot(hit.value - hit.low, alarm.value - alarm.low) / 2
    return Detection(
        Estimate(sensitivity, sensitivity - below, sensitivity + above, n),
        Estimate(criterion, criterion - less, criterion + more, n),
    )


def _rate(yes: float, n: float) -> Estimate:
    """A rate on the scale of z, with its limits."""
    ends = (betaincinv(yes + 0.5, n - yes + 0.5, share) for share in TAILS)
    low, high = (_Z(min(max(float(end), 1e-12), 1 - 1e-12)) for end in ends)
    return Estimate(_Z((yes + 0.5) / (n + 1)), low, high, round(n))


def ellipse(x: Estimate, y: Estimate, points: int = 48) -> list[tuple[float, float]]:
    """The outline of the region in which two shares lie together, within [0, 1].

    The two are of different trials, so that its axes are those of the figure. Limits of one share
    are widened to those of two at once (chi-square with two degrees of freedom); where they are not
    symmetric, neither is the outline.
    """
    wider = math.sqrt(-2 * math.log(1 - LEVEL)) / z_value()
    outline = []
    for step in range(points):
        angle = 2 * math.pi * step / points
        across, up = math.cos(angle), math.sin(angle)
        reach = (x.high - x.value if across > 0 else x.value - x.low) * wider
        rise = (y.high - y.value if up > 0 else y.value - y.low) * wider
        point = (x.value + across * reach, y.value + up * rise)
        outline.append((min(max(point[0], 0.0), 1.0), min(max(point[1], 0.0), 1.0)))
    return outline
