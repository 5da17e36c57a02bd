"""Feedback on an attempt, written in the way of its mode and masked before the solver sees it.

What a mode is, and what each reveals, is said in ``modes``. For tasks whose page says so
(multiplication), guidance that knows the worked solution is preceded by that solution, masked.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from feedback_friction.forms import parse_form
from feedback_friction.grading.verdict import Outcome
from feedback_friction.modes import BINARY, Mode
from feedback_friction.policy import Choice
from feedback_friction.problem import Problem
from feedback_friction.protocol import history, prompts
from feedback_friction.protocol.doses import is_spoilt, part, spoilt
from feedback_friction.protocol.form_writers import form_text, writer_of
from feedback_friction.protocol.masking.aligned import parted
from feedback_friction.protocol.mislead import mislead_request, misleading, suggestion
from feedback_friction.protocol.plan import request_seed, rng_for
from feedback_friction.protocol.records import (
    Aside,
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
from feedback_friction.protocol.state import state_of
from feedback_friction.protocol.task import Task
from feedback_friction.settings import Plan

Donate = Callable[[Mode], Generator[Effect, Any, Feedback]]


def write_feedback(
    mode: Mode,
    task: Task,
    plan: Plan,
    epoch: int,
    attempts: Sequence[Attempt],
    donate: Donate,
    others: Sequence[Problem] = (),
) -> Generator[Effect, Any, Feedback | None]:
    """The feedback on the last of ``attempts``, masked; None in a mode that gives none.

    Args:
        donate: for placebo, has another problem's feedback written in the mode that it is given.
        others: the task's problems, from which a worked example is taken, and what misleading and
            spoilt feedback says.

    Raises:
        Refused: the model that writes refuses for good (context length, content filter).
    """
    latest = attempts[-1]
    if mode.writer == "nobody":
        return None
    if mode.writer == "donor":
        return (yield from _placebo(mode, latest.problem, donate))
    wrote = yield from _written(mode, task, plan, epoch, attempts, others)
    raw, usage, seconds = _attributed(mode, wrote.text), wrote.usage, wrote.seconds
    for earlier in attempts[:-1]:  # what was said before of the same problem needs no second mask
        if earlier.feedback and earlier.feedback.raw == raw and earlier.problem == latest.problem:
            known = replace(earlier.feedback, usage=usage, seconds=seconds)
            return replace(known, asides=wrote.asides, choice=wrote.choice)
    masked: Masked = yield Mask(latest.problem, raw)
    replies = [attempt.reply.text for attempt in attempts]
    leaks, aligned = parted(latest.problem, raw, masked, replies)
    return Feedback(
        mode.name,
        raw,
        masked.text,
        leaks,
        len(masked.spans),
        usage=usage,
        seconds=seconds,
        aligned=aligned,
        choice=wrote.choice,
        asides=wrote.asides,
    )


def feedback_request(
    mode: Mode,
    task: Task,
    plan: Plan,
    epoch: int,
    attempts: Sequence[Attempt],
    others: Sequence[Problem] = (),
) -> Generate | None:
    """What the loop asks the model that writes the feedback on the last of ``attempts``.

    None where no model is asked about this problem: for a fixed text, a program's, a donor's.
    """
    about, mode = _about(mode, attempts), _source(mode)
    if mode.writer == "form":
        return _formed(mode, task, plan, epoch, about, others).request
    if mode.writer != "model" or not about:
        return None
    if mode.misleads:
        answer = about[-1].aside("suggested")
        if answer is None:
            return None
        return mislead_request(mode, task, plan, epoch, about, answer.text)
    return model_request(mode, task, plan, epoch, about)


@dataclass(frozen=True, slots=True)
class _Wrote:
    """A text before the mask, what it took, and what is kept beside it."""

    text: str
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0
    asides: tuple[Aside, ...] = ()
    choice: Choice | None = None


@dataclass(frozen=True, slots=True)
class _Draft:
    """A form before it is written: the text itself, or what a model is asked for it."""

    text: str
    request: Generate | None
    choice: Choice


def _source(mode: Mode) -> Mode:
    """The mode whose words are spoilt or late; any other mode itself."""
    return mode.written_as if mode.writer in ("noise", "late") else mode


def _written(
    mode: Mode,
    task: Task,
    plan: Plan,
    epoch: int,
    attempts: Sequence[Attempt],
    others: Sequence[Problem],
) -> Generator[Effect, Any, _Wrote]:
    """The text of a mode that writes about this problem."""
    latest = attempts[-1]
    if mode.writer == "part":
        return _Wrote(part(mode, plan, epoch, latest.problem))
    if mode.writer == "noise":
        wrote = yield from _written(_source(mode), task, plan, epoch, attempts, others)
        if not is_spoilt(mode, plan, epoch, latest):
            return wrote
        text = spoilt(task, plan, epoch, latest, wrote.text, others)
        return replace(wrote, text=text, asides=(Aside("corrupted", wrote.text),))
    if mode.writer == "late":
        return (yield from _late(mode, task, plan, epoch, attempts, others))
    if mode.writer == "form":
        draft = _formed(mode, task, plan, epoch, attempts, others)
        wrote = _Wrote(draft.text)
        if draft.request is not None:
            wrote = yield from _asked(draft.request)
        return replace(wrote, choice=draft.choice)
    if mode.misleads:
        return (yield from _misleading(mode, task, plan, epoch, attempts, others))
    if mode.writer == "model":
        wrote = yield from _asked(model_request(mode, task, plan, epoch, attempts))
        if task.shows_solution and mode.sees_solution:
            return replace(wrote, text=f"{latest.problem.solution or ''}\n\n{wrote.text}".strip())
        return wrote
    if mode.write is not None:
        return _Wrote(_own(mode, attempts))
    return _Wrote(_from_program(mode, task, latest))


def _own(mode: Mode, attempts: Sequence[Attempt]) -> str:
    """What a function of a user's own writes."""
    assert mode.write is not None
    text = mode.write(attempts[-1].problem, tuple(attempts))
    if not isinstance(text, str):
        raise TypeError(f"feedback '{mode.name}' must return a text, not {type(text).__name__}")
    return text


