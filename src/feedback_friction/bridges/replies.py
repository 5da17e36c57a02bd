"""Replies from elsewhere as a run: graded here, first attempts only, ready to be analysed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from feedback_friction.engine.conditions import Condition
from feedback_friction.engine.journal import Journal
from feedback_friction.engine.prepare import fingerprint
from feedback_friction.engine.rundir import claim, locked
from feedback_friction.errors import DataError, RunStoppedError, UsageError
from feedback_friction.modes import GREEDY, NO_FEEDBACK
from feedback_friction.problem import Problem
from feedback_friction.protocol.records import AGAIN, Attempt, Reply, Status, Trial
from feedback_friction.protocol.task import Task
from feedback_friction.settings import Plan
from feedback_friction.tasks.files import read_rows
from feedback_friction.tasks.page import Page, Row
from feedback_friction.tracebacks import Tracebacks

ID_FIELDS = ("id", "problem_id", "question_id", "unique_id", "ID")
Replies = dict[str, dict[str, str]]  # model -> problem id -> reply


def read_replies(file: Path, problems: Sequence[Problem]) -> Replies:
    """Replies by model and problem from JSONL rows with an id, a model and a response.

    Raises:
        DataError: a row lacks a field, or names a problem that is not among the problems, or a
            model answers the same problem twice.
    """
    known = {problem.id for problem in problems}
    found: Replies = {}
    for line, row in read_rows(file):
        problem = _id(file, line, row)
        if problem not in known:
            raise DataError(str(file), f"no problem '{problem}' in the data", line=line)
        model, response = (_text(file, line, row, field) for field in ("model", "response"))
        if problem in found.setdefault(model, {}):
            raise DataError(str(file), f"{model} answers '{problem}' twice", line=line)
        found[model][problem] = response
    if not found:
        raise UsageError(f"{file} holds no replies")
    return found


def _id(file: Path, line: int, row: Row) -> str:
    for field in ID_FIELDS:
        if field in row:
            return str(row[field])
    allowed = ", ".join(ID_FIELDS)
    raise DataError(str(file), f"names no problem; one of {allowed} is needed", line=line)


def _text(file: Path, line: int, row: Row, field: str) -> str:
    value = row.get(field)
    if not isinstance(value, str):
        raise DataError(str(file), "must be a text", line=line, field=field)
    return value


def import_replies(
    page: Page, problems: Sequence[Problem], replies: Replies, directory: Path, command: list[str]
) -> bool:
    """Grade the replies and write them as a run of first attempts, one condition a model.

    Returns:
        Whether every reply has its verdict; those that have not are tried again by another call.

    Raises:
        UsageError: the directory cannot be written, or holds something else.
    """
    config = {
        "imported": True,
        "tasks": [page.name],
        "models": sorted(replies),
        "problems": {page.name: fingerprint(problems, page.task)},
    }
    with locked(directory):
        claim(directory, config, {}, command)
        return asyncio.run(_write(page, problems, replies, directory))


async def _write(
    page: Page, problems: Sequence[Problem], replies: Replies, directory: Path
) -> bool:
    plan, settled = Plan(NO_FEEDBACK, GREEDY, iterations=1), True
    async with Journal(directory) as journal:
        journal.add_problems(problems, page.task.ask)
        for model, texts in replies.items():
            condition = Condition(
                page.name, page.task, plan, model, None, page.grader, 1, problems, False
            )
            journal.add_conditions([condition.row()])
            done = journal.finished(condition.id)
            todo = [each for each in problems if each.id in texts and (each.id, 0) not in done]
            keep = partial(_keep, journal, condition, Tracebacks(directory))
            await asyncio.gather(*(keep(problem, texts[problem.id]) for problem in todo))
            settled &= not AGAIN & journal.statuses(condition.id).keys()
    return settled


async def _keep(
    journal: Journal, condition: Condition, tracebacks: Tracebacks, problem: Problem, text: str
) -> None:
    """Grade a reply and keep it; what goes wrong with it is its own trial's failure."""
    try:
        await journal.add_trial(condition.id, _graded(condition.task, problem, text), [None])
    except RunStoppedError:
        raise
    except (Exception, SystemExit) as error:
        reason = tracebacks.reason(error)
        await journal.add_failure(condition.id, problem.id, 0, reason)


def _graded(task: Task, problem: Problem, text: str) -> Trial:
    verdict = task.grade(problem, text)
    attempt = Attempt(0, problem, Reply(text), verdict, temperature=0.0)
    status: Status = "solved" if verdict.is_correct else "unsolved"
    if verdict.is_undecided:
        status = "undecided"
    return Trial(problem, 0, (attempt,), status)
