"""The sizes of the study, with every interval of a condition and of its difference to a control.

Students of known ability: see ``coverage``. Beside them the intervals that stand apart from a
condition: associations, agreement, repetition, overlap, tasks pooled, likeness, odds ratios.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from feedback_friction.analysis.stats.arrays import UNSOLVED, IntArray
from feedback_friction.analysis.stats.association import auroc, spearman
from feedback_friction.analysis.stats.buckets import bucketed
from feedback_friction.analysis.stats.censored import Seen, censored_curve
from feedback_friction.analysis.stats.components import split
from feedback_friction.analysis.stats.friction import OTHER_REASON, RESISTANT, UNLABELLED, friction
from feedback_friction.analysis.stats.intervals import Estimate, Interval
from feedback_friction.analysis.stats.mixed import mixed_logit
from feedback_friction.analysis.stats.overlap import overlap
from feedback_friction.analysis.stats.paired import compare
from feedback_friction.analysis.stats.pooling import pooled
from feedback_friction.analysis.stats.proportions import class_shares, pass_at_k
from feedback_friction.analysis.stats.raters import alpha, kappa
from feedback_friction.analysis.stats.survival import hazard, kaplan_meier
from feedback_friction.analysis.stats.transitions import transitions

ITERATIONS = 10

Covered = tuple[str, Interval, float]  # what, its interval, the truth


@dataclass(frozen=True, slots=True)
class Design:
    """A simulated condition, and the control that shares its problems and first attempts.

    Attributes:
        problems: number of problems.
        epochs: trials of each.
        annotated: share of the unsolved trials that carry a label.
        ability: parameters of the beta distribution of the first attempt's success.
        uptake: chance that a later attempt succeeds where feedback helps.
        control: the same under the control.
        resistant: share of problems that resist feedback.
        other: share of problems that stay unsolved for another reason.
    """

    problems: int
    epochs: int = 1
    annotated: float = 1.0
    ability: tuple[float, float] = (1.0, 1.0)
    uptake: float = 0.45
    control: float = 0.15
    resistant: float = 0.3
    other: float = 0.15

    @property
    def open(self) -> float:
        """Share of trials whose first attempt fails."""
        return self.ability[1] / sum(self.ability)

    @property
    def willing(self) -> float:
        """Share of problems on which feedback helps."""
        return 1 - self.resistant - self.other

    def solved(self, iteration: int, uptake: float) -> float:
        """True accuracy at an iteration."""
        return 1 - self.open * (1 - self.willing * (1 - (1 - uptake) ** iteration))

    def __str__(self) -> str:
        """Size of the run, as the table shows it."""
        epochs = f" x {self.epochs}" if self.epochs > 1 else ""
        labels = f", {self.annotated:.0%} labelled" if self.annotated < 1 else ""
        return f"{self.problems}{epochs}{labels}"


def simulate(design: Design, rng: np.random.Generator) -> tuple[IntArray, IntArray, IntArray]:
    """First-solved iterations under treatment and control, and labels of the treatment's trials."""
    shape = (design.problems, design.epochs)
    chance = rng.beta(*design.ability, (design.problems, 1))
    kind = rng.choice(
        3, p=[design.willing, design.resistant, design.other], size=(design.problems, 1)
    )
    at_once = rng.random(shape) < chance
    table = []
    for uptake in (design.uptake, design.control):
        waits = rng.geometric(uptake, shape)
        later = (kind == 0) & (waits < ITERATIONS)
        table.append(np.where(at_once, 0, np.where(later, waits, UNSOLVED)))
    labels = np.where(kind == 2, OTHER_REASON, RESISTANT) * np.ones(shape, dtype=np.int64)
    unsolved = np.flatnonzero(table[0] == UNSOLVED)
    left_out = rng.permutation(unsolved)[math.ceil(design.annotated * len(unsolved)) :]
    labels.flat[left_out] = UNLABELLED
    return table[0], table[1], labels


