"""Is a data set fit to be run? Checked row by row, without a model.

- ``gold``: the gold answer and every alias, stated as the task's prompt asks for it, is graded
  correct;
- ``solution``: the worked solution, masked, leaks nothing by the audit;
- ``prompt``: system prompt and question keep within ``LONGEST_PROMPT``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from feedback_friction.problem import Problem
from feedback_friction.tasks.page import Page

LONGEST_PROMPT = 24_000  # characters, about 6,000 tokens: room for ten attempts in 128,000
_QUOTED = 80  # characters of a row that a failure quotes


@dataclass(frozen=True, slots=True)
class Failure:
    """One check that one problem fails.

    Attributes:
        problem_id: the problem.
        check: "gold", "solution" or "prompt".
        detail: what was found; quotes nothing of confidential data.
    """

    problem_id: str
    check: str
    detail: str


@dataclass(frozen=True, slots=True)
class Report:
    """How many problems were checked, and what failed."""

    checked: int
    failures: tuple[Failure, ...]


def validate(page: Page, problems: Sequence[Problem]) -> Report:
    """Check problems of a page's task."""
    failures = tuple(
        Failure(problem.id, check, detail)
        for problem in problems
        for check, detail in _failed(page, problem)
    )
    return Report(len(problems), failures)


def _failed(page: Page, problem: Problem) -> Iterator[tuple[str, str]]:
    task = page.task
    for answer in (problem.gold, *problem.aliases):
        verdict = task.grade(problem, task.state_answer(problem, answer))
        if not verdict.is_correct:
            found = f"graded {verdict.outcome} (rule '{verdict.rule}')"
            yield "gold", found if page.confidential else f"'{answer[:_QUOTED]}' is {found}"
    if problem.solution is not None:
        leaks = task.mask(problem, problem.solution).leaks
        if leaks:
            found = f"{len(leaks)} leaks in the masked solution"
            shown = ", ".join(f"'{leak[:_QUOTED]}'" for leak in leaks[:3])
            yield "solution", found if page.confidential else f"{found}: {shown}"
    length = len(task.system) + len(task.ask(problem))
    if length > LONGEST_PROMPT:
        yield "prompt", f"{length} characters, more than {LONGEST_PROMPT}"
