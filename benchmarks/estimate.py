"""The intervals of ``friction estimate`` cover what runs really take, in 90 of 100 at least.

Every run has a student of its own: ability, spread, uptake and resistance differ, up to one that
solves nearly all at once, whose pilot may see no failure. Two tasks, a grid of conditions with
shared first attempts, a pilot of twenty problems; then the run, which must ask nothing of the pilot
again. Cost is by a price list in which the student has none; what is checked are calls and tokens.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.common import Figure, at_least, exactly, script, workspace
from feedback_friction.engine.estimate.bounds import Setting
from feedback_friction.engine.estimate.pilot import choose, run_pilot
from feedback_friction.engine.estimate.prediction import Estimate, from_pilot
from feedback_friction.engine.journal.store import Journal
from feedback_friction.engine.run.budget import paid_before
from feedback_friction.engine.run.launch import execute, started, thinking
from feedback_friction.engine.run.prepare import Prepared, prepare
from feedback_friction.engine.run.runner import Runner
from feedback_friction.settings import Settings
from feedback_friction.ways import SOLVES

TARGET = 90.0  # percent of the runs
CHECKED = ("calls", "uncached_prompt_tokens", "completion_tokens")
FEEDBACK = (("binary",), ("self",), ("binary", "self"), ("process", "placebo:self"))
SAMPLING = (("greedy",), ("heat",), ("greedy", "reject"))


# The experiments that tell causes apart, each a grid of its own.
EXPERIMENTS: dict[str, dict[str, Any]] = {
    "histories": {
        "feedback": ("tutor", "binary"),
        "history": ("transcript", "clean", "answers", "foreign"),
    },
    "challenges": {
        "feedback": ("tutor", "placebo:tutor", "doubt", "denial", "misled"),
        "rounds": 2,
    },
    "attribution": {"feedback": ("denial", "tutor"), "attribution": ("none", "expert")},
    "doses": {
        "feedback": ("partial:0", "partial:0.5", "partial:1", "noisy:0.5", "noisy:1", "delay:1")
    },
    "teachers": {
        "feedback": ("self", "strong:none", "strong:answer", "strong"),
        "feedback_model": ("student/keen", "student/stubborn"),
    },
    "solve": {"feedback": ("tutor",), "solve": tuple(SOLVES)},
}


def experiment(name: str, seed: int) -> Settings:
    """One of the experiments, by a solver that is dragged by what it sees."""
    return Settings.of(
        tasks=("decimal_multiplication",),
        digits=3,
        solver="student/drag=0.4",
        iterations=3,
        limit=60,
        seed=seed,
        concurrency=64,
        **EXPERIMENTS[name],
    )


def settings_of(seed: int, count: int) -> Settings:
    """A student and a grid of its own for every seed."""
    rng = random.Random(f"estimate:{seed}")
    ability = rng.choice([rng.uniform(0.05, 0.95), 0.97])
    traits = (
        f"ability={ability:.2f},spread={rng.uniform(0.1, 0.9):.2f},"
        f"resistant={rng.uniform(0, 0.8):.2f},repeat={rng.uniform(0, 0.9):.2f}"
    )
    return Settings.of(
        tasks=("decimal_multiplication", "hex_multiplication")[: rng.randint(1, 2)],
        solver=f"student/{traits}",
        feedback=rng.choice(FEEDBACK),
        sampling=rng.choice(SAMPLING),
        iterations=rng.choice((3, 6, 10)),
        epochs=rng.choice((1, 1, 2)),
        limit=count,
        seed=seed,
        concurrency=64,
    )


async def estimated(prepared: Prepared, directory: Path, pilot: int) -> tuple[Estimate, int]:
    """The estimate, and how many calls its pilot paid for."""
    chosen = choose(prepared.conditions, pilot)
    async with started(prepared, directory, ["friction"], _quiet) as runner:
        await run_pilot(runner, prepared.conditions, chosen)
        calls = runner.progress.spent.calls
    slots = prepared.settings.operation.concurrency
    setting = Setting(prepared.prices, None, slots, thinking(prepared))
    return from_pilot(prepared.conditions, chosen, setting), calls


def really(prepared: Prepared, directory: Path) -> tuple[dict[str, float], int]:
    """What the whole run took, and how many calls it paid for after the pilot."""
    watched: list[Runner] = []
    progress = asyncio.run(execute(prepared, directory, ["friction"], watched.append, _quiet))
    journal = Journal(directory)
    paid = journal.paid()
    journal.close()
    usages = [usage for _, usage, _ in paid]
    amounts: dict[str, float] = {
        "uncached_prompt_tokens": sum(each.prompt_tokens for each in usages),
        "completion_tokens": sum(each.completion_tokens for each in usages),
    }
    assert paid_before(paid, prepared.prices).tokens == sum(amounts.values())
    return amounts, progress.spent.calls


def calls_held(settings: Settings, pilot: int = 15) -> bool:
    """Whether the number of calls that a run makes lies within the interval of its estimate."""
    prepared = prepare(settings)
    with workspace() as directory:
        found, paid = asyncio.run(estimated(prepared, directory, pilot))
        _, rest = really(prepared, directory)
    calls = found.ranges["calls"]
    assert calls is not None
    return calls.low <= paid + rest <= calls.high


def measure(
    *, runs: int = 100, count: int = 100, pilot: int = 20, first: int = 100, seeds: int = 10
) -> list[Figure]:
    """Coverage in percent of the runs, and how wide the intervals are."""
    hits: Counter[str] = Counter()
    widths: dict[str, list[float]] = {name: [] for name in CHECKED}
    errors: dict[str, list[float]] = {name: [] for name in CHECKED}
    exact = 0
    for seed in range(first, first + runs):
        prepared = prepare(settings_of(seed, count))
        with workspace() as directory:
            found, paid = asyncio.run(estimated(prepared, directory, pilot))
            taken, rest = really(prepared, directory)
        taken["calls"] = paid + rest
        exact += found.paid.calls == paid
        for name in CHECKED:
            guess = found.ranges[name]
            assert guess is not None
            assert guess.value is not None
            hits[name] += guess.low <= taken[name] <= guess.high
            widths[name].append((guess.high - guess.low) / taken[name])
            errors[name].append(abs(guess.value / taken[name] - 1))
    grids = [experiment(name, seed) for name in EXPERIMENTS for seed in range(seeds)]
    held = sum(map(calls_held, grids))
    return [
        at_least("calls of the experiments within their intervals",
                 100 * held / len(grids), TARGET, "% of runs"),
        *(at_least(f"{name} within its interval", 100 * hits[name] / runs, TARGET, "% of runs")
          for name in CHECKED),
        *(Figure(f"{name}: width of the interval, median", 100 * _median(widths[name]), "%")
          for name in CHECKED),
        *(Figure(f"{name}: error of the estimate, median", 100 * _median(errors[name]), "%")
          for name in CHECKED),
        exactly("runs whose pilot's calls were counted right", exact, runs),
    ]  # fmt: skip


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


_quiet: Callable[[str], None] = Counter[str]().update


if __name__ == "__main__":
    script(measure)
