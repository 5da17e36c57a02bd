"""Every 95% interval of the analysis covers known truth in 92 to 99% of simulated runs.

Students of known ability solve simulated problems: a first attempt succeeds with the problem's own
chance (beta distributed), every later one with the uptake, unless the problem resists feedback, or
its feedback is bad, which no attempt overcomes. All shares that the analysis estimates follow from
these numbers in closed form. A row gives how often the interval held the truth, and its mean width.

One interval is shown without a target: differences that forget the pairing, which the paired ones
are compared with. ``coverage_designs`` adds designs that no interval was tuned to, of which the
least and the most coverage are shown, and ``coverage_nulls`` sentences that would be false. All of
it takes some 12 minutes of one core (``--part`` for one part alone).

Simulated coverage is uncertain itself: a target is missed where it is missed by more than two
standard errors. Where fewer than some five problems with a success, or with a failure, are
expected, an interval's coverage jumps with each, and none can be within 92 to 99% at every rate:
such cells need only reach the lower end.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, product

import numpy as np

from benchmarks import coverage_designs as designs
from benchmarks import coverage_kernel
from benchmarks import coverage_nulls as nulls
from benchmarks.common import Figure, script
from feedback_friction.analysis.stats.agreement import alpha, kappa
from feedback_friction.analysis.stats.arrays import UNSOLVED, IntArray
from feedback_friction.analysis.stats.association import auroc, spearman
from feedback_friction.analysis.stats.buckets import bucketed
from feedback_friction.analysis.stats.censored import Seen, censored_curve
from feedback_friction.analysis.stats.friction import OTHER_REASON, RESISTANT, UNLABELLED, friction
from feedback_friction.analysis.stats.intervals import Estimate, Interval
from feedback_friction.analysis.stats.overlap import overlap
from feedback_friction.analysis.stats.paired import compare
from feedback_friction.analysis.stats.pass_at_k import pass_at_k
from feedback_friction.analysis.stats.proportions import class_shares
from feedback_friction.analysis.stats.survival import hazard, kaplan_meier
from feedback_friction.analysis.stats.transitions import transitions

LOW, HIGH = 92.0, 99.0
FALSE = 5.0  # percent of null runs with a false sentence, at most
LARGE = 7_200  # trials of a condition: beyond, there are fewer runs
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


@dataclass(slots=True)
class Tally:
    """How often an interval held the truth, and how wide it was."""

    hits: int = 0
    widths: list[float] = field(default_factory=list)

    def add(self, interval: Interval, truth: float) -> None:
        """Count one run; a hair's breadth of rounding is no miss."""
        self.hits += interval.low - 1e-9 <= truth <= interval.high + 1e-9
        self.widths.append(interval.width)


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
    found = compare(first, control, ITERATIONS, rng, resamples=10)
    yield "paired difference", found.final.interval, truth
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
    found = compare(treatment, control, 1, rng)
    yield "paired difference, 3% discordant", found.final.interval, 0.03


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


DESIGNS = (
    Design(100),
    Design(450),
    Design(198, annotated=0.5),
    Design(450, annotated=0.3, resistant=0.15, other=0.3),
    Design(100, epochs=4, annotated=0.3),
    Design(10, epochs=8),
)
OTHERS = (sparse, scores, labels_of_raters, repeats, samples, shared_failures)
FORGOTTEN = "difference, pairing forgotten"


def tally(
    simulation: Callable[[np.random.Generator], Iterator[Covered]], runs: int, seed: int
) -> dict[str, Tally]:
    """Coverage and widths over many runs, by what was estimated."""
    rng = np.random.default_rng(seed)
    tallies: dict[str, Tally] = {}
    for _ in range(runs):
        for name, interval, truth in simulation(rng):
            tallies.setdefault(name, Tally()).add(interval, truth)
    return tallies


def figures(size: str, tallies: dict[str, Tally], runs: int) -> Iterator[Figure]:
    """One line for each interval."""
    for name, each in tallies.items():
        share = 100 * each.hits / runs
        shown = f"{name} (n = {size})" if size else name
        target = f"{LOW:g} to {HIGH:g}" if name != FORGOTTEN else ""
        slack = _slack(share, runs)
        holds = LOW - slack <= share <= HIGH + slack if target else None
        yield Figure(f"{shown}: width {np.mean(each.widths):.3f}", share, "%", target, holds)


