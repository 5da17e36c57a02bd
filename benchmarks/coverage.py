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
from benchmarks.coverage_study import (
    DESIGNS,
    FORGOTTEN,
    ITERATIONS,
    OTHERS,
    Covered,
    odds,
    run,
)  # fmt: skip
from feedback_friction.analysis.stats.intervals import Interval

LOW, HIGH = 92.0, 99.0
FALSE = 5.0  # percent of null runs with a false sentence, at most
LARGE = 7_200  # trials of a condition: beyond, there are fewer runs


@dataclass(slots=True)
class Tally:
    """How often an interval held the truth, and how wide it was."""

    hits: int = 0
    widths: list[float] = field(default_factory=list)

    def add(self, interval: Interval, truth: float) -> None:
        """Count one run; a hair's breadth of rounding is no miss."""
        self.hits += interval.low - 1e-9 <= truth <= interval.high + 1e-9
        self.widths.append(interval.width)


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
        off = slack(share, runs)
        holds = LOW - off <= share <= HIGH + off if target else None
        yield Figure(f"{shown}: width {np.mean(each.widths):.3f}", share, "%", target, holds)


def slack(share: float, runs: int) -> float:
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
    holds = shares[low] + slack(shares[low], runs) >= LOW
    yield Figure(f"{name}: least ({low})", shares[low], "%", f">= {LOW:g}", holds)
    many = {each: share for each, share in shares.items() if each not in few}
    if most < 100 and many:
        high = max(many, key=many.__getitem__)
        below = many[high] - slack(many[high], runs) <= most
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


def shared(runs: int, seed: int, clusters: int, epochs: int) -> Iterator[Figure]:
    """Problems in clusters of ten; beside it what intervals cover that ignore the clusters."""
    found = tally(partial(designs.in_clusters, clusters, 10, epochs), runs, seed)
    shares = _shares(found, runs)
    ignored = {name: shares.pop(name) for name in list(shares) if name.endswith(designs.IGNORED)}
    title = f"{clusters} clusters of 10 problems, {epochs} epochs"
    yield from span(title, shares, runs)
    low, high = min(ignored.values()), max(ignored.values())
    yield Figure(f"{title}: least with clusters ignored", low, "%")
    yield Figure(f"{title}: most with clusters ignored", high, "%")


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
            holds = share - slack(share, runs) <= FALSE
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
    yield from figures("", tally(odds, runs, seed), runs)
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
        part: one of study, accuracy, attempts, gaps, judges, clusters and sentences alone.
    """
    sizes = [n for n in designs.PROBLEMS if n <= largest]
    grid = [*product(sizes, (m for m in designs.EPOCHS if m <= largest))]
    parts: dict[str, Callable[[], Iterator[Figure]]] = {
        "study": lambda: study(runs, seed),
        "accuracy": lambda: chain.from_iterable(accuracies(runs, seed, *size) for size in grid),
        "attempts": lambda: chain.from_iterable(attempts(runs, seed, *size) for size in grid),
        "gaps": lambda: chain.from_iterable(gaps(runs, seed, n) for n in sizes),
        "judges": lambda: chain.from_iterable(judges(runs, seed, n) for n in sizes),
        "clusters": lambda: chain.from_iterable(
            shared(runs, seed, *size)
            for size in product([n for n in (10, 30, 100) if n <= largest], (1, 4))
        ),
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
