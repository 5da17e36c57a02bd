"""Few-shot examples: which ones precede a question, fixed by seed.

The examples come from the split that the paper uses, in MMLU and MMLU-Pro from the question's own
subject. None of them is ever a problem that is asked. With ``--data``, the data set's own example
split is not at hand: ``--examples FILE`` gives its rows, and without it the task is asked
zero-shot, which a note says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from feedback_friction.errors import UsageError
from feedback_friction.problem import Problem
from feedback_friction.protocol.records import Message
from feedback_friction.protocol.task import Task
from feedback_friction.settings import Selection
from feedback_friction.tasks.catalog import numbered, problems_of
from feedback_friction.tasks.page import Examples, Page
from feedback_friction.tasks.selection import rank


def with_examples(
    page: Page, selection: Selection, problems: Sequence[Problem]
) -> tuple[Task, str]:
    """The page's task with its few-shot examples, and a note that says which they are.

    Args:
        page: the task's page.
        selection: what the command asks for; its seed chooses the examples.
        problems: the problems that will be asked; none of them becomes an example.

    Returns:
        The task, and one line for people; the line is empty for a task that the paper asks
        zero-shot.

    Raises:
        UsageError: the examples cannot be had, or none is left.
    """
    examples = page.examples
    if examples is None:
        if selection.examples is not None:
            raise UsageError(f"{page.name} is run zero-shot and takes no --examples")
        return page.task, ""
    if selection.data is not None and selection.examples is None:
        return page.task, (
            f"{page.name}: zero-shot, because --data has no rows for examples "
            "(give some with --examples FILE)"
        )
    source, rows = numbered(examples, selection, selection.examples)
    pool = _apart([problem for _, problem in problems_of(page, rows, source)], problems)
    if not pool:
        raise UsageError(
            f"no examples for {page.name}: {source} has no row other than the problems themselves"
        )
    chosen = _chosen(pool, examples, selection.seed)
    shown = {subject: _messages(page.task, each) for subject, each in chosen.items()}

    def before(problem: Problem) -> tuple[Message, ...]:
        """The examples that precede a problem; none where its subject has none."""
        return shown.get(problem.subject if examples.by_subject else None, ())

    few_shot = replace(page.task, examples=before)
    note = f"{page.name}: {examples.count} examples from {source}"
    short = sum(len(few_shot.examples(each)) < 2 * examples.count for each in problems)
    return few_shot, f"{note}, fewer for {short} of {len(problems)} problems" if short else note


def _apart(pool: Sequence[Problem], problems: Sequence[Problem]) -> list[Problem]:
    """The pool without what is asked itself, by id or by question, and without repetitions."""
    ids = {problem.id for problem in problems}
    questions = {_asked(problem) for problem in problems}
    kept: dict[tuple[str, ...], Problem] = {}
    for problem in pool:
        if problem.id not in ids and _asked(problem) not in questions:
            kept.setdefault(_asked(problem), problem)
    return list(kept.values())


def _asked(problem: Problem) -> tuple[str, ...]:
    return (problem.question, *sorted(problem.choices))


def _chosen(
    pool: Sequence[Problem], examples: Examples, seed: int
) -> dict[str | None, list[Problem]]:
    """By subject (None: for all), the examples of lowest rank, in the order of their rows."""
    groups: dict[str | None, list[Problem]] = {}
    for problem in pool:
        groups.setdefault(problem.subject if examples.by_subject else None, []).append(problem)
    chosen = {}
    for subject, group in groups.items():
        ranked = sorted(group, key=lambda each: rank(f"{seed}:{each.task}:example:{each.id}"))
        lowest = {each.id for each in ranked[: examples.count]}
        chosen[subject] = [each for each in group if each.id in lowest]
    return chosen


def worked(task: Task, problem: Problem) -> str:
    """What an example answers: its worked solution where it has one, else gold, stated."""
    return problem.solution or task.state_answer(problem, problem.gold)


def _messages(task: Task, chosen: Sequence[Problem]) -> tuple[Message, ...]:
    return tuple(
        message
        for each in chosen
        for message in (
            Message("user", task.ask(each)),
            Message("assistant", worked(task, each)),
        )
    )