def _slack(share: float, runs: int) -> float:
    """Two standard errors of a simulated share, in percent, with one run of each kind added."""
    if not runs:
        return 0.0
    known = (share / 100 * runs + 1) / (runs + 2)
    return 200 * math.sqrt(known * (1 - known) / runs)


def span(
    name: str, shares: dict[str, float], runs: int, few: Container[str] = (), most: float = HIGH
) -> Iterator[Figure]:
    """The least and the most coverage of several intervals, and which they are of.

    Args:
        name: what the intervals are of.
        shares: coverage of each in percent.
        runs: simulated runs; 0 where coverage is exact.
        few: those that need only reach the lower end.
        most: what the others may cover at most; 100 for limits that are no 95% intervals.
    """
    low = min(shares, key=shares.__getitem__)
    holds = shares[low] + _slack(shares[low], runs) >= LOW
    yield Figure(f"{name}: least ({low})", shares[low], "%", f">= {LOW:g}", holds)
    many = {each: share for each, share in shares.items() if each not in few}
    if most < 100 and many:
        high = max(many, key=many.__getitem__)
        below = many[high] - _slack(many[high], runs) <= most
        yield Figure(f"{name}: most ({high})", many[high], "%", f"<= {most:g}", below)
    if few:
        rare = {each: shares[each] for each in shares if each in few}
        high = max(rare, key=rare.__getitem__)
        yield Figure(f"{name}: most where few succeed or fail ({high})", rare[high], "%")


def _shares(tallies: dict[str, Tally], runs: int) -> dict[str, float]:
    return {name: 100 * each.hits / runs for name, each in tallies.items()}


def _few(problems: int, epochs: int) -> set[str]:
    return {name for name, each in designs.DIFFICULTIES.items() if each.few(problems, epochs)}


def accuracies(runs: int, seed: int, problems: int, epochs: int) -> Iterator[Figure]:
    """Accuracy under every difficulty; exact with one trial a problem."""
    if epochs == 1:
        shares, runs = {k: 100 * v for k, v in designs.exact(problems).items()}, 0
    else:
        shares = _shares(tally(partial(designs.accuracy, problems, epochs), runs, seed), runs)
    yield from span(f"accuracy ({problems} x {epochs})", shares, runs, _few(problems, epochs))


def attempts(runs: int, seed: int, problems: int, epochs: int) -> Iterator[Figure]:
    """What attempts after the first bring, and what a condition brings over a control."""
    runs = max(min(runs, 10), round(runs * min(1.0, LARGE / (problems * epochs))))
    size = f"({problems} x {epochs})"
    found = tally(partial(designs.progress, problems, epochs), runs, seed)
    yield from span(f"gain, area, second attempts {size}", _shares(found, runs), runs)
    found = tally(partial(designs.against, problems, epochs), runs, seed)
    few = {"uptake over control"} if designs.few_differ(problems, epochs) else ()
    yield from span(f"over control {size}", _shares(found, runs), runs, few)


def gaps(runs: int, seed: int, problems: int) -> Iterator[Figure]:
    """Missing trials and early stops."""
    for by, name in ((False, "at random"), (True, "by difficulty")):
        found = tally(partial(designs.missing, problems, by), runs, seed)
        limits = {"worst-case limits": found.pop("worst-case limits")}
        title = f"20% missing {name} ({problems})"
        if found:
            yield from span(title, _shares(found, runs), runs)
        yield from span(title, _shares(limits, runs), runs, most=100)
    found = tally(partial(designs.stopped_early, problems), runs, seed)
    left = problems * (1 - designs.LOOP.solved(ITERATIONS - 1))
    few = {"accuracy in the end"} if left < designs.FEW else ()
    yield from span(f"stopped early ({problems})", _shares(found, runs), runs, few)


def judges(runs: int, seed: int, problems: int) -> Iterator[Figure]:
    """Judges that err; where people met fewer than some five errors, the lower end alone counts."""
    checks = [(wrong, 0.1) for wrong in (0.0, 0.1, 0.22)] + [(0.22, 0.3)]
    for wrong, checked in checks:
        design = partial(designs.judged, problems, wrong, checked)
        shares = _shares(tally(design, runs, seed), runs)
        met = problems * 0.4 * checked * wrong
        yield from span(
            f"judge wrong in {wrong:.0%}, {checked:.0%} checked ({problems})", shares, runs,
            few=shares if met < designs.FEW else (),
        )  # fmt: skip


