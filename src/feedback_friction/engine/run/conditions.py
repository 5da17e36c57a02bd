"""A condition: one cell of the grid that a run covers, its jobs, and the part of them run here."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from feedback_friction.engine.models.registry import is_student
from feedback_friction.errors import UsageError
from feedback_friction.problem import Problem
from feedback_friction.protocol.episode import Episode
from feedback_friction.protocol.records import Attempt
from feedback_friction.protocol.task import Task
from feedback_friction.settings import Plan
from feedback_friction.ways import way


@dataclass(frozen=True, slots=True)
class Condition:
    """Everything that is the same for its trials."""

    label: str  # name of the task as the run shows it (``"decimal_multiplication"``)
    task: Task  # the task's functions
    plan: Plan  # feedback mode, sampling and the other settings of the loop
    solver: str  # the solver, as ``provider/name``
    feedback_model: str | None  # who writes the feedback; None where no model does
    grader: str  # who gives the verdicts: the grader's name, or the judge model's
    epochs: int  # repetitions of each problem
    problems: Sequence[Problem]  # the task's problems
    digits: int | None = None  # digits of the factors, for the multiplication tasks
    # whether the run has conditions that differ in their way alone: in the history, or in what the
    # solver does before it answers
    by_history: bool = False
    by_teacher: bool = False  # whether the run has several feedback models
    # by problem id, attempts that were made elsewhere, of a frozen set
    begun: Mapping[str, tuple[Attempt, ...]] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Readable key of the condition in the journal."""
        plan = self.plan
        shown = self.by_history and plan.mode.shows_history
        history = (way(plan.history, plan.solve),) if shown else ()
        teacher = (self.feedback_model,) if self.by_teacher and self.feedback_model else ()
        named = (self.label, self.solver, plan.mode.name, plan.sampling.name)
        return " | ".join((*named, *history, *teacher))

    @property
    def simulated(self) -> bool:
        """Whether a simulated student stands in for the solver."""
        return is_student(self.solver)

    def episode(
        self, problem: Problem, epoch: int = 0, attempts: tuple[Attempt, ...] = ()
    ) -> Episode:
        """A trial of the condition after some attempts."""
        return Episode(problem, self.task, self.plan, epoch, attempts, self.problems)

    def row(self) -> dict[str, Any]:
        """The condition's row in the journal."""
        return {
            "condition": self.id,
            "task": self.label,
            "digits": self.digits,
            "solver": self.solver,
            "feedback": self.plan.mode.name,
            "feedback_model": self.feedback_model,
            "sampling": self.plan.sampling.name,
            "history": way(self.plan.history, self.plan.solve),
            "iterations": self.plan.iterations,
            "epochs": self.epochs,
            "problems": len(self.problems) * self.epochs,
            "grader": self.grader,
            "simulated": int(self.simulated),
        }


@dataclass(frozen=True, slots=True)
class Job:
    """One trial that is to be run."""

    condition: Condition
    problem: Problem
    epoch: int


def jobs(
    conditions: Sequence[Condition],
    finished: dict[str, set[tuple[str, int]]],
    first: Callable[[Problem], float] = lambda problem: 0.0,
) -> Iterator[Job]:
    """The trials that still have to run, problem by problem.

    All conditions of a problem stand side by side: they share their first attempts, and a server's
    prefix cache serves the question to all of them.

    Args:
        finished: by condition id, the (problem id, epoch) that need not run again.
        first: the problems of a task come in falling order of this value.
    """
    by_task: dict[str, list[Condition]] = {}
    for condition in conditions:
        by_task.setdefault(condition.label, []).append(condition)
    for group in by_task.values():
        problems = {problem.id: problem for each in group for problem in each.problems}
        for problem in sorted(problems.values(), key=first, reverse=True):
            for epoch in range(group[0].epochs):
                for condition in group:
                    if condition.begun and problem.id not in condition.begun:
                        continue  # an item of another condition
                    if (problem.id, epoch) not in finished[condition.id]:
                        yield Job(condition, problem, epoch)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a run that is split over machines.

    All conditions of a problem go to one part, so that they share their first attempts there. A
    part's directory is a run directory like any other, in which the other parts' trials are
    missing.
    """

    number: int = 1  # from 1
    of: int = 1  # how many parts there are

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def takes(self, problem: Problem) -> bool:
        """Whether a problem is this part's; decided by its name alone."""
        digest = hashlib.blake2b(f"{problem.task}\0{problem.id}".encode(), digest_size=8).digest()
        return int.from_bytes(digest) % self.of == self.number - 1


def parse_part(text: str | None) -> Part:
    """``"2/8"`` as a part; the whole where nothing is given.

    Raises:
        UsageError: it is none.
    """
    if text is None:
        return WHOLE
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise UsageError(f"--part must be like 2/8, from 1/8 to 8/8, not '{text}'")
    return Part(int(found[1]), int(found[2]))


WHOLE = Part()
