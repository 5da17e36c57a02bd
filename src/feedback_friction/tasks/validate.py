"""Is a data set fit to be run? Checked row by row, without a model.

- ``gold``: the gold answer and every alias, stated as the task's prompt asks for it, is graded
  correct;
- ``mask``: in feedback that blurts it out, each of these is masked, and no leak is left;
- ``solution``: the worked solution, masked, leaks nothing by the audit;
- ``prompt``: system prompt and question keep within ``LONGEST_PROMPT``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from feedback_friction.problem import Problem
from feedback_friction.protocol.task import Task
from feedback_friction.tasks.page import Page

LONGEST_PROMPT = 24_000  # characters, about 6,000 tokens: room for ten attempts in 128,000
_BLURTED = "Look again. The answer is {}. Check each step."
_QUOTED = 80  # characters of a row that a failure quotes


@dataclass(frozen=True, slots=True)
class Failure:
    """One check that one problem fails.

    Attributes:
        problem_id: the problem.
        check: "gold", "mask", "solution" or "prompt".
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
    for answer in (problem.gold, *problem.aliases):
        for check, found in _unfit(page.task, problem, answer):
            yield check, found if page.confidential else f"'{answer[:_QUOTED]}' {found}"
    if problem.solution is not None:
        leaks = page.task.mask(problem, problem.solution).leaks
        if leaks:
            found = f"{len(leaks)} leaks in the masked solution"
            shown = ", ".join(f"'{leak[:_QUOTED]}'" for leak in leaks[:3])
            yield "solution", found if page.confidential else f"{found}: {shown}"
    length = len(page.task.system) + len(page.task.ask(problem))
    if length > LONGEST_PROMPT:
        yield "prompt", f"{length} characters, more than {LONGEST_PROMPT}"


def _unfit(task: Task, problem: Problem, answer: str) -> Iterator[tuple[str, str]]:
    """What grader and mask do wrong with an accepted answer."""
    verdict = task.grade(problem, task.state_answer(problem, answer))
    if not verdict.is_correct:
        yield "gold", f"is graded {verdict.outcome} (rule '{verdict.rule}')"
    masked = task.mask(problem, _BLURTED.format(answer))
    if not masked.spans or masked.leaks:
        yield "mask", "is not masked where feedback gives it away"