Nulls = Callable[[np.random.Generator], Iterator[tuple[str, bool]]]


def false_sentences(runs: int, seed: int, largest: int) -> Iterator[Figure]:
    """How often a sentence is written where nothing is to be found."""
    made: dict[str, Nulls] = {
        f"feedback that does nothing ({n} x {m})": partial(nulls.alike, n, m)
        for n in (10, 30, 198, 450)
        for m in (1, 4)
        if n <= largest
    }
    for options in (4, 10):
        for mindful, who in ((True, "excludes"), (False, "forgets")):
            made[f"a guesser of {options} options who {who}"] = partial(
                nulls.guessing, options, mindful
            )
    for name, null in made.items():
        rng, written = np.random.default_rng(seed), Counter[str]()
        for _ in range(runs):
            written.update({said: int(clear) for said, clear in null(rng)})
        for said, count in written.items():
            share = 100 * count / runs
            holds = share - _slack(share, runs) <= FALSE
            yield Figure(f"{name}: {said}", share, "% of runs", f"<= {FALSE:g}", holds)


def narrower(size: str, tallies: dict[str, Tally]) -> Figure:
    """How much of the width is left when the pairing is used."""
    paired, forgotten = (
        np.array(tallies[name].widths) for name in ("paired difference", FORGOTTEN)
    )
    share = 100 * float(np.mean(paired < forgotten))
    ratio = float(np.mean(paired) / np.mean(forgotten))
    name = f"paired intervals are narrower (n = {size}): {ratio:.2f} of the unpaired width"
    return Figure(name, share, "% of runs", ">= 99", share >= 99)


def study(runs: int, seed: int) -> Iterator[Figure]:
    """The sizes of the study, every interval of a condition and of its difference to a control."""
    widths: list[Figure] = []
    for number, design in enumerate(DESIGNS):
        tallies = tally(partial(run, design), 2 * runs, seed + number)
        yield from figures(str(design), tallies, 2 * runs)
        if design.problems >= designs.SOME:
            widths.append(narrower(str(design), tallies))
    for number, simulation in enumerate(OTHERS):
        yield from figures("", tally(simulation, 2 * runs, seed + 100 + number), 2 * runs)
    yield from widths


def kernel(seed: int) -> Figure:
    """Whether the arrays give what the program gives, over counts of every size."""
    rng, checked = np.random.default_rng(seed), []
    for problems, epochs in product((10, 30, 100), (4, 16, 64)):
        for each in designs.DIFFICULTIES.values():
            solved = rng.binomial(epochs, each.chances(rng, problems)).tolist()
            counts = Counter((float(count), float(epochs)) for count in solved)
            checked.append(coverage_kernel.agrees(counts))
    return Figure("arrays agree with sums", sum(checked), f"of {len(checked)}", "all", all(checked))


def measure(*, runs: int = 500, seed: int = 0, largest: int = 450, part: str = "") -> list[Figure]:
    """Simulate all designs; coverage in percent of the runs.

    Args:
        runs: simulated runs of a design, fewer of the largest.
        seed: of the draws.
        largest: problems, and epochs, that the many designs have at most.
        part: one of study, accuracy, attempts, gaps, judges and sentences alone.
    """
    sizes = [n for n in designs.PROBLEMS if n <= largest]
    grid = [*product(sizes, (m for m in designs.EPOCHS if m <= largest))]
    parts: dict[str, Callable[[], Iterator[Figure]]] = {
        "study": lambda: study(runs, seed),
        "accuracy": lambda: chain.from_iterable(accuracies(runs, seed, *size) for size in grid),
        "attempts": lambda: chain.from_iterable(attempts(runs, seed, *size) for size in grid),
        "gaps": lambda: chain.from_iterable(gaps(runs, seed, n) for n in sizes),
        "judges": lambda: chain.from_iterable(judges(runs, seed, n) for n in sizes),
        "sentences": lambda: false_sentences(2 * runs, seed, largest),
    }
    if part and part not in parts:
        raise SystemExit(f"no part '{part}'; allowed: {', '.join(parts)}")
    found = [kernel(seed)]
    with coverage_kernel.arrays():
        for name, make in parts.items():
            found += make() if part in ("", name) else ()
    return found


if __name__ == "__main__":
    script(measure)
