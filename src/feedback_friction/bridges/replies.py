"""Replies from elsewhere as a run: graded here, ready to be analysed.

They are first attempts (JSON lines), or whole conversations of attempts and what was said to them
(logs of inspect_ai, ``bridges.inspect_adopt``).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from feedback_friction.engine.journal.store import Journal
from feedback_friction.engine.run.conditions import Condition
from feedback_friction.engine.run.run_directory import claim, fingerprint, locked
from feedback_friction.errors import DataError, RunStoppedError, UsageError
from feedback_friction.grading.cut import graded, is_cut_off
from feedback_friction.modes import ADOPTED, NO_FEEDBACK
from feedback_friction.problem import Problem
from feedback_friction.protocol.masking.quoted import parted_unmasked
from feedback_friction.protocol.records import Attempt, Feedback, Reply, Status, Trial
from feedback_friction.protocol.task import Task
from feedback_friction.settings import Plan
from feedback_friction.tasks.files import read_rows
from feedback_friction.tasks.page import Page, Row
from feedback_friction.tracebacks import Tracebacks
from feedback_friction.ways import CHAT, GREEDY, TRANSCRIPT

ID_FIELDS = ("id", "problem_id", "question_id", "unique_id", "ID")


@dataclass(frozen=True, slots=True)
class Said:
    """A reply, what its model was told about it (None: nothing), whether it was cut off."""

    reply: str
    told: str | None = None
    cut_off: bool = False

    @property
    def whole(self) -> Reply:
        """The reply with how it ended."""
        return Reply(self.reply, "length" if self.cut_off else "stop")


Talk = tuple[Said, ...]  # the attempts at one problem, in their order
Replies = dict[str, dict[tuple[str, int], Talk]]  # model -> (problem id, epoch) -> attempts


def read_replies(file: Path, problems: Sequence[Problem]) -> Replies:
    """Replies by model and problem from JSONL rows with an id, a model and a response.

    A row without an id may name its problem by the question, word for word, if that is only one's.

    Raises:
        DataError: a row lacks a field, or names a problem that is not among the problems, or a
            model answers the same problem twice.
    """
    known = {problem.id for problem in problems}
    times = Counter(problem.question for problem in problems)
    asked = {each.question: each.id for each in problems if times[each.question] == 1}
    found: Replies = {}
    for line, row in read_rows(file):
        problem = _id(file, line, row, asked)
        if problem not in known:
            raise DataError(str(file), f"no problem '{problem}' in the data", line=line)
        model, response = (_text(file, line, row, field) for field in ("model", "response"))
        if (problem, 0) in found.setdefault(model, {}):
            raise DataError(str(file), f"{model} answers '{problem}' twice", line=line)
        found[model][problem, 0] = (Said(response, cut_off=is_cut_off(row.get("finish_reason"))),)
    if not found:
        raise UsageError(f"{file} holds no replies")
    return found


def _id(file: Path, line: int, row: Row, asked: Mapping[str, str]) -> str:
    for field in ID_FIELDS:
        if field in row:
            return str(row[field])
    question = row.get("question")
    if isinstance(question, str) and question.strip() in asked:
        return asked[question.strip()]
    allowed = ", ".join(ID_FIELDS)
    why = f"names no problem; one of {allowed} is needed, or a question of the data"
    raise DataError(str(file), why, line=line)


def _text(file: Path, line: int, row: Row, field: str) -> str:
    value = row.get(field)
    if not isinstance(value, str):
        raise DataError(str(file), "must be a text", line=line, field=field)
    return value


def import_replies(
    page: Page, problems: Sequence[Problem], replies: Replies, directory: Path, command: list[str]
) -> bool:
    """Grade the replies and write them as a run, one condition a model.

    A conversation counts up to its first right attempt.

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
    settled = True
    async with Journal(directory) as journal:
        journal.add_problems(problems, page.task.ask)
        for model, talks in replies.items():
            condition = _condition(page, problems, model, talks)
            journal.add_now("conditions", [condition.row()])
            done = journal.finished(condition.id)
            keep = partial(_keep, journal, condition, Tracebacks(directory))
            every = ((each, epoch) for each in problems for epoch in range(condition.epochs))
            todo = [(each, at) for each, at in every if (each.id, at) not in done]
            await asyncio.gather(*(keep(each, at, talks.get((each.id, at))) for each, at in todo))
            settled &= talks.keys() <= journal.finished(condition.id)
    return settled


def _condition(
    page: Page, problems: Sequence[Problem], model: str, talks: Mapping[tuple[str, int], Talk]
) -> Condition:
    iterations = max(map(len, talks.values()))
    mode = NO_FEEDBACK if iterations == 1 else ADOPTED
    plan = Plan(
        mode, GREEDY, iterations=iterations, history=TRANSCRIPT if iterations == 1 else CHAT
    )
    epochs = 1 + max(epoch for _, epoch in talks)
    return Condition(page.name, page.task, plan, model, None, page.grader, epochs, problems)


async def _keep(
    journal: Journal,
    condition: Condition,
    tracebacks: Tracebacks,
    problem: Problem,
    epoch: int,
    talk: Talk | None,
) -> None:
    """Grade a conversation and keep it; what goes wrong with it is its own trial's failure."""
    if talk is None:  # nothing of it is still to come
        await journal.add_failure(condition.id, problem.id, epoch, "no reply to this problem")
        return
    try:
        trial = _graded(condition.task, condition.plan, problem, epoch, talk)
        await journal.add_trial(condition.id, trial, [None] * len(trial.attempts))
    except RunStoppedError:
        raise
    except (Exception, SystemExit) as error:
        reason = tracebacks.reason(error)
        await journal.add_failure(condition.id, problem.id, epoch, reason)


def _graded(task: Task, plan: Plan, problem: Problem, epoch: int, talk: Talk) -> Trial:
    attempts: list[Attempt] = []
    status: Status = "unsolved"
    for number, said in enumerate(talk):
        verdict = graded(task.grade, problem, said.reply, cut_off=said.cut_off)
        attempt = Attempt(number, problem, said.whole, verdict, temperature=0.0)
        if verdict.is_correct or verdict.is_undecided:
            status = "solved" if verdict.is_correct else "undecided"
            return Trial(problem, epoch, (*attempts, attempt), status)
        if said.told is not None and number < len(talk) - 1:
            said_so_far = [each.reply for each in talk[: number + 1]]
            told = _audited(task, plan, problem, said.told, said_so_far)
            attempt = replace(attempt, feedback=told)
        attempts.append(attempt)
    if len(attempts) < plan.iterations and plan.iterations > 1:
        reason = f"the conversation ends after {len(attempts)} attempts"
        return Trial(problem, epoch, tuple(attempts), "stopped", reason)
    return Trial(problem, epoch, tuple(attempts), status)


def _audited(
    task: Task, plan: Plan, problem: Problem, told: str, replies: Sequence[str]
) -> Feedback:
    """Feedback as it was given: what our mask would have hidden in it is a leak."""
    leaks, aligned = parted_unmasked(problem, told, task.mask(problem, told), replies)
    return Feedback(plan.mode.name, told, told, leaks, aligned=aligned)
