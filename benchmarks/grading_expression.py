"""Expression grading and masking: real replies a second on one core, agreement, and hostile text.

    FRICTION_DATA=DIR python -m benchmarks.grading_expression

DIR holds math_responses.jsonl (300 replies with another grader's verdicts), math_100.jsonl and
aime_2024.jsonl (worked solutions). Caches are emptied before each round. None of the 300 replies
needs a computer algebra system, so the mixed rate adds replies that do, 2 in 100. Processor time
counts the worker processes too; their start is a figure of its own.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.common import Figure, at_least, at_most, exactly, script
from feedback_friction.grading.expression import grade_expression
from feedback_friction.grading.worker import forget, stop_workers
from feedback_friction.problem import Problem
from feedback_friction.protocol.masking.expressions import mask_expression
from feedback_friction.reading.mathematics import read

Row = tuple[Problem, str, bool]

SYMBOLIC = (
    ("2\\cos\\theta\\sin\\theta", "\\sin 2\\theta"),
    ("3", "\\log_2 8"),
    ("\\frac{1}{2}", "\\sin\\frac{\\pi}{6}"),
    ("\\frac{\\sqrt{6}+\\sqrt{2}}{4}", "\\cos\\frac{\\pi}{12}"),
    ("\\ln 6", "\\ln 2 + \\ln 3"),
    ("\\sqrt{2+\\sqrt{3}}", "\\frac{\\sqrt{6}+\\sqrt{2}}{2}"),
)
MEGABYTE = 1_000_000
HOSTILE = {
    "1 MB of phrases": "the answer is obtained so. " * (MEGABYTE // 27),
    "1 MB of open boxes": "\\boxed{" * (MEGABYTE // 7),
    "1 MB of digits in a box": "\\boxed{" + "9" * MEGABYTE + "}",
    "10,000 nested braces": "\\boxed{" + "{" * 10_000 + "5" + "}" * 10_000 + "}",
    "a tower of powers": "\\boxed{9^{9^{9^{9}}}}",
    "a product of sums": "\\boxed{" + "(a+b+c+d)^{9}" * 20 + "}",
}


def problem(gold: str) -> Problem:
    return Problem(id="1", task="math_500", question="", gold=gold)


def read_rows(folder: Path, name: str) -> list[dict[str, object]]:
    text = (folder / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n") if line]


def cpu(work: Callable[[], object]) -> float:
    """Seconds of processor time of this process and of the workers that it ends meanwhile."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.process_time()
    work()
    spent = time.process_time() - began
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent + ended.ru_utime + ended.ru_stime - children.ru_utime - children.ru_stime


def grade_all(rows: list[Row]) -> None:
    for cached in (read.read, read.context_of):
        cached.cache_clear()
    forget()
    for task, reply, _ in rows:
        grade_expression(task, reply)


def symbolic_seconds() -> tuple[float, float]:
    """Processor seconds to start a worker, and for one symbolic comparison after that."""

    def compare(pairs: tuple[tuple[str, str], ...]) -> None:
        grade_all([(problem(gold), f"\\boxed{{{other}}}", True) for gold, other in pairs])
        stop_workers()

    start = min(cpu(lambda: compare(SYMBOLIC[:1])) for _ in range(2))
    return start, (cpu(lambda: compare(SYMBOLIC)) - start) / (len(SYMBOLIC) - 1)


def measure(rounds: int = 5) -> list[Figure]:
    """Rates, agreement, hostile replies and masking."""
    folder = os.environ.get("FRICTION_DATA")
    if not folder:
        sys.exit("FRICTION_DATA is not set: it names the folder with the replies")
    replies = read_rows(Path(folder), "math_responses.jsonl")
    rows = [
        (problem(str(row["answer"])), str(row["response"]), row["score"] is True) for row in replies
    ]
    grade_all(rows)
    seconds = sorted(cpu(lambda: grade_all(rows)) for _ in range(rounds))[rounds // 2]
    start, symbolic = symbolic_seconds()
    different = [
        task.gold for task, reply, theirs in rows
        if grade_expression(task, reply).is_correct != theirs
    ]  # fmt: skip
    unexplained = [gold for gold in different if gold != "\\text{4:30 p.m.}"]
    return [
        at_least("replies a second", len(rows) / seconds, 300, "/s"),
        at_least(
            "replies a second, 2% symbolic", 1 / (0.98 * seconds / len(rows) + 0.02 * symbolic),
            300, "/s",
        ),
        Figure("one symbolic comparison", symbolic, "s"),
        Figure("start of a worker, with its first comparison", start, "s"),
        Figure("other verdicts than the other grader's", len(different), "of 300"),
        exactly("of these, not its loss of the p.m. in 4:30 p.m.", len(unexplained), 0),
        *hostile(),
        *masking(Path(folder)),
    ]  # fmt: skip


def hostile() -> list[Figure]:
    """What the worst replies cost."""
    return [
        at_most(name, cpu(partial(grade_all, [(problem("5"), text, False)])), 1, "s")
        for name, text in HOSTILE.items()
    ]


def masking(folder: Path) -> list[Figure]:
    """Worked solutions: how fast they are masked, and what leaks."""
    solutions = [
        (problem(str(row["answer"])), str(row["solution"]))
        for row in read_rows(folder, "math_100.jsonl")
    ]
    solutions += [
        (problem(str(row["Answer"])), str(row["Solution"]))
        for row in read_rows(folder, "aime_2024.jsonl")
    ]
    leaks: list[str] = []

    def mask_all() -> None:
        for task, solution in solutions:
            leaks.extend(mask_expression(task, solution).leaks)
        stop_workers()

    seconds = cpu(mask_all)
    characters = sum(len(solution) for _, solution in solutions)
    return [
        exactly("leaks in the masked worked solutions", len(leaks), 0),
        Figure("worked solutions masked a second", len(solutions) / seconds, "/s"),
        Figure("characters masked a second", characters / seconds, "/s"),
    ]


if __name__ == "__main__":
    script(measure)
