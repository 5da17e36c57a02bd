"""A file of your own for the command line: a task, a model and a feedback writer.

    friction run roots --task-file examples/task_file.py --solver python/newton \
        --feedback retry --feedback digits --iterations 6
    friction run custom --data FILE.jsonl --grader python:examples/task_file.py:close ...
"""

import math
import re

import feedback_friction as ff


def close(problem: ff.Problem, reply: str) -> bool | None:
    """Right to two decimals; a reply without a decimal number has no answer."""
    said = re.findall(r"\d+\.\d+", reply)
    return abs(float(said[-1]) - float(problem.gold)) < 0.005 if said else None


TASK = ff.Task(
    "roots",
    [{"question": f"The square root of {n}?", "answer": f"{math.sqrt(n):.4f}"} for n in (2, 3, 5)],
    grader=close,
)


@ff.feedback
def digits(problem: ff.Problem, attempts: tuple[ff.Attempt, ...]) -> str:
    """Only that it is not exact enough"""
    return f"Attempt {len(attempts)} is not exact enough. Take another step."


@ff.model
def newton(messages: list[dict[str, str]]) -> str:
    """One step of Newton's method more each time that it is told to take another."""
    chat = messages[-1]["content"]
    n = float(re.findall(r"root of (\d+)", chat)[0])
    x = n
    for _ in range(1 + chat.count("Take another step")):
        x = (x + n / x) / 2
    return f"I get {x:.4f}."
