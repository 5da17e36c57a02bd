"""Feedback on an attempt, written in the way of its mode and masked before the solver sees it.

What a mode is, and what each reveals, is said in ``modes``. For tasks whose page says so
(multiplication), guidance that knows the worked solution is preceded by that solution, masked.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import Any

from feedback_friction.errors import UsageError
from feedback_friction.grading.verdict import Outcome
from feedback_friction.modes import Mode
from feedback_friction.problem import Problem
from feedback_friction.protocol import history, prompts
from feedback_friction.protocol.masking.aligned import parted
from feedback_friction.protocol.plan import request_seed
from feedback_friction.protocol.records import (
    Attempt,
    Completion,
    Effect,
    Feedback,
    Generate,
    Mask,
    Masked,
    Message,
    Occasion,
    Usage,
)
from feedback_friction.protocol.refusals import Refused, refusal
from feedback_friction.protocol.task import Task
from feedback_friction.settings import Plan

Donate = Callable[[Mode], Generator[Effect, Any, Feedback]]


def check_mode(mode: Mode, task: Task) -> None:
    """Refuse a mode that the task cannot have.

    Raises:
        UsageError: the task has no tutor.
    """
    if mode.written_as.writer == "program" and task.tutor is None:
        raise UsageError(
            f"task '{task.name}' has no tutor, so feedback mode '{mode.name}' cannot be used with "
            "it; only the multiplication tasks have one"
        )


def check_hints(mode: Mode, problems: Sequence[Problem]) -> None:
    """Refuse a mode that gives hints where a problem has none.

    Raises:
        UsageError: one of the problems has no hints.
    """
    bare = [problem for problem in problems if not problem.hints]
    if bare and mode.written_as.writer == "question":
        raise UsageError(
            f"feedback mode '{mode.name}' needs rows with a field 'hints', a list of texts; "
            f"{len(bare)} of {len(problems)} rows of {bare[0].task} have none, such as "
            f"'{bare[0].id}'"
        )


def write_feedback(
    mode: Mode,
    task: Task,
    plan: Plan,
    epoch: int,
    attempts: Sequence[Attempt],
    donate: Donate,
) -> Generator[Effect, Any, Feedback | None]:
    """The feedback on the last of ``attempts``, masked; None in a mode that gives none.

    Args:
        donate: for placebo, has another problem's feedback written in the mode that it is given.

    Raises:
        Refused: the model that writes refuses for good (context length, content filter).
    """
    latest = attempts[-1]
    if mode.writer == "nobody":
        return None
    if mode.writer == "donor":
        return (yield from _placebo(mode, latest.problem, donate))
    if mode.writer == "model":
        raw, usage, seconds = yield from _from_model(mode, task, plan, epoch, attempts)
    else:
        raw, usage, seconds = _from_program(mode, task, latest), Usage(), 0.0
    if task.shows_solution and mode.sees_solution:
        raw = f"{latest.problem.solution or ''}\n\n{raw}".strip()
    for earlier in attempts[:-1]:  # what was said before of the same problem needs no second mask
        if earlier.feedback and earlier.feedback.raw == raw and earlier.problem == latest.problem:
            return replace(earlier.feedback, usage=usage, seconds=seconds)
    masked: Masked = yield Mask(latest.problem, raw)
    replies = [attempt.reply.text for attempt in attempts]
    leaks, aligned = parted(latest.problem, raw, masked, replies)
    spans = len(masked.spans)
    return Feedback(
        mode.name, raw, masked.text, leaks, spans, usage=usage, seconds=seconds, aligned=aligned
    )


def feedback_request(
    mode: Mode, task: Task, plan: Plan, epoch: int, attempts: Sequence[Attempt]
) -> Generate | None:
    """What the loop asks the model that writes the feedback on the last of ``attempts``.

    None where no model is asked about this problem: for a fixed text, a program's, a donor's.
    """
    if mode.writer != "model":
        return None
    request = next(_from_model(mode, task, plan, epoch, attempts))
    assert isinstance(request, Generate)
    return request


def _from_model(
    mode: Mode, task: Task, plan: Plan, epoch: int, attempts: Sequence[Attempt]
) -> Generator[Effect, Any, tuple[str, Usage, float]]:
    """Text, tokens and seconds of the feedback that a model writes."""
    latest = attempts[-1]
    completion: Completion = yield Generate(
        role="feedback",
        speaker=mode.speaker,
        messages=feedback_messages(task, attempts, sees_solution=mode.sees_solution),
        temperature=plan.writer_temperature,
        max_tokens=plan.feedback_max_tokens,
        seed=request_seed(
            plan.seed, latest.problem, epoch, latest.iteration, 0, purpose="feedback"
        ),
        occasion=Occasion(latest.problem, epoch, latest.iteration, mode.name, tuple(attempts)),
    )
    reply = completion.replies[0]
    if reason := refusal(reply):
        raise Refused(f"feedback: {reason}")
    return reply.text.strip(), completion.usage, completion.seconds


def _from_program(mode: Mode, task: Task, latest: Attempt) -> str:
    if mode.writer == "program":
        assert task.tutor is not None  # held by check_mode, before the run
        return task.tutor(latest.problem, latest.reply.text)
    if mode.writer == "question":
        hints = latest.problem.hints
        return hints[min(mode.level or latest.iteration + 1, len(hints)) - 1]
    text = prompts.FIXED[mode.fixed]
    return text.no_answer if latest.verdict.outcome is Outcome.NO_ANSWER else text.wrong


def _placebo(mode: Mode, problem: Problem, donate: Donate) -> Generator[Effect, Any, Feedback]:
    """Another problem's feedback, masked for its own problem already, masked for this one too."""
    donated = yield from donate(mode.written_as)
    masked: Masked = yield Mask(problem, donated.text)
    return replace(
        donated,
        mode=mode.name,
        text=masked.text,
        leaks=masked.leaks,
        aligned=(),
        masked_spans=donated.masked_spans + len(masked.spans),
    )


def feedback_messages(
    task: Task, attempts: Sequence[Attempt], *, sees_solution: bool
) -> tuple[Message, ...]:
    """What the feedback generator reads.

    What stays the same comes first (problem, gold, solution, earlier attempts), so that a server's
    prefix cache serves every later request of the trial.
    """
    first, latest = attempts[0].problem, attempts[-1]
    problem = latest.problem
    parts = [_problem(task, first)]
    if sees_solution and first.solution:
        parts.append(prompts.render(prompts.FEEDBACK_SOLUTION, solution=first.solution))
    parts += history.transcript(attempts)
    if problem.choices != first.choices:
        parts.append(_problem(task, problem))
    secret = prompts.SECRET_CHOICES if problem.choices else prompts.SECRET_PLAIN
    silent = latest.verdict.outcome is Outcome.NO_ANSWER
    fault = prompts.FAULT_NO_ANSWER if silent else prompts.FAULT_WRONG
    number = latest.iteration + 1
    parts.append(
        prompts.render(prompts.FEEDBACK_REQUEST, number=number, fault=fault, secret=secret)
    )
    return (Message("system", prompts.FEEDBACK_SYSTEM), Message("user", "\n\n".join(parts)))


def _problem(task: Task, problem: Problem) -> str:
    gold = f"({problem.gold}) {problem.gold_text}" if problem.choices else problem.gold
    return prompts.render(prompts.FEEDBACK_PROBLEM, question=task.ask(problem), gold=gold)
