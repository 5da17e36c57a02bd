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
from feedback_friction.protocol.episode import Episode
from feedback_friction.protocol.form_writers import form_text, writer_of
from feedback_friction.protocol.masking.quoted import parted
from feedback_friction.protocol.mislead import mislead_request, misleading, suggestion
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
    Usage,
)
from feedback_friction.protocol.refusals import Refused, refusal
from feedback_friction.protocol.state import state_of
from feedback_friction.protocol.task import Task

Donate = Callable[[Mode], Generator[Effect, Any, Feedback]]


def write_feedback(episode: Episode, donate: Donate) -> Generator[Effect, Any, Feedback | None]:
    """The feedback on the latest attempt, masked; None in a mode that gives none.

    Args:
        donate: for placebo, has another problem's feedback written in the mode that it is given.

    Raises:
        Refused: the model that writes refuses for good (context length, content filter).
    """
    mode, latest = episode.mode, episode.latest
    if mode.writer == "nobody":
        return None
    if mode.writer == "donor":
        return (yield from _placebo(mode, latest.problem, donate))
    wrote = yield from _written(episode)
    raw, usage, seconds = _attributed(mode, wrote.text), wrote.usage, wrote.seconds
    for earlier in episode.attempts[:-1]:  # said before of the same problem, it needs no new mask
        if earlier.feedback and earlier.feedback.raw == raw and earlier.problem == latest.problem:
            known = replace(earlier.feedback, usage=usage, seconds=seconds)
            return replace(known, asides=wrote.asides, choice=wrote.choice)
    masked: Masked = yield Mask(latest.problem, raw)
    replies = [attempt.reply.text for attempt in episode.attempts]
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


def feedback_request(episode: Episode) -> Generate | None:
    """What the loop asks the model that writes the feedback on the latest attempt.

    None where no model is asked about this problem: for a fixed text, a program's, a donor's.
    """
    about = _about(episode)
    if about.mode.writer == "form":
        return _formed(about).request
    if about.mode.writer != "model" or not about.attempts:
        return None
    if about.mode.misleads:
        answer = about.latest.aside("suggested")
        return mislead_request(about, answer.text) if answer is not None else None
    return model_request(about)


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


def _written(episode: Episode) -> Generator[Effect, Any, _Wrote]:
    """The text of a mode that writes about this problem."""
    mode, task, latest = episode.mode, episode.task, episode.latest
    if mode.writer == "part":
        return _Wrote(part(episode))
    if mode.writer == "noise":
        wrote = yield from _written(_about(episode))
        if not is_spoilt(episode):
            return wrote
        text = spoilt(episode, wrote.text)
        return replace(wrote, text=text, asides=(Aside("corrupted", wrote.text),))
    if mode.writer == "late":
        return (yield from _late(episode))
    if mode.writer == "form":
        draft = _formed(episode)
        wrote = _Wrote(draft.text)
        if draft.request is not None:
            wrote = yield from _asked(draft.request)
        return replace(wrote, choice=draft.choice)
    if mode.misleads:
        return (yield from _misleading(episode))
    if mode.writer == "model":
        wrote = yield from _asked(model_request(episode))
        if task.shows_solution and mode.sees_solution:
            return replace(wrote, text=f"{latest.problem.solution or ''}\n\n{wrote.text}".strip())
        return wrote
    if mode.write is not None:
        return _Wrote(_own(mode, episode.attempts))
    return _Wrote(_from_program(mode, task, latest))


def _own(mode: Mode, attempts: tuple[Attempt, ...]) -> str:
    """What a function of a user's own writes."""
    assert mode.write is not None
    text = mode.write(attempts[-1].problem, attempts)
    if not isinstance(text, str):
        raise TypeError(f"feedback '{mode.name}' must return a text, not {type(text).__name__}")
    return text


def _formed(episode: Episode) -> _Draft:
    """The form that the mode's chooser takes for the solver's state, by who can write it."""
    task, attempts, latest = episode.task, episode.attempts, episode.latest
    chooser = episode.mode.chooser
    assert chooser is not None  # a policy's file is read before the run
    told = task.diagnose(latest.problem, latest.reply.text) if task.diagnose else None
    state = state_of(attempts, told.kind if told else "")
    choice = chooser.choose(state, episode.rng("form", latest.iteration))
    form = parse_form(choice.form)
    writer = writer_of(form, task, latest.problem, episode.others)
    if writer != "model":
        rng = episode.rng("example", latest.iteration)
        return _Draft(form_text(form, writer, attempts, told, episode.others, rng), None, choice)
    wanted = dict(episode.plan.form_requests).get(form.base, prompts.FORM_REQUESTS[form.base])
    messages = feedback_messages(task, attempts, wanted, sees_solution=True)
    return _Draft("", episode.writer_request(messages), choice)


def _about(episode: Episode) -> Episode:
    """What feedback that is spoilt or late is made of: the words' own mode, at the time they mean.

    Without attempts where that time is before the first one; any other mode's is the episode.
    """
    mode, attempts = episode.mode, episode.attempts
    if mode.writer not in ("noise", "late"):
        return episode
    late = int(mode.dose or 0) if mode.writer == "late" else 0
    if late:
        earlier = attempts[:-late]
        attempts = (*earlier[:-1], *(replace(each, feedback=None) for each in earlier[-1:]))
    return replace(episode.under(mode.written_as), attempts=attempts)


def _late(episode: Episode) -> Generator[Effect, Any, _Wrote]:
    """The feedback on an earlier attempt; before there is one, that the latest is wrong."""
    about = _about(episode)
    if not about.attempts:
        return _Wrote(_fixed(BINARY, episode.latest))
    wrote = yield from _written(about)
    if not episode.mode.dose:
        return wrote
    number = about.iteration
    return replace(wrote, text=prompts.render(prompts.LATE, number=number, feedback=wrote.text))


def _misleading(episode: Episode) -> Generator[Effect, Any, _Wrote]:
    """An argument for a wrong answer, by a program or a model."""
    if episode.mode.writer == "model":
        answer = yield from suggestion(episode)
        if answer is not None:
            wrote = yield from _asked(mislead_request(episode, answer))
            return replace(wrote, asides=(Aside("suggested", answer),))
    text, asides = yield from misleading(episode)
    return _Wrote(text, asides=asides)


def _attributed(mode: Mode, text: str) -> str:
    """The text, with whose words the solver is told that they are."""
    return prompts.render(prompts.ATTRIBUTED[mode.attribution], feedback=text)


def model_request(episode: Episode) -> Generate:
    """What a model is asked that writes feedback on the latest attempt."""
    mode = episode.mode
    messages = feedback_messages(
        episode.task,
        episode.attempts,
        sees_solution=mode.sees_solution,
        sees_answer=mode.sees_answer,
    )
    return episode.writer_request(messages)


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