def run(design: Design, rng: np.random.Generator) -> Iterator[Covered]:
    """One simulated run: all intervals of a condition, and of its difference to the control."""
    first, control, labels = simulate(design, rng)
    last, uptake = ITERATIONS - 1, design.uptake
    curve = accuracy_curve(first, ITERATIONS)
    for k in (0, last):
        yield f"accuracy at {k}", curve[k].interval, design.solved(k, uptake)
    rates = hazard(first, ITERATIONS)
    for k in (1, 3):
        left = 1 - design.solved(k - 1, uptake)
        truth = (design.solved(k, uptake) - design.solved(k - 1, uptake)) / left
        yield f"hazard at {k}", rates[k].interval, truth
    survival = kaplan_meier(first, ITERATIONS)[last]
    yield f"Kaplan-Meier at {last}", survival.interval, 1 - design.solved(last, uptake)
    yield from _friction(design, first, labels)
    truth = design.solved(last, uptake) - design.solved(last, design.control)
    found = compare(first, control, rng, resamples=10)
    yield "paired difference", found.difference.interval, truth
    without = accuracy_curve(control, ITERATIONS)[last]
    yield "difference, pairing forgotten", unpaired(curve[last], without), truth


def _friction(design: Design, first: IntArray, labels: IntArray) -> Iterator[Covered]:
    """Target accuracy, friction and relative friction.

    Unlucky trials of willing problems are labelled as resistant: nothing else was wrong with them.
    """
    found = friction(first, labels)
    last = design.solved(ITERATIONS - 1, design.uptake)
    target = 1 - design.open * design.other
    initial = 1 - design.open
    yield "target accuracy", found.target.interval, target
    yield "friction", found.friction.interval, target - last
    yield "relative friction", found.relative.interval, (target - last) / (target - initial)


def accuracy_curve(first: IntArray, iterations: int) -> list[Estimate]:
    """Accuracy by iteration of trials that have all ended."""
    seen = [[Seen(int(at) if at >= 0 else None, iterations) for at in row] for row in first]
    return censored_curve(seen, iterations)


def unpaired(first: Estimate, second: Estimate) -> Interval:
    """Difference of two shares taken for independent: squares of their intervals' arms add up.

    Source: Newcombe (1998), Statistics in Medicine 17:873-890, method 10.
    """
    difference = first.value - second.value
    down = math.hypot(first.value - first.low, second.high - second.value)
    up = math.hypot(first.high - first.value, second.value - second.low)
    return Interval(difference - down, difference + up)


def sparse(rng: np.random.Generator) -> Iterator[Covered]:
    """A difference that only 3% of 150 problems show."""
    control = rng.integers(UNSOLVED, 1, 150)
    treatment = np.where((control == UNSOLVED) & (rng.random(150) < 0.06), 0, control)
    found = compare(treatment, control, rng)
    yield "paired difference, 3% discordant", found.difference.interval, 0.03


def scores(rng: np.random.Generator) -> Iterator[Covered]:
    """Associations of a normal score with a correlated one, and with a class that it shifts."""
    x, noise = rng.normal(size=(2, 200))
    correlation = 0.5
    y = correlation * x + math.sqrt(1 - correlation**2) * noise
    truth = 6 / math.pi * math.asin(correlation / 2)
    yield "Spearman", spearman(x, y).interval, truth
    positive = rng.random(200) < 0.25
    area = auroc(x + positive, positive)
    yield "AUROC", area.interval, 0.5 * (1 + math.erf(0.5))


def labels_of_raters(rng: np.random.Generator) -> Iterator[Covered]:
    """Raters who see the true class four times out of five, and else guess by the shares.

    Kappa and alpha are then the chance that both saw, 0.64.
    """
    shares, units = [0.65, 0.25, 0.1], 150
    truth = rng.choice(3, p=shares, size=units)
    guesses = rng.choice(3, p=shares, size=(3, units))
    ratings = np.where(rng.random((3, units)) < 0.8, truth, guesses)
    yield "Cohen's kappa", kappa(ratings[0], ratings[1], 3).interval, 0.64
    yield "Krippendorff's alpha", alpha(ratings, 3).interval, 0.64
    counts = np.eye(3)[truth]
    for name, each, share in zip("abc", class_shares(counts), shares, strict=True):
        yield f"share of class {name}", each.share.interval, share


def repeats(rng: np.random.Generator) -> Iterator[Covered]:
    """Nine retries of a problem, each the answer before with the problem's own chance."""
    chance = rng.beta(1.0, 2.0, 120)
    trials = []
    for each in chance:
        names = np.cumsum(rng.random(ITERATIONS) >= each)
        trials.append([(str(name), False) for name in names])
    yield "repetition rate", transitions(trials).repetition.interval, 1 / 3