def _formed(
    mode: Mode,
    task: Task,
    plan: Plan,
    epoch: int,
    attempts: Sequence[Attempt],
    others: Sequence[Problem],
) -> _Draft:
    """The form that the mode's chooser takes for the solver's state, by who can write it."""
    assert mode.chooser is not None  # a policy's file is read before the run
    latest = attempts[-1]
    told = task.diagnose(latest.problem, latest.reply.text) if task.diagnose else None
    state = state_of(attempts, told.kind if told else "")
    rng = rng_for(plan.seed, latest.problem, epoch, latest.iteration, 0, "form")
    choice = mode.chooser.choose(state, rng)
    form = parse_form(choice.form)
    writer = writer_of(form, task, latest.problem, others)
    if writer != "model":
        rng = rng_for(plan.seed, latest.problem, epoch, latest.iteration, 0, "example")
        return _Draft(form_text(form, writer, attempts, told, others, rng), None, choice)
    wanted = dict(plan.form_requests).get(form.base, prompts.FORM_REQUESTS[form.base])
    messages = feedback_messages(task, attempts, wanted, sees_solution=True)
    return _Draft("", _request(mode, plan, epoch, attempts, messages), choice)


def _about(mode: Mode, attempts: Sequence[Attempt]) -> Sequence[Attempt]:
    """The attempts as they were when that one was made which the feedback is about."""
    late = int(mode.dose or 0) if mode.writer == "late" else 0
    if not late or late >= len(attempts):
        return () if late else attempts
    *before, last = attempts[:-late]
    return (*before, replace(last, feedback=None))


def _late(
    mode: Mode,
    task: Task,
    plan: Plan,
    epoch: int,
    attempts: Sequence[Attempt],
    others: Sequence[Problem],
) -> Generator[Effect, Any, _Wrote]:
    """The feedback on an earlier attempt; before there is one, that the latest is wrong."""
    about = _about(mode, attempts)
    if not about:
        return _Wrote(_fixed(BINARY, attempts[-1]))
    wrote = yield from _written(_source(mode), task, plan, epoch, about, others)
    if not mode.dose:
        return wrote
    number = about[-1].iteration + 1
    return replace(wrote, text=prompts.render(prompts.LATE, number=number, feedback=wrote.text))


def _misleading(
    mode: Mode,
    task: Task,
    plan: Plan,
    epoch: int,
    attempts: Sequence[Attempt],
    others: Sequence[Problem],
) -> Generator[Effect, Any, _Wrote]:
    """An argument for a wrong answer, by a program or a model."""
    if mode.writer == "model":
        answer = yield from suggestion(task, plan, epoch, attempts, others)
        if answer is not None:
            wrote = yield from _asked(mislead_request(mode, task, plan, epoch, attempts, answer))
            return replace(wrote, asides=(Aside("suggested", answer),))
    text, asides = yield from misleading(task, plan, epoch, attempts, others)
    return _Wrote(text, asides=asides)


