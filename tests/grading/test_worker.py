"""Worker processes: limits end what hangs, nothing else waits for it, and nothing is left over."""

from __future__ import annotations

import asyncio
import io
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from feedback_friction.errors import RunStoppedError
from feedback_friction.grading import worker
from feedback_friction.grading.expression import grade_expression
from feedback_friction.grading.worker import Comparison, WorkerPool
from feedback_friction.problem import Problem
from feedback_friction.reading.mathematics.answer import TREE
from feedback_friction.reading.mathematics.formula import (
    parse,
)

BOMB, FIVE, HUGE = (
    TREE + pickle.dumps(parse(text)).hex() for text in ("9^{9^{9^{9}}}", "5", "2^{10^{10}}")
)
SOURCE = str(Path(__file__).parents[2] / "src")


LONG = 3600.0  # seconds of CPU: nothing honest needs them, whatever the machine


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    workers = WorkerPool(size=2, cpu_seconds=LONG)
    yield workers
    workers.close()


def running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_until_gone(pid: int, seconds: float = 120) -> bool:
    limit = time.monotonic() + seconds
    while running(pid) and time.monotonic() < limit:
        time.sleep(0.05)
    return not running(pid)


@pytest.mark.slow
def test_equal_and_different_expressions(pool: WorkerPool) -> None:
    assert pool.compare("2\\cos x \\sin x", "\\sin 2x") is Comparison.EQUAL
    assert pool.compare("2\\cos x \\sin x", "\\cos 2x") is Comparison.DIFFERENT
    assert pool.compare("3", "}{ \\nonsense $ 3") is Comparison.DIFFERENT


@pytest.mark.slow
def test_a_part_of_an_unreadable_text_is_not_taken_for_the_answer(pool: WorkerPool) -> None:
    assert pool.compare("7", "3 more than \\foo 7") is not Comparison.EQUAL
    assert pool.compare("\\frac{1}{2}", "\\foo{ \\frac{1}{2}") is not Comparison.EQUAL


