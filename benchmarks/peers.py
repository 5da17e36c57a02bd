"""Our grader of mathematics beside what the field uses, on the same replies.

    FRICTION_DATA=DIR python -m benchmarks.peers

Peers, each as its users call it: math-verify (parse and verify, its defaults); the regular
expression of simple-evals (the last "Answer: ..." of a line); the flexible extract of
lm-evaluation-harness (the last number of the reply); sympy (the last box, parsed as LaTeX, equal by
``simplify``). Replies: tests/cases/peers.json, of our own making, and, where FRICTION_DATA names
the folder, 300 real ones with verdicts. False corrects and false wrongs are counted apart: a false
correct hides friction, a false wrong invents it.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.common import ROOT, Figure, at_least, exactly, script
from feedback_friction.grading.expression import grade_expression
from feedback_friction.grading.worker import stop_workers
from feedback_friction.problem import Problem

Row = tuple[str, str, str, bool]  # question, gold, reply, right
Grader = Callable[[str, str, str], bool]

_ANSWER_LINE = re.compile(r"(?i)Answer\s*:\s*([^\n]+)")
_LAST_NUMBER = re.compile(r"(-?[$0-9.,]{2,})|(-?[0-9]+)")
_BOX = re.compile(r"\\boxed\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}")


def ours(question: str, gold: str, reply: str) -> bool:
    return grade_expression(Problem("1", "math_500", question, gold), reply).is_correct


def math_verify(question: str, gold: str, reply: str) -> bool:
    from math_verify import parse, verify

    return bool(
        verify(parse(f"${gold}$", parsing_timeout=None), parse(reply, parsing_timeout=None),
               timeout_seconds=None)
    )  # fmt: skip


def answer_line(question: str, gold: str, reply: str) -> bool:
    found = _ANSWER_LINE.findall(reply)
    return bool(found) and found[-1].strip(" $*.") == gold


def last_number(question: str, gold: str, reply: str) -> bool:
    found = _LAST_NUMBER.findall(reply)
    said = "".join(found[-1]) if found else ""
    return said.strip("$.,").replace(",", "") == gold.strip("$").replace(",", "")


def sympy_equality(question: str, gold: str, reply: str) -> bool:
    import sympy
    from latex2sympy2_extended import latex2sympy

    found = _BOX.findall(reply)
    if not found:
        return False
    try:
        return bool(sympy.simplify(latex2sympy(found[-1]) - latex2sympy(gold)) == 0)
    except Exception:  # whatever a parser raises at a text that it does not know
        return False


PEERS: dict[str, Grader] = {
    "ours": ours,
    "math-verify": math_verify,
    "simple-evals, Answer: ...": answer_line,
    "lm-eval, flexible extract": last_number,
    "sympy equality of the last box": sympy_equality,
}


def sets() -> dict[str, list[Row]]:
    """The sets of replies by name."""
    table = json.loads((ROOT / "tests" / "cases" / "peers.json").read_text(encoding="utf-8"))
    found = {"table": [(r["question"], r["gold"], r["reply"], r["right"]) for r in table]}
    folder = os.environ.get("FRICTION_DATA")
    if folder:
        text = (Path(folder) / "math_responses.jsonl").read_text(encoding="utf-8")
        rows = [json.loads(line) for line in text.split("\n") if line]
        # One gold is a time of day, whose "p.m." the given verdicts lose.
        found["real replies"] = [
            ("", str(row["answer"]), str(row["response"]), row["score"] is True)
            for row in rows
            if "p.m." not in row["answer"]
        ]
    return found


def measure() -> list[Figure]:
    """Accuracy, both kinds of error and speed of each grader on each set."""
    figures: list[Figure] = []
    for name, rows in sets().items():
        for peer, grade in PEERS.items():
            grade(*rows[0][:3])  # imports and worker processes start here
            began = time.perf_counter()
            said = [grade(question, gold, reply) for question, gold, reply, _ in rows]
            seconds = time.perf_counter() - began
            wrongly = sum(one and not row[3] for one, row in zip(said, rows, strict=True))
            missed = sum(row[3] and not one for one, row in zip(said, rows, strict=True))
            share = 1 - (wrongly + missed) / len(rows)
            label = f"{name}, {peer}"
            if peer == "ours":
                least = 1.0 if name == "real replies" else 0.97
                figures += [at_least(f"{label}: accuracy", share, least)]
                figures += [exactly(f"{label}: false corrects", wrongly, 0)]
            else:
                figures += [Figure(f"{label}: accuracy", share)]
                figures += [Figure(f"{label}: false corrects", wrongly)]
            figures += [
                Figure(f"{label}: false wrongs", missed),
                Figure(f"{label}: replies a second", len(rows) / seconds, "/s"),
            ]
    stop_workers()
    return figures


if __name__ == "__main__":
    script(measure)
