"""Cluster: a run on Ray has the rows of one process, also when nodes die, and costs little more.

2,000 problems under four conditions on a local cluster of three nodes (``ray.cluster_utils``), on a
simulated server whose replies are a function of the prompt. Overhead: one part on Ray against one
process, calls a second between the first call and the last, at 20 ms latency. Scaling: 1, 2 and 4
workers with as many places each, against a server of 200 ms. On paper: a run of a million trials on
up to 1,000 workers, from the costs measured here: beginning a part, and merging its rows.

Needs the extra ``ray``. All nodes share the cores of this machine. Ray's workers, which by default
give way to all other processes, the server of the benchmark among them, are run like any other.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from benchmarks.common import (
    Figure,
    Started,
    at_least,
    at_most,
    different_rows,
    exactly,
    friction,
    problems,
    run_arguments,
    script,
    start_friction,
    workspace,
)
from benchmarks.simserver import Settings, SimulatedServer, simulated_server

_GRID = (
    *("--feedback", "binary", "--feedback", "retry"),
    *("--feedback", "tutor", "--feedback", "placebo:tutor"),
    *("--iterations", 3, "--temperature", 1, "--quiet"),
)
NODES = 3
_TOKENS = 200.0  # of every reply
PAPER_TRIALS = 1_000_000
PAPER_CALLS = 3  # of a trial, on average
PAPER_SECONDS = 5.0  # of a call
PAPER_PLACES = 64  # requests in flight of a worker


def measure(
    *, count: int = 2000, timed: int = 600, latency: float = 0.02, concurrency: int = 48
) -> list[Figure]:
    """Measure all of it; the machine should do nothing else."""
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112  (Ray spells it so)
    with workspace() as directory:
        data = problems(directory, count)
        few = directory / "few.jsonl"
        few.write_text("".join(data.open().readlines()[:timed]), "utf-8")
        return [
            *_same(directory, data, concurrency),
            *_overhead(directory, few, latency, concurrency),
            *_scaling(directory, few),
            *_on_paper(directory),
        ]


def _same(directory: Path, data: Path, concurrency: int) -> list[Figure]:
    """One process, three nodes, and three nodes of which two die."""
    with simulated_server(Settings(decode_seconds=0.0002, prefix_cache=False)) as server:
        words = (*_GRID, "--concurrency", concurrency)
        whole = directory / "whole"
        start_friction(*run_arguments(server.url, whole, data, *words)).wait().expect(0)
        alone = _calls(server)
        figures = [Figure("calls of one process", alone)]
        undisturbed = 0
        for name, kills in (("three nodes", 0), ("two nodes killed", 2)):
            before = _calls(server)
            out = directory / name.replace(" ", "-")
            _on_cluster(run_arguments(server.url, out, data, *words), out, kills)
            figures.append(exactly(f"{name}: rows that differ", different_rows(whole, out), 0))
            calls = _calls(server) - before
            if not kills:  # a placebo's donor may be of another part, which asks it, too
                undisturbed = calls
                figures.append(Figure(f"{name}: calls", calls))
                continue
            limit = kills * concurrency // NODES
            figures.append(at_most(f"{name}: calls paid twice", calls - undisturbed, limit))
    return figures


def _on_cluster(arguments: Sequence[object], out: Path, kills: int) -> None:
    """Run on a local cluster; kills a node when its parts have made some calls, and adds one."""
    from ray.cluster_utils import Cluster

    os.environ["RAY_BACKEND_LOG_LEVEL"] = "error"
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    try:
        nodes = [cluster.add_node(num_cpus=1) for _ in range(NODES)]
        run = start_friction(*arguments, "--ray", cluster.address, "--workers", NODES)
        for node in nodes[:kills]:
            _wait_for_calls(run, out, _written(out) + 300)
            cluster.remove_node(node)
            cluster.add_node(num_cpus=1)
        run.wait().expect(0)
    finally:
        cluster.shutdown()


def _wait_for_calls(run: Started, out: Path, count: int) -> None:
    while run.is_running() and _written(out) < count:
        time.sleep(0.1)


def _written(out: Path) -> int:
    """Calls in the journals of the parts."""
    total = 0
    for journal in out.glob("parts/*/journal.sqlite"):
        try:
            with closing(sqlite3.connect(f"{journal.as_uri()}?mode=ro", uri=True)) as db:
                total += db.execute("SELECT count(*) FROM completions").fetchone()[0]
        except sqlite3.Error:  # it is being made
            continue
    return total


def _calls(server: SimulatedServer) -> int:
    return int(server.stats()["calls"])


def _overhead(directory: Path, data: Path, latency: float, concurrency: int) -> list[Figure]:
    """Calls a second of one process, and of one part on Ray."""
    rates: dict[str, list[float]] = {"one process": [], "one part on Ray": []}
    for turn in range(3):
        for name, more in zip(rates, ((), ("--ray", "local", "--workers", 1)), strict=True):
            out = directory / f"overhead-{turn}-{len(more)}"
            words = (*_GRID, "--concurrency", concurrency, *more)
            rates[name].append(_rate(latency, out, data, words))
    best = {name: max(each) for name, each in rates.items()}
    return [
        *(Figure(f"{name}: calls a second, best of three", rate) for name, rate in best.items()),
        at_least("Ray / one process", best["one part on Ray"] / best["one process"], 0.9),
    ]


def _scaling(directory: Path, data: Path, latency: float = 0.2, places: int = 16) -> list[Figure]:
    """Calls a second of 1, 2 and 4 workers of so many places each, against a slow server."""
    figures, rates = [], []
    for workers in (1, 2, 4):
        words = (*_GRID, "--concurrency", places * workers, "--ray", "local", "--workers", workers)
        rate = _rate(latency, directory / f"scaling-{workers}", data, words)
        rates.append(rate / workers)
        figures.append(Figure(f"{workers} workers at {latency:g} s: calls a second", rate))
    return [*figures, at_least("4 workers / 4 x 1 worker", rates[-1] / rates[0], 0.9)]


def _rate(latency: float, out: Path, data: Path, words: Sequence[object]) -> float:
    """Calls a second of a run against a server of which every reply takes so long."""
    settings = Settings(reply_tokens=_TOKENS, decode_seconds=latency / _TOKENS)
    with simulated_server(settings) as server:
        start_friction(*run_arguments(server.url, out, data, *words)).wait().expect(0)
        stats = server.stats()
    return float(stats["calls"] / (stats["last_departure"] - stats["first_arrival"]))


def _on_paper(directory: Path) -> list[Figure]:
    """The time of a large run by workers, from the measured costs of a part and of merging."""
    hop, parts = _hop(), directory / "three-nodes"
    merging = friction("merge", parts, "--out", directory / "merged").expect(0)
    a_row = merging.cpu_seconds / _rows(parts)  # of the processor: it waits for nobody
    figures = [
        Figure("a hop: beginning a part and its end", 1000 * hop, "ms"),
        Figure("merging a row, processor time", 1e6 * a_row, "us"),
    ]
    for workers in (1, 10, 100, 1000):
        work = PAPER_TRIALS * PAPER_CALLS * PAPER_SECONDS / PAPER_PLACES / workers
        # parts begin one after another; a trial has its own row, and two for each call
        rest = workers * hop + a_row * PAPER_TRIALS * (1 + 2 * PAPER_CALLS)
        share = work / (work + rest)
        name = f"on paper: {workers:,} workers, a million trials"
        figures.append(Figure(name, (work + rest) / 3600, f"hours, {100 * share:.0f}% of it calls"))
    return figures


def _hop(count: int = 200) -> float:
    """Seconds that a task takes which does nothing, in a process that is there already."""
    import ray

    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    try:
        nothing = ray.remote(lambda: None)
        ray.get(nothing.remote())
        started = time.perf_counter()
        for _ in range(count):
            ray.get(nothing.remote())
        return (time.perf_counter() - started) / count
    finally:
        ray.shutdown()


def _rows(out: Path) -> int:
    with closing(sqlite3.connect(out / "journal.sqlite")) as db:
        counts = (
            db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("trials", "attempts", "completions")
        )
        return sum(counts)


if __name__ == "__main__":
    script(measure)
