"""A toy task and a driver for tests of the loop: no I/O, no model, replies by script."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from feedback_friction.grading.expression import equal
from feedback_friction.grading.verdict import Verdict
from feedback_friction.mode_names import parse_mode
from feedback_friction.problem import Problem
from feedback_friction.protocol.records import (
    Attempt,
    Attempted,
    Completion,
    Effect,
    Generate,
    Grade,
    Mask,
    Masked,
    Reply,
    Span,
    Usage,
)
from feedback_friction.protocol.task import Task
from feedback_friction.reading.mathematics.equality import same
from feedback_friction.reading.mathematics.read import context_of, read
from feedback_friction.settings import Plan
from feedback_friction.ways import parse_sampling

ANSWER = re.compile(r"answer is \(?(\w+)\)?")
OPEN = "open"  # an answer whose comparison with gold runs out of time


def grade(problem: Problem, response: str) -> Verdict:
    stated = ANSWER.findall(response)
    if not stated:
        return Verdict.none()
    correct = None if stated[-1].startswith(OPEN) else stated[-1] == problem.gold
    return Verdict.of(correct, stated[-1], "answer is" if correct is not None else "timeout")


def mask(problem: Problem, text: str) -> Masked:
    spans = tuple(
        Span(found.start(), found.end(), "gold")
        for found in re.finditer(rf"\b{re.escape(problem.gold)}\b", text)
    )
    return Masked(re.sub(rf"\b{re.escape(problem.gold)}\b", "[masked]", text), spans)


def ask(problem: Problem) -> str:
    lines = [f"({a}) {b}" for a, b in zip(problem.letters, problem.choices, strict=True)]
    return "\n".join([problem.question, *lines])


TASK = Task(
    name="toy",
    system="Answer the question.",
    ask=ask,
    grade=grade,
    mask=mask,
    state_answer=lambda problem, answer: f"The answer is {answer}.",
)
TUTORED = replace(TASK, tutor=lambda problem, text: f"Look at your last line: {text[-20:]}")
PROBLEM = Problem("p1", "toy", "What is six plus one?", "7", solution="6 + 1 = 7")
CHOICES = Problem("c1", "toy", "Which is a fruit?", "B", choices=("stone", "apple", "cloud", "sea"))


def plan(mode: str = "binary", sampling: str = "greedy", **more: Any) -> Plan:
    return Plan(parse_mode(mode, has_feedback_model=True), parse_sampling(sampling), **more)


def problems(count: int) -> list[Problem]:
    return [
        Problem(f"p{i}", "toy", f"Question {i}?", str(i), solution=f"It is {i}.")
        for i in range(count)
    ]


@dataclass
class Driver:
    """Answers a trial's effects; solver replies by script (the last one goes on for ever)."""

    solver: Sequence[str] | Callable[[Generate, int], str] = ("The answer is 0.",)
    feedback: str = "The answer is 7, not that."
    requests: list[Generate] = field(default_factory=list)
    attempted: list[Attempt] = field(default_factory=list)

    def run(self, steps: Generator[Effect, Any, Any], task: Task = TASK) -> Any:
        try:
            effect = next(steps)
            while True:
                effect = steps.send(self.answer(effect, task))
        except StopIteration as stop:
            return stop.value

    def answer(self, effect: Effect, task: Task) -> Any:
        if isinstance(effect, Grade):
            return task.grade(effect.problem, effect.response)
        if isinstance(effect, Mask):
            return task.mask(effect.problem, effect.text)
        if isinstance(effect, Attempted):
            self.attempted.append(effect.attempt)
            return None
        self.requests.append(effect)
        replies = tuple(Reply(self._text(effect, number)) for number in range(effect.n))
        return Completion(replies, Usage(10, 5 * effect.n), 1.0, "toy")

    def _text(self, request: Generate, number: int) -> str:
        if request.role == "feedback":
            return self.feedback
        if callable(self.solver):
            return self.solver(request, number)
        asked = sum(each.role == "solver" for each in self.requests)
        return self.solver[min(asked, len(self.solver)) - 1]

    def asked_of(self, role: str) -> list[Generate]:
        return [request for request in self.requests if request.role == role]


def accepts(problem: Problem, text: str, *, symbolic: bool = True) -> bool:
    """Whether a text, taken as a stated mathematical answer, means one of the accepted answers."""
    for accepted in (problem.gold, *problem.aliases):
        gold, context = context_of(accepted, problem.question)
        answer = read(text, context)
        if (equal(gold, answer)[0] if symbolic else same(gold, answer)) is True:
            return True
    return False
