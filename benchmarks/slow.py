"""A slow machine: with four fifths of its time taken away, grading gives the same verdicts.

    FRICTION_DATA=DIR python -m benchmarks.slow

The real replies in DIR (math_responses.jsonl, and mmlu_pro_responses.jsonl with its questions) are
graded by a process at full speed, and by one that is stopped and continued with all its children.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from benchmarks import grading_choice, grading_expression
from benchmarks.common import Figure, exactly, script
from feedback_friction.grading.choice import grade_choice
from feedback_friction.grading.expression import grade_expression
from feedback_friction.grading.verdict import Verdict
from feedback_friction.problem import Problem

PERIOD = 0.05  # seconds from one stop to the next
GRADE = "from benchmarks.slow import grade_all; grade_all()"


def measure(*, duty: float = 0.2) -> list[Figure]:
    """Verdicts at full speed and slowed.

    Args:
        duty: share of the time in which the slowed process may run.
    """
    if "FRICTION_DATA" not in os.environ:
        sys.exit("FRICTION_DATA is not set: it names the folder with the replies")
    full, seconds = _graded(1.0)
    slowed, longer = _graded(duty)
    different = sum(one != other for one, other in zip(full, slowed, strict=True))
    undecided = sum(outcome == "undecided" for outcome, *_ in slowed)
    return [
        Figure("replies", len(full)),
        Figure("time at full speed", seconds, "s"),
        Figure("time slowed", longer, "s"),
        exactly("verdicts that differ", different, 0),
        exactly("undecided when slowed", undecided, 0),
    ]


def grade_all() -> None:
    """Print every verdict as JSON, a line each."""
    for problem, reply, grade in _replies():
        found = grade(problem, reply)
        print(json.dumps([found.outcome.value, found.prediction, found.rule]), flush=True)


def _replies() -> Iterator[tuple[Problem, str, Callable[[Problem, str], Verdict]]]:
    folder = Path(os.environ["FRICTION_DATA"])
    for problem, reply, _ in grading_choice.load(folder):
        yield problem, reply, grade_choice
    for row in grading_expression.read_rows(folder, "math_responses.jsonl"):
        yield grading_expression.problem(str(row["answer"])), str(row["response"]), grade_expression
    for gold, other in grading_expression.SYMBOLIC:
        yield grading_expression.problem(gold), f"\\boxed{{{other}}}", grade_expression


def _graded(duty: float) -> tuple[list[list[str | None]], float]:
    """The verdicts of a process that may run for a share of the time, and how long it took."""
    started = time.monotonic()
    with subprocess.Popen([sys.executable, "-c", GRADE], stdout=subprocess.PIPE, text=True) as made:
        slower = threading.Thread(target=_slow_down, args=(made, duty), daemon=True)
        if duty < 1:
            slower.start()
        assert made.stdout is not None
        return [json.loads(line) for line in made.stdout], time.monotonic() - started


def _slow_down(process: subprocess.Popen[str], duty: float) -> None:
    """Stop a process and its children for a part of every period, until it has ended."""
    while process.poll() is None:
        for number, seconds in ((signal.SIGSTOP, 1 - duty), (signal.SIGCONT, duty)):
            for pid in (process.pid, *_children(process.pid)):
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
            time.sleep(PERIOD * seconds)


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


if __name__ == "__main__":
    script(measure)
