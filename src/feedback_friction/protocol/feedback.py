"""The feedback modes: what each one is told, by whom it is written, and what it reveals.

=======  =====================  ==========  ==========  ====================
mode     written by             knows gold  solution    the solver sees
=======  =====================  ==========  ==========  ====================
binary   nobody (a fixed text)  verdict     no          "wrong, try again"
self     the solver model       yes         no          masked guidance
process  the solver model       yes         yes         masked guidance
strong   the feedback model     yes         yes         masked guidance
tutor    an exact program       yes         needs none  masked guidance
retry    nobody                 -           -           its first prompt
placebo  another mode, about another problem            masked guidance
=======  =====================  ==========  ==========  ====================

``binary``, ``process`` and ``strong`` are F1, F2 and F3 of the paper (section 2.1); ``self`` is
the reference code's mode without the worked solution. ``retry`` and ``placebo`` are controls:
what feedback is worth is what it adds to them. For tasks whose page says so (multiplication),
guidance that knows the worked solution is preceded by that solution, masked.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from feedback_friction.errors import UsageError
from feedback_friction.grading.verdict import Outcome
from feedback_friction.problem import Problem
from feedback_friction.protocol import history, prompts
from feedback_friction.protocol.plan import Plan, request_seed
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
    Role,
    Usage,
)
from feedback_friction.protocol.refusals import Refused, refusal
from feedback_friction.protocol.task import Task

Writer = Literal["nobody", "fixed", "program", "model", "donor"]
Donate = Callable[["Mode"], Generator[Effect, Any, Feedback]]


@dataclass(frozen=True, slots=True)
class Mode:
    """One feedback mode.

    Attributes:
        name: as on the command line.
        writer: who writes the text.
        speaker: whose model writes it, where a model does.
        sees_solution: whether the writer is shown the worked solution.
        source: for placebo, the name of the mode whose feedback is taken from another problem.
    """

    name: str
    writer: Writer
    speaker: Role = "solver"
    sees_solution: bool = False
    source: str = ""


MODES = {
    mode.name: mode
    for mode in (
        Mode("binary", "fixed"),
        Mode("self", "model"),
        Mode("process", "model", sees_solution=True),
        Mode("strong", "model", "feedback", sees_solution=True),
        Mode("tutor", "program"),
        Mode("retry", "nobody"),
        Mode("placebo", "donor"),
    )
}
_DONOR_SOURCES = ("self", "process", "strong", "tutor")


def parse_mode(name: str, *, has_feedback_model: bool) -> Mode:
    """The mode of that name; ``placebo:MODE`` names the mode that the placebo imitates.

    A bare ``placebo`` imitates ``strong`` where there is a feedback model, else ``process``.

    Raises:
        UsageError: the name is unknown, or the mode needs a feedback model and there is none.
    """
    base, _, source = name.partition(":")
    if base not in MODES or (source and base != "placebo"):
        raise UsageError(f"unknown feedback mode '{name}'; allowed: {', '.join(MODES)}")
    mode = MODES[base]
    if mode.writer == "donor":
        source = source or ("strong" if has_feedback_model else "process")
        if source not in _DONOR_SOURCES:
            allowed = ", ".join(f"placebo:{each}" for each in _DONOR_SOURCES)
            raise UsageError(f"unknown placebo '{name}'; allowed: placebo, {allowed}")
        mode = replace(mode, name=name, source=source)
    if "strong" in (mode.name, mode.source) and not has_feedback_model:
        raise UsageError(f"feedback mode '{name}' needs --feedback-model")
    return mode


def check_mode(mode: Mode, task: Task) -> None:
    """Refuse a mode that the task cannot have.

    Raises:
        UsageError: the task has no tutor.
    """
    if "tutor" in (mode.name, mode.source) and task.tutor is None:
        raise UsageError(
            f"task '{task.name}' has no tutor, so feedback mode '{mode.name}' cannot be used with "
            "it; only the multiplication tasks have one"
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
    return Feedback(
        mode.name, raw, masked.text, masked.leaks, len(masked.spans), usage=usage, seconds=seconds
    )


def _from_model(
    mode: Mode, task: Task, plan: Plan, epoch: int, attempts: Sequence[Attempt]
) -> Generator[Effect, Any, tuple[str, Usage, float]]:
    """Text, tokens and seconds of the feedback that a model writes."""
    latest = attempts[-1]
    completion: Completion = yield Generate(
        role="feedback",
        speaker=mode.speaker,
        messages=feedback_messages(task, attempts, sees_solution=mode.sees_solution),
        temperature=plan.feedback_temperature,
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
    if latest.verdict.outcome is Outcome.NO_ANSWER:
        return prompts.BINARY_NO_ANSWER
    return prompts.BINARY_WRONG


def _placebo(mode: Mode, problem: Problem, donate: Donate) -> Generator[Effect, Any, Feedback]:
    """Another problem's feedback, masked for its own problem already, masked for this one too."""
    donated = yield from donate(MODES[mode.source])
    masked: Masked = yield Mask(problem, donated.text)
    return replace(
        donated,
        mode=mode.name,
        text=masked.text,
        leaks=masked.leaks,
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
