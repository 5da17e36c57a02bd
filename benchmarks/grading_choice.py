"""Multiple-choice grading over real replies: speed on one core, and agreement with the benchmark.

    FRICTION_DATA=DIR python benchmarks/grading_choice.py

DIR holds mmlu_pro_350.jsonl (questions and options) and mmlu_pro_responses.jsonl (replies of six
models, with the answer ``pred`` that MMLU-Pro's own script extracted: the first statement, or else
the last capital letter of the reply, or null).
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from pathlib import Path

from feedback_friction.grading.choice import grade_choice
from feedback_friction.problem import Problem

ROUNDS = 10


def load(folder: Path) -> list[tuple[Problem, str, str | None]]:
    """Each reply with its problem and with what the benchmark's script extracted."""
    problems = {}
    for line in (folder / "mmlu_pro_350.jsonl").read_text().splitlines():
        row = json.loads(line)
        problems[row["question_id"]] = Problem(
            id=str(row["question_id"]),
            task="mmlu_pro",
            question=row["question"],
            gold=row["answer"],
            choices=tuple(row["options"]),
        )
    replies = map(json.loads, (folder / "mmlu_pro_responses.jsonl").read_text().splitlines())
    return [(problems[row["question_id"]], row["response"], row["pred"]) for row in replies]


def replies_per_second(rows: list[tuple[Problem, str, str | None]]) -> list[float]:
    """Replies graded per second of processor time, one figure per round."""
    rates = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for problem, response, _ in rows:
            grade_choice(problem, response)
        rates.append(len(rows) / (time.process_time() - started))
    return rates


def main() -> None:
    """Print speed, agreement and the rules that decided."""
    folder = os.environ.get("FRICTION_DATA")
    if not folder:
        sys.exit("FRICTION_DATA is not set: it names the folder with the replies")
    rows = load(Path(folder))
    rates = sorted(replies_per_second(rows))
    verdicts = [grade_choice(problem, response) for problem, response, _ in rows]
    kinds = Counter(
        "same letter"
        if verdict.prediction == theirs is not None
        else "both none"
        if verdict.prediction == theirs
        else "ours only"
        if theirs is None
        else "theirs only"
        if verdict.prediction is None
        else "two letters"
        for verdict, (_, _, theirs) in zip(verdicts, rows, strict=True)
    )
    characters = sum(len(response) for _, response, _ in rows) / len(rows)
    print(f"{len(rows)} replies, {characters:.0f} characters on average")
    print(f"replies/s on one core: median {rates[len(rates) // 2]:,.0f}, best {rates[-1]:,.0f}")
    print("agreement with the benchmark's script:", dict(kinds.most_common()))
    print("rules:", dict(Counter(verdict.rule for verdict in verdicts).most_common()))


if __name__ == "__main__":
    main()
