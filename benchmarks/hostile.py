"""Hostile replies: every trial of a run ends, or fails with a reason; nothing else happens.

Replies and feedback are drawn from the corpus of the fuzzing, mixed and varied; some prompts are
always answered with a damaged body. The questions are such that graders and masks find them
difficult. No trial may be missing, no reason may be a fault of the program's own, the command may
say one line at its end and no traceback, and results, export and report read what was written.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

from benchmarks.common import Ended, Figure, at_least, exactly, friction, rows, script, workspace
from benchmarks.fuzzing.bodies import bodies
from benchmarks.fuzzing.corpus import cases, seeds, texts
from benchmarks.simserver import Settings, SimulatedServer, simulated_server

_DRAWS = 2000  # texts that Hypothesis adds to those of the corpus
_FEEDBACK = {"custom": ("self", "binary"), "multiplication": ("self", "tutor")}
_ENDED = ("solved", "unsolved", "stopped", "undecided")


def measure(*, count: int = 2000, odd: float = 0.01, concurrency: int = 64) -> list[Figure]:
    """Half of the problems are custom ones, a quarter each decimal and hexadecimal products.

    Args:
        count: problems in all.
        odd: share of prompts that are answered with a damaged body, however often they are asked.
    """
    figures = []
    with workspace() as directory, _server(odd) as server:
        for name, share in (("custom", 2), ("decimal", 4), ("hex", 4)):
            ended, out = _run(server, directory, name, count // share, concurrency)
            figures += _figures(name, ended, out)
        outcomes = server.stats()["outcomes"]
    return [*figures, at_least("answers with a damaged body", outcomes.get("odd", 0), 1)]


@contextmanager
def _server(odd: float) -> Iterator[SimulatedServer]:
    replies = dict.fromkeys([*seeds(), *_drawn(texts(), "replies")])
    damaged = [body.decode("utf-8", "replace") for body in _drawn(bodies(), "bodies")]
    # One that says "slow down" is asked for half an hour: its trial fails too, but nobody waits.
    damaged = [body for body in damaged if "ate limit" not in body and "429" not in body]
    with simulated_server(Settings(prefix_cache=False, odd=odd)) as server:
        sent = [text.encode("utf-8", "replace").decode() for text in replies]
        server.change(replies=sent, bodies=damaged)
        yield server


def _drawn(strategy: SearchStrategy[Any], name: str) -> list[Any]:
    """Examples of a strategy, the same ones each time."""
    found: list[Any] = []

    @seed(name)
    @settings(
        max_examples=_DRAWS,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def keep(value: Any) -> None:
        found.append(value)

    keep()
    return found


def _run(
    server: SimulatedServer, directory: Path, name: str, count: int, concurrency: int
) -> tuple[Ended, Path]:
    data, out = directory / f"{name}.jsonl", directory / name
    if name == "custom":
        task, modes = "custom", _FEEDBACK["custom"]
        asked = islice(cycle(cases("fuzz_questions")), count)
        lines = [json.dumps({**row, "id": str(number)}) for number, row in enumerate(asked)]
        data.write_text("\n".join(lines))
    else:
        task, modes = f"{name}_multiplication", _FEEDBACK["multiplication"]
        options = ("--digits", 5, "--count", count, "--seed", 0, "--out", data)
        friction("generate", name, *options).expect(0)
    arguments = [
        *("run", task, "--solver", "openai/simulated", "--base-url", server.url, "--quiet"),
        *("--data", data, "--out", out, "--iterations", 3, "--concurrency", concurrency),
        *(part for mode in modes for part in ("--feedback", mode)),
    ]
    return friction(*arguments), out


def _figures(name: str, ended: Ended, out: Path) -> list[Figure]:
    trials = rows(out, "trials", ("status", "reason"))
    wanted = len(rows(out, "problems", ("problem_id",))) * len(
        rows(out, "conditions", ("condition",))
    )
    counts = Counter(status for status, _ in trials)
    failed = [reason for status, reason in trials if status == "failed"]
    own = sum(reason.startswith("unexpected ") for reason in failed)
    said = ended.errors.strip()
    read = [friction(*command).exit_code for command in _readers(out)]
    return [
        Figure(f"{name}: trials", ", ".join(f"{n} {status}" for status, n in counts.items())),
        exactly(f"{name}: trials missing", wanted - len(trials), 0),
        exactly(f"{name}: of an unknown status", len(set(counts) - {*_ENDED, "failed"}), 0),
        exactly(f"{name}: failed without a reason", failed.count(""), 0),
        exactly(f"{name}: failed by a fault of the program", own, 0),
        exactly(f"{name}: exit code", ended.exit_code, int(bool(failed) or "undecided" in counts)),
        exactly(f"{name}: tracebacks", said.count("Traceback"), 0),
        Figure(f"{name}: what it said", said),
        exactly(f"{name}: results, export, report", str(read), "[0, 0, 0]"),
    ]


def _readers(out: Path) -> list[tuple[object, ...]]:
    export = ("export", out, "--to", "jsonl", "--out", out / "attempts.jsonl")
    return [("results", out), export, ("report", out, "--out", out / "report")]


if __name__ == "__main__":
    script(measure)
