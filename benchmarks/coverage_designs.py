"""Designs that the intervals were not tuned to, each with the truth in closed form.

Few problems and many epochs, rates near 0 and 1, difficulty in a U, trials that are missing by lot
or by difficulty, stops, judges that err and people who check some of them. A design yields what is
estimated, its interval and the truth.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from math import prod

import numpy as np
from scipy import stats as distributions

from feedback_friction.analysis.journal import Condition
from feedback_friction.analysis.retries import Retry, second_attempts
from feedback_friction.analysis.stats.arrays import UNSOLVED, FloatArray, IntArray
from feedback_friction.analysis.stats.censored import (
    Seen,
    area,
    censored_curve,
    normalised_gain,
    worst_case,
)
from feedback_friction.analysis.stats.clusters import share_of_cells
from feedback_friction.analysis.stats.corrected import corrected
from feedback_friction.analysis.stats.friction import OTHER_REASON, RESISTANT, UNLABELLED
from feedback_friction.analysis.stats.intervals import Interval
from feedback_friction.analysis.stats.paired import compare
from feedback_friction.analysis.uptake import Uptake, contrasts

PROBLEMS = (10, 20, 30, 100, 450)
EPOCHS = (1, 4, 16, 64)
RATES = (0.005, 0.02, 0.1, 0.5, 0.9, 0.98, 0.995)
ITERATIONS = 10

Rng = np.random.Generator
Covered = tuple[str, Interval, float]  # what, its interval, the truth
Chances = Callable[[Rng, int], FloatArray]


def _equal(rate: float, rng: Rng, problems: int) -> FloatArray:
    return np.full(problems, rate)


def _beta(a: float, b: float, rng: Rng, problems: int) -> FloatArray:
    return rng.beta(a, b, problems)


def _some(share: float, rate: float, rng: Rng, problems: int) -> FloatArray:
    return rate * (rng.random(problems) < share)


@dataclass(frozen=True, slots=True)
class Difficulty:
    """How the chances of success differ between problems.

    Attributes:
        chances: draws one for each problem.
        mean: their mean, which the intervals are of.
        never: chance that none of so many trials of a problem succeeds.
        always: chance that all do.
    """

    chances: Chances
    mean: float
    never: Callable[[int], float]
    always: Callable[[int], float]

    def few(self, problems: int, epochs: int) -> bool:
        """Whether fewer than five problems with a success, or with a failure, are expected."""
        least = 1 - max(self.never(epochs), self.always(epochs))
        return problems * least < FEW


def _all(rate: float) -> Difficulty:
    return Difficulty(partial(_equal, rate), rate, lambda m: (1 - rate) ** m, lambda m: rate**m)


def _spread(a: float, b: float) -> Difficulty:
    def every(first: float, m: int) -> float:
        return prod((first + i) / (a + b + i) for i in range(m))

    return Difficulty(partial(_beta, a, b), a / (a + b), partial(every, b), partial(every, a))


def _share(share: float, rate: float) -> Difficulty:
    return Difficulty(
        partial(_some, share, rate),
        share * rate,
        lambda m: 1 - share * (1 - (1 - rate) ** m),
        lambda m: share * rate**m,
    )


FEW, SOME = 5, 30
DIFFICULTIES = {
    **{f"all {rate:g}": _all(rate) for rate in RATES},
    "U-shaped, mean 0.5": _spread(0.3, 0.3),
    "U-shaped, mean 0.02": _spread(0.02, 0.98),
    "3% solvable, half the time": _share(0.03, 0.5),
}


def accuracy(problems: int, epochs: int, rng: Rng) -> Iterator[Covered]:
    """Accuracy under every difficulty."""
    for name, each in DIFFICULTIES.items():
        solved = rng.binomial(epochs, each.chances(rng, problems))
        yield name, _share_of(solved.tolist(), epochs), each.mean


def _share_of(solved: list[int], epochs: int) -> Interval:
    cells = Counter((count / epochs, 1.0, float(epochs)) for count in solved)
    return share_of_cells(cells).interval


def exact(problems: int) -> dict[str, float]:
    """Coverage of accuracy with one trial a problem under every difficulty, by summing."""
    limits = [_share_of([1] * k + [0] * (problems - k), 1) for k in range(problems + 1)]
    found = {}
    for name, each in DIFFICULTIES.items():
        held = [k for k, limit in enumerate(limits) if limit.contains(each.mean)]
        found[name] = float(distributions.binom.pmf(held, problems, each.mean).sum())
    return found


@dataclass(frozen=True, slots=True)
class Loop:
    """Problems that differ in difficulty, solved again with feedback.

    Attributes:
        first: parameters of the beta distribution of a first attempt's chance.
        uptake: chance of every later attempt on a problem that does not resist.
        resistant: share of problems that do.
    """

    first: tuple[float, float] = (0.4, 0.6)
    uptake: float = 0.25
    resistant: float = 0.4

    @property
    def wrong(self) -> float:
        """Share wrong at first."""
        return self.first[1] / sum(self.first)

    def solved(self, iteration: int) -> float:
        """True accuracy at an iteration."""
        return 1 - self.wrong * (1 - self.gain(iteration))

    def gain(self, iteration: int) -> float:
        """Of those wrong at first, the share solved by an iteration."""
        return (1 - self.resistant) * (1 - (1 - self.uptake) ** iteration)

    def draw(self, problems: int, epochs: int, rng: Rng) -> tuple[FloatArray, IntArray]:
        """Chances of the first attempts, and first-solved iterations (problems, epochs)."""
        chance, (first,) = self.pair(problems, epochs, rng, self.uptake)
        return chance, first

    def pair(
        self, problems: int, epochs: int, rng: Rng, *uptakes: float
    ) -> tuple[FloatArray, list[IntArray]]:
        """The same of conditions that share their first attempts, and differ in uptake."""
        chance = rng.beta(*self.first, (problems, 1))
        willing = rng.random((problems, 1)) >= self.resistant
        at_once = rng.random((problems, epochs)) < chance
        waits = [rng.geometric(uptake, (problems, epochs)) for uptake in uptakes]
        return chance, [
            np.where(at_once, 0, np.where(willing & (each < ITERATIONS), each, UNSOLVED))
            for each in waits
        ]


LOOP = Loop()


_CONDITION = Condition(
    "treated", "mmlu", None, "openai/solver", "binary", None, "greedy", "transcript",
    ITERATIONS, 1, 0, "choice", 0,
)  # fmt: skip
_CONTROL = replace(_CONDITION, condition="control", feedback="retry")


@cache
def _ended(at: int) -> Seen:
    """A trial solved at an iteration, or never, of which all is known."""
    return Seen(at if at >= 0 else None, ITERATIONS)


def retries(
    first: IntArray, repeats: FloatArray, guesses: tuple[float, float] = (0.0, 0.0)
) -> dict[tuple[str, int], Retry]:
    """What ``analysis.retries`` reads of trials that were wrong at first."""
    repeated = (repeats > 0) & (first != 1)
    problems, epochs = np.nonzero(first != 0)
    ends, same = first[problems, epochs].tolist(), repeated[problems, epochs].tolist()
    keys = zip(map(str, problems.tolist()), epochs.tolist(), strict=True)
    return {
        key: Retry(at == 1, again, *guesses, _ended(at))
        for key, at, again in zip(keys, ends, same, strict=True)
    }


def uptake_of(
    treated: IntArray,
    control: IntArray,
    repeats: tuple[FloatArray, FloatArray] | None = None,
    guesses: tuple[float, ...] = (0.0,) * 4,
) -> Uptake | None:
    """Uptake of two conditions; guesses are the least and the most, of each in turn."""
    same = repeats or (np.zeros(treated.shape),) * 2
    made = {
        "treated": retries(treated, same[0], (guesses[0], guesses[1])),
        "control": retries(control, same[1], (guesses[2], guesses[3])),
    }
    found = contrasts([_CONDITION, _CONTROL], made)
    return found[0] if found else None


def _seen(first: IntArray, known: IntArray) -> list[list[Seen]]:
    """Trials of which so many iterations are known; ``known`` has the shape of ``first``."""
    return [
        [
            Seen(at, ITERATIONS) if 0 <= at < end else Seen(None, end)
            for at, end in zip(row, ends, strict=True)
        ]
        for row, ends in zip(first.tolist(), known.tolist(), strict=True)
    ]


def progress(problems: int, epochs: int, rng: Rng) -> Iterator[Covered]:
    """Normalised gain, area and the second attempts."""
    _, first = LOOP.draw(problems, epochs, rng)
    seen = _seen(first, np.full(first.shape, ITERATIONS))
    yield "normalised gain", normalised_gain(seen, ITERATIONS).interval, LOOP.gain(ITERATIONS - 1)
    mean = float(np.mean([LOOP.solved(k) for k in range(ITERATIONS)]))
    yield "area", area(seen, ITERATIONS).interval, mean
    second = second_attempts(retries(first, rng.random(first.shape) < 0.5))
    yield "right at the second attempt", second.right.interval, LOOP.gain(1)
    truth = 0.5 * (1 - LOOP.gain(1))
    yield "repetition at the second attempt", second.repeated.interval, truth


CONTROL = replace(LOOP, uptake=0.1)


def few_differ(problems: int, epochs: int) -> bool:
    """Whether fewer than five problems are expected whose second attempts differ."""
    one, other = LOOP.uptake, CONTROL.uptake
    differ = LOOP.wrong * (one * (1 - other) + other * (1 - one))
    return problems * (1 - LOOP.resistant) * (1 - (1 - differ) ** epochs) < FEW


def against(problems: int, epochs: int, rng: Rng) -> Iterator[Covered]:
    """A condition against a control that shares its first attempts: one-step uptake, the end."""
    _, (treated, control) = LOOP.pair(problems, epochs, rng, LOOP.uptake, CONTROL.uptake)
    same = (rng.random(treated.shape) < 0.5, rng.random(treated.shape) < 0.5)
    gaps = [LOOP.gain(k) - CONTROL.gain(k) for k in range(ITERATIONS)]
    if found := uptake_of(treated, control, same):
        yield "uptake over control", found.right.difference.interval, gaps[1]
        yield "repetition over control", found.repeated.difference.interval, -0.5 * gaps[1]
        yield "gain over control", found.gain.difference.interval, gaps[-1]
        yield "area over control", found.area.difference.interval, float(np.mean(gaps[1:]))
    compared = compare(treated, control, rng, resamples=10)
    yield "accuracy over control", compared.difference.interval, LOOP.wrong * gaps[-1]


def missing(problems: int, by_difficulty: bool, rng: Rng) -> Iterator[Covered]:
    """A fifth of the trials never ran: any, or those whose first attempt is hardest."""
    chance, first = LOOP.draw(problems, 1, rng)
    order = np.argsort(chance[:, 0]) if by_difficulty else rng.permutation(problems)
    known = np.full(first.shape, ITERATIONS)
    known[order[: problems // 5]] = 0
    seen = _seen(first, known)
    last, truth = ITERATIONS - 1, LOOP.solved(ITERATIONS - 1)
    if not by_difficulty:
        yield "accuracy", censored_curve(seen, ITERATIONS)[last].interval, truth
    yield "worst-case limits", worst_case(seen, 1, ITERATIONS)[last], truth


def stopped_early(problems: int, rng: Rng) -> Iterator[Covered]:
    """Trials in flight at an attempt of their own: each is known up to it."""
    _, first = LOOP.draw(problems, 1, rng)
    known = rng.integers(1, ITERATIONS + 1, first.shape)
    seen, last = _seen(first, known), ITERATIONS - 1
    curve = censored_curve(seen, ITERATIONS)
    yield "accuracy in the end", curve[last].interval, LOOP.solved(last)
    yield "normalised gain", normalised_gain(seen, ITERATIONS).interval, LOOP.gain(last)


def judged(problems: int, wrong: float, checked: float, rng: Rng) -> Iterator[Covered]:
    """A judge that errs in so many labels; people label such a share of what it labelled."""
    kind = rng.choice(4, p=[0.3, 0.3, 0.24, 0.16], size=problems)
    first = np.array([0, 3, UNSOLVED, UNSOLVED])[kind]
    truth = np.where(kind == 2, RESISTANT, OTHER_REASON)
    judge = np.where(rng.random(problems) < wrong, 1 - truth, truth)
    unsolved = np.flatnonzero(first == UNSOLVED)
    chosen = rng.permutation(unsolved)[: int(np.ceil(checked * len(unsolved)))]
    people = np.full(problems, UNLABELLED)
    people[chosen] = truth[chosen]
    found = corrected(first, judge, people, seed=int(rng.integers(2**32)))
    yield "friction", found.friction.interval, 0.24
    yield "target accuracy", found.target.interval, 0.84
    yield "relative friction", found.relative.interval, 0.24 / 0.54


IGNORED = ", clusters ignored"
LIKENESS = 0.3  # intraclass correlation of the problems of a cluster, and of a problem's trials
FIRST, TREATED, UNTREATED = 0.5, 0.3, 0.1  # mean chance of a first, and of a second attempt


def in_clusters(clusters: int, size: int, epochs: int, rng: Rng) -> Iterator[Covered]:
    """Problems that share passages: first attempts and uptake are alike within each.

    Every interval comes twice: with the clusters, and as if each problem stood alone.
    """
    within = [str(cluster) for cluster in range(clusters) for _ in range(size)]
    first, again = (_alike(mean, clusters, size, epochs, rng) for mean in (FIRST, TREATED))
    treated = np.where(first, 0, np.where(again, 1, UNSOLVED))
    other = rng.random(first.shape) < UNTREATED
    control = np.where(first, 0, np.where(other, 1, UNSOLVED))
    seen = _seen(treated, rng.integers(1, 3, treated.shape))
    made = {
        name: retries(each, np.zeros(each.shape))
        for name, each in (("treated", treated), ("control", control))
    }
    named = dict(zip(map(str, range(len(within))), within, strict=True))
    last = FIRST + (1 - FIRST) * TREATED
    for end, known, by_id in (("", within, named), (IGNORED, None, dict[str, str]())):
        curve = censored_curve(seen, 2, clusters=known)
        yield f"first accuracy{end}", curve[0].interval, FIRST
        yield f"accuracy with trials in flight{end}", curve[1].interval, last
        found = contrasts([_CONDITION, _CONTROL], made, {_CONDITION.task: by_id})
        yield f"paired uptake{end}", found[0].right.difference.interval, TREATED - UNTREATED
        final = compare(treated, control, rng, resamples=10, clusters=known).difference.interval
        yield f"paired difference{end}", final, (1 - FIRST) * (TREATED - UNTREATED)
        right = second_attempts(made["treated"], clusters=by_id).right.interval
        yield f"second attempts right{end}", right, TREATED


def _alike(mean: float, clusters: int, size: int, epochs: int, rng: Rng) -> np.ndarray:
    """Outcomes, shape (problems, epochs), whose chances vary by cluster, then by problem."""
    worth = (1 - LIKENESS) / LIKENESS
    chance = rng.beta(mean * worth, (1 - mean) * worth, clusters).clip(1e-9, 1 - 1e-9)
    chance = np.repeat(chance, size)
    if epochs > 1:
        chance = rng.beta(chance * worth, (1 - chance) * worth)
    return rng.random((clusters * size, epochs)) < chance[:, np.newaxis]