def _attributed(mode: Mode, text: str) -> str:
    """The text, with whose words the solver is told that they are."""
    return prompts.render(prompts.ATTRIBUTED[mode.attribution], feedback=text)


def model_request(
    mode: Mode, task: Task, plan: Plan, epoch: int, attempts: Sequence[Attempt]
) -> Generate:
    """What a model is asked that writes feedback on the last of ``attempts``."""
    messages = feedback_messages(
        task, attempts, sees_solution=mode.sees_solution, sees_answer=mode.sees_answer
    )
    return _request(mode, plan, epoch, attempts, messages)


def _request(
    mode: Mode,
    plan: Plan,
    epoch: int,
    attempts: Sequence[Attempt],
    messages: tuple[Message, ...],
) -> Generate:
    """The request for feedback that a model writes."""
    latest = attempts[-1]
    return Generate(
        role="feedback",
        speaker=mode.speaker,
        messages=messages,
        temperature=plan.writer_temperature,
        max_tokens=plan.feedback_max_tokens,
        seed=request_seed(
            plan.seed, latest.problem, epoch, latest.iteration, 0, purpose="feedback"
        ),
        occasion=Occasion(latest.problem, epoch, latest.iteration, mode.name, tuple(attempts)),
    )


def _asked(request: Generate) -> Generator[Effect, Any, _Wrote]:
    """What a model writes."""
    completion: Completion = yield request
    reply = completion.replies[0]
    if reason := refusal(reply):
        raise Refused(f"feedback: {reason}")
    return _Wrote(reply.text.strip(), completion.usage, completion.seconds)


def _from_program(mode: Mode, task: Task, latest: Attempt) -> str:
    if mode.writer == "program":
        assert task.tutor is not None  # held by check_mode, before the run
        return task.tutor(latest.problem, latest.reply.text)
    if mode.writer == "question":
        hints = latest.problem.hints
        return hints[min(mode.level or latest.iteration + 1, len(hints)) - 1]
    return _fixed(mode, latest)


def _fixed(mode: Mode, latest: Attempt) -> str:
    text = prompts.FIXED[mode.fixed]
    return text.no_answer if latest.verdict.outcome is Outcome.NO_ANSWER else text.wrong


def _placebo(mode: Mode, problem: Problem, donate: Donate) -> Generator[Effect, Any, Feedback]:
    """Another problem's feedback, masked for its own problem already, masked for this one too."""
    donated = yield from donate(mode.written_as)
    raw = _attributed(mode, donated.raw)
    masked: Masked = yield Mask(problem, _attributed(mode, donated.text))
    return replace(
        donated,
        raw=raw,
        mode=mode.name,
        text=masked.text,
        leaks=masked.leaks,
        aligned=(),
        masked_spans=donated.masked_spans + len(masked.spans),
        choice=None,
    )


def feedback_messages(
    task: Task,
    attempts: Sequence[Attempt],
    request: str = prompts.FEEDBACK_REQUEST,
    *,
    sees_solution: bool,
    sees_answer: bool = True,
) -> tuple[Message, ...]:
    """What the feedback generator reads.

    Args:
        request: the prompt that says what to write.

    What stays the same comes first (problem, gold, solution, earlier attempts), so that a server's
    prefix cache serves every later request of the trial.
    """
    first, latest = attempts[0].problem, attempts[-1]
    problem = latest.problem
    parts = [_problem(task, first, sees_answer=sees_answer)]
    if sees_solution and first.solution:
        parts.append(prompts.render(prompts.FEEDBACK_SOLUTION, solution=first.solution))
    parts += history.transcript(attempts)
    if problem.choices != first.choices:
        parts.append(_problem(task, problem, sees_answer=sees_answer))
    secret = prompts.SECRET_CHOICES if problem.choices else prompts.SECRET_PLAIN
    silent = latest.verdict.outcome is Outcome.NO_ANSWER
    fault = prompts.FAULT_NO_ANSWER if silent else prompts.FAULT_WRONG
    number = latest.iteration + 1
    parts.append(prompts.render(request, number=number, fault=fault, secret=secret))
    system = prompts.FEEDBACK_SYSTEM if sees_answer else prompts.FEEDBACK_SYSTEM_ALONE
    return (Message("system", system), Message("user", "\n\n".join(parts)))


def _problem(task: Task, problem: Problem, *, sees_answer: bool) -> str:
    if not sees_answer:
        return prompts.render(prompts.FEEDBACK_PROBLEM_ALONE, question=task.ask(problem))
    gold = f"({problem.gold}) {problem.gold_text}" if problem.choices else problem.gold
    return prompts.render(prompts.FEEDBACK_PROBLEM, question=task.ask(problem), gold=gold)
