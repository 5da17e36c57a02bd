"""Fuzzing: whatever reads untrusted input, given hostile input for a while.

    python -m benchmarks.fuzz --seconds 3600
    python -m benchmarks.fuzz --only "mask math_500" --seconds 60
    python -m benchmarks.fuzz --engine atheris --only "mask math_500" --seconds 600

Inputs come from the corpus in tests/cases, mixed and varied by Hypothesis, which also reduces a
finding to its smallest form before it is printed. The engine atheris (``pip install
'feedback-friction[fuzz]'``) is guided by coverage instead, and takes one target at a time; it is
for searching by hand and no part of any check.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Iterator

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import HypothesisException

from benchmarks.common import Figure, exactly, script
from benchmarks.fuzzing import Target, targets

ROUND = 100  # inputs of one target before the next has its turn
_PHASES = (Phase.explicit, Phase.generate, Phase.shrink)


class _Finding(Exception):  # noqa: N818 - a result, carried through Hypothesis
    """A check that failed; Hypothesis reduces its input as long as the failure is the same."""


def measure(
    seconds: float = 60.0, only: str = "", engine: str = "hypothesis", start: int = 0
) -> list[Figure]:
    """Inputs tried and findings, by target.

    Args:
        seconds: time for all targets together; the round under way is finished.
        only: names of targets that begin so; all without.
        engine: "hypothesis" or "atheris".
        start: the number of the first round; another one gives other inputs.
    """
    chosen = [each for each in targets() if each.name.startswith(only)]
    if not chosen or engine not in ("hypothesis", "atheris"):
        sys.exit(f"no target begins with '{only}'" if not chosen else f"unknown engine '{engine}'")
    if engine == "atheris":
        _atheris(chosen[0], seconds)
    tried = dict.fromkeys((each.name for each in chosen), 0)
    findings: dict[str, str] = {}
    for round_number, target in _turns(chosen, seconds, start):
        if target.name in findings:
            continue
        count, found = _round(target, round_number)
        tried[target.name] += count
        if found is not None:
            findings[target.name] = found
            print(f"FINDING in {target.name}, round {round_number}\n{found}\n", flush=True)
    figures = [Figure(name, count, "inputs") for name, count in tried.items()]
    figures.append(Figure("all targets", sum(tried.values()), "inputs"))
    return [*figures, exactly("findings", len(findings), 0)]


def _turns(chosen: list[Target], seconds: float, start: int) -> Iterator[tuple[int, Target]]:
    end = time.monotonic() + seconds
    number = start
    while True:
        for target in chosen:
            if time.monotonic() > end:
                return
            yield number, target
        number += 1


def _round(target: Target, number: int) -> tuple[int, str | None]:
    """How many inputs of a target were tried in one round, and what was found with the smallest."""
    count = 0
    last: list[str] = []

    @seed(f"{target.name}:{number}")
    @settings(
        max_examples=ROUND,
        database=None,
        deadline=None,
        phases=_PHASES,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        report_multiple_bugs=False,
    )
    @given(target.inputs)
    def attempt(value: object) -> None:
        nonlocal count
        count += 1
        try:
            target.check(value)
        except Exception as error:
            last[:] = [f"input: {value!r}", traceback.format_exc(limit=-4)]
            raise _Finding(f"{type(error).__name__}") from error

    try:
        attempt()
    except (_Finding, HypothesisException) as error:
        return count, "\n".join(last) or f"{type(error).__name__}: {error}"
    return count, None


def _atheris(target: Target, seconds: float) -> None:
    """Let atheris drive one target; it ends the process itself."""
    try:
        import atheris
    except ImportError:
        sys.exit("atheris is not installed; pip install 'feedback-friction[fuzz]'")

    @settings(database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(target.inputs)
    def attempt(value: object) -> None:
        target.check(value)

    atheris.instrument_all()
    atheris.Setup(
        [sys.argv[0], f"-max_total_time={int(seconds)}", "-rss_limit_mb=4096"],
        attempt.hypothesis.fuzz_one_input,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    script(measure)
