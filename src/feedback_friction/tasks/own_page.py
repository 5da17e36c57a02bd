"""Tasks that are Python objects: problems and a grader of a program of yours."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from feedback_friction.errors import UsageError
from feedback_friction.problem import Problem
from feedback_friction.tasks import custom
from feedback_friction.tasks.catalog import OWN, PAGES
from feedback_friction.tasks.graders import allow, by_function
from feedback_friction.tasks.page import Page, Row, RowError

GradeFunction = Callable[[Problem, str], object]


@dataclass(frozen=True, slots=True)
class OwnTask:
    """A task of your own.

    Attributes:
        name: as results show it; none of the program's tasks.
        problems: rows as of the task ``custom`` (``{"question": ..., "answer": ...}``, see
            ``docs/data.md``), or ``Problem`` values.
        grader: the name of a grader (``"number"``, ``"regex:PATTERN"``, ``"rubric:TEXT"``), a
            compiled pattern, or a function of (problem, reply) that returns True, False, None for
            no answer, or a ``Verdict``; None grades as ``custom`` does.
        system: the solver's system prompt; None has that of ``custom``.
        ask: the question as the solver reads it; None asks as ``custom`` does.
    """

    name: str
    problems: Sequence[Row | Problem]
    grader: str | re.Pattern[str] | GradeFunction | None = None
    system: str | None = None
    ask: Callable[[Problem], str] | None = None

    def page(self) -> Page:
        """The task as the program has its own."""
        task = replace(
            custom.PAGE.task,
            name=self.name,
            system=self.system or custom.SYSTEM,
            ask=self.ask or custom.ask,
        )
        grader = "by row"
        if callable(self.grader):
            grader = getattr(self.grader, "__qualname__", "a function")
            task = replace(
                task,
                grade=by_function(self.grader),
                ask=self.ask or custom.bare,
                state_answer=custom.bare_answer,
            )
        return replace(
            custom.PAGE,
            task=task,
            title=self.name,
            source="your program",
            size=len(self.problems),
            grader=grader,
            rows=lambda selection: [
                each if isinstance(each, Mapping) else {_VALUE: each} for each in self.problems
            ],
            to_problem=self._problem,
        )

    def _problem(self, row: Row) -> Problem:
        if _VALUE in row:
            given = row[_VALUE]
            if not isinstance(given, Problem):
                raise RowError("problems", "must be rows (mappings) or Problem values")
            custom.check(given)
            return replace(given, task=self.name)
        grader = self.grader
        if isinstance(grader, re.Pattern):
            grader = f"regex:{grader.pattern}"
        if isinstance(grader, str) and row.get("grader") is None:
            row = {**row, "grader": grader}
        return replace(custom.to_problem(row), task=self.name)


_VALUE = ""  # the only key of a row that is no row, but a value of a program's


def add_task(task: OwnTask) -> str:
    """Make a task known under its name; one of the same name takes its place.

    Raises:
        UsageError: it has the name of one of the program's tasks, or none that can stand in a
            condition.
    """
    if task.name in PAGES:
        raise UsageError(f"a task of your own cannot be called '{task.name}': a built-in one is")
    if not re.fullmatch(r"[\w.:-]+", task.name):
        raise UsageError(f"task name '{task.name}' may contain only letters, digits, _, -, . and :")
    if isinstance(task.grader, str):
        allow(task.grader)
    OWN[task.name] = task.page()
    return task.name
