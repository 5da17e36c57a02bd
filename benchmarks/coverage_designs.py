"""Designs that the intervals were not tuned to, each with the truth in closed form.

Few problems and many epochs, rates near 0 and 1, difficulty in a U, trials that are missing by lot
or by difficulty, stops, judges that err and people who check some of them, and guessers. A design
yields what is estimated, its interval and the truth; a null design yields whether a sentence would
be written that is false.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from feedback_friction.analysis.journal import Condition
from feedback_friction.analysis.stats.arrays import UNSOLVED, FloatArray, IntArray
from feedback_friction.analysis.stats.censored import Seen, censored_curve, worst_case
from feedback_friction.analysis.stats.clusters import share_of_cells
from feedback_friction.analysis.stats.corrected import corrected
from feedback_friction.analysis.stats.friction import OTHER_REASON, RESISTANT, UNLABELLED
from feedback_friction.analysis.stats.guessing import Excludes, guesser, right_next
from feedback_friction.analysis.stats.intervals import Interval
from feedback_friction.analysis.stats.paired import compare
from feedback_friction.analysis.stats.progress import area, normalised_gain
from feedback_friction.analysis.uptake import Retry, Uptake, contrasts, second_attempts

PROBLEMS = (10, 20, 30, 100, 450)
EPOCHS = (1, 4, 16, 64)
RATES = (0.005, 0.02, 0.1, 0.5, 0.9, 0.98, 0.995)
ITERATIONS = 10
CLEAR = 0.05  # the p-value below which a sentence is written

Rng = np.random.Generator
Covered = tuple[str, Interval, float]  # what, its interval, the truth
Chances = Callable[[Rng, int], FloatArray]


def _equal(rate: float, rng: Rng, problems: int) -> FloatArray:
    return np.full(problems, rate)


def _beta(a: float, b: float, rng: Rng, problems: int) -> FloatArray:
    return rng.beta(a, b, problems)


def _some(share: float, rate: float, rng: Rng, problems: int) -> FloatArray:
    return rate * (rng.random(problems) < share)


DIFFICULTIES: dict[str, tuple[Chances, float]] = {
    **{f"all {rate:g}": (partial(_equal, rate), rate) for rate in RATES},
    "U-shaped, mean 0.5": (partial(_beta, 0.3, 0.3), 0.5),
    "U-shaped, mean 0.02": (partial(_beta, 0.02, 0.98), 0.02),
    "3% solvable, half the time": (partial(_some, 0.03, 0.5), 0.015),
}


def accuracy(problems: int, epochs: int, rng: Rng) -> Iterator[Covered]:
    """Accuracy under every difficulty."""
    for name, (chances, truth) in DIFFICULTIES.items():
        solved = rng.binomial(epochs, chances(rng, problems))
        cells = Counter((count / epochs, 1.0, float(epochs)) for count in solved.tolist())
        yield name, share_of_cells(cells).interval, truth


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
        chance = rng.beta(*self.first, (problems, 1))
        willing = rng.random((problems, 1)) >= self.resistant
        waits = rng.geometric(self.uptake, (problems, epochs))
        later = np.where(willing & (waits < ITERATIONS), waits, UNSOLVED)
        at_once = rng.random((problems, epochs)) < chance
        return chance, np.where(at_once, 0, later)


LOOP = Loop()


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
    second = second_attempts(_retries(first, rng.random(first.shape) < 0.5))
    yield "right at the second attempt", second.right.interval, LOOP.gain(1)
    truth = 0.5 * (1 - LOOP.gain(1))
    yield "repetition at the second attempt", second.repeated.interval, truth


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


def judged(problems: int, wrong: float, rng: Rng) -> Iterator[Covered]:
    """A judge that errs in so many labels; people label a tenth of what it labelled."""
    kind = rng.choice(4, p=[0.3, 0.3, 0.24, 0.16], size=problems)
    first = np.array([0, 3, UNSOLVED, UNSOLVED])[kind]
    truth = np.where(kind == 2, RESISTANT, OTHER_REASON)
    judge = np.where(rng.random(problems) < wrong, 1 - truth, truth)
    unsolved = np.flatnonzero(first == UNSOLVED)
    chosen = rng.permutation(unsolved)[: int(np.ceil(len(unsolved) / 10))]
    people = np.full(problems, UNLABELLED)
    people[chosen] = truth[chosen]
    found = corrected(first, judge, people, seed=int(rng.integers(2**32)))
    yield "friction", found.friction.interval, 0.24
    yield "target accuracy", found.target.interval, 0.84
    yield "relative friction", found.relative.interval, 0.24 / 0.54


# --- sentences that would be false ---------------------------------------------------------------

_CONDITION = Condition(
    "treated", "mmlu", None, "openai/solver", "binary", None, "greedy", "transcript",
    ITERATIONS, 1, 0, "choice", 0,
)  # fmt: skip
_CONTROL = replace(_CONDITION, condition="control", feedback="retry")


def _retries(
    first: IntArray, repeats: FloatArray, guesses: tuple[float, float] = (0.0, 0.0)
) -> dict[tuple[str, int], Retry]:
    """What ``analysis.uptake`` reads of trials that were wrong at first."""
    return {
        (str(problem), epoch): Retry(
            bool(first[problem, epoch] == 1),
            bool(repeats[problem, epoch]) and first[problem, epoch] != 1,
            *guesses,
            Seen(int(first[problem, epoch]) if first[problem, epoch] > 0 else None, ITERATIONS),
        )
        for problem, epoch in np.argwhere(first != 0).tolist()
    }


def _uptake(treated: IntArray, control: IntArray, guesses: tuple[float, ...]) -> Uptake | None:
    """Uptake of two conditions; guesses are the least and the most, of each in turn."""
    nothing = np.zeros(treated.shape)
    retries = {
        "treated": _retries(treated, nothing, guesses[:2]),
        "control": _retries(control, nothing, guesses[2:]),
    }
    found = contrasts([_CONDITION, _CONTROL], retries)
    return found[0] if found else None


def alike(problems: int, epochs: int, rng: Rng) -> Iterator[tuple[str, bool]]:
    """Feedback that does what retrying does: any clear difference is a false one."""
    _, first = LOOP.draw(problems, epochs, rng)
    chance = LOOP.uptake * (rng.random((problems, 1)) >= LOOP.resistant)
    waits = rng.geometric(np.maximum(chance, 1e-9), (2, problems, epochs))
    treated, control = (
        np.where(first == 0, 0, np.where(each < ITERATIONS, each, UNSOLVED)) for each in waits
    )
    found = _uptake(treated, control, (0.0,) * 4)
    yield "uptake over retry", found is not None and found.p_value < CLEAR
    gain = compare(treated, control, ITERATIONS, rng, resamples=400)
    yield "accuracy over retry", gain.p_value < CLEAR


def guessing(options: int, mindful: bool, rng: Rng) -> Iterator[tuple[str, bool]]:
    """Guessers, who keep wrong options in mind when told, or do not: they take up nothing."""
    kind, problems = (Excludes.ALL if mindful else Excludes.NOTHING), 300
    first = np.where(rng.random((problems, 1)) < 0.5, 0, UNSOLVED)
    treated, control = (_guessed(first, options, each, rng) for each in (kind, Excludes.NOTHING))
    least, most = (right_next(options, 1, each) for each in (Excludes.NOTHING, Excludes.ALL))
    found = _uptake(treated, control, (least, most, least, least))
    yield "uptake over retry", found is not None and found.p_value < CLEAR
    second = second_attempts(_retries(treated, np.zeros(treated.shape), (least, most)))
    yield "second attempts above guessing", bool(second.above_guess)
    after = [guesser(options, ITERATIONS - 1, each, 1)[-1] for each in (Excludes.ALL, kind.NOTHING)]
    wrong = float((first != 0).mean())
    gain = compare(treated, control, ITERATIONS, rng, resamples=10)
    p_value = gain.p_beyond(Interval(0.0, wrong * (after[0] - after[1])))
    yield "accuracy over retry", p_value < CLEAR


def _guessed(first: IntArray, options: int, kind: Excludes, rng: Rng) -> IntArray:
    """First-solved iterations of guessers whose first attempts are given."""
    solved = first.copy()
    for k in range(1, ITERATIONS):
        tried = min(k, options - 1) if kind is Excludes.ALL else 1
        right = rng.random(first.shape) < right_next(options, tried, kind)
        solved = np.where((solved == UNSOLVED) & right, k, solved)
    return solved