def samples(rng: np.random.Generator) -> Iterator[Covered]:
    """pass@5 of 10 samples, and the gain within a bucket of entropy."""
    a, b = 0.4, 1.2
    found = pass_at_k(rng.binomial(10, rng.beta(a, b, 100)), np.full(100, 10), 5)
    all_wrong = math.prod((b + i) / (a + b + i) for i in range(5))
    yield "pass@5", found.interval, 1 - all_wrong
    entropy = rng.random(300)
    unsolved = (rng.random(300) < 0.6).astype(float)
    gained = unsolved * (rng.random(300) < 0.5 * entropy)
    bucket = bucketed(entropy, gained, unsolved, np.array([0.6, 0.8]))[0]
    yield "gain in a bucket", bucket.share.interval, 0.35


def shared_failures(rng: np.random.Generator) -> Iterator[Covered]:
    """Three solvers fail on a problem with its own chance: all by any, ``E p^3 / (1 - E q^3)``."""
    chance = rng.beta(0.5, 1.0, 250)
    failed = (rng.random((3, 250)) < chance).astype(float)
    everyone = math.prod((0.5 + i) / (1.5 + i) for i in range(3))
    nobody = math.prod((1.0 + i) / (1.5 + i) for i in range(3))
    ratio = overlap(failed, rng, resamples=10).ratio
    yield "overlap ratio", ratio.interval, everyone / (1 - nobody)


def over_tasks(rng: np.random.Generator) -> Iterator[Covered]:
    """Four tasks whose true differences spread around 0.1."""
    errors = rng.uniform(0.02, 0.08, 4)
    found = pooled(rng.normal(0.1, np.hypot(errors, 0.05)).tolist(), errors.tolist())
    assert found is not None
    yield "difference over four tasks", found.mean.interval, 0.1


def likeness(rng: np.random.Generator) -> Iterator[Covered]:
    """Two conditions with first attempts in common; the truth is in closed form.

    A trial is right at first with its problem's chance p, beta(0.4, 0.6) distributed, and later
    with 0.8 or 0.3 on the 60% of problems that do not resist.
    """
    a, b, willing, uptakes = 0.4, 0.6, 0.6, (0.8, 0.3)
    chance = rng.beta(a, b, (60, 1))
    takes = rng.random((60, 1)) < willing
    first = rng.random((60, 3)) < chance
    later = [takes & (rng.random((60, 3)) < uptake) for uptake in uptakes]
    solved = np.stack([(first | each).astype(float) for each in later], axis=1)[:, np.newaxis]
    wrong, twice = b / (a + b), b * (b + 1) / ((a + b) * (a + b + 1))
    gap = uptakes[0] - uptakes[1]
    either = sum(uptakes) - 2 * math.prod(uptakes)
    between = willing * twice * gap**2 - (willing * wrong * gap) ** 2
    whole = willing * wrong * either - (willing * wrong * gap) ** 2
    yield "ICC of a difference (60 x 3)", split(solved).difference.interval, between / whole


def odds(rng: np.random.Generator) -> Iterator[Covered]:
    """Up to four retries of 100 problems under two conditions, of which one doubles the odds."""
    effects = rng.normal(0, 1.2, 100)
    rows = []
    for problem, effect in enumerate(effects):
        for treated in (0, 1):
            for attempt in range(4):
                chance = 1 / (1 + math.exp(1.5 - effect - math.log(2) * treated + 0.1 * attempt))
                right = float(rng.random() < chance)
                rows.append((right, 1.0, float(treated), float(attempt), problem))
                if right:
                    break
    table = np.array(rows)
    found = mixed_logit(table[:, 0], table[:, 1:4], table[:, 4].astype(np.int64))
    if found is not None:
        yield "odds ratio of a condition (100)", found.odds_ratios[1].interval, 2.0
        yield "odds ratio of an attempt (100)", found.odds_ratios[2].interval, math.exp(-0.1)


DESIGNS = (
    Design(100),
    Design(450),
    Design(198, annotated=0.5),
    Design(450, annotated=0.3, resistant=0.15, other=0.3),
    Design(100, epochs=4, annotated=0.3),
    Design(10, epochs=8),
)
OTHERS = (
    sparse, scores, labels_of_raters, repeats, samples, shared_failures, over_tasks, likeness,
)  # fmt: skip
FORGOTTEN = "difference, pairing forgotten"