def test_a_worker_is_warm_before_its_time_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it does before it says that it is there has no limit; the library is used by then."""
    done: list[str] = []

    class Told(io.StringIO):
        def flush(self) -> None:
            done.append("told")

    def compared(*asked: object) -> Comparison:
        done.append("compared")
        return Comparison.EQUAL

    monkeypatch.setattr(worker, "_comparer", lambda: done.append("loaded"))
    monkeypatch.setattr(worker, "_warm", lambda compare: done.append("warm"))
    monkeypatch.setattr(worker, "_limits", lambda memory: lambda cpu: done.append(f"limit {cpu}"))
    monkeypatch.setattr(worker, "_compared", compared)
    monkeypatch.setattr(worker, "_replies", Told)
    worker.serve(io.StringIO('["1", "2"]\n'), 7.0, 1 << 30)
    assert done == ["loaded", "warm", "told", "limit 7.0", "compared", "limit 0", "told"]


@pytest.mark.slow
def test_what_it_warms_up_with_is_one_comparison_of_each_kind_and_equal() -> None:
    worker._warm(worker._comparer())
    with pytest.raises(RunStoppedError, match="does not compare"):
        worker._warm(lambda gold, answer: Comparison.DIFFERENT)


@pytest.mark.slow
def test_a_bomb_times_out_and_the_next_comparison_finds_a_fresh_worker() -> None:
    pool = WorkerPool(size=1, cpu_seconds=0.5)
    assert pool.compare(FIVE, BOMB) is Comparison.TIMEOUT
    pool.cpu_seconds = LONG
    assert pool.compare("\\sin 2x", "2\\cos x \\sin x") is Comparison.EQUAL


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="no limit on address space")
def test_a_memory_bomb_finds_its_limit() -> None:
    """2^(10^10) takes 1.2 GB; the worker may have 0.4."""
    workers = WorkerPool(size=1, cpu_seconds=LONG, memory_bytes=400 << 20)
    try:
        assert workers.compare(FIVE, HUGE) is Comparison.CRASH
        for live in workers.processes:
            status = Path(f"/proc/{live.pid}/status").read_text(encoding="utf-8")
            peak = next(line for line in status.splitlines() if line.startswith("VmPeak"))
            assert int(peak.split()[1]) <= 400 << 10
        assert workers.compare("\\sin 2x", "2\\cos x \\sin x") is Comparison.EQUAL
    finally:
        workers.close()


@pytest.mark.slow
def test_many_threads_share_few_workers(pool: WorkerPool) -> None:
    pairs = [(f"\\sin {n}x \\cos {n}x", f"\\frac{{\\sin {2 * n}x}}{{2}}") for n in range(1, 13)]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda pair: pool.compare(*pair), pairs))
    assert found == [Comparison.EQUAL] * len(pairs)


@pytest.mark.slow
def test_bombs_in_all_workers_do_not_stall_replies_that_need_none(pool: WorkerPool) -> None:
    plain = Problem(id="1", task="math_500", question="", gold="\\frac{3}{4}")
    with ThreadPoolExecutor(4) as threads:
        bombs = [threads.submit(pool.compare, "5", f"9^{{9^{{9^{{9}}}}}} + {n}") for n in range(4)]
        while len(pool.processes) < 2:
            time.sleep(0.01)
        for number in range(100):
            assert grade_expression(plain, f"\\boxed{{{number}}}").prediction == str(number)
        assert not any(bomb.done() for bomb in bombs)
        pool.close()
    assert all(isinstance(bomb.exception(), RunStoppedError) for bomb in bombs)


@pytest.mark.slow
def test_it_works_from_an_event_loop(pool: WorkerPool) -> None:
    async def both() -> list[Comparison]:
        return await asyncio.gather(
            asyncio.to_thread(pool.compare, "x^2-1", "(x-1)(x+1)"),
            asyncio.to_thread(pool.compare, "x^2-1", "(x-1)^2"),
        )

    assert asyncio.run(both()) == [Comparison.EQUAL, Comparison.DIFFERENT]


@pytest.mark.slow
def test_a_closed_pool_stops_the_run_instead_of_inventing_verdicts() -> None:
    workers = WorkerPool(size=1, cpu_seconds=LONG)
    with ThreadPoolExecutor(1) as threads:
        bomb = threads.submit(workers.compare, FIVE, BOMB)
        while not workers.processes and not bomb.done():
            time.sleep(0.01)
        workers.close()
        with pytest.raises(RunStoppedError):
            bomb.result()
    with pytest.raises(RunStoppedError):
        workers.compare("1", "\\cos 0")


def test_a_worker_that_cannot_start_is_no_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "math_verify.py").write_text("raise ImportError\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    workers = WorkerPool(size=1)
    with pytest.raises(RunStoppedError, match="math-verify"):
        workers.compare("1", "\\cos 0")


SCRIPT = textwrap.dedent(
    """
    import sys, time
    from feedback_friction.grading import worker
    assert worker.symbolically("\\\\cos 2x", "1 - 2\\\\sin^2 x") == "equal"
    print(*[live.pid for live in worker._pool.processes], flush=True)
    {then}
    """
)


def start(then: str) -> tuple[subprocess.Popen[str], int]:
    """A program without a main guard that compares once, prints its worker's pid, and goes on."""
    program = subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(then=then)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": SOURCE},
        start_new_session=True,
    )
    assert program.stdout is not None
    return program, int(program.stdout.readline())


needs_proc = pytest.mark.skipif(not Path("/proc").is_dir(), reason="no /proc to look at processes")


@pytest.mark.slow
@needs_proc
def test_workers_end_with_the_program() -> None:
    program, child = start("pass")
    assert program.wait(600) == 0
    assert wait_until_gone(child)


@pytest.mark.slow
@needs_proc
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_workers_end_when_the_program_is_interrupted_or_killed(sign: signal.Signals) -> None:
    program, child = start("time.sleep(3600)")
    assert running(child)
    os.killpg(program.pid, sign)
    assert program.wait(600) != 0
    assert wait_until_gone(child)


@pytest.mark.slow
@needs_proc
def test_a_forked_child_starts_workers_of_its_own() -> None:
    then = textwrap.dedent(
        """
    import os
    child = os.fork()
    if child == 0:
        mine = worker.symbolically("x^2-1", "(x-1)(x+1)")
        os._exit(0 if mine == "equal" and len(worker._pool.processes) == 1 else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert worker.symbolically("x^2-4", "(x-2)(x+2)") == "equal"
    """
    )
    program, child = start(then)
    assert program.wait(600) == 0
    assert wait_until_gone(child)
