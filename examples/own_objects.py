"""A task, a grader, two models and a feedback writer of your own, within a running event loop.

python examples/own_objects.py [FOLDER]
"""

import asyncio
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import feedback_friction as ff


def within_one(problem: ff.Problem, reply: str) -> bool | None:
    """Right where the last number is at most one from the answer; no number is no answer."""
    numbers = re.findall(r"-?\d+", reply)
    return abs(int(numbers[-1]) - int(problem.gold)) <= 1 if numbers else None


SUMS = ff.Task(
    "rough-sums",
    [{"question": f"About how much is {n} + {2 * n}?", "answer": 3 * n} for n in range(10, 30)],
    grader=within_one,
)


@ff.feedback
def high_or_low(problem: ff.Problem, attempts: Sequence[ff.Attempt]) -> str:
    """Which way to go"""
    said = re.findall(r"-?\d+", attempts[-1].reply.text)
    high = bool(said) and int(said[-1]) > int(problem.gold)
    return f"Your number is too {'high' if high else 'low'}."


@ff.model
def guesser(messages: list[dict[str, str]], seed: int) -> str:
    """Five too high at first; it goes down by two each time that it is told to."""
    chat = messages[-1]["content"]
    a, b = map(int, re.findall(r"\d+", chat)[:2])
    return f"I would say {a + b + 5 - 2 * chat.count('too high')}."


class Echo:
    """A model as a class (``ff.Model``): it says what it was asked last."""

    name = identity = "python/echo"
    simulated = True

    async def check(self) -> None:
        """Nothing can be missing."""

    async def close(self) -> None:
        """Nothing is held."""

    async def generate(self, request: ff.Generate) -> ff.Completion:
        reply = ff.Reply(request.messages[-1].content[-40:])
        return ff.Completion((reply,) * request.n)


async def main(folder: Path) -> None:
    run = ff.run(
        tasks=SUMS,
        solver=[guesser, Echo()],
        feedback=["retry", high_or_low],
        iterations=4,
        out=folder / "run",
    )
    for row in run.results().iter_rows(named=True):
        shares = ", ".join(f"{share:.0%}" for share in row["accuracy"])
        print(f"{row['solver']}, {row['feedback']}: {shares}; missing {row['missing']}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(main(Path(sys.argv[1])))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            asyncio.run(main(Path(temporary)))
